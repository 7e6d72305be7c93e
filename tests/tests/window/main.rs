//! What a person does, from the first start to an accident: `everywhere` in the real window and in a browser
//! alike, `windowed` and `served` in one of them. Needs the built programs: `make check-window` and
//! `make check-browser`.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers beside the tests fail by panicking, too"
)]

mod everywhere;
mod served;
mod windowed;
