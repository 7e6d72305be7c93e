use std::time::Duration;

use hirag::clock::SystemClock;
use hirag::config::Config;
use hirag::store::sqlite::{Access, SqliteStore, StoreOptions};
use hirag::store::{Record, VectorSpec, VectorStore};

use super::home::Home;
use crate::store_suite::record;

const AT_ONCE: usize = 5_000;
/// Components of the built-in model's vectors.
const DIMENSION: usize = 384;

impl Home {
    /// Fills the memory by its store, with vectors of the built-in model's name and size, so that
    /// they are the ones to search. By the manager it would take minutes.
    pub async fn fill(&self, contexts: usize, text: impl Fn(usize) -> String) {
        let store = SqliteStore::open(StoreOptions {
            path: self.database(),
            access: Access::Write,
            lock_wait: Duration::ZERO,
            clock: SystemClock::shared(),
        })
        .unwrap();
        let name = format!("{}_contexts", Config::default().store.collection_prefix);
        let spec = VectorSpec {
            model: "all-MiniLM-L6-v2".to_owned(),
            dimension: DIMENSION,
        };
        store.create_collection(&name, &spec).await.unwrap();
        for first in (0..contexts).step_by(AT_ONCE) {
            let last = contexts.min(first + AT_ONCE);
            let records = (first..last).map(|number| note(number, &text(number)));
            store.insert(&name, records.collect()).await.unwrap();
        }
        store.shut_down();
    }
}

fn note(number: usize, text: &str) -> Record {
    let mut vector = vec![0.1; DIMENSION];
    vector[number % DIMENSION] = 1.0;
    vector[number / DIMENSION % DIMENSION] += 0.5;
    let words = text.split_whitespace().count();
    Record {
        // About as many as a tokenizer finds.
        token_count: u32::try_from(words * 4 / 3).unwrap(),
        ..record(text, &vector)
    }
}
