//! A part of a budget in whole tokens, and back.

/// Keeps what is whole in decimals whole in binary: 0.29 of 100 is 29.
const SHARE_ROUNDING: f64 = 1e-6;

/// A level's part of the budget in whole tokens.
pub(super) fn share(budget: u32, part: f64) -> u32 {
    (f64::from(budget) * part + SHARE_ROUNDING) as u32
}

/// The smallest budget whose `part` is at least `needed` tokens, if there is one.
pub(super) fn budget_for_share(needed: u64, part: f64) -> Option<u64> {
    if part <= 0.0 || needed > u64::from(u32::MAX) {
        return None;
    }
    let enough = |budget: u64| {
        u32::try_from(budget).is_ok_and(|budget| u64::from(share(budget, part)) >= needed)
    };
    let near = ((needed as f64 - SHARE_ROUNDING) / part) as u64;
    (near.saturating_sub(2)..=near.saturating_add(2)).find(|&budget| enough(budget))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_shares_stay_whole() {
        assert_eq!(share(100, 0.29), 29);
        assert_eq!(budget_for_share(29, 0.29), Some(100));
        assert_eq!(budget_for_share(1, 0.0), None);
    }

    proptest! {
        #[test]
        fn the_budget_for_a_share_is_the_smallest(needed in 1u64..5000, part in 0.001..=1.0) {
            let budget = u32::try_from(budget_for_share(needed, part).unwrap()).unwrap();
            prop_assert!(u64::from(share(budget, part)) >= needed);
            prop_assert!(u64::from(share(budget - 1, part)) < needed);
        }
    }
}
