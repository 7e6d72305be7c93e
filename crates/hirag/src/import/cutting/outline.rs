//! Where the blocks of a text begin and end.

use std::ops::Range;

/// A block of the outermost level. It ends where the next one starts, so that blocks together
/// cover the whole text, link definitions and blank lines too.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::import) struct Block {
    pub(in crate::import) range: Range<usize>,
    pub(in crate::import) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::import) enum Kind {
    /// A heading: its level, 1 to 6, and its plain text.
    Heading(u8, String),
    /// A fenced or indented code block.
    Code,
    /// Anything else, with the code blocks inside it (of a list, a quotation).
    Prose(Vec<Range<usize>>),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::import) struct Outline {
    pub(in crate::import) blocks: Vec<Block>,
    /// `#tags` without the mark, with their places.
    pub(in crate::import) tags: Vec<(usize, String)>,
    /// Targets of `[[wikilinks]]`, with their places.
    pub(in crate::import) links: Vec<(usize, String)>,
    /// Targets of `![[embeds]]`, with their places.
    pub(in crate::import) embeds: Vec<(usize, String)>,
    /// Ids of the blocks that `((references))` name, with their places.
    pub(in crate::import) block_refs: Vec<(usize, String)>,
}

/// The outline of plain text: its paragraphs, and nothing else.
pub(in crate::import) fn plain(text: &str) -> Outline {
    let mut outline = Outline::default();
    let mut offset = 0;
    let mut blank = true;
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            blank = true;
        } else if std::mem::take(&mut blank) {
            outline.begin(text, offset, Kind::Prose(Vec::new()));
        }
        offset += line.len();
    }
    outline.close(text);
    outline
}

pub(in crate::import) fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |at| at + 1)
}

impl Outline {
    /// A block begins on the line at `offset`; the one before ends there.
    pub(in crate::import) fn begin(&mut self, text: &str, offset: usize, kind: Kind) {
        let start = line_start(text, offset);
        match self.blocks.last_mut() {
            // Two blocks on one line are one piece of text.
            Some(last) if start <= last.range.start => {}
            last => {
                if let Some(last) = last {
                    last.range.end = start;
                }
                let range = start..text.len();
                self.blocks.push(Block { range, kind });
            }
        }
    }

    /// The blocks cover the whole text from here on.
    pub(in crate::import) fn close(&mut self, text: &str) {
        match self.blocks.first_mut() {
            Some(first) => first.range.start = 0,
            None => self.blocks.push(Block {
                range: 0..text.len(),
                kind: Kind::Prose(Vec::new()),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_has_paragraphs_only() {
        let text = "\n# not a heading\nline\n\n\nnext #no\n";
        let outline = plain(text);
        let pieces: Vec<_> = outline
            .blocks
            .iter()
            .map(|block| &text[block.range.clone()])
            .collect();
        assert_eq!(pieces, ["\n# not a heading\nline\n\n\n", "next #no\n"]);
        assert!(outline.tags.is_empty());
    }
}
