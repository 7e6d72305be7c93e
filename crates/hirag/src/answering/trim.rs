//! The part of a text that fits some tokens and says most about a question.

use super::words::QueryWords;
use crate::import::{Part, parts};
use crate::tokens::TokenEstimator;

/// Parts that are looked at together at most: what has more is cut to its first ones.
const TOGETHER: usize = 2_000;

/// The run of whole parts of `text` (headings, sentences, code blocks) of at most `room` tokens with
/// most of the question's words, and of those the first; without blank lines around it. `None` where
/// no part fits that says something. A text that fits is whole.
pub(super) fn trim<'a>(
    text: &'a str,
    room: u32,
    words: &QueryWords,
    tokens: &TokenEstimator,
) -> Option<&'a str> {
    if tokens.count(text) <= room {
        return Some(bare(text)).filter(|text| !text.is_empty());
    }
    let parts = parts(text);
    let sizes: Vec<u32> = parts.iter().map(|part| size(text, part, tokens)).collect();
    let sets: Vec<u64> = parts
        .iter()
        .map(|part| words.set(&text[part.range.clone()]))
        .collect();
    let mut best: Option<(u32, usize, usize)> = None;
    for start in 0..parts.len() {
        let (mut left, mut set, mut end) = (room, 0_u64, start);
        while end < parts.len() && end - start < TOGETHER && sizes[end] <= left {
            left -= sizes[end];
            set |= sets[end];
            end += 1;
        }
        while end > start && parts[end - 1].heading {
            end -= 1;
        }
        let found = set.count_ones();
        if end > start && best.is_none_or(|(most, ..)| found > most) {
            best = Some((found, start, end));
        }
    }
    let (_, start, mut end) = best?;
    // Parts can have more tokens together than one by one, if rarely.
    loop {
        let part = bare(&text[parts[start].range.start..parts[end - 1].range.end]);
        if tokens.count(part) <= room {
            return Some(part).filter(|part| !part.is_empty());
        }
        end -= 1;
        if end == start {
            return None;
        }
    }
}

/// Without blank lines before it and anything blank after it.
fn bare(text: &str) -> &str {
    text.trim_end().trim_start_matches(['\n', '\r'])
}

fn size(text: &str, part: &Part, tokens: &TokenEstimator) -> u32 {
    tokens.count(&text[part.range.clone()])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokens::{TokenEstimatorKind, TokenSettings};

    fn by_words() -> TokenEstimator {
        let settings = TokenSettings {
            kind: TokenEstimatorKind::Words,
            chars_per_token: 4.0,
            tokens_per_word: 1.0,
        };
        TokenEstimator::new(settings).unwrap()
    }

    fn part(text: &str, room: u32, query: &str) -> Option<String> {
        trim(text, room, &QueryWords::of(query), &by_words()).map(str::to_owned)
    }

    const NOTE: &str = "# Boats\n\nA boat floats. It has a keel.\n\n## Knots\n\nThe bowline holds. \
                        It is quick to untie.\n\n```\ntie loop pass end\npull tight now\n```\n";

    #[test]
    fn what_fits_is_left_whole_and_what_does_not_is_cut_where_the_words_are() {
        assert_eq!(part(NOTE, 100, "bowline").unwrap(), NOTE.trim());
        assert_eq!(
            part(NOTE, 10, "bowline").unwrap(),
            "It has a keel.\n\n## Knots\n\nThe bowline holds."
        );
        assert_eq!(part(NOTE, 5, "untie").unwrap(), "It is quick to untie.");
        assert_eq!(
            part(NOTE, 5, "nothing").unwrap(),
            "# Boats\n\nA boat floats."
        );
    }

    #[test]
    fn a_code_block_is_whole_or_absent_and_a_heading_does_not_stand_alone() {
        assert!(part(NOTE, 9, "loop").unwrap().ends_with("now\n```"));
        assert!(!part(NOTE, 8, "loop").unwrap().contains("```"));
        assert_eq!(part("# One two\n\nThree four five six.", 3, "one"), None);
        assert_eq!(part("one two three four", 3, "one"), None);
    }

    proptest! {
        #[test]
        fn a_part_fits_is_of_the_text_and_cuts_no_code(
            blocks in prop::collection::vec("# [a-c]{1,3}|([a-e]{1,3}[.]? ?){1,9}|```\n([a-c]{1,2} ?){1,4}\n```", 1..12),
            room in 0u32..40,
        ) {
            let text = blocks.join("\n\n");
            let part = trim(&text, room, &QueryWords::of("abc bcd"), &by_words());
            if let Some(part) = part {
                prop_assert!(by_words().count(part) <= room);
                prop_assert!(text.contains(part));
                prop_assert_eq!(part.matches("```").count() % 2, 0);
                prop_assert!(!part.trim().is_empty());
            }
        }
    }
}
