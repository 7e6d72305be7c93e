//! Equal texts folded into one.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::Candidate;
use super::budget::Item;
use super::ranking::Ranked;

/// An order in which every text stands once.
#[derive(Debug, Default)]
pub(super) struct Folded {
    /// The best-ranked context of every text, in the order given.
    pub(super) kept: Vec<Ranked>,
    /// What the budget asks about each of them.
    pub(super) items: Vec<Item>,
    /// The others, each with the kept one that stands for it, in the order given.
    pub(super) duplicates: Vec<Duplicate>,
}

/// A context whose text another one brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) index: u32,
    pub(super) of: u32,
}

/// What folding asks about a candidate. The order jumps about in memory, so these stand close
/// together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    key: u64,
    item: Item,
}

impl Text {
    pub(super) fn of(candidate: &Candidate) -> Self {
        Self {
            key: candidate.text_key,
            item: Item {
                level: candidate.level,
                tokens: candidate.tokens,
            },
        }
    }
}

/// Keeps the first of every text in `order`. Only the few texts that may occur twice go through a
/// map.
pub(super) fn fold(texts: &[Text], order: &[Ranked]) -> Folded {
    let repeats = Repeats::among(texts);
    let mut first: FxHashMap<u64, u32> = FxHashMap::default();
    let mut folded = Folded {
        kept: Vec::with_capacity(order.len()),
        items: Vec::with_capacity(order.len()),
        duplicates: Vec::new(),
    };
    for &ranked in order {
        let Text { key, item } = texts[ranked.index as usize];
        if repeats.may_contain(key) {
            match first.entry(key) {
                Entry::Vacant(entry) => {
                    entry.insert(ranked.index);
                }
                Entry::Occupied(entry) => {
                    folded.duplicates.push(Duplicate {
                        index: ranked.index,
                        of: *entry.get(),
                    });
                    continue;
                }
            }
        }
        folded.kept.push(ranked);
        folded.items.push(item);
    }
    folded
}

/// The keys that occur more than once, and some others that share their lower bits with another.
struct Repeats {
    bits: Vec<u64>,
    mask: u64,
}

impl Repeats {
    /// Bits for each key: with eight, about one key in nine is taken for a repeated one.
    const BITS_PER_KEY: usize = 8;

    fn among(texts: &[Text]) -> Self {
        let size = (texts.len() * Self::BITS_PER_KEY)
            .next_power_of_two()
            .max(64);
        let mask = size as u64 - 1;
        let mut seen = vec![0_u64; size / 64];
        let mut bits = vec![0_u64; size / 64];
        for Text { key, .. } in texts {
            let (word, bit) = place(key & mask);
            bits[word] |= seen[word] & bit;
            seen[word] |= bit;
        }
        Self { bits, mask }
    }

    fn may_contain(&self, key: u64) -> bool {
        let (word, bit) = place(key & self.mask);
        self.bits[word] & bit != 0
    }
}

fn place(slot: u64) -> (usize, u64) {
    ((slot / 64) as usize, 1 << (slot % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::fixture::candidate;
    use proptest::prelude::*;

    #[test]
    fn the_best_ranked_of_equal_texts_stays_and_stands_for_the_others() {
        let items: Vec<Candidate> = [7, 8, 7, 7]
            .into_iter()
            .zip(1..)
            .map(|(text_key, id)| Candidate {
                text_key,
                ..candidate(id)
            })
            .collect();
        let order = [2, 1, 0, 3].map(|index| Ranked { index, value: 0.5 });
        let texts: Vec<Text> = items.iter().map(Text::of).collect();
        let folded = fold(&texts, &order);
        assert_eq!(folded.kept, [order[0], order[1]]);
        assert_eq!(
            folded.duplicates,
            [Duplicate { index: 0, of: 2 }, Duplicate { index: 3, of: 2 }]
        );
    }

    proptest! {
        /// Keys that agree in their lower bits are told apart, and equal ones are found among any
        /// number of others.
        #[test]
        fn every_text_stands_once(keys in prop::collection::vec((0u64..6, 0u64..30), 0..200)) {
            let items: Vec<Candidate> = keys.iter().zip(1..).map(|((high, low), number)| Candidate {
                text_key: high << 40 | low,
                ..candidate(number)
            }).collect();
            let order: Vec<Ranked> = (0..items.len() as u32)
                .map(|index| Ranked { index, value: 0.5 })
                .collect();
            let texts: Vec<Text> = items.iter().map(Text::of).collect();
            let folded = fold(&texts, &order);
            let key = |index: u32| items[index as usize].text_key;
            let first = |index: u32| (0..index).find(|&before| key(before) == key(index));
            let kept: Vec<u32> = folded.kept.iter().map(|ranked| ranked.index).collect();
            let duplicates: Vec<(u32, u32)> = folded.duplicates.iter().map(|d| (d.index, d.of)).collect();
            let all = 0..items.len() as u32;
            prop_assert_eq!(kept, all.clone().filter(|&i| first(i).is_none()).collect::<Vec<_>>());
            prop_assert_eq!(duplicates, all.filter_map(|i| Some((i, first(i)?))).collect::<Vec<_>>());
            prop_assert_eq!(folded.items.len(), folded.kept.len());
        }
    }
}
