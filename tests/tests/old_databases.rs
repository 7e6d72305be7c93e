//! A database of every schema version that was released opens, is brought up to date, and has
//! all its contents. `src/bin/make-fixture.rs` makes the newest one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use hirag::answering::ConversationsRequest;
use hirag::context::{ContextLevel, ContextRequest, EmbeddingState, Filter};
use hirag::manager::ListRequest;
use hirag_tests::place::{Place, assert_sound, everything, store_all, texts};
use serde_json::json;

fn fixture(version: i64) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/databases");
    folder.join(format!("v{version}.db"))
}

fn version(place: &Place) -> i64 {
    let connection = rusqlite::Connection::open(place.database()).unwrap();
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0));
    version.unwrap()
}

/// The newest version: that of a database which is made now.
async fn newest() -> i64 {
    let place = Place::new();
    place.open().await.shut_down().await.unwrap();
    version(&place)
}

#[tokio::test]
async fn every_version_has_a_fixture_of_its_own() {
    for number in 1..=newest().await {
        let place = with_fixture(number);
        assert_eq!(version(&place), number, "{}", fixture(number).display());
    }
}

fn with_fixture(number: i64) -> Place {
    let place = Place::new();
    fs::create_dir(place.data_dir()).unwrap();
    fs::copy(fixture(number), place.database()).unwrap();
    place
}

#[tokio::test]
async fn every_version_opens_with_all_its_contents() {
    let newest = newest().await;
    for number in 1..=newest {
        let place = with_fixture(number);
        let manager = place.open().await;
        assert_sound(&manager).await;
        let all = everything(&manager).await;
        assert_eq!(all.len(), 4, "version {number}");
        let full = &all[0];
        assert_eq!(full.text, "Owls hunt at night. 梟は夜に狩る。");
        assert_eq!(full.level, ContextLevel::LongTerm);
        assert_eq!(
            (full.agent.as_deref(), full.session.as_deref()),
            (Some("ann"), Some("s1"))
        );
        assert_eq!(full.source.as_deref(), Some("/notes/owls.md"));
        assert_eq!(full.created_at.to_string(), "2020-02-03T04:05:06.789Z");
        assert_eq!((full.access_count, full.position), (1, 3));
        let metadata = json!({"topic": "owls", "tags": ["night", "birds"], "deep": {"er": 7}});
        assert_eq!(json!(full.metadata), metadata);
        assert_eq!(full.embedding, EmbeddingState::Ready);
        assert_eq!(all[1].level, ContextLevel::Immediate);
        assert_eq!(all[2].level, ContextLevel::ShortTerm);
        assert_eq!(all[2].embedding, EmbeddingState::Pending);
        assert!(all[2].expires_at.is_some());
        assert!(all[3].source.as_deref().unwrap().ends_with("note-0.md"));

        // Sources are kept since version 3.
        let sources = manager.sources().await.unwrap();
        assert_eq!(sources.len(), usize::from(number >= 3));
        if let [one] = &sources[..] {
            assert_eq!(
                (one.source.name.as_str(), one.source.contexts),
                ("notes", 1)
            );
            assert!(one.source.last_run.is_some());
            // One of which nothing could be read is kept since version 5, and does not count.
            assert_eq!(one.source.files, 1);
        }

        // Conversations are kept since version 4.
        let kept = ConversationsRequest::default();
        let conversations = manager.conversations(kept).await.unwrap();
        assert_eq!(conversations.len(), usize::from(number >= 4));
        if let [one] = &conversations[..] {
            let turns = manager.conversation(&one.session).await.unwrap().turns;
            assert_eq!(turns.len(), 1);
            assert_eq!(turns[0].question, "what is worked with now");
            assert_eq!(turns[0].answer.sources[0].id, all[1].id);
            assert!(turns[0].answer.text.contains("what is worked with now [1]"));
        }

        // Words, vectors and filters find it; traces, marks and the queue are there.
        let request = ContextRequest {
            limit: Some(1),
            filter: Filter::from_json(r#"{"must": [{"key": "deep.er", "match": 7}]}"#).unwrap(),
            ..ContextRequest::new("夜 owls")
        };
        let response = manager.retrieve(request).await.unwrap();
        assert!(response.metadata.degraded.is_empty());
        assert_eq!(response.contexts[0].context.id, full.id);
        assert!(response.contexts[0].parts.vector.is_some());
        let deleted = manager.list(ListRequest {
            deleted: true,
            ..ListRequest::default()
        });
        assert_eq!(deleted.await.unwrap().contexts[0].text, "marked as deleted");
        assert_eq!(manager.undo(None).await.unwrap().ids.len(), 1);
        let traces = manager.recent_traces(10).await.unwrap();
        let queries: BTreeSet<&str> = traces.iter().map(|t| t.request.query.as_str()).collect();
        let mut asked = BTreeSet::from(["夜 owls", "owls at night"]);
        if number >= 4 {
            asked.insert("what is worked with now");
        }
        assert_eq!(queries, asked, "version {number}");
        assert_eq!(manager.embed_pending(|_| {}).await.unwrap(), 1);

        // It goes on as if it had been made today.
        store_all(&manager, &["something new"]).await;
        assert!(
            texts(&manager, ContextRequest::new("new"))
                .await
                .contains(&"something new".to_owned())
        );
        assert_sound(&manager).await;
        manager.shut_down().await.unwrap();
        assert_eq!(version(&place), newest);
    }
}
