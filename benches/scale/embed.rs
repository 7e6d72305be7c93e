//! The local model: vectors of many texts, and how quick it is.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hirag::embedding::{EmbeddingProvider, LocalModel};
use hirag_benches::DIMENSION;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::data::{VectorFile, lines};
use crate::figures::{Spread, milliseconds};

/// Texts embedded before they are written: what is lost when it is stopped.
const CHUNK: usize = 512;
/// As the program sends an import to its model.
const BATCH: usize = 32;
/// Both sides of the comparison have as many.
const THREADS: usize = 2;

fn model(threads: usize) -> Arc<LocalModel> {
    let model = LocalModel::find(None).and_then(|folder| LocalModel::load(&folder, threads));
    Arc::new(model.expect("the model is there: make setup"))
}

/// Embeds what the file of vectors does not have yet.
pub(crate) fn all(texts: &Path, out: &Path) -> Value {
    let done = std::fs::metadata(out).map_or(0, |facts| facts.len() as usize / (DIMENSION * 4));
    let rest: Vec<String> = lines(texts).skip(done).collect();
    let start = Instant::now();
    if !rest.is_empty() {
        let (runtime, model) = (Runtime::new().expect("the runtime starts"), model(0));
        let mut file = VectorFile::append(out);
        for chunk in rest.chunks(CHUNK) {
            for vector in runtime.block_on(model.embed_batch(chunk)) {
                file.put(&vector.expect("the model takes the text"));
            }
            file.flush();
        }
    }
    json!({ "before": done, "embedded": rest.len(), "seconds": start.elapsed().as_secs_f64() })
}

/// The same texts that `forward.py` gives to onnxruntime.
pub(crate) fn forward(texts: &Path) -> Value {
    let texts: Vec<String> = lines(texts).collect();
    let (runtime, model) = (Runtime::new().expect("the runtime starts"), model(THREADS));
    let mut singles = Vec::new();
    for (number, text) in texts.iter().take(220).enumerate() {
        let start = Instant::now();
        let vector = runtime.block_on(model.embed_single(text));
        vector.expect("the model takes the text");
        if number >= 20 {
            singles.push(milliseconds(start));
        }
    }
    let batched = &texts[..texts.len() / BATCH * BATCH];
    let start = Instant::now();
    for batch in batched.chunks(BATCH) {
        for vector in runtime.block_on(model.embed_batch(batch)) {
            vector.expect("the model takes the text");
        }
    }
    json!({
        "threads": THREADS,
        "single_ms": Spread::of(singles),
        "batch": BATCH,
        "texts_per_s": batched.len() as f64 / start.elapsed().as_secs_f64(),
    })
}
