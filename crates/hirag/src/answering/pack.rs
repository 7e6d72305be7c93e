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

impl<'a> Taken<'a> {
    fn of(index: usize, text: &'a str, trimmed: bool, tokens: &TokenEstimator) -> Self {
        Self {
            index,
            text,
            tokens: tokens.count(text),
            trimmed,
        }
    }
}

/// What there is room for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Tokens of passages at most.
    pub(super) passages: u32,
    /// Tokens of passages with what stands around them at most.
    pub(super) all: u32,
}

/// What came of packing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Packing<'a> {
    /// In the order that was given.
    pub(super) taken: Vec<Taken<'a>>,
    /// The places of those that found no room.
    pub(super) left_out: Vec<usize>,
    /// Tokens of those that were taken.
    pub(super) used: u32,
    /// Tokens of what stands around them.
    pub(super) around: u32,
}

impl<'a> Packing<'a> {
    /// Tokens left for a passage which takes `around` beside its own.
    fn left(&self, room: Room, around: u32) -> u32 {
        let all = room.all.saturating_sub(self.used);
        let all = all.saturating_sub(self.around).saturating_sub(around);
        all.min(room.passages.saturating_sub(self.used))
    }

    fn take(&mut self, taken: Taken<'a>, around: u32) {
        self.used += taken.tokens;
        self.around += around;
        self.taken.push(taken);
    }
}

/// Packs passages, the most important first, each with the tokens that it takes beside its own. One
/// that does not fit whole is trimmed to what is left; where none fits, the beginning of the first that
/// has room for one is taken all the same.
pub(super) fn pack<'a>(
    passages: &[(&'a str, u32)],
    room: Room,
    words: &QueryWords,
    tokens: &TokenEstimator,
) -> Packing<'a> {
    let mut packing = Packing::default();
    for (index, (text, around)) in passages.iter().copied().enumerate() {
        let left = packing.left(room, around);
        let whole = tokens.count(text);
        let fits = whole > 0 && whole <= left;
        let part = match fits {
            true => Some(text),
            false if left >= LEAST_PART => trim(text, left, words, tokens),
            false => None,
        };
        match part {
            Some(text) => packing.take(Taken::of(index, text, !fits, tokens), around),
            None => packing.left_out.push(index),
        }
    }
    if packing.taken.is_empty() {
        take_any(&mut packing, passages, room, words, tokens);
    }
    packing
}

