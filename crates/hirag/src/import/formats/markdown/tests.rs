use proptest::prelude::*;
use serde_json::json;

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::context::{ContentHash, NewContext};
use crate::import::tests::{LIMITS, SETTINGS, estimator};
use crate::import::{Document, FileKind, ImportError, Reader, SourceFile};
use crate::tokens::TokenEstimatorKind;

fn file(name: &str, kind: FileKind) -> SourceFile {
    SourceFile {
        path: format!("/notes/{name}").into(),
        source: format!("/notes/{name}"),
        kind,
        bytes: 0,
        named: false,
    }
}

fn read_as(file: &SourceFile, bytes: &[u8]) -> Result<Document, ImportError> {
    let tokens = estimator(TokenEstimatorKind::Tiktoken);
    Reader::new(SETTINGS, LIMITS, tokens)
        .unwrap()
        .read(file, bytes)
}

fn read_bytes(name: &str, bytes: &[u8]) -> Result<Document, ImportError> {
    read_as(&file(name, FileKind::Markdown), bytes)
}

fn read(name: &str, text: &str) -> Vec<NewContext> {
    read_bytes(name, text.as_bytes()).unwrap().contexts
}

fn texts(contexts: &[NewContext]) -> Vec<&str> {
    contexts.iter().map(|new| new.text.as_str()).collect()
}

fn meta<'a>(new: &'a NewContext, key: &str) -> &'a Json {
    new.metadata.get(key).unwrap_or(&Json::Null)
}

/// Prose of about `sentences` × 10 tokens, no sentence like another.
fn prose(topic: &str, sentences: usize) -> String {
    (0..sentences)
        .map(|n| format!("Sentence number {n} tells some more about {topic}. "))
        .collect()
}

#[test]
fn a_short_note_is_one_chunk_with_its_whole_text() {
    let text = "# Copy a file\r\n\r\nUse `cp`.\r\n\r\n```bash\r\n$ cp a b\r\n```\r\n";
    let document = read_bytes("copy.md", text.as_bytes()).unwrap();
    let new = &document.contexts[0];
    assert_eq!(document.contexts.len(), 1);
    assert_eq!(
        new.text,
        "# Copy a file\n\nUse `cp`.\n\n```bash\n$ cp a b\n```"
    );
    assert_eq!(
        Json::from(new.metadata.clone()),
        json!({"title": "Copy a file", "heading": "Copy a file", "file": "copy.md", "doc_type": "markdown"})
    );
    assert_eq!(new.position, Some(0));
    assert_eq!(new.source.as_deref(), Some("/notes/copy.md"));
    assert_eq!(document.content_hash, ContentHash::of(text));
}

#[test]
fn front_matter_tags_and_links_become_metadata() {
    let text = "---\ntitle: Trip\ntags: [travel]\ncreated: 2024-01-31\nmood: good\n---\n\nWith [[Ann|A.]] to #japan/kyoto, see `#not` and [[Plan#Day 1]].\n";
    let contexts = read("x.md", text);
    assert_eq!(
        Json::from(contexts[0].metadata.clone()),
        json!({
            "title": "Trip", "heading": "Trip", "prefix": "Trip", "doc_type": "markdown", "file": "x.md",
            "tags": ["travel", "japan/kyoto"], "links": ["Ann", "Plan#Day 1"],
            "created": "2024-01-31", "mood": "good",
        })
    );
    assert_eq!(
        contexts[0].created_at.unwrap().to_string(),
        "2024-01-31T00:00:00Z"
    );
    assert!(contexts[0].text.starts_with("Trip\n\nWith [[Ann|A.]]"));
}

#[test]
fn broken_front_matter_is_kept_as_text_and_told() {
    let document = read_bytes("x.md", b"---\na: b: c\n---\nBody\n").unwrap();
    assert_eq!(document.warnings[0].code, "front_matter");
    assert!(document.contexts[0].text.contains("a: b: c"));
    assert!(document.contexts[0].text.ends_with("Body"));
}

#[test]
fn a_note_without_a_heading_is_found_by_its_file_name() {
    let contexts = read("Shopping list.md", "- milk\n- eggs\n");
    assert_eq!(texts(&contexts), ["Shopping list\n\n- milk\n- eggs"]);
    let contexts = read("x.md", "Before.\n\n# Title\n\nAfter.\n");
    assert_eq!(texts(&contexts), ["Before.\n\n# Title\n\nAfter."]);
}

