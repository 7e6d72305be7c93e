use std::io::{self, BufRead, Write};
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

fn written(format: ExportFormat, path: &Path, contexts: &[Context]) {
    let file = std::fs::File::create(path).unwrap();
    let mut table = Table::begin(format, file).unwrap().unwrap();
    contexts
        .iter()
        .for_each(|context| table.put(context).unwrap());
    table.finish().unwrap();
}

#[test]
fn a_text_is_no_formula_in_a_spreadsheet_and_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    let texts = ["=1+1", "+1", "-1", "@A1", "\tx", "'tis", "'=1", "''"];
    let contexts = texts.map(|text| context(text, Some("=agent"), json!({}), 1));
    written(ExportFormat::Csv, &path, &contexts);
    let table = std::fs::read_to_string(&path).unwrap();
    assert!(
        table.contains(",'=1+1,") && table.contains(",'=agent,"),
        "{table}"
    );
    assert!(table.contains(",-4,"), "{table}");
    same(&path, &contexts);

    // As a spreadsheet saves it where the comma is the decimal point.
    let saved = format!("\u{feff}{}", table.replace(',', ";"));
    std::fs::write(&path, saved).unwrap();
    assert!(is_table(&path));
    same(&path, &contexts);
}

/// A disk with room for so many bytes.
struct Disk(usize);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.0.checked_sub(bytes.len());
        self.0 = left.ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_as_one_in_every_table() {
    let long = context(&"word ".repeat(10_000), None, json!({}), 1);
    for format in [
        ExportFormat::Jsonl,
        ExportFormat::Csv,
        ExportFormat::Parquet,
    ] {
        for room in [0, 2, 20_000] {
            let write = || {
                let mut table = Table::begin(format, Disk(room))?.unwrap();
                table.put(&long)?;
                table.finish().map(drop)
            };
            let kind = write().map_err(|error: io::Error| error.kind());
            assert_eq!(kind, Err(io::ErrorKind::StorageFull), "{format} {room}");
        }
    }
}

#[test]
fn what_is_damaged_in_an_export_ends_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let contexts: Vec<Context> = (0..50)
        .map(|n| context(&format!("text {n}"), None, json!({}), n))
        .collect();
    written(ExportFormat::Parquet, &path, &contexts);
    let whole = std::fs::read(&path).unwrap();
    let mut failed = 0;
    for at in (4..whole.len() / 2).step_by(97) {
        let mut bytes = whole.clone();
        bytes[at..at + 16].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        let Ok(Some(lines)) = lines(&path) else {
            continue;
        };
        let mut input = crate::import::lines::Lines::new(lines, 1 << 20);
        let read: Vec<bool> = input.by_ref().take(60).map(|line| line.is_ok()).collect();
        assert!(read.len() <= 51, "{at}");
        failed += usize::from(read.last() == Some(&false));
    }
    assert!(failed > 0);
}

#[test]
fn a_row_that_never_ends_is_not_read_to_its_end() {
    let endless = std::io::Read::chain(&b"id,text\na,b\nc,\""[..], std::io::repeat(b'x'));
    let rows: Vec<_> = super::csv::rows(endless, b',', 100_000).collect();
    assert!(
        matches!(rows[..], [Ok(_), Err(super::reading::BadRow::Last(_))]),
        "{rows:?}"
    );
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

#[test]
fn a_note_that_no_export_wrote_is_refused_and_not_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("note.md");
    std::fs::write(&path, markdown::HEAD).unwrap();
    assert!(super::is_note(&path));
    // Nothing stands on the disk for what is not written.
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len((256 << 20) + 1).unwrap();
    let refused = lines(&path).err().unwrap();
    assert_eq!(refused.kind(), std::io::ErrorKind::FileTooLarge);
}
