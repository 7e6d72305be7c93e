//! An answer without anyone who words it: the best passages, with the question's words marked.

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
        Passage {
            number: *number,
            pieces: marked(part, &words),
        }
    });
    passages
        .filter(|passage| !passage.pieces.is_empty())
        .collect()
}

/// Passages as one text, each with the number of its source.
pub(crate) fn put_together(passages: &[Passage]) -> String {
    let texts = passages.iter().map(|passage| {
        let text: String = passage.pieces.iter().map(|piece| &*piece.text).collect();
        // Behind a code block, the number must not become a part of it.
        let gap = if text.ends_with("```") { "\n" } else { " " };
        format!("{text}{gap}[{}]", passage.number)
    });
    texts.collect::<Vec<_>>().join("\n\n")
}

fn beginning(text: &str) -> &str {
    /// Characters that have about [`PASSAGE_TOKENS`] tokens.
    const CHARS: usize = 480;
    let text = text.trim();
    match text.char_indices().nth(CHARS) {
        Some((end, _)) => &text[..end],
        None => text,
    }
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
