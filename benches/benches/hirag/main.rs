//! The criterion benches, one module a group. `make bench` runs them and compares the medians
//! with `targets.json`; one group alone: `cargo bench -p hirag-benches --bench hirag -- l3/`.
#![allow(
    clippy::expect_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]
#![allow(missing_docs, reason = "criterion's macros write functions without")]

mod cache;
mod embed;
mod levels;
mod retrieve;
mod store;

use std::sync::Arc;

use criterion::{criterion_group, criterion_main};
use tokio::runtime::Runtime;

/// As the program runs it: a thread a core.
fn runtime() -> Arc<Runtime> {
    Arc::new(Runtime::new().expect("the runtime starts"))
}

criterion_group!(
    benches,
    store::benches,
    levels::benches,
    retrieve::benches,
    embed::benches,
    cache::benches
);
criterion_main!(benches);
