use std::io::BufRead;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ExportFormat, Table, is_table, lines, markdown};
use crate::context::{ContentHash, Context, ContextLevel, EmbeddingState};

fn context(text: &str, agent: Option<&str>, metadata: Value, count: u64) -> Context {
    let time = |text: &str| text.parse().unwrap();
    Context {
        id: "019b76da-a800-7000-8000-000000000001".parse().unwrap(),
        text: text.to_owned(),
        level: ContextLevel::LongTerm,
        agent: agent.map(str::to_owned),
        session: Some("a > b --> c".to_owned()),
        created_at: time("1969-12-31T23:59:59.999Z"),
        updated_at: time("2026-01-01T00:00:00Z"),
        accessed_at: time("2026-01-02T00:00:00.5Z"),
        access_count: count,
        token_count: 3,
        content_hash: ContentHash::of(text),
        metadata: serde_json::from_value(metadata).unwrap(),
        source: Some("/notes/ä \"b\".md".to_owned()),
        source_key: Some("#1".to_owned()),
        position: -4,
        expires_at: None,
        deleted_at: None,
        embedding: EmbeddingState::Ready,
    }
}

/// What an import would read of a file, as objects without what is absent.
fn read(path: &Path) -> Vec<Value> {
    let lines = lines(path).unwrap().expect("an export");
    lines
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .map(without_nulls)
        .collect()
}

fn without_nulls(mut value: Value) -> Value {
    let object = value.as_object_mut().unwrap();
    object.retain(|_, value| !value.is_null());
    value
}

fn same(path: &Path, contexts: &[Context]) {
    let wanted: Vec<Value> = contexts
        .iter()
        .map(|context| without_nulls(serde_json::to_value(context).unwrap()))
        .collect();
    assert_eq!(read(path), wanted, "{}", path.display());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_format_gives_back_what_went_in(
        texts in proptest::collection::vec("(?s)[^\0]{1,80}", 1..8),
        agent in proptest::option::of("[a-z]{1,8}"),
        key in "[a-z\"\\\\ \n]{1,8}",
        count in 0u64..1_000_000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let metadata = json!({ key: ["a\r\nb", 1.5, null, { "deep": true }] });
        let contexts: Vec<Context> = texts
            .iter()
            .map(|text| context(text, agent.as_deref(), metadata.clone(), count))
            .collect();
        for format in [ExportFormat::Csv, ExportFormat::Parquet] {
            let path = folder.path().join(format.name());
            let file = std::fs::File::create(&path).unwrap();
            let mut table = Table::begin(format, file).unwrap().unwrap();
            contexts.iter().for_each(|context| table.put(context).unwrap());
            table.finish().unwrap();
            prop_assert!(is_table(&path));
            same(&path, &contexts);
        }
        let one = folder.path().join(markdown::name_of_context(&contexts[0]));
        std::fs::write(&one, markdown::of_context(&contexts[0]).unwrap()).unwrap();
        same(&one, &contexts[..1]);
        let session = contexts[0].session.as_deref();
        let all = folder.path().join(markdown::name_of_session(None, session, 1));
        std::fs::write(&all, markdown::of_session(None, session, &contexts).unwrap()).unwrap();
        same(&all, &contexts);
    }
}

#[test]
fn files_of_others_are_not_taken_for_exports() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("a.csv", "id,text\n1,one\n"),
        ("b.md", "---\nhirag: true\n---\ntext\n"),
        ("c.md", "---\nhirag: 1\ntopic: owls\n---\ntext\n"),
        ("d.parquet", "PAR1 and nothing of it"),
        ("e.md", ""),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        assert!(!is_table(&path), "{name}");
        assert!(lines(&path).unwrap().is_none(), "{name}");
    }
}
