//! Titles, headings and names, as they are kept beside a text.

use serde_json::Value as Json;

use crate::context::Metadata;

/// Names of tags and links kept for one chunk.
const MAX_NAMES: usize = 128;
/// Characters of a title; a prefix has at most twice as many.
pub(super) const MAX_TITLE_CHARS: usize = 200;

/// Without blank lines around; the first line keeps its indentation, which is code's.
pub(super) fn trim_lines(text: &str) -> &str {
    let text = text.trim_end();
    let first = text.len() - text.trim_start().len();
    let line = text[..first].rfind('\n').map_or(0, |at| at + 1);
    &text[line..]
}

pub(super) fn same(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        text.split_whitespace()
            .flat_map(|word| word.chars().flat_map(char::to_lowercase).chain([' ']))
            .collect::<String>()
    };
    plain(a) == plain(b)
}

/// With one space for any white space.
pub(in crate::import) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most `chars` characters on one line.
pub(in crate::import) fn clip(text: &str, chars: usize) -> String {
    let line = one_line(text);
    match line.char_indices().nth(chars) {
        Some((end, _)) => line[..end].trim_end().to_owned(),
        None => line,
    }
}

/// Adds the names to those that are there, each once, as far as they fit; nothing if there are none.
pub(super) fn insert_names<'n>(
    metadata: &mut Metadata,
    key: &str,
    names: impl Iterator<Item = &'n str>,
    mut room: usize,
) {
    let mut kept: Vec<&str> = Vec::new();
    for name in names {
        if name.is_empty() || kept.contains(&name) {
            continue;
        }
        if kept.len() == MAX_NAMES || name.len() > room {
            break;
        }
        room -= name.len();
        kept.push(name);
    }
    if !kept.is_empty() {
        let kept: Vec<Json> = kept.into_iter().map(Json::from).collect();
        metadata.insert(key.to_owned(), kept.into());
    }
}