/// Takes as little as there is room for of the first passage that can be had so: an answer from
/// something is better than none.
fn take_any<'a>(
    packing: &mut Packing<'a>,
    passages: &[(&'a str, u32)],
    room: Room,
    words: &QueryWords,
    tokens: &TokenEstimator,
) {
    for (index, (text, around)) in passages.iter().copied().enumerate() {
        let left = packing.left(room, around);
        let part = trim(text, left, words, tokens).or_else(|| beginning(text, left, tokens));
        if let Some(part) = part {
            packing.left_out.retain(|other| *other != index);
            return packing.take(Taken::of(index, part, true, tokens), around);
        }
    }
}

/// The first words of a text, of at most `room` tokens.
fn beginning<'a>(text: &'a str, room: u32, tokens: &TokenEstimator) -> Option<&'a str> {
    /// Bytes of a token at most, about: more are not looked at.
    const BYTES_A_TOKEN: usize = 8;
    let text = text.trim();
    let most = usize::try_from(room).ok()?.saturating_mul(BYTES_A_TOKEN);
    let mut part = &text[..text.floor_char_boundary(most)];
    while tokens.count(part) > room {
        part = &part[..part.floor_char_boundary(part.len() * 3 / 4)];
    }
    let rest = &text[part.len()..];
    // Half a word says nothing; writings that put no gaps between words have letters of their own.
    let is_letter = |c: char| c.is_ascii_alphanumeric();
    if part.ends_with(is_letter) && rest.starts_with(is_letter) {
        part = part
            .rfind(char::is_whitespace)
            .map_or("", |end| &part[..end]);
    }
    Some(part.trim_end()).filter(|part| !part.is_empty())
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

    fn packed<'a>(texts: &[&'a str], room: u32, around: u32) -> Packing<'a> {
        let passages: Vec<_> = texts.iter().map(|text| (*text, around)).collect();
        let room = Room {
            passages: u32::MAX,
            all: room,
        };
        pack(&passages, room, &QueryWords::default(), &by_words())
    }

    #[test]
    fn what_does_not_fit_is_trimmed_or_left_out_and_ends_nothing() {
        let (long, short) = (sentences(20), sentences(2));
        let texts = [long.as_str(), &long, &short, ""];
        let packing = packed(&texts, 260, 10);
        let taken: Vec<_> = packing
            .taken
            .iter()
            .map(|t| (t.index, t.tokens, t.trimmed))
            .collect();
        assert_eq!(taken, [(0, 200, false), (2, 20, false)]);
        assert_eq!(packing.left_out, [1, 3]);
        assert_eq!((packing.used, packing.around), (220, 20));
        let packing = packed(&texts, 300, 10);
        assert_eq!((packing.taken[1].index, packing.taken[1].tokens), (1, 80));
        assert!(packing.taken[1].trimmed);
    }

    #[test]
    fn each_passage_pays_for_what_stands_around_itself_alone() {
        let text = sentences(2);
        let passages = [(text.as_str(), 500), (&text, 10)];
        let room = Room {
            passages: u32::MAX,
            all: 100,
        };
        let packing = pack(&passages, room, &QueryWords::default(), &by_words());
        assert_eq!(packing.taken[0].index, 1);
        assert_eq!(packing.left_out, [0]);
    }

    #[test]
    fn where_nothing_fits_the_beginning_of_the_best_is_taken() {
        let texts = ["one two three four five six seven", "eight nine ten"];
        let packing = packed(&texts, 15, 10);
        let taken = packing.taken[0];
        assert_eq!((taken.index, taken.trimmed), (1, false));
        let texts = [texts[0], texts[0]];
        let packing = packed(&texts, 15, 10);
        let taken = packing.taken[0];
        assert_eq!((taken.index, taken.trimmed), (0, true));
        assert!(taken.text.starts_with("one two") && taken.tokens <= 5);
        assert_eq!(packing.left_out, [1]);
        assert!(packed(&texts, 10, 10).taken.is_empty());
    }

    proptest! {
        #[test]
        fn the_room_is_kept_and_everything_is_accounted_for(
            sizes in prop::collection::vec((0usize..30, 0u32..20), 0..20),
            all in 0u32..600,
            passages in 0u32..600,
        ) {
            let texts: Vec<_> = sizes.iter().map(|(size, around)| (sentences(*size), *around)).collect();
            let texts: Vec<_> = texts.iter().map(|(text, around)| (text.as_str(), *around)).collect();
            let tokens = by_words();
            let packing = pack(&texts, Room { passages, all }, &QueryWords::default(), &tokens);
            prop_assert!(packing.used <= passages && packing.used + packing.around <= all);
            let used: u32 = packing.taken.iter().map(|t| tokens.count(t.text)).sum();
            let around: u32 = packing.taken.iter().map(|t| texts[t.index].1).sum();
            prop_assert_eq!((used, around), (packing.used, packing.around));
            prop_assert!(packing.taken.is_sorted_by_key(|taken| taken.index));
            let mut places: Vec<usize> = packing.taken.iter().map(|t| t.index).collect();
            places.extend(&packing.left_out);
            places.sort_unstable();
            prop_assert_eq!(places, (0..texts.len()).collect::<Vec<_>>());
            for taken in &packing.taken {
                prop_assert!(texts[taken.index].0.contains(taken.text));
                prop_assert_eq!(taken.trimmed, taken.text != texts[taken.index].0);
            }
            for index in &packing.left_out {
                let (text, around) = texts[*index];
                let left = (all - packing.used - packing.around).saturating_sub(around);
                let fits = tokens.count(text) <= left.min(passages - packing.used);
                prop_assert!(text.is_empty() || !fits);
            }
        }
    }
}
