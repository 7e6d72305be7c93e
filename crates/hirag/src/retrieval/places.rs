//! The places of a few candidates in an order of all of them, without making the order.

use super::Candidates;
use super::order::{step, tie};

/// Stands for the value of a candidate that has none, and so no place.
pub(super) const NO_VALUE: f32 = f32::NAN;

/// The places, from 1, that the candidates at `listed` would have if all whose value is a number
/// of at least 0 stood best first, ties as in the ranking. `None` for one whose value is none:
/// [`NO_VALUE`].
///
/// Counts for every candidate how many of the listed are not better than it, which for few of
/// them is several times faster than to sort all.
pub(super) fn places(
    candidates: &Candidates,
    listed: &[usize],
    values: &[f32],
) -> Vec<Option<u32>> {
    let value = |index: usize| Some(values[index]).filter(|value| *value >= 0.0);
    let mut steps: Vec<u32> = listed
        .iter()
        .filter_map(|&index| value(index).map(step))
        .collect();
    steps.sort_unstable();
    steps.dedup();
    // How many stand between a step and the one before it, and which stand on it.
    let mut between = vec![0_u32; steps.len() + 1];
    let mut on: Vec<Vec<u32>> = vec![Vec::new(); steps.len()];
    let worst = listed.iter().filter_map(|&index| value(index));
    let worst = worst.fold(f32::INFINITY, f32::min);
    for (index, value) in values.iter().enumerate() {
        // Most are worse than the worst of the listed, and make no difference.
        if *value < worst || value.is_nan() {
            continue;
        }
        let own = step(*value);
        let at = steps.partition_point(|step| *step < own);
        match steps.get(at) {
            Some(found) if *found == own => on[at].push(index as u32),
            _ => between[at] += 1,
        }
    }
    let tie = |index: u32| tie(candidates, index);
    let mut before = Vec::with_capacity(steps.len());
    let mut passed = 0;
    for (ties, between) in on.iter_mut().zip(&between) {
        passed += between;
        before.push(passed);
        passed += ties.len() as u32;
        ties.sort_unstable_by_key(|&index| tie(index));
    }
    listed
        .iter()
        .map(|&index| {
            let step = steps.binary_search(&value(index).map(step)?).ok()?;
            let own = tie(index as u32);
            let better = on[step].partition_point(|&other| tie(other) < own);
            Some(before[step] + better as u32 + 1)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::fixture::any_candidates;
    use crate::retrieval::order::{Key, best_first};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn places_are_those_of_the_sorted_order(
            candidates in any_candidates(),
            values in prop::collection::vec(prop::option::of(0_u8..6), 40),
            listed in prop::collection::vec(0_usize..40, 0..10),
        ) {
            let values: Vec<f32> = values
                .iter()
                .map(|value| value.map_or(NO_VALUE, |value| f32::from(value) / 5.0))
                .collect();
            let listed: Vec<usize> = listed.into_iter().filter(|&at| at < candidates.len()).collect();
            let all = (0..candidates.len()).filter(|index| !values[*index].is_nan());
            let order = best_first(&candidates, all.map(|index| Key::new(index, values[index])).collect());
            let wanted: Vec<Option<u32>> = listed
                .iter()
                .map(|&index| {
                    let place = order.iter().position(|ranked| ranked.index as usize == index);
                    place.map(|place| place as u32 + 1)
                })
                .collect();
            prop_assert_eq!(places(&candidates, &listed, &values[..candidates.len()]), wanted);
        }
    }
}
