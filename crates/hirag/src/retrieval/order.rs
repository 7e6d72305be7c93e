//! Best first, and no more of it put in order than somebody looks at.

use std::cmp::{Ordering, Reverse};

use super::Candidates;
use crate::context::ContextId;

/// A candidate's place in an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ranked {
    pub(super) index: u32,
    pub(super) value: f32,
}

/// A candidate with its value, in one integer, which sorts several times faster than a comparison
/// that follows the index to the candidate: a small one for a large value, with the index in the
/// lower half. Only ties need the candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u64);

impl Key {
    /// Of a value of at least 0.
    pub(super) fn new(index: usize, value: f32) -> Self {
        Self((u64::from(step(value)) << 32) | index as u64)
    }

    pub(super) fn index(self) -> u32 {
        self.0 as u32
    }

    pub(super) fn ranked(self) -> Ranked {
        Ranked {
            index: self.index(),
            value: f32::from_bits(!self.step()),
        }
    }

    fn step(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Better ones are less: the larger value, then the later created, then the smaller id.
    pub(super) fn compare(self, other: Self, candidates: &Candidates) -> Ordering {
        let tie = |key: Self| tie(candidates, key.index());
        self.step()
            .cmp(&other.step())
            .then_with(|| tie(self).cmp(&tie(other)))
    }
}

/// Small for a large value. The bits of floats that are not negative order like the floats; `+ 0.0`
/// makes -0 one of them.
pub(super) fn step(value: f32) -> u32 {
    !(value.max(0.0) + 0.0).to_bits()
}

/// What decides between equal values.
pub(super) fn tie(candidates: &Candidates, index: u32) -> (Reverse<i64>, ContextId) {
    let (facts, at) = (&candidates.facts, index as usize);
    (Reverse(facts.created_ms[at]), facts.ids[at])
}

/// All of them, best first.
pub(super) fn best_first(candidates: &Candidates, mut keys: Vec<Key>) -> Vec<Ranked> {
    sort(candidates, &mut keys);
    keys.into_iter().map(Key::ranked).collect()
}

/// Brings the best of `keys` to the front, in order, and tells how many those are: at least `count`
/// where there are as many.
pub(super) fn best_to_front(candidates: &Candidates, keys: &mut [Key], count: usize) -> usize {
    let mut front = keys.len();
    if (1..keys.len()).contains(&count) {
        let (_, last, _) = keys.select_nth_unstable(count - 1);
        // Those of the same value stand in an order that only the candidates tell.
        let step = last.step();
        front = count;
        for at in count..keys.len() {
            if keys[at].step() == step {
                keys.swap(at, front);
                front += 1;
            }
        }
    }
    sort(candidates, &mut keys[..front]);
    front
}

fn sort(candidates: &Candidates, keys: &mut [Key]) {
    keys.sort_unstable();
    for ties in keys.chunk_by_mut(|a, b| a.step() == b.step()) {
        if ties.len() > 1 {
            ties.sort_unstable_by_key(|key| tie(candidates, key.index()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::fixture::{any_candidates, candidate, candidates};
    use proptest::prelude::*;

    fn keys(values: &[f32]) -> Vec<Key> {
        let values = values.iter().enumerate();
        values
            .map(|(index, value)| Key::new(index, *value))
            .collect()
    }

    #[test]
    fn the_order_is_best_first_down_to_zero() {
        let candidates = candidates((0..4).map(candidate).collect());
        let order = best_first(&candidates, keys(&[0.25, 1.0, -0.0, 0.5]));
        let order: Vec<(u32, f32)> = order.iter().map(|r| (r.index, r.value)).collect();
        assert_eq!(order, [(1, 1.0), (3, 0.5), (0, 0.25), (2, 0.0)]);
    }

    proptest! {
        #[test]
        fn the_front_is_the_beginning_of_the_whole_order(
            candidates in any_candidates(),
            values in prop::collection::vec(0_u8..6, 40),
            count in 0_usize..50,
        ) {
            let values: Vec<f32> = values[..candidates.len()].iter().map(|v| f32::from(*v) / 5.0).collect();
            let whole = best_first(&candidates, keys(&values));
            let mut keys = keys(&values);
            let front = best_to_front(&candidates, &mut keys, count);
            prop_assert!(front >= count.min(candidates.len()));
            let ranked: Vec<Ranked> = keys[..front].iter().map(|key| key.ranked()).collect();
            prop_assert_eq!(&ranked[..], &whole[..front]);
            let compared = keys[..front].is_sorted_by(|a, b| a.compare(*b, &candidates).is_lt());
            prop_assert!(compared);
            let rest = keys[front..].iter().all(|key| keys[..front].iter().all(|f| f.compare(*key, &candidates).is_lt()));
            prop_assert!(rest);
        }
    }
}
