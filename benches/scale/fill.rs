//! A memory of the first contexts of a data folder, written in batches with their vectors given.

use std::path::Path;
use std::time::Instant;

use hirag::context::{ContextId, ContextLevel, NewContext};
use hirag_benches::NOW_SECONDS;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::data::{TEXTS, VECTORS, lines, vectors};
use crate::filters::metadata;
use crate::opened::{Given, memory};

const BATCH: usize = 1_000;
/// Contexts of one conversation.
const SESSION: usize = 20;
/// Between two contexts.
const APART: SignedDuration = SignedDuration::from_secs(2);

/// The id of a context of the data: its number.
pub(crate) fn id(number: usize) -> ContextId {
    ContextId::from_bytes((number as u128).to_be_bytes())
}

/// The number of a context of the data.
pub(crate) fn number(id: ContextId) -> u64 {
    u128::from_be_bytes(*id.as_bytes()) as u64
}

/// A context of the data, as it is stored.
pub(crate) fn context(number: usize, text: String, vector: Vec<f32>) -> NewContext {
    let now = Timestamp::from_second(NOW_SECONDS).expect("the time is in range");
    NewContext {
        id: Some(id(number)),
        session: Some(format!("talk-{}", number / SESSION)),
        created_at: Some(now - APART * (number % 1_000_000) as i32),
        metadata: metadata(number),
        vector: Some(vector),
        ..NewContext::new(text).at_level(ContextLevel::LongTerm)
    }
}

pub(crate) fn fill(folder: &Path, data: &Path, count: usize) -> Value {
    let runtime = Runtime::new().expect("the runtime starts");
    let manager = runtime.block_on(memory(folder, std::sync::Arc::new(Given::default())));
    let mut rest = lines(&data.join(TEXTS))
        .zip(vectors(&data.join(VECTORS)))
        .take(count)
        .enumerate();
    let (mut raw_bytes, mut stored, mut seconds, mut windows) = (0, 0, 0.0, Vec::new());
    loop {
        let batch: Vec<NewContext> = rest
            .by_ref()
            .take(BATCH)
            .map(|(number, (text, vector))| {
                raw_bytes += text.len() + vector.len() * 4;
                context(number, text, vector)
            })
            .collect();
        if batch.is_empty() {
            break;
        }
        let many = batch.len();
        let start = Instant::now();
        runtime
            .block_on(manager.store_all(batch))
            .expect("the disk takes the contexts");
        let took = start.elapsed().as_secs_f64();
        stored += many;
        seconds += took;
        windows.push(many as f64 / took);
    }
    let start = Instant::now();
    runtime
        .block_on(manager.shut_down())
        .expect("the memory closes");
    let closing = start.elapsed().as_secs_f64();
    let disk_bytes = disk(folder);
    let last = &windows[windows.len() - windows.len().div_ceil(10)..];
    json!({
        "contexts": stored,
        "batch": BATCH,
        "seconds": seconds,
        "closing_seconds": closing,
        "contexts_per_s": stored as f64 / seconds,
        "last_tenth_per_s": last.iter().sum::<f64>() / last.len().max(1) as f64,
        "raw_bytes": raw_bytes,
        "disk_bytes": disk_bytes,
        "disk_ratio": disk_bytes as f64 / raw_bytes as f64,
    })
}

fn disk(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let facts = entries.filter_map(|entry| entry.ok()?.metadata().ok());
    facts
        .filter(std::fs::Metadata::is_file)
        .map(|file| file.len())
        .sum()
}
