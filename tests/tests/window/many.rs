//! Very many contexts: the lists scroll to their end, and a search answers.

use hirag::HiragManager;
use hirag::config::Config;
use hirag::context::{ContextLevel, NewContext};
use hirag::manager::OpenOptions;
use hirag_tests::provider::FakeProvider;
use hirag_tests::window::{Desk, END, Role};

/// A jump to the end reads all pages before it; with more, an unoptimised build takes a minute for it.
const CONTEXTS: usize = 20_000;
const AT_ONCE: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_contexts_scroll_to_the_end_and_are_searched() {
    let desk = Desk::new();
    fill(&desk).await;
    let studio = desk.open();
    studio.go("levels");
    studio.press(Role::Radio, "L3");
    let list = studio.within("L3 ");
    list.see("20,000");
    list.press(Role::Option, "Note");
    studio.keys(&[], END);
    // Newest first: the end is the oldest.
    let _ = list.read(Role::Option, "Note 0 ");

    studio.go_with("search", "query", "note 17777");
    let best = studio.read(Role::Article, "Result 1");
    assert!(best.contains("Note 17777 "), "{best}");
    studio.see("20,000 compared");
}

/// Vectors of the built-in model's name and size, so that they are the ones to search.
async fn fill(desk: &Desk) {
    let manager = HiragManager::open(OpenOptions {
        provider: Some(FakeProvider::new("all-MiniLM-L6-v2", 384)),
        ..OpenOptions::new(
            Config::from_toml("[embedding]\ncache_enabled = false\n").unwrap(),
            desk.home.data_dir(),
        )
    })
    .await
    .unwrap();
    for first in (0..CONTEXTS).step_by(AT_ONCE) {
        let new = (first..first + AT_ONCE)
            .map(|number| {
                let text = format!("Note {number} is about number {number}.");
                NewContext::new(text).at_level(ContextLevel::LongTerm)
            })
            .collect();
        manager.store_all(new).await.unwrap();
    }
    manager.shut_down().await.unwrap();
}