#[test]
fn sections_stay_together_and_later_chunks_say_where_they_stand() {
    let text = format!(
        "# Garden\n\n{}\n\n## Roses\n\n{}\n\n## Beans\n\n{}\n\n### Pests\n\n{}",
        prose("gardens", 12),
        prose("roses", 12),
        prose("beans", 5),
        prose("pests", 5),
    );
    let contexts = read("g.md", &text);
    let headings: Vec<_> = contexts.iter().map(|new| meta(new, "heading")).collect();
    assert_eq!(headings, ["Garden", "Garden > Roses", "Garden > Beans"]);
    assert!(contexts[0].text.starts_with("# Garden\n\nSentence"));
    assert!(
        contexts[1]
            .text
            .starts_with("Garden\n\n## Roses\n\nSentence")
    );
    assert_eq!(meta(&contexts[1], "prefix"), "Garden");
    assert!(contexts[2].text.contains("### Pests"));
}

#[test]
fn a_note_of_headings_alone_is_cut_too() {
    let text: String = (0..500).map(|n| format!("# Heading {n}\n")).collect();
    let tokens = estimator(TokenEstimatorKind::Tiktoken);
    let contexts = read("x.md", &text);
    assert!(contexts.iter().all(|new| tokens.count(&new.text) <= 260));
    assert!(contexts.len() >= 8);
}

#[test]
fn a_long_section_is_cut_between_sentences_with_overlap() {
    let text = format!("# Title\n\n## Part\n\n{}", prose("it", 60));
    let contexts = read("x.md", &text);
    assert!(contexts.len() >= 3);
    let tokens = estimator(TokenEstimatorKind::Tiktoken);
    for pair in contexts.windows(2) {
        let own = pair[1].text.strip_prefix("Title > Part\n\n").unwrap();
        assert!(own.starts_with("Sentence number"), "{own}");
        let first = &own[..own.find(". ").unwrap() + 1];
        assert!(pair[0].text.contains(first), "no overlap: {first}");
    }
    for new in &contexts {
        assert!(
            tokens.count(&new.text) <= 210,
            "{}",
            tokens.count(&new.text)
        );
    }
}

#[test]
fn code_blocks_stay_whole_up_to_four_chunks() {
    let code = |lines: usize| {
        let lines: String = (0..lines)
            .map(|n| format!("let value_{n} = {n};\n"))
            .collect();
        format!("```rust\n{lines}```")
    };
    let (whole, long) = (code(80), code(400));
    let text = format!(
        "# T\n\n{}\n\n{whole}\n\n{}\n\n- item\n\n{whole}\n\n{long}\n",
        prose("a", 15),
        prose("b", 15)
    );
    let contexts = read("x.md", &text);
    let holding = contexts.iter().filter(|new| new.text.contains(&whole));
    assert_eq!(holding.count(), 2);
    assert!(!contexts.iter().any(|new| new.text.contains(&long)));
    for n in 0..400 {
        let line = format!("let value_{n} = {n};");
        assert!(
            contexts.iter().any(|new| new.text.contains(&line)),
            "{line}"
        );
    }
}

#[test]
fn code_in_a_list_that_is_too_long_stays_whole() {
    let code = "  ```\n  let a = 1;\n  let b = 2;\n  ```";
    let text = format!(
        "- one {}\n\n{code}\n- two {}\n",
        prose("one", 20),
        prose("two", 20)
    );
    let contexts = read("x.md", &text);
    assert!(contexts.iter().any(|new| new.text.contains(code)));
}

#[test]
fn a_change_keeps_the_keys_of_the_chunks_that_it_leaves_alone() {
    let section = |name: &str| format!("## {name}\n\n{}\n\n", prose(name, 15));
    let before = format!(
        "# T\n\n{}{}{}",
        section("One"),
        section("Two"),
        section("Three")
    );
    let after = before.replace("Sentence number 3 tells some more about Two", "Changed");
    let keys = |text: &str| -> Vec<String> {
        read("x.md", text)
            .into_iter()
            .map(|new| new.source_key.unwrap())
            .collect()
    };
    let (before, after) = (keys(&before), keys(&after));
    let kept = after.iter().filter(|key| before.contains(key)).count();
    assert_eq!((before.len(), after.len(), kept), (3, 3, 2));
}

