//! What a person does in the real window, from the first start to an accident. Needs the built program:
//! `make check-window`.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers beside the tests fail by panicking, too"
)]

mod accidents;
mod changing;
mod drill;
mod first_run;
mod hostile_text;
mod importing;
mod instances;
mod many;
mod secrets;
