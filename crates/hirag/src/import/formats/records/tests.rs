use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::import::tests::LIMITS;

fn file(kind: FileKind) -> SourceFile {
    SourceFile {
        path: "/data/x.jsonl".into(),
        source: "/data/x.jsonl".to_owned(),
        kind,
        bytes: 0,
        named: false,
    }
}

fn read(kind: FileKind, text: &str) -> Vec<Result<NewContext, Problem>> {
    Records::new(text.as_bytes(), &file(kind), 1_000, LIMITS).collect()
}

fn one(kind: FileKind, value: &Json) -> NewContext {
    let mut all = read(kind, &value.to_string());
    assert_eq!(all.len(), 1);
    all.remove(0).unwrap()
}

#[test]
fn the_fields_of_a_line_become_the_context() {
    let new = one(
        FileKind::Jsonl,
        &json!({
            "content": "hello", "level": "L2", "agent": "a", "session": "s", "position": 7,
            "timestamp": "2024-01-31T12:00:00", "expires_at": 4_102_444_800_i64,
            "metadata": {"topic": "own"}, "topic": "outer", "mood": ["x"], "agent_id": null,
        }),
    );
    assert_eq!(new.text, "hello");
    assert_eq!(new.level, Some(ContextLevel::ShortTerm));
    assert_eq!(
        (new.agent.as_deref(), new.session.as_deref()),
        (Some("a"), Some("s"))
    );
    assert_eq!(new.position, Some(7));
    assert_eq!(new.created_at.unwrap().to_string(), "2024-01-31T12:00:00Z");
    assert_eq!(new.expires_at.unwrap().to_string(), "2100-01-01T00:00:00Z");
    assert_eq!(
        Json::from(new.metadata),
        json!({"topic": "own", "mood": ["x"], "agent_id": null})
    );
    assert_eq!(new.source.as_deref(), Some("/data/x.jsonl"));
}

#[test]
fn equal_lines_get_keys_of_their_own_that_stay() {
    let text = "{\"text\":\"a\"}\n{\"text\":\"b\"}\n{\"text\":\"a\"}\n";
    let keys = |text: &str| -> Vec<String> {
        read(FileKind::Jsonl, text)
            .into_iter()
            .map(|new| new.unwrap().source_key.unwrap())
            .collect()
    };
    let first = keys(text);
    assert_eq!(
        first.iter().collect::<HashSet<_>>().len(),
        3,
        "each its own: {first:?}"
    );
    assert_eq!(
        first,
        keys(&format!("\u{feff}{}", text.replace('\n', "\r\n")))
    );
    assert_eq!(first[1], keys("{\"text\":\"b\"}")[0]);
}

#[test]
fn bad_lines_are_told_by_number_and_the_rest_goes_on() {
    let long = format!("{{\"text\":\"{}\"}}", "x".repeat(1_000));
    let text = [
        "{\"text\":\"good\"}",
        "{\"text\":",
        "[1]",
        "{\"txt\":\"no\"}",
        "{\"text\":5}",
        "",
        "{\"text\":\" \"}",
        "{\"text\":\"a\",\"level\":\"L9\"}",
        "{\"text\":\"a\",\"created_at\":\"soon\"}",
        "{\"text\":\"a\",\"metadata\":[]}",
        &long,
        "{\"text\":\"a\\u0000\"}",
        "{\"text\":\"a\",\"position\":1.5}",
        "{\"text\":\"a\",\"source\":\"f\",\"source_key\":\"k\"}",
        "{\"text\":\"b\",\"source\":\"f\",\"source_key\":\"k\"}",
        "{\"text\":\"last\"}",
    ]
    .join("\n");
    let all = read(FileKind::Jsonl, &text);
    let told: Vec<_> = all
        .iter()
        .filter_map(|record| record.as_ref().err())
        .map(|problem| (problem.line.unwrap(), problem.code.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (2, "invalid_json"),
            (3, "invalid_json"),
            (4, "missing_text"),
            (5, "wrong_type"),
            (7, "invalid_text"),
            (8, "unknown_level"),
            (9, "invalid_time"),
            (10, "wrong_type"),
            (11, "line_too_long"),
            (12, "invalid_text"),
            (13, "wrong_type"),
            (15, "duplicate_id"),
        ]
    );
    assert_eq!(all.iter().filter(|record| record.is_ok()).count(), 3);
    assert_eq!(all.last().unwrap().as_ref().unwrap().text, "last");
}

