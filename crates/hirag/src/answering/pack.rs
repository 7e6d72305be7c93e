//! Which passages go to a model, and how much of each: what matters most comes first, and nothing
//! that fits is lost to something that does not.

use super::trim::trim;
use super::words::QueryWords;
use crate::tokens::TokenEstimator;

/// Tokens below which a part of a passage says too little to stand for it.
const LEAST_PART: u32 = 48;

/// A passage that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken<'a> {
    /// Its place among those that were given.
    pub(super) index: usize,
    /// Its text, or the part of it that is left.
    pub(super) text: &'a str,
    /// Tokens of that.
    pub(super) tokens: u32,
    /// Whether it is a part.
    pub(super) trimmed: bool,
}

/// What came of packing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Packing<'a> {
    /// In the order that was given.
    pub(super) taken: Vec<Taken<'a>>,
    /// The places of those that found no room.
    pub(super) left_out: Vec<usize>,
    /// Tokens of those that were taken, with what stands around each.
    pub(super) used: u32,
}

/// Packs `texts`, the most important first, into `room` tokens, of which each takes `around` beside
/// its own. One that does not fit whole is trimmed to what is left.
pub(super) fn pack<'a>(
    texts: &[&'a str],
    room: u32,
    around: u32,
    words: &QueryWords,
    tokens: &TokenEstimator,
) -> Packing<'a> {
    let mut packing = Packing::default();
    for (index, text) in texts.iter().copied().enumerate() {
        let left = room.saturating_sub(packing.used).saturating_sub(around);
        let whole = tokens.count(text);
        let fits = whole > 0 && whole <= left;
        let part = match fits {
            true => Some(text),
            false if left >= LEAST_PART => trim(text, left, words, tokens),
            false => None,
        };
        let Some(text) = part else {
            packing.left_out.push(index);
            continue;
        };
        let taken = Taken {
            index,
            text,
            tokens: tokens.count(text),
            trimmed: !fits,
        };
        packing.used += taken.tokens + around;
        packing.taken.push(taken);
    }
    packing
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

    fn sentences(count: usize) -> String {
        "Ten words of a sentence stand here in a row. ".repeat(count)
    }

    #[test]
    fn what_does_not_fit_is_trimmed_or_left_out_and_ends_nothing() {
        let (long, short) = (sentences(20), sentences(2));
        let texts = [long.as_str(), &long, &short, ""];
        let packing = pack(&texts, 260, 10, &QueryWords::default(), &by_words());
        let taken: Vec<_> = packing
            .taken
            .iter()
            .map(|t| (t.index, t.tokens, t.trimmed))
            .collect();
        assert_eq!(taken, [(0, 200, false), (2, 20, false)]);
        assert_eq!((packing.left_out, packing.used), (vec![1, 3], 240));
        let packing = pack(&texts, 300, 10, &QueryWords::default(), &by_words());
        assert_eq!((packing.taken[1].index, packing.taken[1].tokens), (1, 80));
        assert!(packing.taken[1].trimmed);
    }

    proptest! {
        #[test]
        fn the_room_is_kept_and_everything_is_accounted_for(
            sizes in prop::collection::vec(0usize..30, 0..20),
            room in 0u32..600,
            around in 0u32..20,
        ) {
            let texts: Vec<String> = sizes.into_iter().map(sentences).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let tokens = by_words();
            let packing = pack(&texts, room, around, &QueryWords::default(), &tokens);
            prop_assert!(packing.used <= room);
            let sum: u32 = packing.taken.iter().map(|t| tokens.count(t.text) + around).sum();
            prop_assert_eq!(sum, packing.used);
            prop_assert!(packing.taken.is_sorted_by_key(|taken| taken.index));
            let mut all: Vec<usize> = packing.taken.iter().map(|t| t.index).collect();
            all.extend(&packing.left_out);
            all.sort_unstable();
            prop_assert_eq!(all, (0..texts.len()).collect::<Vec<_>>());
            for taken in &packing.taken {
                prop_assert!(texts[taken.index].contains(taken.text));
                prop_assert_eq!(taken.trimmed, taken.text != texts[taken.index]);
            }
            for index in packing.left_out {
                let needed = tokens.count(texts[index]) + around;
                prop_assert!(texts[index].is_empty() || needed > room - packing.used);
            }
        }
    }
}
