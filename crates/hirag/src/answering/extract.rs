//! An answer without anyone who words it: the best passages, with the question's words marked.

use super::citations::{ends_in_code, passage};
use super::trim::trim;
use super::words::QueryWords;
use super::{Passage, PassagePiece};
use crate::tokens::TokenEstimator;

/// Passages of an answer at most: what nobody has put together is read from the top.
const PASSAGES: usize = 5;
/// Tokens of a passage at most; about six lines.
const PASSAGE_TOKENS: u32 = 120;

/// The passages of numbered texts, the best first, that say most about `question`. A text that has no
/// piece that short is shown by its beginning.
#[must_use]
pub fn extract(texts: &[(usize, &str)], question: &str, tokens: &TokenEstimator) -> Vec<Passage> {
    let words = QueryWords::of(question);
    let passages = texts.iter().take(PASSAGES).map(|(number, text)| {
        let part = trim(text, PASSAGE_TOKENS, &words, tokens);
        let part = part.unwrap_or_else(|| beginning(text));
        let mut pieces = marked(part, &words);
        if let Some(fence) = open_fence(part) {
            pieces.push(PassagePiece {
                text: format!("\n{fence}"),
                marked: false,
            });
        }
        Passage {
            number: *number,
            pieces,
        }
    });
    passages
        .filter(|passage| !passage.pieces.is_empty())
        .collect()
}

/// Passages as one text, each with the number of its source.
pub(crate) fn put_together(passages: &[Passage]) -> String {
    let texts = passages.iter().map(|one| {
        let text: String = one.pieces.iter().map(|piece| &*piece.text).collect();
        // What looks like a number of ours names none of our sources.
        let text = passage(&text);
        // Behind code, the number must not become a part of it.
        let last = text.lines().next_back().unwrap_or_default();
        let code = fence(last).is_some() || ends_in_code(&text);
        let gap = if code { "\n" } else { " " };
        format!("{text}{gap}[{}]", one.number)
    });
    texts.collect::<Vec<_>>().join("\n\n")
}

fn beginning(text: &str) -> &str {
    /// Characters that have about [`PASSAGE_TOKENS`] tokens.
    const CHARS: usize = 480;
    let text = text.trim();
    let Some((end, _)) = text.char_indices().nth(CHARS) else {
        return text;
    };
    // Lines of code are whole or absent.
    match text[..end].rfind('\n') {
        Some(line) => text[..line].trim_end(),
        None => &text[..end],
    }
}

/// The fence of a code block that `text` opens and does not close.
fn open_fence(text: &str) -> Option<&str> {
    let mut open: Option<&str> = None;
    for line in text.lines() {
        let Some(fence) = fence(line) else { continue };
        open = match open {
            None => Some(fence),
            // It closes with as many of the same, and nothing behind them.
            Some(begun) if fence.starts_with(begun) && line.trim() == fence => None,
            begun => begun,
        };
    }
    open
}

/// The backticks or tildes that begin a line, three or more.
fn fence(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let first = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let fence = &line[..line.len() - line.trim_start_matches(first).len()];
    (fence.len() >= 3).then_some(fence)
}

fn marked(text: &str, words: &QueryWords) -> Vec<PassagePiece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut push = |text: &str, marked| {
        if !text.is_empty() {
            pieces.push(PassagePiece {
                text: text.to_owned(),
                marked,
            });
        }
    };
    for place in words.places(text) {
        push(&text[at..place.start], false);
        push(&text[place.clone()], true);
        at = place.end;
    }
    push(&text[at..], false);
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tokens::{TokenEstimatorKind, TokenSettings};

    fn tokens() -> TokenEstimator {
        TokenEstimator::new(TokenSettings {
            kind: TokenEstimatorKind::Chars,
            chars_per_token: 4.0,
            tokens_per_word: 1.3,
        })
        .unwrap()
    }

    #[test]
    fn the_questions_words_are_marked_and_each_passage_names_its_source() {
        let texts = [(1, "Jonas keeps the key."), (2, "```\nkey = 1\n```")];
        let passages = extract(&texts, "Who keeps keys?", &tokens());
        let marked: Vec<&str> = passages[0]
            .pieces
            .iter()
            .filter(|piece| piece.marked)
            .map(|piece| piece.text.as_str())
            .collect();
        assert_eq!(marked, ["keeps", "key"]);
        assert_eq!(
            put_together(&passages),
            "Jonas keeps the key. [1]\n\n```\nkey = 1\n```\n[2]"
        );
    }

    #[test]
    fn a_cut_code_block_is_closed_and_ends_with_a_whole_line() {
        let code = format!("```rust\n{}", "let number_of_keys = 7;\n".repeat(200));
        let texts = [(1, code.as_str()), (2, "~~~\nhalf a file")];
        let passages = extract(&texts, "keys", &tokens());
        let text = put_together(&passages);
        assert!(
            text.contains("= 7;\n```\n[1]\n\n~~~\nhalf a file\n~~~\n[2]"),
            "{text}"
        );
    }

    #[test]
    fn numbers_in_a_passage_are_none_of_ours() {
        for (text, expected) in [
            (
                "Jonas keeps it [7], says Ada [1].",
                "Jonas keeps it, says Ada. [1]",
            ),
            (
                "By [the page][2], a[3] and [4](http://x).",
                "By [the page], a and (http://x). [1]",
            ),
            (
                "Ada, born 1850 [?] (source 2).",
                "Ada, born 1850 [?] (source 2). [1]",
            ),
            (
                "The key ` is on the left.",
                "The key ` is on the left.\n[1]",
            ),
        ] {
            let passages = extract(&[(1, text)], "who", &tokens());
            assert_eq!(put_together(&passages), expected);
        }
    }

    proptest! {
        #[test]
        fn passages_are_short_parts_of_their_texts(
            texts in prop::collection::vec("([a-zé]{1,9}[.,]? ?){0,300}", 0..8),
            question in "[a-z ]{0,30}",
        ) {
            let numbered: Vec<(usize, &str)> = texts.iter().map(String::as_str).enumerate().collect();
            let passages = extract(&numbered, &question, &tokens());
            prop_assert!(passages.len() <= PASSAGES);
            for passage in passages {
                let text: String = passage.pieces.iter().map(|piece| &*piece.text).collect();
                prop_assert!(texts[passage.number].contains(&text));
                prop_assert!(text.chars().count() <= 3_000 && !text.trim().is_empty());
            }
        }
    }
}
