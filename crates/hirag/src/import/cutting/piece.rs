//! What a reader gives.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::names::{MAX_TITLE_CHARS, clip, same};
use super::outline::{Block, Kind, Outline};
use super::{Language, plain};
use crate::context::Metadata;

/// A part of a document that is cut by itself: a whole note, a page, a chapter, a message, a row.
#[derive(Debug, Clone)]
pub(in crate::import) struct Piece {
    /// Its text, with `\n` at the ends of lines.
    pub(in crate::import) text: String,
    /// Where it may be cut.
    pub(in crate::import) shape: Shape,
    /// What the document calls itself, or its file's name; on one line.
    pub(in crate::import) title: String,
    /// Whether the title says what the text is about, and is part of what it is found by.
    pub(in crate::import) titled: bool,
    /// The headings that it stands under, with their levels, outermost first.
    pub(in crate::import) above: Vec<(u8, String)>,
    /// What kind of text it is, where its metadata says nothing else: `markdown`, `pdf`, `message`…
    pub(super) doc_type: String,
    /// What all of its chunks share.
    pub(in crate::import) metadata: Metadata,
    /// What identifies it within its file; by default, its text.
    pub(in crate::import) key: Option<String>,
    pub(in crate::import) agent: Option<String>,
    pub(in crate::import) session: Option<String>,
    pub(in crate::import) created_at: Option<Timestamp>,
}

/// Where a text may be cut.
#[derive(Debug, Clone)]
pub(in crate::import) enum Shape {
    /// Between its blocks.
    Blocks(Outline),
    /// Where its syntax says.
    Code(Language),
}

impl Piece {
    /// A piece of the kind `doc_type` with paragraphs, without metadata.
    pub(in crate::import) fn new(doc_type: &str, title: &str, text: String) -> Self {
        Self {
            shape: Shape::Blocks(plain(&text)),
            text,
            title: clip(title, MAX_TITLE_CHARS),
            titled: true,
            above: Vec::new(),
            doc_type: doc_type.to_owned(),
            metadata: Metadata::new(),
            key: None,
            agent: None,
            session: None,
            created_at: None,
        }
    }

    /// With metadata, if there is any: nothing is kept for what is not known.
    pub(in crate::import) fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        let value = value.into();
        let known = match &value {
            Json::Null => false,
            Json::String(text) => !text.trim().is_empty(),
            Json::Array(items) => !items.is_empty(),
            _ => true,
        };
        if known {
            self.metadata.insert(key.to_owned(), value);
        }
        self
    }

    /// Under headings of what comes before it.
    pub(in crate::import) fn below(mut self, above: Vec<(u8, String)>) -> Self {
        self.above = above;
        self
    }

    /// With the name of its file.
    pub(in crate::import) fn of_file(self, path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default();
        self.with("file", name.to_string_lossy().as_ref())
    }

    /// With a shape of its own.
    pub(in crate::import) fn shaped(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// The headings above a piece of one chunk, and those with the one that it begins with.
    pub(super) fn paths_of_whole(&self, blocks: &[Block]) -> (Vec<String>, Vec<String>) {
        let first = match blocks.first().map(|block| &block.kind) {
            Some(Kind::Heading(level, name)) => Some((*level, name.clone())),
            _ => None,
        };
        let title_is_heading = blocks
            .iter()
            .find_map(|block| match &block.kind {
                Kind::Heading(1, name) if !name.trim().is_empty() => Some(name),
                _ => None,
            })
            .is_some_and(|name| same(name, &self.title));
        let open = self
            .above
            .iter()
            .filter(|(level, _)| first.as_ref().is_none_or(|(first, _)| level < first));
        let above: Vec<String> = open.map(|(_, name)| name.clone()).collect();
        let mut path = above.clone();
        if title_is_heading && above.is_empty() {
            path.push(self.title.clone());
        } else {
            path.extend(first.map(|(_, name)| name));
        }
        (above, path)
    }

    /// The title and the headings below it.
    pub(super) fn path(&self, headings: &[String]) -> String {
        let mut parts: Vec<&str> = Vec::new();
        if !headings
            .first()
            .is_some_and(|first| same(first, &self.title))
        {
            parts.push(&self.title);
        }
        parts.extend(headings.iter().map(|name| name.trim()));
        parts.retain(|part| !part.is_empty());
        clip(&parts.join(" > "), MAX_TITLE_CHARS * 2)
    }
}

/// The file's name without its ending.
pub(in crate::import) fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    let stem = path.file_stem().unwrap_or(name);
    stem.to_string_lossy().into_owned()
}
