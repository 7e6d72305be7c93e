//! What the integration tests share: a provider without a model, a store without a database,
//! folders of notes, endpoints that play a script, and a hand on the real window.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking, that is how they speak"
)]

pub mod chat;
pub mod endpoint;
pub mod memory_store;
pub mod mounts;
pub mod notes;
pub mod place;
pub mod provider;
pub mod store_suite;
#[cfg(target_os = "linux")]
pub mod window;
