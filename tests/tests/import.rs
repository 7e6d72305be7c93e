//! Importing through the façade: again, changed, broken, cancelled, and from odd places.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hirag::HiragManager;
use hirag::context::{ContextId, ContextLevel, ContextRequest, EmbeddingState, Filter};
use hirag::import::{Format, ImportReport, PROBLEMS_PER_FILE};
use hirag::manager::{ImportOptions, ListRequest};
use hirag_tests::notes;
use hirag_tests::place::{Place, assert_sound, everything, settled, texts};
use serde_json::json;

async fn import(manager: &HiragManager, path: &Path) -> ImportReport {
    import_as(manager, path, ImportOptions::default()).await
}

async fn import_as(manager: &HiragManager, path: &Path, options: ImportOptions) -> ImportReport {
    let paths = vec![path.to_owned()];
    manager.import(paths, options, |_| {}).await.unwrap()
}

/// An open memory and a folder for what is imported.
async fn prepared() -> (Place, HiragManager, PathBuf) {
    let place = Place::new();
    let manager = place.open().await;
    let folder = place.path().join("notes");
    fs::create_dir(&folder).unwrap();
    (place, manager, folder)
}

async fn stored_texts(manager: &HiragManager) -> Vec<String> {
    let all = everything(manager).await;
    all.into_iter().map(|context| context.text).collect()
}

#[tokio::test]
async fn importing_again_changes_and_embeds_nothing() {
    let (place, manager, folder) = prepared().await;
    notes::write(&folder, 30, 4);
    let first = import(&manager, &folder).await;
    assert_eq!((first.files, first.pending), (30, 0));
    assert!(first.failed.is_empty() && first.warnings.is_empty());
    assert!(first.imported >= 60, "{first:?}");
    let before = everything(&manager).await;
    assert_eq!(before.len() as u64, first.imported);
    assert!(before.iter().all(|c| c.level == ContextLevel::LongTerm));
    assert!(before.iter().all(|c| c.embedding == EmbeddingState::Ready));
    assert!(before.iter().all(|c| c.metadata["topic"].is_string()));

    let calls = place.provider.calls();
    let again = import(&manager, &folder).await;
    assert_eq!(again.unchanged, first.imported);
    assert_eq!((again.imported, again.updated, again.removed), (0, 0, 0));
    assert_eq!(place.provider.calls(), calls);
    assert_eq!(everything(&manager).await, before);

    // Nor after a restart, nor by a file's own name, nor when only its time stamp is new.
    manager.shut_down().await.unwrap();
    drop(manager);
    let manager = place.open().await;
    let one = folder.join("part-0/note-3.md");
    fs::write(&one, fs::read(&one).unwrap()).unwrap();
    for path in [&folder, &one] {
        let again = import(&manager, path).await;
        assert_eq!((again.imported, again.updated, again.removed), (0, 0, 0));
    }
    assert_eq!(place.provider.calls(), calls);
    assert_eq!(everything(&manager).await, before);
    assert_sound(&manager).await;
}

#[tokio::test]
async fn a_note_whose_contexts_were_all_deleted_comes_back_and_one_chunk_does_not() {
    let (_place, manager, folder) = prepared().await;
    notes::write(&folder, 2, 4);
    let first = import(&manager, &folder).await;
    let mut of: BTreeMap<Option<String>, Vec<ContextId>> = BTreeMap::new();
    for context in everything(&manager).await {
        of.entry(context.source).or_default().push(context.id);
    }
    let [whole, part] = &of.into_values().collect::<Vec<_>>()[..] else {
        panic!("two notes");
    };
    assert!(part.len() > 1);
    let gone = whole.iter().chain(&part[..1]).copied();
    manager.delete(gone.collect()).await.unwrap();
    let again = import(&manager, &folder).await;
    assert_eq!(again.imported, whole.len() as u64, "{again:?}");
    let left = everything(&manager).await.len() as u64;
    assert_eq!(left, first.imported - 1);
}

