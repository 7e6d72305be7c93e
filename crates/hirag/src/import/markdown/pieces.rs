//! A text in the pieces between which it can be cut for a reader.

use std::ops::Range;

use super::blocks::{self, Kind};
use super::units::sentence_starts;

/// A piece of a text. Pieces cover it without gaps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) range: Range<usize>,
    /// Whether it is a heading, which is nothing without what follows it.
    pub(crate) heading: bool,
}

/// Headings, sentences (items and rows of lists and tables), and code blocks whole, those inside of
/// lists and quotations too.
pub(crate) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for block in blocks::markdown(text).blocks {
        match block.kind {
            Kind::Heading(..) => push(&mut pieces, text, block.range, true),
            Kind::Code => push(&mut pieces, text, block.range, false),
            Kind::Prose(code) => {
                let mut cursor = block.range.start;
                for inside in code {
                    let start = inside.start.max(cursor);
                    let end = inside.end.min(block.range.end);
                    if start < end {
                        sentences(&mut pieces, text, cursor..start);
                        push(&mut pieces, text, start..end, false);
                        cursor = end;
                    }
                }
                sentences(&mut pieces, text, cursor..block.range.end);
            }
        }
    }
    pieces
}

fn sentences(pieces: &mut Vec<Piece>, text: &str, range: Range<usize>) {
    let mut start = range.start;
    for at in sentence_starts(&text[range.clone()]) {
        push(pieces, text, start..range.start + at, false);
        start = range.start + at;
    }
    push(pieces, text, start..range.end, false);
}

/// Blank lines belong to what stands before them.
fn push(pieces: &mut Vec<Piece>, text: &str, range: Range<usize>, heading: bool) {
    match pieces.last_mut() {
        Some(last) if text[range.clone()].trim().is_empty() => last.range.end = range.end,
        _ if range.is_empty() => {}
        _ => pieces.push(Piece { range, heading }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sentences_and_code_blocks_are_pieces() {
        let text =
            "# Head\n\nOne. Two!\n\n```\na. B\n\nc. D\n```\n\n- item\n\n  ```\n  x. Y\n  ```\n";
        let pieces: Vec<_> = pieces(text)
            .into_iter()
            .map(|piece| text[piece.range].trim().to_owned())
            .collect();
        assert_eq!(
            pieces,
            [
                "# Head",
                "One.",
                "Two!",
                "```\na. B\n\nc. D\n```",
                "- item",
                "```\n  x. Y\n  ```"
            ]
        );
    }

    proptest! {
        #[test]
        fn pieces_together_are_the_text(text in "([a-z.# \n`>-]|```\n|é){0,120}") {
            let whole: String = pieces(&text).into_iter().map(|piece| text[piece.range].to_owned()).collect();
            prop_assert_eq!(whole, text);
        }
    }
}
