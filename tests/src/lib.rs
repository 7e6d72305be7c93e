//! What the integration tests share: a provider without a model, a store without a database,
//! folders of notes, and an endpoint that plays a script.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking, that is how they speak"
)]

pub mod endpoint;
pub mod memory_store;
pub mod mounts;
pub mod notes;
pub mod place;
pub mod provider;
pub mod store_suite;
