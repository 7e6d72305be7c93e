//! Blocks to units: pieces that fit a chunk, cut only where they must be.

use std::ops::Range;

use text_splitter::{ChunkConfig, ChunkSizer, MarkdownSplitter, TextSplitter};

use super::outline::{Block, Kind};
use crate::tokens::TokenEstimator;

/// A code block stays whole up to this many chunks.
pub(super) const CODE_CHUNKS: usize = 4;
/// A block is cut into pieces of this many bytes a token of a chunk before the splitter sees it,
/// whose time grows faster than its text: some four chunks.
const PIECE_BYTES_A_TOKEN: usize = 16;
/// Bytes that count as one token at least: a run of spaces has hardly any tokens, but a chunk of
/// megabytes helps nobody.
const MAX_BYTES_A_TOKEN: usize = 24;

/// How large a piece of a note is, in tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizer(pub(super) TokenEstimator);

impl ChunkSizer for Sizer {
    fn size(&self, piece: &str) -> usize {
        let tokens = self.0.count(piece) as usize;
        tokens.max(piece.len().div_ceil(MAX_BYTES_A_TOKEN))
    }
}

/// A piece of the text that no chunk cuts. Units cover the text without gaps.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Unit {
    pub(super) range: Range<usize>,
    pub(super) tokens: usize,
    pub(super) kind: UnitKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum UnitKind {
    Heading(u8, String),
    Code,
    Prose,
}

/// Cuts `blocks` to units of at most `most` tokens; code stays whole up to [`CODE_CHUNKS`] times
/// as many, and is then cut between lines.
pub(super) fn units(text: &str, blocks: Vec<Block>, most: usize, sizer: Sizer) -> Vec<Unit> {
    let mut cutter = Cutter {
        text,
        most,
        sizer,
        units: Vec::new(),
    };
    for block in blocks {
        match block.kind {
            Kind::Heading(level, name) => {
                let size = cutter.size(&block.range);
                if size <= most {
                    cutter.push(block.range, size, UnitKind::Heading(level, name));
                } else {
                    cutter.prose(block.range);
                }
            }
            Kind::Code => cutter.code(block.range),
            Kind::Prose(code) => cutter.mixed(block.range, &code),
        }
    }
    cutter.units
}

struct Cutter<'a> {
    text: &'a str,
    most: usize,
    sizer: Sizer,
    units: Vec<Unit>,
}

impl Cutter<'_> {
    fn size(&self, range: &Range<usize>) -> usize {
        self.sizer.size(&self.text[range.clone()])
    }

    fn push(&mut self, range: Range<usize>, tokens: usize, kind: UnitKind) {
        if !range.is_empty() {
            self.units.push(Unit {
                range,
                tokens,
                kind,
            });
        }
    }

    fn code(&mut self, range: Range<usize>) {
        let size = self.size(&range);
        if size <= self.most * CODE_CHUNKS {
            self.push(range, size, UnitKind::Code);
            return;
        }
        let splitter = TextSplitter::new(self.config());
        self.cut(range, UnitKind::Code, |piece| {
            splitter.chunk_indices(piece).map(|(at, _)| at).collect()
        });
    }

    fn prose(&mut self, range: Range<usize>) {
        let size = self.size(&range);
        if size <= self.most {
            self.push(range, size, UnitKind::Prose);
            return;
        }
        let mut start = range.start;
        let cuts: Vec<usize> = sentence_starts(&self.text[range.clone()]).collect();
        for end in cuts
            .into_iter()
            .map(|at| range.start + at)
            .chain([range.end])
        {
            self.sentence(start..end);
            start = end;
        }
    }

    fn sentence(&mut self, range: Range<usize>) {
        let size = self.size(&range);
        if size <= self.most {
            self.push(range, size, UnitKind::Prose);
            return;
        }
        let splitter = MarkdownSplitter::new(self.config());
        self.cut(range, UnitKind::Prose, |piece| {
            splitter.chunk_indices(piece).map(|(at, _)| at).collect()
        });
    }

    /// A list or quotation: whole if it fits, otherwise with the code blocks in it whole.
    fn mixed(&mut self, range: Range<usize>, code: &[Range<usize>]) {
        let size = self.size(&range);
        if size <= self.most {
            self.push(range, size, UnitKind::Prose);
            return;
        }
        let mut cursor = range.start;
        for inside in code {
            let (start, end) = (inside.start.max(cursor), inside.end.min(range.end));
            if start < end {
                self.prose(cursor..start);
                self.code(start..end);
                cursor = end;
            }
        }
        self.prose(cursor..range.end);
    }

    fn config(&self) -> ChunkConfig<Sizer> {
        // Untrimmed, the pieces cover the text, so their starts are all that is needed.
        ChunkConfig::new(self.most)
            .with_sizer(self.sizer)
            .with_trim(false)
    }

    /// Cuts `range` where `starts` tells, for each piece of bounded size.
    fn cut(&mut self, range: Range<usize>, kind: UnitKind, starts: impl Fn(&str) -> Vec<usize>) {
        let mut offset = range.start;
        while offset < range.end {
            let rest = &self.text[offset..range.end];
            let piece = &rest[..piece_end(rest, self.most * PIECE_BYTES_A_TOKEN)];
            let mut cuts = starts(piece);
            cuts.retain(|&at| at > 0 && at < piece.len());
            cuts.push(piece.len());
            let mut start = 0;
            for end in cuts {
                let range = offset + start..offset + end;
                let tokens = self.size(&range);
                self.push(range, tokens, kind.clone());
                start = end;
            }
            offset += piece.len();
        }
    }
}

