//! Very many contexts: the lists scroll to their end, and a search answers.

use std::time::Duration;

use hirag::clock::SystemClock;
use hirag::config::Config;
use hirag::store::sqlite::{Access, SqliteStore, StoreOptions};
use hirag::store::{Record, VectorSpec, VectorStore};
use hirag_tests::store_suite::record;
use hirag_tests::window::{Desk, END, Role};

const CONTEXTS: usize = 100_000;
const AT_ONCE: usize = 5_000;
/// Components of the built-in model's vectors.
const DIMENSION: usize = 384;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_contexts_scroll_to_the_end_and_are_searched() {
    let desk = Desk::new();
    fill(&desk).await;
    let studio = desk.open();
    studio.go("levels");
    studio.press(Role::Radio, "L3");
    let list = studio.within("L3 ");
    list.see("100,000");
    list.press(Role::Option, "Note");
    studio.keys(&[], END);
    // Newest first: the end is the oldest.
    let _ = list.read(Role::Option, "Note 0 ");

    studio.go_with("search", "query", "note 77777");
    let best = studio.read(Role::Article, "Result 1");
    assert!(best.contains("Note 77777 "), "{best}");
    studio.see("100,000 compared");
}

/// Fills the memory by its store, with vectors of the built-in model's name and size, so that they
/// are the ones to search. By the manager it would take minutes.
async fn fill(desk: &Desk) {
    let store = SqliteStore::open(StoreOptions {
        path: desk.home.database(),
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
    for first in (0..CONTEXTS).step_by(AT_ONCE) {
        let records = (first..first + AT_ONCE).map(note).collect();
        store.insert(&name, records).await.unwrap();
    }
    store.shut_down();
}

fn note(number: usize) -> Record {
    let mut vector = vec![0.1; DIMENSION];
    vector[number % DIMENSION] = 1.0;
    vector[number / DIMENSION % DIMENSION] += 0.5;
    record(&format!("Note {number} is about number {number}."), &vector)
}
