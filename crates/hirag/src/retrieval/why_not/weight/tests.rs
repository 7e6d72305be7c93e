//! What is said of a ranking weight, against trying its values.

use proptest::prelude::*;

use super::super::lead::Line;
use super::super::tests::{ask, similar};
use super::*;
use crate::retrieval::Candidate;
use crate::retrieval::fixture::{
    any_candidates, any_request, any_settings, candidates, request, settings,
};

#[test]
fn a_weight_that_cannot_do_it_is_ruled_out() {
    // The other is better in similarity, and equal in all the rest but for its age.
    let newer = similar(1, 0.9);
    let older = Candidate {
        created_ms: 0,
        updated_ms: 0,
        ..similar(2, 0.6)
    };
    let why = ask(
        &candidates(vec![newer, older]),
        &settings(),
        &request(100),
        2,
    );
    assert_eq!(why.ruled_out, RankingWeight::ALL);
}

#[test]
fn among_many_a_weight_is_ruled_out_by_computing_who_stands_before() {
    let items = (1..=20_000).map(|n| similar(n, 1.0 - n as f32 / 40_000.0));
    let candidates = candidates(items.collect());
    let case = Case::new(&candidates, &settings(), &request(1_000), 19_999);
    assert!(case.attempts() < 100);
    for name in RankingWeight::ALL {
        let sought = case.ranking_weight(name);
        assert!(matches!(sought, Sought::RuledOut), "{name:?}: {sought:?}");
    }
}

/// Steps of a weight at which the order can be another than at the one before, and others.
fn telling_steps(case: &Case, name: RankingWeight, offset: usize) -> Vec<usize> {
    let ranking = &case.select().ranking;
    let line = |index| Line::of(&ranking.parts(index), &case.settings.weights, name);
    let own = line(case.index);
    let mut steps: Vec<usize> = (offset..=STEPS).step_by(83).collect();
    steps.extend([0, STEPS]);
    for index in 0..case.candidates.len() {
        let at_zero = line(index).at_zero - own.at_zero;
        let at_one = line(index).at_one - own.at_one;
        let crossing = at_zero / (at_zero - at_one) * STEPS as f64;
        if (0.0..=STEPS as f64).contains(&crossing) {
            let step = crossing as usize;
            steps.extend(step.saturating_sub(1)..=(step + 2).min(STEPS));
        }
    }
    steps
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_ranking_weight_is_the_nearest_that_does_or_none_does(
        candidates in any_candidates(),
        settings in any_settings(),
        request in any_request(),
        pick in any::<prop::sample::Index>(),
        offset in 0usize..83,
    ) {
        let index = pick.index(candidates.len());
        let case = Case::new(&candidates, &settings, &request, index);
        prop_assume!(candidates.get(index).excluded.is_none());
        prop_assume!(case.rank().is_none());
        for name in RankingWeight::ALL {
            let from = settings.weights.get(name);
            let nearest = match case.ranking_weight(name) {
                Sought::RuledOut => f64::INFINITY,
                Sought::Found(suggestion) => {
                    prop_assert!(suggestion.smallest);
                    match suggestion.changes[..] {
                        [Change::Weight { to, .. }] => (to - from).abs(),
                        _ => return Err(TestCaseError::fail("another change")),
                    }
                }
                Sought::NotFound => return Err(TestCaseError::fail("given up")),
            };
            for step in telling_steps(&case, name, offset) {
                let to = step as f64 / STEPS as f64;
                if (to - from).abs() < nearest - 1e-9 {
                    let weights = settings.weights.with(name, to);
                    let change = Change::Weight { name, from, to, weights };
                    let rank = case.select_with(&[change]).rank_of(index);
                    prop_assert_eq!(rank, None, "{:?} {} of {:?}", name, to, nearest);
                }
            }
        }
    }
}
