//! Equal texts folded into one.

use super::Candidates;
use super::order::Key;

/// What is left when every text stands once.
#[derive(Debug, Default)]
pub(super) struct Folded {
    /// The best-ranked context of every text, in no order.
    pub(super) kept: Vec<Key>,
    /// The others, each with the kept one that stands for it, best first.
    pub(super) duplicates: Vec<Duplicate>,
}

/// A context whose text another one brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duplicate {
    key: Key,
    pub(super) of: u32,
}

impl Duplicate {
    pub(super) fn index(&self) -> u32 {
        self.key.index()
    }
}

/// Keeps the best of every text among `passed`. Only the few texts that may occur twice are compared.
pub(super) fn fold(candidates: &Candidates, passed: &[Key]) -> Folded {
    let texts = &candidates.facts.text_keys;
    let repeats = Repeats::among(texts);
    let text = |key: &Key| texts[key.index() as usize];
    let mut repeated: Vec<Key> = passed
        .iter()
        .copied()
        .filter(|key| repeats.may_contain(text(key)))
        .collect();
    repeated.sort_unstable_by(|a, b| {
        text(a)
            .cmp(&text(b))
            .then_with(|| a.compare(*b, candidates))
    });
    let mut duplicates = Vec::new();
    for equal in repeated.chunk_by(|a, b| text(a) == text(b)) {
        let of = equal[0].index();
        duplicates.extend(equal[1..].iter().map(|&key| Duplicate { key, of }));
    }
    duplicates.sort_unstable_by(|a, b| a.key.compare(b.key, candidates));
    let mut kept = passed.to_vec();
    if !duplicates.is_empty() {
        let mut folded = vec![false; texts.len()];
        for duplicate in &duplicates {
            folded[duplicate.index() as usize] = true;
        }
        kept.retain(|key| !folded[key.index() as usize]);
    }
    Folded { kept, duplicates }
}

/// The keys that occur more than once, and some others that share their lower bits with another.
struct Repeats {
    bits: Vec<u64>,
    mask: u64,
}

impl Repeats {
    /// Bits for each key: with eight, about one key in nine is taken for a repeated one.
    const BITS_PER_KEY: usize = 8;

    fn among(texts: &[u64]) -> Self {
        let size = (texts.len() * Self::BITS_PER_KEY)
            .next_power_of_two()
            .max(64);
        let mask = size as u64 - 1;
        let mut seen = vec![0_u64; size / 64];
        let mut bits = vec![0_u64; size / 64];
        for key in texts {
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
    use crate::retrieval::Candidate;
    use crate::retrieval::fixture::{candidate, candidates};
    use proptest::prelude::*;

    /// Candidates of these texts, each better than the next.
    fn folded(texts: &[u64]) -> Folded {
        let items: Vec<Candidate> = (1..)
            .zip(texts)
            .map(|(number, &text_key)| Candidate {
                text_key,
                ..candidate(number)
            })
            .collect();
        let passed: Vec<Key> = (0..texts.len())
            .map(|index| Key::new(index, 1.0 - index as f32 / 1_000.0))
            .collect();
        fold(&candidates(items), &passed)
    }

    fn kept(folded: &Folded) -> Vec<u32> {
        folded.kept.iter().map(|key| key.index()).collect()
    }

    fn duplicates(folded: &Folded) -> Vec<(u32, u32)> {
        let all = folded.duplicates.iter();
        all.map(|duplicate| (duplicate.index(), duplicate.of))
            .collect()
    }

    #[test]
    fn the_best_ranked_of_equal_texts_stays_and_stands_for_the_others() {
        let folded = folded(&[7, 8, 7, 7]);
        assert_eq!(kept(&folded), [0, 1]);
        assert_eq!(duplicates(&folded), [(2, 0), (3, 0)]);
    }

    proptest! {
        /// Keys that agree in their lower bits are told apart, and equal ones are found among any
        /// number of others.
        #[test]
        fn every_text_stands_once(keys in prop::collection::vec((0u64..6, 0u64..30), 0..200)) {
            let keys: Vec<u64> = keys.into_iter().map(|(high, low)| high << 40 | low).collect();
            let folded = folded(&keys);
            let first = |index: u32| (0..index).find(|&before| keys[before as usize] == keys[index as usize]);
            let all = 0..keys.len() as u32;
            let alone: Vec<u32> = all.clone().filter(|&i| first(i).is_none()).collect();
            prop_assert_eq!(kept(&folded), alone);
            let others: Vec<(u32, u32)> = all.filter_map(|i| Some((i, first(i)?))).collect();
            prop_assert_eq!(duplicates(&folded), others);
        }
    }
}
