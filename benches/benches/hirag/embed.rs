//! The local model's forward pass with its tokenizer, one thread a core, for 1 to 32 texts at once.
//!
//! Data: notes of 20 to 60 made-up words, which the model's tokenizer cuts into more pieces than
//! English ones. Fixed seed. Skipped where the model is not on the machine.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use hirag::embedding::EmbeddingProvider;
use hirag_benches::{Writer, local_model};

pub(crate) fn benches(criterion: &mut Criterion) {
    let Some(model) = local_model("embedding") else {
        return;
    };
    let runtime = super::runtime();
    let mut writer = Writer::new(1);
    let topic = writer.topic();
    let mut group = criterion.benchmark_group("embed");
    group.sample_size(10);
    for size in [1_usize, 8, 16, 32] {
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::new("batch", size), |bencher| {
            bencher.to_async(&*runtime).iter_batched(
                || -> Vec<String> { (0..size).map(|_| writer.note(&topic)).collect() },
                |texts| {
                    let model = &model;
                    async move { black_box(model.embed_batch(&texts).await) }
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}