#[tokio::test]
async fn a_changed_note_replaces_its_chunks_and_keeps_the_others_with_their_use() {
    let (place, manager, folder) = prepared().await;
    notes::write(&folder, 2, 6);
    import(&manager, &folder).await;
    let query = ContextRequest::new("Part 0 of note 1");
    manager.retrieve(query).await.unwrap();
    settled(&manager).await;
    let before = everything(&manager).await;
    assert!(before.iter().any(|context| context.access_count > 0));
    place.provider.take_asked();

    notes::write_edition(&folder, 2, 6, 1);
    fs::write(folder.join("part-0/note-0.md"), notes::note(0, 6)).unwrap();
    let report = import(&manager, &folder).await;
    assert!(report.imported > 0 && report.removed > 0 && report.unchanged > 0);
    let after = everything(&manager).await;
    assert_eq!(after.len() as u64, report.contexts);
    let new: BTreeSet<String> = after.iter().map(|c| c.text.clone()).collect();
    let old: BTreeMap<&str, _> = before.iter().map(|c| (c.text.as_str(), c)).collect();
    for context in &after {
        if let Some(kept) = old.get(context.text.as_str()) {
            assert_eq!(context.id, kept.id);
            assert_eq!(context.access_count, kept.access_count);
            assert_eq!(context.created_at, kept.created_at);
        }
    }
    // Only what is new was embedded.
    let asked = place.provider.take_asked();
    assert_eq!(asked.len() as u64, report.imported);
    let gone: Vec<_> = before.iter().filter(|c| !new.contains(&c.text)).collect();
    assert_eq!(gone.len() as u64, report.removed);
    // What is gone is not found, and comes back by undo for as long as it is not purged.
    let found = texts(&manager, ContextRequest::new(gone[0].text.clone())).await;
    assert!(!found.contains(&gone[0].text));
    assert!(manager.get(gone[0].id).await.unwrap().deleted_at.is_some());
    assert_sound(&manager).await;

    // Back to the first edition: everything as it was, but with what it has in common kept.
    notes::write(&folder, 2, 6);
    import(&manager, &folder).await;
    let back: BTreeSet<String> = stored_texts(&manager).await.into_iter().collect();
    assert_eq!(back, before.iter().map(|c| c.text.clone()).collect());
    assert_eq!(everything(&manager).await.len(), before.len());
}

