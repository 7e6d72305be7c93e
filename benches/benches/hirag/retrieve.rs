//! Retrieval over all levels: embedding the question by a model that takes no time, comparing,
//! ranking, packing, and reading what was chosen. Traces and access counts are written in the
//! background meanwhile, as always.
//!
//! Data: 10,000 notes of 20 to 60 words (100 in L1, 1,900 in L2, 8,000 in L3) in conversations of
//! twenty. Fixed seed, fixed clock. Every iteration asks a new question of 7 to 15 words.
//! `concurrent` is eight of them at once, as one iteration. Percentiles are measured by
//! `retrieval_percentiles`.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use futures::future::join_all;
use hirag::context::ContextRequest;
use hirag_benches::Memory;

const AT_ONCE: usize = 8;

pub(crate) fn benches(criterion: &mut Criterion) {
    let runtime = super::runtime();
    let mut memory = Memory::filled(&runtime, [100, 1_900, 8_000]);
    let manager = memory.manager.clone();
    let mut group = criterion.benchmark_group("retrieve");
    for max_tokens in [100, 500, 1_000, 2_000, 4_000] {
        let id = BenchmarkId::new("max_tokens", max_tokens);
        group.bench_function(id, |bencher| {
            bencher.to_async(&*runtime).iter_batched(
                || ContextRequest {
                    max_tokens: Some(max_tokens),
                    ..ContextRequest::new(memory.writer.question())
                },
                |request| async {
                    black_box(manager.retrieve(request).await).expect("it is answered")
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.throughput(Throughput::Elements(AT_ONCE as u64));
    group.bench_function("concurrent", |bencher| {
        bencher.to_async(&*runtime).iter_batched(
            || -> Vec<ContextRequest> {
                (0..AT_ONCE)
                    .map(|_| ContextRequest::new(memory.writer.question()))
                    .collect()
            },
            |requests| {
                let manager = manager.clone();
                async move {
                    let tasks = requests.into_iter().map(|request| {
                        let manager = manager.clone();
                        tokio::spawn(async move { manager.retrieve(request).await })
                    });
                    for answer in join_all(tasks).await {
                        black_box(answer.expect("the task ends")).expect("it is answered");
                    }
                }
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}
