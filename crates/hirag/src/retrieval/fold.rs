//! Equal texts folded into one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

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

/// Keeps the first of every text in `order`.
pub(super) fn fold(items: &[Candidate], order: &[Ranked]) -> Folded {
    let mut first: HashMap<u64, u32, BuildHasherDefault<KeyHasher>> =
        HashMap::with_capacity_and_hasher(order.len(), BuildHasherDefault::default());
    let mut folded = Folded {
        kept: Vec::with_capacity(order.len()),
        items: Vec::with_capacity(order.len()),
        duplicates: Vec::new(),
    };
    for &ranked in order {
        let candidate = &items[ranked.index as usize];
        match first.entry(candidate.text_key) {
            Entry::Vacant(entry) => {
                entry.insert(ranked.index);
                folded.kept.push(ranked);
                folded.items.push(Item {
                    level: candidate.level,
                    tokens: candidate.tokens,
                });
            }
            Entry::Occupied(entry) => folded.duplicates.push(Duplicate {
                index: ranked.index,
                of: *entry.get(),
            }),
        }
    }
    folded
}

/// Takes a text key as its own hash: it is already eight bytes of SHA-256.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::fixture::candidate;

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
        let folded = fold(&items, &order);
        assert_eq!(folded.kept, [order[0], order[1]]);
        assert_eq!(
            folded.duplicates,
            [Duplicate { index: 0, of: 2 }, Duplicate { index: 3, of: 2 }]
        );
    }
}
