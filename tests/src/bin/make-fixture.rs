//! Writes a database of today's schema version, for `fixtures/databases/`, where each version
//! that was ever released keeps one. Run it before a migration is added:
//!
//! `cargo run -p hirag-tests --bin make-fixture -- tests/fixtures/databases/vN.db`

#![allow(
    clippy::unwrap_used,
    reason = "a tool for developers that ends with the first error"
)]

use std::path::PathBuf;

use futures::StreamExt;
use hirag::answering::AskRequest;
use hirag::context::{ContextLevel, ContextRequest, NewContext, Priority};
use hirag_tests::place::{Place, settled, until};
use serde_json::json;

#[tokio::main]
async fn main() {
    let target = PathBuf::from(std::env::args().nth(1).unwrap());
    let place = Place::new();
    let manager = place.open().await;
    let metadata = json!({"topic": "owls", "tags": ["night", "birds"], "deep": {"er": 7}});
    let full = NewContext {
        agent: Some("ann".to_owned()),
        session: Some("s1".to_owned()),
        source: Some("/notes/owls.md".to_owned()),
        source_key: Some("#1".to_owned()),
        created_at: Some("2020-02-03T04:05:06.789Z".parse().unwrap()),
        metadata: metadata.as_object().unwrap().clone(),
        position: Some(3),
        ..NewContext::new("Owls hunt at night. 梟は夜に狩る。").at_level(ContextLevel::LongTerm)
    };
    let working = NewContext::new("what is worked with now");
    let fleeting = NewContext::new("a fleeting thought").at_level(ContextLevel::ShortTerm);
    let deleted = NewContext::new("marked as deleted").at_level(ContextLevel::LongTerm);
    let stored = manager
        .store_all(vec![full, working, fleeting, deleted])
        .await
        .unwrap();
    manager.delete(vec![stored[3].id]).await.unwrap();
    let request = ContextRequest {
        limit: Some(1),
        ..ContextRequest::new("owls at night")
    };
    let trace = manager.retrieve(request).await.unwrap().metadata.trace_id;
    until("the trace is kept", async || {
        manager.trace(trace).await.is_ok()
    })
    .await;
    let notes = place.path().join("notes");
    hirag_tests::notes::write(&notes, 1, 1);
    let options = hirag::manager::ImportOptions::default();
    manager
        .import(vec![notes.clone()], options, |_| {})
        .await
        .unwrap();
    std::fs::write(notes.join("binary.md"), b"no\0text").unwrap();
    let source = hirag::sources::NewSource::at(notes.to_str().unwrap());
    let source = manager.add_source(source).await.unwrap().source;
    let options = hirag::manager::RunOptions::default();
    manager
        .run_source(source.id, options, |_| {})
        .await
        .unwrap();
    let question = AskRequest {
        session: Some("work".to_owned()),
        levels: vec![ContextLevel::Immediate],
        ..AskRequest::new("what is worked with now")
    };
    let answer = manager.ask(question).await.unwrap();
    answer.for_each(async |_| {}).await;
    settled(&manager).await;
    manager.back_up(&target).await.unwrap();
    // What waits for its vector, as no provider here ever makes it wait.
    let connection = rusqlite::Connection::open(&target).unwrap();
    let waiting = "UPDATE contexts SET pending = 1, priority = ?1 WHERE text = ?2";
    let priority = Priority::Critical.number();
    let text = "a fleeting thought";
    connection.execute(waiting, (priority, text)).unwrap();
    let rowid = "SELECT seq FROM contexts WHERE text = ?1";
    let seq: i64 = connection
        .query_row(rowid, [text], |row| row.get(0))
        .unwrap();
    connection
        .execute("DELETE FROM vectors_1 WHERE rowid = ?1", [seq])
        .unwrap();
    connection.execute_batch("VACUUM").unwrap();
}