#[test]
fn equal_chunks_have_keys_of_their_own() {
    let rule = format!("## Same\n\n{}\n\n", prose("same", 15));
    let contexts = read("x.md", &rule.repeat(3));
    let keys: std::collections::HashSet<_> = contexts.iter().map(|new| &new.source_key).collect();
    assert_eq!((contexts.len(), keys.len()), (3, 3));
}

#[test]
fn files_that_are_no_notes_are_refused_with_the_reason() {
    for (bytes, code) in [
        (&b""[..], "empty_file"),
        (b"\xef\xbb\xbf \n\t\n", "empty_file"),
        (b"---\ntitle: x\n---\n\n", "empty_file"),
        (b"ab\0c", "binary_file"),
    ] {
        assert_eq!(read_bytes("x.md", bytes).unwrap_err().code(), code);
    }
}

#[test]
fn a_note_in_another_encoding_is_read_and_the_guess_is_told() {
    let document = read_bytes("x.md", b"Gr\xfc\xdfe aus K\xf6ln und M\xfcnchen").unwrap();
    assert_eq!(
        texts(&document.contexts),
        ["x\n\nGr\u{fc}\u{df}e aus K\u{f6}ln und M\u{fc}nchen"]
    );
    assert_eq!(document.warnings[0].code, "encoding_guessed");
}

#[test]
fn a_byte_order_mark_is_not_text() {
    assert_eq!(texts(&read("x.md", "\u{feff}# T\n\ntext")), ["# T\n\ntext"]);
}

#[test]
fn plain_text_has_no_marks() {
    let file = file("log.txt", FileKind::Text);
    let document = read_as(&file, b"---\n# 1 #tag [[x]]\n---\n").unwrap();
    assert_eq!(
        texts(&document.contexts),
        ["log\n\n---\n# 1 #tag [[x]]\n---"]
    );
    assert!(!document.contexts[0].metadata.contains_key("tags"));
}

#[test]
fn long_lines_and_many_names_stay_within_the_limits() {
    let tags: String = (0..3_000)
        .map(|n| format!("#tag{n} [[link {n}]] "))
        .collect();
    for text in [
        "a".repeat(60_000),
        "漢".repeat(20_000),
        tags,
        "[".repeat(30_000),
    ] {
        for new in read("x.md", &format!("# {text}\n\n{text}")) {
            new.validate(&LIMITS, Timestamp::MIN).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300), head in "(---\n)?(# )?") {
        let _ = read_bytes("x.md", &bytes);
        let text = format!("{head}{}", String::from_utf8_lossy(&bytes).replace('\0', ""));
        if let Ok(document) = read_bytes("x.md", text.as_bytes()) {
            for new in document.contexts {
                prop_assert!(new.validate(&LIMITS, Timestamp::MIN).is_ok() || new.text.trim().chars().all(|c| !c.is_alphanumeric()));
            }
        }
    }
}

#[test]
fn real_notes_are_cut_to_chunks_that_keep_their_title() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/til-notes/notes");
    if !root.is_dir() {
        println!("left out: {} is not there", root.display());
        return;
    }
    let tokens = estimator(TokenEstimatorKind::Tiktoken);
    let found = crate::import::discover(&[root], crate::import::Format::Auto, &SETTINGS);
    let mut sizes = Vec::new();
    for file in &found.files {
        let bytes = std::fs::read(&file.path).unwrap();
        let document = read_as(file, &bytes).unwrap();
        for new in &document.contexts {
            new.validate(&LIMITS, Timestamp::MIN).unwrap();
            let title = new.metadata["title"].as_str().unwrap();
            let head = new.text.lines().next().unwrap();
            let plain = |text: &str| text.replace(['`', '*', '_', '\\', '#', ' '], "");
            let start: String = plain(title).chars().take(20).collect();
            assert!(plain(head).contains(&start), "{title} is not in {head}");
            sizes.push(tokens.count(&new.text));
        }
    }
    assert!(found.failed.is_empty() && found.files.len() > 1_800);
    sizes.sort_unstable();
    println!(
        "{} notes, {} chunks, median {} tokens, p95 {}, longest {}",
        found.files.len(),
        sizes.len(),
        sizes[sizes.len() / 2],
        sizes[sizes.len() * 95 / 100],
        sizes[sizes.len() - 1]
    );
}
