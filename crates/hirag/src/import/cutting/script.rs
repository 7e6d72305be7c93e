//! A text that is put together block by block, by formats that know their blocks themselves.

use super::names::one_line;
use super::outline::{Block, Kind, Outline};
use super::{Piece, Shape, clip};

/// Characters of a heading kept in paths.
const HEADING_CHARS: usize = 120;

/// Text and outline in the making.
#[derive(Debug, Default)]
pub(in crate::import) struct Script {
    text: String,
    outline: Outline,
}

impl Script {
    /// A heading of level 1 to 6.
    pub(in crate::import) fn heading(&mut self, level: u8, name: &str) {
        let name = one_line(name);
        if name.is_empty() {
            return;
        }
        let level = level.clamp(1, 6);
        let marks = "#".repeat(usize::from(level));
        let kind = Kind::Heading(level, clip(&name, HEADING_CHARS));
        self.push(kind, &format!("{marks} {name}"));
    }

    /// A paragraph, a list or a table.
    pub(in crate::import) fn prose(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() {
            self.push(Kind::Prose(Vec::new()), text);
        }
    }

    /// Code, between marks.
    pub(in crate::import) fn code(&mut self, language: &str, text: &str) {
        if !text.trim().is_empty() {
            let text = text.trim_end().trim_start_matches('\n');
            let mut fence = "```".to_owned();
            while text.contains(&fence) {
                fence.push('`');
            }
            self.push(Kind::Code, &format!("{fence}{language}\n{text}\n{fence}"));
        }
    }

    fn push(&mut self, kind: Kind, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.text.push_str("\n\n");
        let range = start..self.text.len();
        self.outline.blocks.push(Block { range, kind });
    }

    /// Bytes so far.
    pub(in crate::import) fn len(&self) -> usize {
        self.text.len()
    }

    /// The first heading.
    pub(in crate::import) fn first_heading(&self) -> Option<&str> {
        self.outline
            .blocks
            .iter()
            .find_map(|block| match &block.kind {
                Kind::Heading(_, name) => Some(name.as_str()),
                _ => None,
            })
    }

    /// The piece; without a block it has no text.
    pub(in crate::import) fn piece(self, doc_type: &str, title: &str) -> Piece {
        let mut outline = self.outline;
        outline.close(&self.text);
        Piece::new(doc_type, title, self.text).shaped(Shape::Blocks(outline))
    }
}
