//! Single levels: putting a context into the working set, and retrievals that search one level.
//!
//! Data: notes of 20 to 60 words in conversations of twenty; a memory for each size. Fixed seed,
//! fixed clock. Every retrieval asks a new question with the default settings (4,000 tokens); its
//! vector comes from a model that takes no time.

use std::hint::black_box;

use criterion::{BatchSize, Criterion};
use hirag::context::{ContextLevel, ContextRequest};
use hirag::levels::WorkingSet;
use hirag_benches::Memory;

pub(crate) fn benches(criterion: &mut Criterion) {
    update(criterion);
    search(criterion, "l1", "search", [100, 0, 0]);
    search(criterion, "l2", "search_100", [0, 100, 0]);
    search(criterion, "l3", "search_1000", [0, 0, 1_000]);
    search(criterion, "l3", "search_10000", [0, 0, 10_000]);
}

/// A context that is there takes the place of its older self in a full working set.
fn update(criterion: &mut Criterion) {
    let runtime = super::runtime();
    let memory = Memory::filled(&runtime, [100, 0, 0]);
    let contexts = runtime
        .block_on(memory.manager.list(hirag::manager::ListRequest::default()))
        .expect("the contexts are listed")
        .contexts;
    let set = WorkingSet::default();
    set.put(set.version(), contexts.clone());
    let mut next = contexts.iter().cycle();
    criterion
        .benchmark_group("l1")
        .bench_function("update", |bencher| {
            bencher.iter_batched(
                || next.next().cloned(),
                |context| set.put(black_box(set.version()), context),
                BatchSize::SmallInput,
            );
        });
}

fn search(criterion: &mut Criterion, group: &str, name: &str, levels: [usize; 3]) {
    let runtime = super::runtime();
    let mut memory = Memory::filled(&runtime, levels);
    let manager = memory.manager.clone();
    let searched: Vec<ContextLevel> = ContextLevel::ALL
        .into_iter()
        .zip(levels)
        .filter_map(|(level, count)| (count > 0).then_some(level))
        .collect();
    criterion
        .benchmark_group(group)
        .bench_function(name, |bencher| {
            bencher.to_async(&*runtime).iter_batched(
                || ContextRequest {
                    levels: searched.clone(),
                    ..ContextRequest::new(memory.writer.question())
                },
                |request| async {
                    black_box(manager.retrieve(request).await).expect("it is answered")
                },
                BatchSize::PerIteration,
            );
        });
}
