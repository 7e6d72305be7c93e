//! The best few of many, without putting the many in order.

use std::cmp::Ordering;

/// Keeps the largest values that it is offered, each with its slot. Of equal ones, the smaller slots.
#[derive(Debug)]
pub(super) struct Best {
    count: usize,
    kept: Vec<(f32, u32)>,
    /// What is not larger is none of them.
    least: f32,
}

/// Best first.
fn order(a: &(f32, u32), b: &(f32, u32)) -> Ordering {
    b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1))
}

impl Best {
    /// Keeps `count` values.
    pub(super) fn new(count: usize) -> Self {
        Self {
            count,
            kept: Vec::new(),
            least: if count == 0 {
                f32::INFINITY
            } else {
                f32::NEG_INFINITY
            },
        }
    }

    /// What a value must be over to be kept.
    pub(super) fn least(&self) -> f32 {
        self.least
    }

    /// Offers a value; what is not a number is not kept. Slots come in ascending order.
    pub(super) fn offer(&mut self, value: f32, slot: u32) {
        if value > self.least {
            self.kept.push((value, slot));
            if self.kept.len() >= self.count.saturating_mul(2) {
                self.trim();
            }
        }
    }

    fn trim(&mut self) {
        if self.kept.len() > self.count {
            self.kept.select_nth_unstable_by(self.count - 1, order);
            self.kept.truncate(self.count);
        }
        if self.kept.len() == self.count
            && let Some((value, _)) = self.kept.iter().max_by(|a, b| order(a, b))
        {
            self.least = *value;
        }
    }

    /// Their slots, ascending.
    pub(super) fn slots(mut self) -> Vec<u32> {
        self.trim();
        let mut slots: Vec<u32> = self.kept.into_iter().map(|(_, slot)| slot).collect();
        slots.sort_unstable();
        slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_are_the_first_of_the_sorted_order(
            values in prop::collection::vec(prop_oneof![(-4_i8..9).prop_map(f32::from), Just(f32::NAN)], 0..90),
            count in 0_usize..20,
        ) {
            let mut best = Best::new(count);
            for (slot, value) in (0..).zip(&values) {
                best.offer(*value, slot);
            }
            let mut all: Vec<(f32, u32)> = values.iter().copied().zip(0..).collect();
            all.retain(|(value, _)| !value.is_nan());
            all.sort_by(order);
            let mut wanted: Vec<u32> = all.iter().take(count).map(|(_, slot)| *slot).collect();
            wanted.sort_unstable();
            prop_assert_eq!(best.slots(), wanted);
        }
    }
}