#[tokio::test]
async fn one_bad_file_is_reported_and_the_rest_goes_on() {
    let (_place, manager, folder) = prepared().await;
    notes::write(&folder, 5, 2);
    fs::write(folder.join("latin.md"), b"caf\xe9 au lait").unwrap();
    fs::write(folder.join("deep.html"), "<div>".repeat(5_000)).unwrap();
    fs::write(folder.join("binary.md"), b"GIF89a\0\0\0").unwrap();
    fs::write(folder.join("empty.md"), "  \n").unwrap();
    fs::write(folder.join("front.md"), "---\na: [\n---\nbody of the note").unwrap();
    let missing = folder.join("missing.md");
    let paths = vec![missing.clone(), folder.clone()];
    let report = manager
        .import(paths, ImportOptions::default(), |_| {})
        .await
        .unwrap();
    let codes: BTreeSet<&str> = report.failed.iter().map(|p| p.code.as_str()).collect();
    assert_eq!(codes, ["damaged_file", "path_not_found"].into());
    let deep = report
        .failed
        .iter()
        .find(|p| p.code == "damaged_file")
        .unwrap();
    assert!(deep.path.ends_with("deep.html") && deep.message.contains("nested"));
    let skipped: BTreeSet<&str> = report.skipped.iter().map(|s| s.reason.as_str()).collect();
    assert_eq!(skipped, ["binary", "empty"].into());
    let warned: BTreeSet<&str> = report.warnings.iter().map(|p| p.code.as_str()).collect();
    assert_eq!(warned, ["encoding_guessed", "front_matter"].into());
    assert_eq!(report.files, 7);
    let stored = stored_texts(&manager).await;
    assert!(stored.iter().any(|text| text.contains("body of the note")));
    assert!(stored.iter().any(|text| text.contains("café au lait")));
    assert_eq!(stored.len() as u64, report.imported);

    // Put right, only that one is imported.
    fs::write(folder.join("deep.html"), "<p>Not so deep</p>").unwrap();
    let report = import(&manager, &folder).await;
    assert_eq!((report.imported, report.failed.len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_import_is_whole_so_far_and_the_next_goes_on() {
    let (place, manager, folder) = prepared().await;
    notes::write(&folder, 200, 6);
    let options = ImportOptions::default();
    let cancel = Arc::clone(&options.cancel);
    let paths = vec![folder.clone()];
    let report = manager
        .import(paths, options, move |progress| {
            if progress.contexts > 0 {
                cancel.store(true, Ordering::Relaxed);
            }
        })
        .await
        .unwrap();
    assert!(report.cancelled);
    assert!(report.imported > 0 && report.files < 200, "{report:?}");
    let so_far = everything(&manager).await;
    assert_eq!(so_far.len() as u64, report.imported);
    assert_sound(&manager).await;
    // Notes are there whole or not at all.
    let mut by_source: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for context in &so_far {
        let places = by_source
            .entry(context.source.as_deref().unwrap())
            .or_default();
        places.insert(context.position);
    }
    place.provider.take_asked();
    let second = import(&manager, &folder).await;
    assert!(!second.cancelled && second.failed.is_empty());
    assert_eq!(second.files, 200);
    assert_eq!(second.unchanged, report.imported);
    assert_eq!((second.updated, second.removed), (0, 0));
    assert_eq!(place.provider.take_asked().len() as u64, second.imported);
    for context in everything(&manager).await {
        if let Some(places) = by_source.get(context.source.as_deref().unwrap()) {
            assert!(places.contains(&context.position), "{context:?}");
        }
    }
}

#[tokio::test]
async fn odd_folders_are_survived() {
    let (_place, manager, folder) = prepared().await;
    fs::create_dir(folder.join("sub")).unwrap();
    std::os::unix::fs::symlink(&folder, folder.join("sub/loop")).unwrap();
    std::os::unix::fs::symlink("itself.md", folder.join("itself.md")).unwrap();
    let names: [&[u8]; 7] = [
        "日本語のメモ.md".as_bytes(),
        "заметка с пробелом.md".as_bytes(),
        "مذكرة.md".as_bytes(),
        "👩‍👩‍👧.md".as_bytes(),
        b"quo'te\"%3f?#.md",
        b"new\nline.md",
        b"caf\xe9.md",
    ];
    for name in names {
        let path = folder.join("sub").join(std::ffi::OsStr::from_bytes(name));
        fs::write(path, format!("the note called {}", name.escape_ascii())).unwrap();
    }
    let huge = fs::File::create(folder.join("huge.md")).unwrap();
    huge.set_len(100 * 1024 * 1024).unwrap();
    let report = import(&manager, &folder).await;
    assert!(report.failed.is_empty(), "{report:?}");
    assert_eq!(report.imported, names.len() as u64);
    let reasons: Vec<&str> = report.skipped.iter().map(|s| s.reason.as_str()).collect();
    assert!(
        reasons.iter().any(|r| r.starts_with("too large")),
        "{reasons:?}"
    );
    assert!(
        reasons.iter().any(|r| r.starts_with("symbolic link")),
        "{reasons:?}"
    );
    let sources: BTreeSet<String> = everything(&manager)
        .await
        .into_iter()
        .map(|context| context.source.unwrap())
        .collect();
    assert_eq!(sources.len(), names.len());
    assert!(
        sources
            .iter()
            .any(|source| source.ends_with("日本語のメモ.md"))
    );
    assert!(sources.iter().any(|source| source.ends_with("caf\\xE9.md")));
    let again = import(&manager, &folder).await;
    assert_eq!((again.imported, again.unchanged), (0, names.len() as u64));

    // Named itself, the huge one is a failure with the limit.
    let report = import(&manager, &folder.join("huge.md")).await;
    assert_eq!(report.failed[0].code, "file_too_large");
}

#[tokio::test]
async fn of_a_file_full_of_broken_lines_the_first_are_named_and_the_rest_counted() {
    let (_place, manager, folder) = prepared().await;
    let file = folder.join("log.jsonl");
    let mut lines = "no JSON\n".repeat(70_000);
    lines.push_str("{\"text\": \"the only good one\"}\n");
    lines.push_str(&"{\"text\": \"\"}\n".repeat(50));
    fs::write(&file, lines).unwrap();
    fs::write(folder.join("other.jsonl"), "no JSON, either\n").unwrap();
    let report = import(&manager, &folder).await;
    assert_eq!((report.imported, report.files), (1, 2));
    let of_file = report
        .failed
        .iter()
        .filter(|p| p.path.ends_with("log.jsonl"));
    let numbers: Vec<Option<u64>> = of_file.map(|problem| problem.line).collect();
    let first: Vec<Option<u64>> = (1..=PROBLEMS_PER_FILE as u64).map(Some).collect();
    assert_eq!(numbers, first);
    assert_eq!(report.failed.len(), PROBLEMS_PER_FILE + 1);
    assert_eq!(report.untold.len(), 1);
    assert!(report.untold[0].path.ends_with("log.jsonl"));
    assert_eq!(report.untold[0].failed, 70_050 - PROBLEMS_PER_FILE as u64);
}

#[tokio::test]
async fn broken_lines_are_told_by_number_and_the_others_are_imported() {
    let (_place, manager, folder) = prepared().await;
    let file = folder.join("log.jsonl");
    let lines = [
        r#"{"text": "one", "level": "L2"}"#,
        r#"{"text": "two""#,
        "",
        r#"["no object"]"#,
        r#"{"text": "  "}"#,
        r#"{"text": "six", "agent": "ann"}"#,
        r#"{"text": "seven", "level": "L9"}"#,
        r#"{"text": "eight", "expires_at": "2001-01-01"}"#,
        r#"{"content": "nine"}"#,
    ];
    fs::write(&file, lines.join("\n")).unwrap();
    let report = import(&manager, &file).await;
    let failed: Vec<(Option<u64>, &str)> = report
        .failed
        .iter()
        .map(|problem| (problem.line, problem.code.as_str()))
        .collect();
    assert_eq!(
        failed,
        [
            (Some(2), "invalid_json"),
            (Some(4), "invalid_json"),
            (Some(5), "invalid_text"),
            (Some(7), "unknown_level"),
            (Some(8), "invalid_expiry"),
        ]
    );
    assert_eq!(stored_texts(&manager).await, ["one", "six", "nine"]);
    let before = everything(&manager).await;
    assert_eq!(before[0].level, ContextLevel::ShortTerm);
    assert_eq!(before[1].agent.as_deref(), Some("ann"));

    // Put right, the rest comes in and nothing twice.
    let whole = [lines[0], r#"{"text": "two"}"#, lines[5], lines[8]];
    fs::write(&file, whole.join("\n")).unwrap();
    let report = import(&manager, &file).await;
    assert_eq!(
        (report.imported, report.unchanged, report.removed),
        (1, 3, 0)
    );
    assert_eq!(stored_texts(&manager).await, ["one", "six", "nine", "two"]);
}

#[tokio::test]
async fn a_beir_corpus_imports_once_with_its_ids() {
    let (place, manager, folder) = prepared().await;
    let line = |id: &str, text: &str| {
        json!({"_id": id, "title": "T", "text": text, "timestamp": "2023-05-08T13:56:00",
            "conversation": "c1", "session": "s1"})
        .to_string()
    };
    let corpus = [
        line("d1", "first turn"),
        line("d2", "second turn"),
        line("d3", "third turn"),
    ];
    fs::write(folder.join("corpus.jsonl"), corpus.join("\n")).unwrap();
    fs::write(folder.join("queries.jsonl"), r#"{"_id": "q", "text": "x"}"#).unwrap();
    let options = || ImportOptions {
        format: Format::Beir,
        ..ImportOptions::default()
    };
    let first = import_as(&manager, &folder, options()).await;
    assert_eq!((first.imported, first.failed.len()), (3, 0));
    let before = everything(&manager).await;
    let names: Vec<_> = before
        .iter()
        .map(|c| c.metadata["source_id"].clone())
        .collect();
    assert_eq!(names, ["d1", "d2", "d3"]);
    assert_eq!(before[0].text, "T\nfirst turn");
    assert_eq!(before[0].created_at.to_string(), "2023-05-08T13:56:00Z");
    assert_eq!(before[0].session.as_deref(), Some("s1"));
    assert_eq!(before[0].metadata["conversation"], "c1");

    let calls = place.provider.calls();
    let again = import_as(&manager, &folder, options()).await;
    assert_eq!((again.imported, again.unchanged), (0, 3));
    assert_eq!(place.provider.calls(), calls);

    // A changed text keeps its identity.
    let corpus = [line("d1", "first turn"), line("d2", "another turn")];
    fs::write(folder.join("corpus.jsonl"), corpus.join("\n")).unwrap();
    let changed = import_as(&manager, &folder, options()).await;
    assert_eq!(
        (changed.updated, changed.unchanged, changed.removed),
        (1, 1, 1)
    );
    let after = everything(&manager).await;
    assert_eq!(after[1].id, before[1].id);
    assert_eq!(after[1].text, "T\nanother turn");
    let request = ContextRequest::new("another");
    assert_eq!(texts(&manager, request).await[0], "T\nanother turn");
    assert_sound(&manager).await;
}

#[tokio::test]
async fn the_same_text_from_two_sources_stays_two_contexts() {
    let (_place, manager, folder) = prepared().await;
    for sub in ["a", "b"] {
        fs::create_dir(folder.join(sub)).unwrap();
        fs::write(folder.join(sub).join("note.txt"), "the very same words").unwrap();
    }
    let report = import(&manager, &folder).await;
    assert_eq!(report.imported, 2);
    let all = everything(&manager).await;
    assert_eq!(all[0].text, all[1].text);
    assert_ne!(all[0].source, all[1].source);
    // A retrieval folds them into one that names the other.
    let request = ContextRequest::new("very same words");
    let response = manager.retrieve(request).await.unwrap();
    assert_eq!(response.contexts.len(), 1);
    assert_eq!(response.contexts[0].same_text.len(), 1);
    // Losing one source leaves the other.
    fs::write(folder.join("a/note.txt"), "other words").unwrap();
    import(&manager, &folder).await;
    let all = everything(&manager).await;
    let same = all
        .iter()
        .filter(|c| c.text.ends_with("the very same words"));
    assert_eq!(same.count(), 1);
}

#[tokio::test]
async fn exported_contexts_come_back_with_their_times() {
    let (_place, manager, folder) = prepared().await;
    let line = json!({
        "id": "019a2b3c-4d5e-7f60-8123-456789abcdef", "text": "kept from before",
        "level": "ShortTerm", "agent": "ann", "session": "s", "position": 4,
        "created_at": "2020-01-02T03:04:05.678Z", "updated_at": "2021-01-01T00:00:00Z",
        "accessed_at": "2022-01-01T00:00:00Z", "access_count": 9, "token_count": 3,
        "content_hash": "00", "metadata": {"k": {"n": 1}}, "source": "/old/place.md",
        "expires_at": "2030-01-01T00:00:00Z", "deleted_at": null, "embedding": "ready",
    });
    let file = folder.join("export.jsonl");
    fs::write(&file, format!("{line}\n")).unwrap();
    import(&manager, &file).await;
    let context = everything(&manager).await.remove(0);
    assert_eq!(context.text, "kept from before");
    assert_eq!(context.level, ContextLevel::ShortTerm);
    assert_eq!(context.created_at.to_string(), "2020-01-02T03:04:05.678Z");
    assert_eq!(
        context.expires_at.unwrap().to_string(),
        "2030-01-01T00:00:00Z"
    );
    assert_eq!(
        (context.agent.as_deref(), context.session.as_deref()),
        (Some("ann"), Some("s"))
    );
    assert_eq!(context.position, 4);
    assert_eq!(context.metadata["k"], json!({"n": 1}));
    assert_eq!(
        context.id.to_string(),
        "019a2b3c-4d5e-7f60-8123-456789abcdef"
    );
    assert_eq!(context.accessed_at.to_string(), "2022-01-01T00:00:00Z");
    assert_eq!(
        (context.access_count, context.source.as_deref()),
        (9, Some("/old/place.md"))
    );
    let again = import(&manager, &file).await;
    assert_eq!((again.imported, again.unchanged), (0, 1));
    // A line that is changed by hand changes the context that it stands for.
    let changed = line
        .to_string()
        .replace("kept from before", "kept and changed");
    fs::write(&file, format!("{changed}\n")).unwrap();
    let report = import(&manager, &file).await;
    assert_eq!((report.imported, report.updated, report.removed), (0, 1, 0));
    let after = everything(&manager).await.remove(0);
    assert_eq!(
        (after.id, after.text.as_str()),
        (context.id, "kept and changed")
    );
}

#[tokio::test]
async fn what_links_to_a_note_is_found_with_links_to_its_headings() {
    let (_place, manager, folder) = prepared().await;
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in [
        ("Plan.md", "# Plan\n\nThe way there."),
        ("a.md", "As [[Plan]] says."),
        ("b.md", "See [[Plan#Day 1|the first day]]."),
        ("c.md", "Not [[Planning]]."),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    import(&manager, &folder).await;
    let filter = json!({"should": [
        {"key": "links", "any": ["Plan"]},
        {"key": "links", "range": {"gte": "Plan#", "lt": "Plan$"}},
    ]});
    let request = ListRequest {
        filter: Filter::from_json(&filter.to_string()).unwrap(),
        ..ListRequest::default()
    };
    let found = manager.list(request).await.unwrap().contexts;
    let files: BTreeSet<_> = found.iter().map(|c| c.metadata["file"].as_str()).collect();
    assert_eq!(files, BTreeSet::from([Some("a.md"), Some("b.md")]));
}

#[tokio::test]
async fn an_import_into_l1_keeps_l1_in_its_size() {
    let place = Place::with("[hirag]\nl1_size = 3");
    let manager = place.open().await;
    let folder = place.path().join("notes");
    notes::write(&folder, 8, 1);
    let options = ImportOptions {
        level: Some(ContextLevel::Immediate),
        ..ImportOptions::default()
    };
    let report = import_as(&manager, &folder, options).await;
    assert_eq!(report.imported, 8);
    let counts = manager.stats().await.unwrap();
    assert_eq!(counts.counts.contexts_per_level.immediate, 3);
    assert_eq!(counts.counts.contexts_per_level.short_term, 5);
    assert!(counts.working_set <= 3);
}
