//! Suggestions of every kind, tried from scratch.

use proptest::prelude::*;

use super::*;
use crate::retrieval::fixture::{
    any_candidates, any_request, any_settings, candidate, candidates, id, request, settings,
};
use crate::retrieval::{Candidate, Exclusion, RankingWeights};

pub(super) fn similar(number: u64, cosine: f32) -> Candidate {
    Candidate {
        cosine: Some(cosine),
        ..candidate(number)
    }
}

fn facts() -> SearchFacts {
    SearchFacts {
        max_tokens_limit: 100_000,
        ..SearchFacts::default()
    }
}

pub(super) fn ask(
    candidates: &Arc<Candidates>,
    settings: &RetrievalSettings,
    request: &SelectionRequest,
    number: u64,
) -> WhyNot {
    why_not(candidates, settings, request, id(number), &facts()).unwrap()
}

fn first_changes(why: &WhyNot) -> Vec<Change> {
    why.suggestions[0].changes.clone()
}

#[test]
fn what_was_returned_needs_no_change() {
    let why = ask(
        &candidates(vec![similar(1, 0.5)]),
        &settings(),
        &request(100),
        1,
    );
    assert_eq!(why.explanation.outcome, Outcome::Chosen { rank: 1 });
    assert!(why.suggestions.is_empty());
}

#[test]
fn the_smallest_sufficient_budget_is_named() {
    let candidates = candidates(vec![similar(1, 0.9), similar(2, 0.8), similar(3, 0.7)]);
    let why = ask(&candidates, &settings(), &request(250), 3);
    assert_eq!(
        why.explanation.outcome,
        Outcome::Budget {
            tokens: 100,
            left: 50
        }
    );
    assert_eq!(first_changes(&why), [Change::Tokens { from: 250, to: 300 }]);
    assert!(why.suggestions[0].smallest);
}

#[test]
fn a_budget_over_the_allowed_one_is_not_suggested() {
    let candidates = candidates(vec![similar(1, 0.9), similar(2, 0.8)]);
    let facts = SearchFacts {
        max_tokens_limit: 199,
        ..facts()
    };
    let why = why_not(&candidates, &settings(), &request(150), id(2), &facts).unwrap();
    assert!(why.suggestions.is_empty(), "{why:?}");
}

#[test]
fn the_limit_that_reaches_it_is_named() {
    let candidates = candidates((1..=5).map(|n| similar(n, 1.0 - n as f32 / 10.0)).collect());
    let request = SelectionRequest {
        limit: Some(2),
        ..request(10_000)
    };
    let why = ask(&candidates, &settings(), &request, 4);
    assert_eq!(why.explanation.outcome, Outcome::Outranked { limit: 2 });
    assert_eq!(first_changes(&why), [Change::Limit { from: 2, to: 4 }]);
}

#[test]
fn limit_and_budget_are_raised_together_where_neither_does_alone() {
    let candidates = candidates(vec![similar(1, 0.9), similar(2, 0.8), similar(3, 0.7)]);
    let request = SelectionRequest {
        limit: Some(2),
        ..request(200)
    };
    let why = ask(&candidates, &settings(), &request, 3);
    assert_eq!(
        first_changes(&why),
        [
            Change::Tokens { from: 200, to: 300 },
            Change::Limit { from: 2, to: 3 }
        ]
    );
}

#[test]
fn the_threshold_that_lets_it_through_is_its_similarity() {
    let mut settings = settings();
    settings.relevance_threshold = 0.4;
    settings.strategy.vector_weight = 1.0;
    let why = ask(
        &candidates(vec![similar(1, 0.25)]),
        &settings,
        &request(100),
        1,
    );
    assert_eq!(
        first_changes(&why),
        [Change::Threshold {
            from: 0.4,
            to: 0.25
        }]
    );
}

#[test]
fn nothing_brings_in_what_nothing_speaks_for() {
    let candidates = candidates(vec![similar(1, 0.5), candidate(2)]);
    let why = ask(&candidates, &settings(), &request(1000), 2);
    assert!(matches!(
        why.explanation.outcome,
        Outcome::Threshold {
            similarity: None,
            ..
        }
    ));
    assert!(why.suggestions.is_empty());
}

#[test]
fn a_duplicate_names_the_one_that_stands_for_it() {
    let mut twin = similar(2, 0.4);
    twin.text_key = 1;
    let why = ask(
        &candidates(vec![similar(1, 0.5), twin]),
        &settings(),
        &request(1000),
        2,
    );
    assert_eq!(why.explanation.outcome, Outcome::Duplicate { of: id(1) });
    assert!(why.returned_as_another);
}

#[test]
fn a_level_that_was_not_searched_is_suggested() {
    let mut outside = similar(2, 0.4);
    outside.excluded = Some(Exclusion::Level);
    let why = ask(
        &candidates(vec![similar(1, 0.5), outside]),
        &settings(),
        &request(1000),
        2,
    );
    assert_eq!(
        first_changes(&why),
        [Change::Level {
            level: ContextLevel::LongTerm
        }]
    );
    assert_eq!(why.suggestions[0].rank, 2);
}