/// Where to cut `rest` for a piece of at most `bytes`: behind a line, or else a word.
fn piece_end(rest: &str, bytes: usize) -> usize {
    if rest.len() <= bytes {
        return rest.len();
    }
    let most = rest.floor_char_boundary(bytes);
    let late = |at: &usize| *at >= bytes / 2;
    let line = rest[..most].rfind('\n').map(|at| at + 1).filter(late);
    line.or_else(|| rest[..most].rfind(' ').map(|at| at + 1).filter(late))
        .unwrap_or(most)
}

/// Where sentences, items and rows start, but for the first. A line that goes on with the sentence
/// of the one before is no start, and neither is a small letter after a stop (`e.g. this`).
pub(super) fn sentence_starts(text: &str) -> impl Iterator<Item = usize> {
    /// What stands between the end of one sentence and the start of the next.
    #[derive(Default)]
    struct Gap {
        stop: bool,
        line: bool,
        blank: bool,
    }
    let mut gap = Gap::default();
    let mut started = false;
    let mut before = ' ';
    // Whether the line is a number so far: the stop behind an item's number ends nothing.
    let mut number = true;
    text.char_indices().filter_map(move |(at, c)| {
        let wide = matches!(before, '。' | '！' | '？');
        let stop = matches!(before, '.' | '!' | '?' | '…') && c.is_whitespace();
        gap.stop |= wide || stop && !number;
        before = c;
        if c == '\n' {
            gap.blank |= gap.line;
            gap.line = true;
        }
        if c.is_whitespace() {
            return None;
        }
        let gap = std::mem::take(&mut gap);
        number = (number || gap.line) && (c.is_ascii_digit() || c == '.');
        let first = !std::mem::replace(&mut started, true);
        let marked = gap.line && (c.is_ascii_digit() || "-*+|>".contains(c));
        let ended = gap.blank || marked || gap.stop && !c.is_lowercase();
        (!first && ended).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_items_and_rows_are_starts_and_wrapped_lines_are_not() {
        let text = "One is\nlong, e.g. this. Two! “Three” 3.5 times in 1999. Yes\n- item\n  goes on\n2. next\n| row |\n\nfour。五";
        let mut starts: Vec<usize> = sentence_starts(text).collect();
        starts.insert(0, 0);
        starts.push(text.len());
        let sentences: Vec<_> = starts.windows(2).map(|w| text[w[0]..w[1]].trim()).collect();
        assert_eq!(
            sentences,
            [
                "One is\nlong, e.g. this.",
                "Two!",
                "“Three” 3.5 times in 1999.",
                "Yes",
                "- item\n  goes on",
                "2. next",
                "| row |",
                "four。",
                "五"
            ]
        );
    }
}
