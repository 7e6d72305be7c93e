//! What a large file takes of the memory while it is read. In a process of its own: all that others
//! hold would be counted.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::Path;

use hirag::config::Config;
use hirag::import::{Contents, Format, Reader, discover};
use hirag::tokens::TokenEstimator;

/// A text of a conversation of about `bytes` bytes, in an export of many.
fn export(path: &Path, conversations: usize) -> u64 {
    let mut out = std::io::BufWriter::new(fs::File::create(path).unwrap());
    let filler = "x".repeat(60_000);
    write!(out, "[").unwrap();
    for n in 0..conversations {
        let comma = if n > 0 { "," } else { "" };
        // What a tool said is read over, and most of an export.
        write!(
            out,
            "{comma}{{\"title\":\"T{n}\",\"conversation_id\":\"c{n}\",\"current_node\":\"b\",\"create_time\":{n},\"mapping\":{{\
             \"a\":{{\"message\":{{\"id\":\"a{n}\",\"author\":{{\"role\":\"user\"}},\"content\":{{\"content_type\":\"text\",\"parts\":[\"Question {n}\"]}}}}}},\
             \"b\":{{\"parent\":\"a\",\"message\":{{\"author\":{{\"role\":\"tool\"}},\"content\":{{\"content_type\":\"text\",\"parts\":[\"{filler}\"]}}}}}}}}}}"
        )
        .unwrap();
    }
    write!(out, "]").unwrap();
    out.into_inner().unwrap().metadata().unwrap().len()
}

/// Bytes that this process holds now.
fn resident() -> u64 {
    let facts = fs::read_to_string("/proc/self/statm").unwrap();
    facts.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

#[test]
fn an_export_is_read_without_being_held_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("conversations.json");
    let bytes = export(&path, 2_000);
    assert!(bytes > 100 << 20);
    let config = Config::default();
    let tokens = TokenEstimator::new(config.hirag.token_estimator).unwrap();
    let reader = Reader::new(config.import.clone(), config.limits.clone(), tokens).unwrap();
    let found = discover(&[path], Format::Auto, &config.import);
    let Contents::Entries(entries) = reader.open(&found.files[0]).unwrap() else {
        panic!("a stream");
    };
    let before = resident();
    let (mut read, mut most) = (0, 0);
    for entry in entries {
        assert!(entry.unwrap().text.ends_with(&format!("Question {read}")));
        read += 1;
        if read % 100 == 0 {
            most = most.max(resident());
        }
    }
    assert_eq!(read, 2_000);
    assert!(
        most < before + (32 << 20),
        "{} MB more",
        (most - before) >> 20
    );
}
