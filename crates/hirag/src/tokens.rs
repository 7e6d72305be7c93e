//! How many tokens a text has, by the setting `[hirag.token_estimator]`.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, within};

/// How tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TokenEstimatorKind {
    /// By the vocabulary `cl100k_base` of tiktoken: what most chat models count, within some percent.
    Tiktoken,
    /// By characters; the cheapest.
    Chars,
    /// By words between white space.
    Words,
}

/// The settings `[hirag.token_estimator]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct TokenSettings {
    /// How tokens are counted.
    pub kind: TokenEstimatorKind,
    /// Characters a token has on average, for the kind `chars`; 0.1 to 100.
    pub chars_per_token: f64,
    /// Tokens a word has on average, for the kind `words`; 0.1 to 100.
    pub tokens_per_word: f64,
}

impl TokenSettings {
    /// Refuses ratios that no text has.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        const RATIOS: RangeInclusive<f64> = 0.1..=100.0;
        within(
            "hirag.token_estimator.chars_per_token",
            self.chars_per_token,
            RATIOS,
        )?;
        within(
            "hirag.token_estimator.tokens_per_word",
            self.tokens_per_word,
            RATIOS,
        )
    }
}

/// The vocabulary's pattern backtracks and gives up on very long runs of white space, and its
/// merging grows faster than the text; so long texts are counted in pieces of this many bytes.
const PIECE_BYTES: usize = 4_096;

/// Characters after which a word counts as one more: hashes, and scripts without spaces.
const LONG_WORD_CHARS: usize = 16;

/// Counts tokens. Cheap to copy; the vocabulary is loaded at the first count and shared by the
/// whole process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenEstimator {
    settings: TokenSettings,
}

impl TokenEstimator {
    /// An estimator by these settings.
    ///
    /// # Errors
    /// [`ConfigError`] for a ratio outside 0.1 to 100.
    pub fn new(settings: TokenSettings) -> Result<Self, ConfigError> {
        settings.validate()?;
        Ok(Self { settings })
    }

    /// Tokens of `text`: at least 1 unless it is blank. Names of special tokens such as
    /// `<|endoftext|>` count as the plain text they are. The time grows with the length alone,
    /// whatever the text is.
    #[must_use]
    pub fn count(&self, text: &str) -> u32 {
        let tokens = match self.settings.kind {
            TokenEstimatorKind::Tiktoken => tiktoken(text),
            TokenEstimatorKind::Chars => {
                whole(text.chars().count() as f64 / self.settings.chars_per_token)
            }
            TokenEstimatorKind::Words => {
                let words: usize = text
                    .split_whitespace()
                    .map(|word| word.chars().count().div_ceil(LONG_WORD_CHARS))
                    .sum();
                whole(words as f64 * self.settings.tokens_per_word)
            }
        };
        u32::try_from(tokens).unwrap_or(u32::MAX)
    }
}

/// Rounded up; a cast of a float saturates.
fn whole(tokens: f64) -> usize {
    tokens.ceil() as usize
}

fn tiktoken(text: &str) -> usize {
    let vocabulary = tiktoken_rs::cl100k_base_singleton();
    pieces(text)
        .map(|piece| vocabulary.count_ordinary(piece))
        .sum()
}

/// The text in pieces of at most [`PIECE_BYTES`], cut before white space where there is some, as
/// the vocabulary's words begin with their space.
fn pieces(mut rest: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = if rest.len() <= PIECE_BYTES {
            rest.len()
        } else {
            let most = rest.floor_char_boundary(PIECE_BYTES);
            rest[..most]
                .rfind(char::is_whitespace)
                .filter(|&space| space >= PIECE_BYTES / 2)
                .unwrap_or(most)
        };
        let (piece, tail) = rest.split_at(end);
        rest = tail;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn estimator(kind: TokenEstimatorKind) -> TokenEstimator {
        TokenEstimator::new(TokenSettings {
            kind,
            chars_per_token: 4.0,
            tokens_per_word: 1.3,
        })
        .unwrap()
    }

    #[test]
    fn tiktoken_counts_as_published() {
        let tiktoken = estimator(TokenEstimatorKind::Tiktoken);
        for (text, tokens) in [
            ("", 0),
            ("hello world", 2),
            ("tiktoken is great!", 6),
            ("antidisestablishmentarianism", 6),
            ("お誕生日おめでとう", 9),
        ] {
            assert_eq!(tiktoken.count(text), tokens, "{text}");
        }
    }

    #[test]
    fn names_of_special_tokens_are_plain_text() {
        assert!(estimator(TokenEstimatorKind::Tiktoken).count("<|endoftext|>") > 1);
    }

    #[test]
    fn characters_and_words_are_counted_by_their_ratios() {
        let chars = estimator(TokenEstimatorKind::Chars);
        assert_eq!(chars.count("a"), 1);
        assert_eq!(chars.count("éééé👍"), 2);
        let words = estimator(TokenEstimatorKind::Words);
        assert_eq!(words.count("one two  three\nfour"), 6);
        assert_eq!(words.count(&"漢".repeat(160)), 13);
    }

    #[test]
    fn ratios_that_no_text_has_are_refused() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error = TokenEstimator::new(TokenSettings {
                kind: TokenEstimatorKind::Chars,
                chars_per_token: bad,
                tokens_per_word: 1.3,
            })
            .unwrap_err();
            assert_eq!(error.code(), "invalid_settings");
            assert!(error.to_string().contains("chars_per_token"));
        }
    }

    #[test]
    fn a_megabyte_without_words_is_counted_without_giving_up() {
        let tiktoken = estimator(TokenEstimatorKind::Tiktoken);
        for unit in ["a", " ", "漢", "=", " \t", "a\u{301}"] {
            let text = unit.repeat(1_000_000 / unit.len());
            assert!(tiktoken.count(&text) > 0, "{unit:?}");
        }
    }

    #[test]
    fn pieces_cut_before_spaces_change_the_count_by_little() {
        let text = "The quick brown fox jumps over the lazy dog. ".repeat(2_000);
        let whole = tiktoken_rs::cl100k_base_singleton().count_ordinary(&text);
        let counted = estimator(TokenEstimatorKind::Tiktoken).count(&text) as usize;
        assert!(counted.abs_diff(whole) <= text.len() / PIECE_BYTES * 2 + 2);
    }

    proptest! {
        #[test]
        fn text_that_shows_something_has_a_token(text in "\\PC{0,200}") {
            for kind in [
                TokenEstimatorKind::Tiktoken,
                TokenEstimatorKind::Chars,
                TokenEstimatorKind::Words,
            ] {
                let tokens = estimator(kind).count(&text);
                prop_assert!(text.trim().is_empty() || tokens >= 1);
            }
        }

        #[test]
        fn pieces_together_are_the_text(text in "(?s).{0,200}", times in 1usize..200) {
            let text = text.repeat(times);
            prop_assert!(pieces(&text).all(|piece| piece.len() <= PIECE_BYTES));
            prop_assert_eq!(pieces(&text).collect::<String>(), text);
        }
    }
}