#[test]
fn an_exported_context_keeps_what_a_new_one_can_carry_and_its_identity() {
    let export = |access_count: u64| {
        json!({
            "id": "019a2b3c-4d5e-7f60-8123-456789abcdef", "text": "t", "level": "LongTerm",
            "agent": null, "session": "s", "created_at": "2024-01-01T00:00:00Z",
            "updated_at": "2024-01-02T00:00:00Z", "accessed_at": "2024-01-02T00:00:00Z",
            "access_count": access_count, "token_count": 1, "content_hash": "00",
            "metadata": {"title": "T"}, "source": "/notes/a.md", "expires_at": null,
            "deleted_at": null, "embedding": "ready", "position": 3,
        })
    };
    let new = one(FileKind::Jsonl, &export(1));
    assert_eq!(new.level, Some(ContextLevel::LongTerm));
    assert_eq!(
        (new.text.as_str(), new.session.as_deref()),
        ("t", Some("s"))
    );
    assert_eq!(new.created_at.unwrap().to_string(), "2024-01-01T00:00:00Z");
    assert_eq!(new.position, Some(3));
    assert_eq!(Json::from(new.metadata.clone()), json!({"title": "T"}));
    assert_eq!(new.source.as_deref(), Some("/notes/a.md"));
    let id = new.id.unwrap().to_string();
    assert_eq!(id, "019a2b3c-4d5e-7f60-8123-456789abcdef");
    assert_eq!(new.accessed_at.unwrap().to_string(), "2024-01-02T00:00:00Z");
    assert_eq!(one(FileKind::Jsonl, &export(9)).access_count, 9);

    let mut keyed = export(1);
    keyed["source_key"] = "k".into();
    let new = one(FileKind::Jsonl, &keyed);
    assert_eq!(
        (new.source.as_deref(), new.source_key.as_deref()),
        (Some("/notes/a.md"), Some("k"))
    );

    let mut deleted = export(1);
    deleted["deleted_at"] = "2024-01-03T00:00:00Z".into();
    let all = read(FileKind::Jsonl, &deleted.to_string());
    assert_eq!(all[0].as_ref().unwrap_err().code, "deleted");
}

#[test]
fn a_beir_line_keeps_its_id_title_and_other_fields() {
    let new = one(
        FileKind::Beir,
        &json!({
            "_id": "c/D1:1", "title": "Trip", "text": "We went.", "session": "D1", "agent": 5,
            "timestamp": "2023-05-08T13:56:00", "conversation": "c", "metadata": {},
        }),
    );
    assert_eq!(new.text, "Trip\nWe went.");
    assert_eq!((new.session.as_deref(), new.agent), (Some("D1"), None));
    assert_eq!(new.created_at.unwrap().to_string(), "2023-05-08T13:56:00Z");
    assert_eq!(new.source_key.as_deref(), Some("c/D1:1"));
    assert_eq!(new.position, Some(0));
    assert_eq!(
        Json::from(new.metadata),
        json!({"source_id": "c/D1:1", "title": "Trip", "session": "D1", "agent": 5,
               "conversation": "c"})
    );
}

#[test]
fn beir_ids_may_be_numbers_and_must_be_there_once() {
    let text = "{\"_id\":7,\"text\":\"a\",\"title\":\"\"}\n{\"text\":\"b\"}\n{\"_id\":\"7\",\"text\":\"c\"}\n{\"_id\":8,\"text\":\"\",\"title\":\" \"}\n{\"_id\":9,\"title\":\"only\"}";
    let all = read(FileKind::Beir, text);
    let codes: Vec<_> = all
        .iter()
        .map(|record| record.as_ref().map_or_else(|p| p.code.as_str(), |_| "ok"))
        .collect();
    assert_eq!(
        codes,
        ["ok", "missing_id", "duplicate_id", "invalid_text", "ok"]
    );
    let first = all[0].as_ref().unwrap();
    assert_eq!(first.source_key.as_deref(), Some("7"));
    assert!(!first.metadata.contains_key("title"));
    assert_eq!(all[4].as_ref().unwrap().text, "only");
}

proptest! {
    #[test]
    fn any_lines_are_survived(
        lines in prop::collection::vec("[ -~]{0,60}|\\{\"(text|_id|level|created_at|position)\":[0-9e\"\\-.a]{0,30}\\}", 0..8),
        beir in any::<bool>(),
    ) {
        let kind = if beir { FileKind::Beir } else { FileKind::Jsonl };
        for new in read(kind, &lines.join("\n")).into_iter().flatten() {
            prop_assert!(!new.text.trim().is_empty());
            prop_assert!(new.source_key.is_some());
        }
    }
}
