//! Very many contexts: the lists scroll to their end, and a search answers.

use hirag_tests::window::{Desk, END, Role};

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_contexts_scroll_to_the_end_and_are_searched() {
    let desk = Desk::new();
    let note = |number| format!("Note {number} is about number {number}.");
    desk.home.fill(100_000, note).await;
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
