//! Storing contexts: from the call until they are on disk and found by the next search, so the
//! commit's `fsync` is in it.
//!
//! Data: notes of 20 to 60 words in conversations of twenty, into a memory that holds 10,000
//! already (with the model: into an empty one, the texts new to the cache). Fixed seed, fixed
//! clock. Without the model the notes bring their vectors.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput};
use hirag::context::{ContextId, ContextLevel, Metadata, NewContext, Priority};
use hirag::store::sqlite::{Access, SqliteStore, StoreOptions};
use hirag::store::{Record, VectorSpec, VectorStore};
use hirag_benches::{DIMENSION, Memory, Writer, clock, local_model};
use std::time::Duration;

const BATCH: usize = 32;

pub(crate) fn benches(criterion: &mut Criterion) {
    let runtime = super::runtime();
    let mut group = criterion.benchmark_group("store");
    {
        let mut memory = Memory::filled(&runtime, [100, 900, 9_000]);
        let manager = memory.manager.clone();
        group.bench_function("without_model", |bencher| {
            bencher.to_async(&*runtime).iter_batched(
                || memory.notes(1, ContextLevel::Immediate),
                |notes| async { black_box(manager.store_all(notes).await).expect("it is stored") },
                BatchSize::PerIteration,
            );
        });
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function("batch_32", |bencher| {
            bencher.to_async(&*runtime).iter_batched(
                || memory.notes(BATCH, ContextLevel::LongTerm),
                |notes| async { black_box(manager.store_all(notes).await).expect("it is stored") },
                BatchSize::PerIteration,
            );
        });
    }
    if let Some(model) = local_model("storing with the local model") {
        let mut memory = Memory::with_provider(&runtime, model);
        let manager = memory.manager.clone();
        let mut notes = |count| -> Vec<NewContext> {
            let mut notes = memory.notes(count, ContextLevel::LongTerm);
            notes.iter_mut().for_each(|note| note.vector = None);
            notes
        };
        group.sample_size(10);
        group.throughput(Throughput::Elements(1));
        group.bench_function("with_embedding", |bencher| {
            bencher.to_async(&*runtime).iter_batched(
                || notes(1),
                |notes| async { black_box(manager.store_all(notes).await).expect("it is stored") },
                BatchSize::PerIteration,
            );
        });
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function("batch_32_with_embedding", |bencher| {
            bencher.to_async(&*runtime).iter_batched(
                || notes(BATCH),
                |notes| async { black_box(manager.store_all(notes).await).expect("it is stored") },
                BatchSize::PerIteration,
            );
        });
        group.sample_size(100);
    }
    group.throughput(Throughput::Elements(1));
    insert_point(&mut group, &runtime);
    group.finish();
}

/// One vector into a collection of the store itself, without levels, tokens and working set.
fn insert_point(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    runtime: &tokio::runtime::Runtime,
) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let store = SqliteStore::open(StoreOptions {
        path: folder.path().join("store.db"),
        access: Access::Write,
        lock_wait: Duration::ZERO,
        clock: clock(),
    })
    .expect("a store opens in an empty folder");
    let mut writer = Writer::new(1);
    let model = hirag_benches::WordVectors::new(writer.vocabulary());
    let topic = writer.topic();
    let spec = VectorSpec {
        model: "word-vectors".to_owned(),
        dimension: DIMENSION,
    };
    runtime
        .block_on(store.create_collection("bench", &spec))
        .expect("the collection is made");
    group.bench_function("insert_point", |bencher| {
        bencher.to_async(runtime).iter_batched(
            || vec![record(writer.note(&topic), &model)],
            |records| async { store.insert("bench", records).await.expect("it is stored") },
            BatchSize::PerIteration,
        );
    });
    store.shut_down();
}

fn record(text: String, model: &hirag_benches::WordVectors) -> Record {
    let now = clock().now();
    Record {
        id: ContextId::new(now),
        vector: Some(model.of(&text)),
        text,
        level: ContextLevel::LongTerm,
        agent: None,
        session: None,
        created_at: now,
        updated_at: None,
        accessed_at: None,
        access_count: 0,
        token_count: 60,
        metadata: Metadata::new(),
        source: None,
        source_key: None,
        position: None,
        expires_at: None,
        level_expiry: true,
        priority: Priority::Normal,
    }
}
