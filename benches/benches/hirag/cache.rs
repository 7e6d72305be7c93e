//! Taking one vector out of the embedding cache's memory, the key's hash included.
//!
//! Data: 1,000 notes of 20 to 60 words with vectors of 384 components, asked for in turn; no file.
//! Fixed seed, fixed clock.

use std::hint::black_box;
use std::sync::Arc;

use criterion::Criterion;
use hirag::embedding::{CacheKey, CacheSettings, EmbeddingCache};
use hirag_benches::{WordVectors, Writer, clock};

const ENTRIES: usize = 1_000;
const MODEL: &str = "word-vectors";

pub(crate) fn benches(criterion: &mut Criterion) {
    let settings = CacheSettings {
        memory_entries: 10 * ENTRIES as u64,
        ttl: None,
        disk: None,
    };
    let cache = EmbeddingCache::open(&settings, clock());
    let mut writer = Writer::new(1);
    let model = WordVectors::new(writer.vocabulary());
    let topic = writer.topic();
    let notes: Vec<String> = (0..ENTRIES).map(|_| writer.note(&topic)).collect();
    for note in &notes {
        let vector: Arc<[f32]> = model.of(note).into();
        cache.insert(CacheKey::of(MODEL, note), vector);
    }
    let mut next = notes.iter().cycle();
    criterion
        .benchmark_group("cache")
        .bench_function("hit", |bencher| {
            bencher.iter(|| {
                let found = next.next().and_then(|note| cache.get(MODEL, note));
                black_box(found).expect("every note is in the cache")
            });
        });
}
