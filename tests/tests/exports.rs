//! What is exported comes back the same, whichever format it took.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

use hirag::HiragManager;
use hirag::context::{Context, ContextLevel, NewContext};
use hirag::export::ExportFormat;
use hirag::manager::ImportOptions;
use hirag_server::commands::{self, ExportRequest, Host};
use hirag_tests::place::{Place, assert_sound, everything};
use proptest::prelude::*;
use serde_json::json;

/// Each format, and whether a note is a session.
const WAYS: [(ExportFormat, bool, &str); 5] = [
    (ExportFormat::Jsonl, false, "all.jsonl"),
    (ExportFormat::Csv, false, "all.csv"),
    (ExportFormat::Parquet, false, "all.parquet"),
    (ExportFormat::Markdown, false, "notes"),
    (ExportFormat::Markdown, true, "sessions"),
];

fn contexts() -> impl Strategy<Value = Vec<NewContext>> {
    let level = prop_oneof![
        Just(ContextLevel::Immediate),
        Just(ContextLevel::ShortTerm),
        Just(ContextLevel::LongTerm),
    ];
    let name = || proptest::option::of("[a-zä ,\"]{0,8}[a-z]");
    let text = "(?s)[^\0]{0,60}[a-z\"=,][^\0]{0,20}";
    let one = (
        text,
        level,
        name(),
        name(),
        "[a-z]{1,6}",
        0u64..500,
        0i64..4_000_000_000,
    );
    let new = one.prop_map(|(text, level, agent, session, word, count, at)| {
        let metadata =
            json!({ word.clone(): { "list": [1, -2.5, "a\nb"], "no": null }, "title": "T" });
        let at = jiff::Timestamp::from_millisecond(at * 400 + 7).unwrap();
        NewContext {
            agent,
            session,
            metadata: metadata.as_object().unwrap().clone(),
            created_at: Some(at),
            updated_at: Some(at + jiff::SignedDuration::from_secs(5)),
            accessed_at: Some(at + jiff::SignedDuration::from_secs(9)),
            access_count: count,
            source: (count % 2 == 0).then(|| format!("/notes/{word}.md")),
            expires_at: (count % 3 == 0).then(|| "2126-01-01T00:00:00.5Z".parse().unwrap()),
            ..NewContext::new(text).at_level(level)
        }
    });
    proptest::collection::vec(new, 1..12)
}

/// All that an export promises; the vector's state is the importing program's own.
fn sorted(mut all: Vec<Context>) -> Vec<Context> {
    all.sort_by_key(|context| context.id.to_string());
    all
}

async fn export(manager: &HiragManager, format: ExportFormat, by_session: bool, place: &Path) {
    let host = Host::new(manager.clone(), place.join("config.toml"));
    let request = ExportRequest {
        place: place.to_owned(),
        format,
        by_session,
    };
    commands::export_file(&host, &request, |_| {})
        .await
        .unwrap();
}

async fn comes_back(new: Vec<NewContext>) {
    let place = Place::new();
    let manager = place.open().await;
    manager.store_all(new).await.unwrap();
    let before = sorted(everything(&manager).await);
    for (format, by_session, name) in WAYS {
        let file = place.path().join(name);
        export(&manager, format, by_session, &file).await;
        let other = Place::new();
        let reading = other.open().await;
        let options = ImportOptions::default();
        let report = reading.import(vec![file.clone()], options, |_| {});
        let report = report.await.unwrap();
        assert!(report.failed.is_empty(), "{name}: {:?}", report.failed);
        assert_eq!(sorted(everything(&reading).await), before, "{name}");
        let options = ImportOptions::default();
        let again = reading.import(vec![file], options, |_| {}).await.unwrap();
        assert_eq!((again.imported, again.updated), (0, 0), "{name}");
        assert_sound(&reading).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn importing_an_export_gives_the_same_store(new in contexts()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(comes_back(new));
    }
}

#[tokio::test]
async fn a_folder_that_has_something_in_it_is_not_exported_over() {
    let place = Place::new();
    let manager = place.open().await;
    hirag_tests::place::store_all(&manager, &["one"]).await;
    let folder = place.path().join("out");
    std::fs::create_dir(&folder).unwrap();
    let host = Host::new(manager, place.path().join("config.toml"));
    let request = ExportRequest {
        place: folder.clone(),
        format: ExportFormat::Markdown,
        by_session: false,
    };
    let exported = commands::export_file(&host, &request, |_| {}).await;
    assert_eq!(exported.unwrap().contexts, 1);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let refused = commands::export_file(&host, &request, |_| {}).await;
    assert_eq!(refused.unwrap_err().code(), "io_failed");
    let left: Vec<_> = std::fs::read_dir(place.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().starts_with(".hirag"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn an_export_of_what_was_deleted_since_comes_back_once() {
    for (format, name) in [
        (ExportFormat::Markdown, "notes"),
        (ExportFormat::Jsonl, "one.jsonl"),
    ] {
        let place = Place::new();
        let manager = place.open().await;
        let ids = hirag_tests::place::store_all(&manager, &["one", "two"]).await;
        let file = place.path().join(name);
        export(&manager, format, false, &file).await;
        manager.delete(ids).await.unwrap();
        let import = async || {
            let options = ImportOptions::default();
            let report = manager.import(vec![file.clone()], options, |_| {});
            let report = report.await.unwrap();
            (report.imported, report.updated, report.removed)
        };
        assert_eq!(import().await, (2, 0, 0), "{name}");
        assert_eq!(import().await, (0, 0, 0), "{name}");
        // Nor where the file is another since.
        let one = match format {
            ExportFormat::Markdown => {
                let notes = std::fs::read_dir(&file).unwrap();
                let mut notes = notes.map(|entry| entry.unwrap().path());
                notes
                    .find(|note| note.to_string_lossy().contains("one-"))
                    .unwrap()
            }
            _ => file.clone(),
        };
        let changed = std::fs::read_to_string(&one)
            .unwrap()
            .replace("one", "other");
        std::fs::write(&one, changed).unwrap();
        assert_eq!(import().await, (0, 1, 0), "{name}");
        assert_eq!(everything(&manager).await.len(), 2, "{name}");
        // What was imported in its place goes when it comes back itself.
        manager.undo(None).await.unwrap();
        assert_sound(&manager).await;
    }
}
