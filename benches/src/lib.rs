//! What the benches measure with: made-up notes that read like English, a provider that answers
//! at once, and memories filled with both. All of it follows from a fixed seed and a fixed clock,
//! so that every run measures the same work.
#![allow(
    clippy::expect_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]
#![allow(
    clippy::print_stderr,
    reason = "whoever runs a bench wants to know what it leaves out"
)]

mod memory;
mod provider;
mod text;

pub use memory::{Memory, NOW_SECONDS, clock, local_model};
pub use provider::{DIMENSION, WordVectors};
pub use text::Writer;
