//! Readers beside a writer, and single stores, on a copy of a memory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hirag::HiragManager;
use hirag::context::{ContextRequest, NewContext};
use hirag::manager::DATABASE_FILE;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::data::{self, TEXTS, VECTORS, lines, vectors};
use crate::figures::{Spread, milliseconds};
use crate::fill::context;
use crate::opened::{Given, memory};

const READERS: usize = 8;
/// How long each of the figures is taken.
const LONG: Duration = Duration::from_secs(8);
const WRITERS: [usize; 4] = [1, 8, 32, 128];
/// Contexts that the writer stores at once, as an import does.
const BATCH: usize = 500;
/// Contexts to write: the first of the data once more, under other ids.
const TO_WRITE: usize = 20_000;
/// Above all ids of the data.
const OTHER_IDS: usize = 100_000_000;

pub(crate) fn measure(folder: &Path, data: &Path) -> Value {
    let runtime = Runtime::new().expect("the runtime starts");
    let beside = folder.parent().expect("the store is in a folder");
    let copy = tempfile::tempdir_in(beside).expect("a folder can be made beside the store");
    std::fs::copy(folder.join(DATABASE_FILE), copy.path().join(DATABASE_FILE))
        .expect("the store can be copied");
    let queries = data::queries(data);
    let given = Given::new(&queries);
    let manager = runtime.block_on(memory(copy.path(), given));
    let queries: Arc<Vec<String>> = Arc::new(queries.into_iter().map(|(text, _)| text).collect());
    let to_write = lines(&data.join(TEXTS))
        .zip(vectors(&data.join(VECTORS)))
        .take(TO_WRITE);
    let to_write: Vec<(String, Vec<f32>)> = to_write.collect();
    let next = Arc::new(AtomicUsize::new(0));
    let fresh = Arc::new(move || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let (text, vector) = to_write[number % to_write.len()].clone();
        // Another text: equal ones would be folded in the answers.
        context(OTHER_IDS + number, format!("{text} {number}"), vector)
    });
    runtime
        .block_on(manager.retrieve(ContextRequest::new(queries[0].clone())))
        .expect("it is answered");

    let alone = runtime.block_on(read(&manager, &queries));
    let stop = Arc::new(AtomicBool::new(false));
    let writer = runtime.spawn(write(
        manager.clone(),
        Arc::clone(&stop),
        Arc::clone(&fresh),
    ));
    let beside = runtime.block_on(read(&manager, &queries));
    stop.store(true, Ordering::Relaxed);
    let imported = runtime.block_on(writer).expect("the writer ends");
    let singles: Vec<Value> = WRITERS
        .iter()
        .map(|&writers| runtime.block_on(single(&manager, writers, &fresh)))
        .collect();
    runtime
        .block_on(manager.shut_down())
        .expect("the memory closes");
    json!({
        "readers": READERS,
        "alone": alone,
        "beside_a_writer": beside,
        "writer_contexts_per_s": imported,
        "single_stores": singles,
    })
}

/// Readers that ask one question after another, each for the first time since the last write.
async fn read(manager: &HiragManager, queries: &Arc<Vec<String>>) -> Value {
    let next = Arc::new(AtomicUsize::new(1));
    let start = Instant::now();
    let readers = (0..READERS).map(|_| {
        let (manager, queries, next) = (manager.clone(), Arc::clone(queries), Arc::clone(&next));
        tokio::spawn(async move {
            let mut times = Vec::new();
            while start.elapsed() < LONG {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let request = ContextRequest {
                    // Who asks the same for another number of contexts gets no kept answer.
                    limit: Some(10 + number / queries.len()),
                    ..ContextRequest::new(queries[number % queries.len()].clone())
                };
                let asked = Instant::now();
                manager.retrieve(request).await.expect("it is answered");
                times.push(milliseconds(asked));
            }
            times
        })
    });
    let readers: Vec<_> = readers.collect();
    let mut times = Vec::new();
    for reader in readers {
        times.extend(reader.await.expect("the reader ends"));
    }
    let seconds = start.elapsed().as_secs_f64();
    json!({ "searches_per_s": times.len() as f64 / seconds, "ms": Spread::of(times) })
}

/// Writes batches until it is told to stop; contexts a second.
async fn write(
    manager: HiragManager,
    stop: Arc<AtomicBool>,
    fresh: Arc<impl Fn() -> NewContext + Send + Sync>,
) -> f64 {
    let (start, mut written) = (Instant::now(), 0);
    while !stop.load(Ordering::Relaxed) {
        let batch: Vec<NewContext> = (0..BATCH).map(|_| fresh()).collect();
        manager
            .store_all(batch)
            .await
            .expect("the disk takes the contexts");
        written += BATCH;
    }
    written as f64 / start.elapsed().as_secs_f64()
}

/// Writers that store one context after another, each acknowledged.
async fn single(
    manager: &HiragManager,
    writers: usize,
    fresh: &Arc<impl Fn() -> NewContext + Send + Sync + 'static>,
) -> Value {
    let start = Instant::now();
    let tasks = (0..writers).map(|_| {
        let (manager, fresh) = (manager.clone(), Arc::clone(fresh));
        tokio::spawn(async move {
            let mut times = Vec::new();
            while start.elapsed() < LONG / 2 {
                let new = fresh();
                let asked = Instant::now();
                manager
                    .store(new)
                    .await
                    .expect("the disk takes the context");
                times.push(milliseconds(asked));
            }
            times
        })
    });
    let tasks: Vec<_> = tasks.collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.expect("the writer ends"));
    }
    let seconds = start.elapsed().as_secs_f64();
    json!({ "writers": writers, "stores_per_s": times.len() as f64 / seconds, "ms": Spread::of(times) })
}