#[test]
fn filter_level_and_budget_are_named_where_each_would_drop_it() {
    let mut outside = similar(2, 0.4);
    outside.excluded = Some(Exclusion::Filter);
    let facts = SearchFacts {
        levels: vec![ContextLevel::Immediate],
        failed_condition: Some("topic is rust".to_owned()),
        ..facts()
    };
    let candidates = candidates(vec![similar(1, 0.5), outside]);
    let why = why_not(&candidates, &settings(), &request(100), id(2), &facts).unwrap();
    assert_eq!(
        first_changes(&why),
        [
            Change::Filter {
                condition: Some("topic is rust".to_owned())
            },
            Change::Level {
                level: ContextLevel::LongTerm
            },
            Change::Tokens { from: 100, to: 200 }
        ]
    );
}

#[test]
fn the_vector_weight_that_turns_the_order_is_found() {
    // 1 has 0.8·w + 0.2·(1-w), 2 has 0.3·w + 0.6·(1-w): they cross at w = 4/9.
    let mut vector = similar(1, 0.8);
    vector.bm25 = Some(2.0);
    let mut words = similar(2, 0.3);
    words.bm25 = Some(6.0);
    let why = ask(
        &candidates(vec![vector, words]),
        &settings(),
        &request(100),
        2,
    );
    let to = why.suggestions.iter().find_map(|s| match s.changes[..] {
        [Change::VectorWeight { to, .. }] => Some(to),
        _ => None,
    });
    let crossing = 4.0 / 9.0;
    assert!(
        to.is_some_and(|to| to <= crossing && crossing - to < 0.0002),
        "{to:?}"
    );
}

#[test]
fn the_ranking_weight_that_turns_the_order_is_found() {
    let used = Candidate {
        access_count: 100,
        ..similar(2, 0.6)
    };
    let settings = RetrievalSettings {
        weights: RankingWeights {
            similarity: 0.9,
            recency: 0.0,
            level: 0.0,
            frequency: 0.1,
        },
        ..settings()
    };
    // Similarities 0.5 and 0.3: they cross where 0.2·(1-f) = f, at f = 1/6.
    let candidates = candidates(vec![similar(1, 1.0), used]);
    let why = ask(&candidates, &settings, &request(100), 2);
    let to = why.suggestions.iter().find_map(|s| match s.changes[..] {
        [
            Change::Weight {
                name: RankingWeight::Frequency,
                to,
                ..
            },
        ] => Some(to),
        _ => None,
    });
    assert!(
        to.is_some_and(|to| (0.0..0.0002).contains(&(to - 1.0 / 6.0))),
        "{to:?}"
    );
}

#[test]
fn a_higher_threshold_is_found_where_it_drops_less_relevant_ones() {
    let recent = similar(1, 0.4);
    let old = Candidate {
        created_ms: 0,
        updated_ms: 0,
        ..similar(2, 0.5)
    };
    let why = ask(
        &candidates(vec![recent, old]),
        &settings(),
        &request(100),
        2,
    );
    assert!(why.suggestions.iter().any(|s| s.changes
        == [Change::Threshold {
            from: 0.0,
            to: 0.25
        }]));
}

#[test]
fn an_unknown_id_is_refused_by_name() {
    let error = why_not(
        &candidates(vec![]),
        &settings(),
        &request(100),
        id(9),
        &facts(),
    )
    .unwrap_err();
    assert_eq!(error.code(), "not_compared");
    assert!(error.to_string().contains(&id(9).to_string()));
}

/// Applies a suggestion from scratch and gives the context's place in the result.
fn rank_with(
    suggestion: &Suggestion,
    candidates: &Arc<Candidates>,
    settings: &RetrievalSettings,
    request: &SelectionRequest,
    index: usize,
) -> Option<usize> {
    let mut case = Case::new(candidates, settings, request, index);
    for change in &suggestion.changes {
        case.apply(change.clone());
    }
    case.settings.validate().unwrap();
    case.rank()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_suggestion_really_lets_it_in(
        candidates in any_candidates(),
        settings in any_settings(),
        request in any_request(),
        pick in any::<prop::sample::Index>(),
    ) {
        let index = pick.index(candidates.len());
        let id = candidates.get(index).id;
        let why = why_not(&candidates, &settings, &request, id, &facts()).unwrap();
        for suggestion in &why.suggestions {
            let rank = |suggestion: &Suggestion| rank_with(suggestion, &candidates, &settings, &request, index);
            prop_assert_eq!(rank(suggestion), Some(suggestion.rank));
            if !suggestion.smallest {
                continue;
            }
            let mut smaller = suggestion.clone();
            match suggestion.changes.last() {
                Some(&Change::Tokens { from, to }) => for tried in from + 1..to {
                    *smaller.changes.last_mut().unwrap() = Change::Tokens { from, to: tried };
                    prop_assert_eq!(rank(&smaller), None);
                },
                Some(&Change::Limit { from, to }) => for tried in from + 1..to {
                    *smaller.changes.last_mut().unwrap() = Change::Limit { from, to: tried };
                    prop_assert_eq!(rank(&smaller), None);
                },
                _ => {}
            }
        }
    }
}
