//! A text in the parts between which it can be cut for a reader.

use std::ops::Range;

use super::outline::{Kind, Outline};
use super::units::sentence_starts;

/// A part of a text. Parts cover it without gaps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) range: Range<usize>,
    /// Whether it is a heading, which is nothing without what follows it.
    pub(crate) heading: bool,
}

/// Headings, sentences (items and rows of lists and tables), and code blocks whole, those inside of
/// lists and quotations too.
pub(in crate::import) fn parts(text: &str, outline: Outline) -> Vec<Part> {
    let mut parts = Vec::new();
    for block in outline.blocks {
        match block.kind {
            Kind::Heading(..) => push(&mut parts, text, block.range, true),
            Kind::Code => push(&mut parts, text, block.range, false),
            Kind::Prose(code) => {
                let mut cursor = block.range.start;
                for inside in code {
                    let start = inside.start.max(cursor);
                    let end = inside.end.min(block.range.end);
                    if start < end {
                        sentences(&mut parts, text, cursor..start);
                        push(&mut parts, text, start..end, false);
                        cursor = end;
                    }
                }
                sentences(&mut parts, text, cursor..block.range.end);
            }
        }
    }
    parts
}

fn sentences(parts: &mut Vec<Part>, text: &str, range: Range<usize>) {
    let mut start = range.start;
    for at in sentence_starts(&text[range.clone()]) {
        push(parts, text, start..range.start + at, false);
        start = range.start + at;
    }
    push(parts, text, start..range.end, false);
}

/// Blank lines belong to what stands before them.
fn push(parts: &mut Vec<Part>, text: &str, range: Range<usize>, heading: bool) {
    match parts.last_mut() {
        Some(last) if text[range.clone()].trim().is_empty() => last.range.end = range.end,
        _ if range.is_empty() => {}
        _ => parts.push(Part { range, heading }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::import::formats::markdown::parts;

    #[test]
    fn sentences_and_code_blocks_are_parts() {
        let text =
            "# Head\n\nOne. Two!\n\n```\na. B\n\nc. D\n```\n\n- item\n\n  ```\n  x. Y\n  ```\n";
        let parts: Vec<_> = parts(text)
            .into_iter()
            .map(|part| text[part.range].trim().to_owned())
            .collect();
        assert_eq!(
            parts,
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
        fn parts_together_are_the_text(text in "([a-z.# \n`>-]|```\n|é){0,120}") {
            let whole: String = parts(&text).into_iter().map(|part| text[part.range].to_owned()).collect();
            prop_assert_eq!(whole, text);
        }
    }
}
