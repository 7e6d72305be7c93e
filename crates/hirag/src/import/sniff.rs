//! What a file holds, by its first bytes, where its name does not tell.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::FileKind;
use super::formats::{Deadline, archive};

/// Bytes that are looked at: enough for what stands before the messages of a conversation.
const HEAD: u64 = 256 * 1024;

/// What the file holds, if it is anything that is read; a file that cannot be opened is an error.
pub(super) fn kind_of(path: &Path) -> io::Result<Option<FileKind>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut head)?;
    if head.starts_with(b"PK\x03\x04") {
        return Ok(in_archive(path));
    }
    Ok(of_head(&head))
}

fn in_archive(path: &Path) -> Option<FileKind> {
    let file = File::open(path).ok()?;
    let mut archive = archive::Archive::open(file.try_clone().ok()?, Deadline::new()).ok()?;
    if archive.has("word/document.xml") {
        return Some(FileKind::Docx);
    }
    if archive.has("META-INF/container.xml") {
        return Some(FileKind::Epub);
    }
    let conversations = archive.conversations().into_iter().next()?;
    let mut head = Vec::new();
    let entry = archive.stream(&file, &conversations).ok()?;
    entry.take(HEAD).read_to_end(&mut head).ok()?;
    of_head(&head)
}

fn of_head(head: &[u8]) -> Option<FileKind> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = head.trim_ascii_start();
    match text.first()? {
        b'%' if text.starts_with(b"%PDF-") => Some(FileKind::Pdf),
        b'#' if text.starts_with(b"#!") => Some(FileKind::Code),
        b'<' => {
            let start = text[..text.len().min(512)].to_ascii_lowercase();
            let page = [&b"<!doctype html"[..], b"<html"];
            let is_page = page
                .iter()
                .any(|mark| start.windows(mark.len()).any(|window| window == *mark));
            is_page.then_some(FileKind::Html)
        }
        b'[' | b'{' => of_json(text),
        _ => None,
    }
}

/// By the keys of the first object: that of a list, or of a list in an object, or a line's.
fn of_json(text: &[u8]) -> Option<FileKind> {
    let keys = Keys::of(text);
    let any = |key: &str| (1..=3).any(|depth| keys.has(depth, key));
    let line = |key: &str| keys.has(1, key);
    if line("type") && (line("entityType") || line("relationType")) {
        Some(FileKind::McpMemory)
    } else if any("mapping") && (any("create_time") || any("title")) {
        Some(FileKind::Chatgpt)
    } else if any("chat_messages") {
        Some(FileKind::Claude)
    } else if any("memory") && (any("user_id") || any("hash") || any("agent_id")) {
        Some(FileKind::Mem0)
    } else if text.starts_with(b"{") {
        // Whether it is one object or one a line is for the name to say.
        Some(FileKind::Jsonl)
    } else {
        None
    }
}

/// The keys of objects within three brackets, as far as the text goes.
#[derive(Default)]
struct Keys(HashSet<(u8, Vec<u8>)>);

impl Keys {
    fn of(text: &[u8]) -> Self {
        const LONGEST: usize = 32;
        let mut keys = Self::default();
        let (mut depth, mut at) = (0_usize, 0);
        while at < text.len() {
            match text[at] {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => {
                    let start = at + 1;
                    at = start;
                    while at < text.len() && text[at] != b'"' {
                        at += 1 + usize::from(text[at] == b'\\');
                    }
                    let name = text.get(start..at).unwrap_or_default();
                    let rest = text.get(at + 1..).unwrap_or_default().trim_ascii_start();
                    if depth <= 3 && name.len() <= LONGEST && rest.first() == Some(&b':') {
                        keys.0.insert((depth as u8, name.to_owned()));
                    }
                }
                // A file of lines: the first tells.
                b'\n' if depth == 0 => break,
                _ => {}
            }
            at += 1;
        }
        keys
    }

    fn has(&self, depth: u8, key: &str) -> bool {
        self.0.contains(&(depth, key.as_bytes().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_how_they_begin() {
        for (head, kind) in [
            ("%PDF-1.7\n", Some(FileKind::Pdf)),
            ("#!/bin/sh\n", Some(FileKind::Code)),
            (
                "<?xml version='1.0'?>\n<!DOCTYPE html>",
                Some(FileKind::Html),
            ),
            ("<svg/>", None),
            (
                r#"[{"title":"a","create_time":1,"mapping":{"#,
                Some(FileKind::Chatgpt),
            ),
            (
                r#" [ {"uuid":"1","name":"\"mapping\":","chat_messages":["#,
                Some(FileKind::Claude),
            ),
            (
                r#"{"results":[{"id":"1","memory":"x","user_id":"u"}]}"#,
                Some(FileKind::Mem0),
            ),
            (
                "{\"type\":\"entity\",\"name\":\"A\",\"entityType\":\"b\"}\n{",
                Some(FileKind::McpMemory),
            ),
            ("{\"text\":\"a\"}\n", Some(FileKind::Jsonl)),
            ("[1, 2]", None),
            ("", None),
        ] {
            assert_eq!(of_head(head.as_bytes()), kind, "{head}");
        }
    }
}
