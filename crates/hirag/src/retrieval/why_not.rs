//! Why not this one: the stage that dropped a context, and the smallest changes that let it in.
//!
//! No change is guessed: each one given was tried on the same candidates.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Candidates, Exclusion, Explanation, Outcome, RankingWeight, RankingWeights, RetrievalError,
    RetrievalSettings, Selection, SelectionRequest, select,
};
use crate::context::{ContextId, ContextLevel, SearchMode};

/// Steps of a weight in one unit: weights are given to four decimals.
const WEIGHT_STEPS: u32 = 10_000;

/// Candidates that may be looked at while one budget or limit is sought: some tenths of a second.
const PACKING_WORK: usize = 100_000_000;

/// Candidates that may be ranked while one weight or threshold is sought, for the same time.
const RANKING_WORK: usize = 400_000;

/// What the search knows and the candidates do not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchFacts {
    /// The levels that were asked for; empty is all.
    pub levels: Vec<ContextLevel>,
    /// The condition that excludes the context, in words, if the filter does.
    pub failed_condition: Option<String>,
    /// The largest budget that a request may ask for.
    pub max_tokens_limit: u32,
}

/// Why a context was not returned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct WhyNot {
    /// What became of it, with its scores and places.
    pub explanation: Explanation,
    /// For a duplicate, whether the one that stands for it was returned.
    pub returned_as_another: bool,
    /// What would let it in; empty if it was returned, or if nothing does.
    pub suggestions: Vec<Suggestion>,
}

/// Something that would let a context in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Suggestion {
    /// What to change, all of it. One change, but for contexts that several stages would drop.
    pub changes: Vec<Change>,
    /// The context's place in the result then, from 1.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub rank: usize,
    /// Whether no smaller change of this kind does. `false` where not every smaller one was tried.
    pub smallest: bool,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// Search this level too.
    Level {
        /// The level.
        level: ContextLevel,
    },
    /// Let this context through the filter. What else a changed filter lets through is not known
    /// here, and may rank before it.
    Filter {
        /// The condition that excludes it, in words.
        condition: Option<String>,
    },
    /// Another relevance threshold: lower for a context below it, higher to drop others.
    Threshold {
        /// The threshold now.
        from: f64,
        /// The threshold that does.
        to: f64,
    },
    /// A larger budget.
    Tokens {
        /// `max_tokens` now.
        from: u32,
        /// `max_tokens` that does.
        to: u32,
    },
    /// A higher limit.
    Limit {
        /// The limit now.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        from: usize,
        /// The limit that does.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        to: usize,
    },
    /// Another ranking weight, the others scaled alike to sum to 1.
    Weight {
        /// Which one.
        name: RankingWeight,
        /// The weight now.
        from: f64,
        /// The weight that does.
        to: f64,
        /// All weights then.
        weights: RankingWeights,
    },
    /// Another weight of the vectors against the words.
    VectorWeight {
        /// The weight now.
        from: f64,
        /// The weight that does.
        to: f64,
    },
}

impl Change {
    /// Makes the change, as far as it is one of settings or request.
    fn apply(&self, settings: &mut RetrievalSettings, request: &mut SelectionRequest) {
        match self {
            Self::Level { .. } | Self::Filter { .. } => {}
            Self::Threshold { to, .. } => settings.relevance_threshold = *to,
            Self::Tokens { to, .. } => request.max_tokens = *to,
            Self::Limit { to, .. } => request.limit = Some(*to),
            Self::Weight { weights, .. } => settings.weights = *weights,
            Self::VectorWeight { to, .. } => settings.strategy.vector_weight = *to,
        }
    }
}

/// Tells why the context `id` was not returned, and what would let it in.
///
/// `candidates` must be everything, contexts outside of the levels and the filter too.
///
/// # Errors
/// [`RetrievalError::NotCompared`] if `id` is not among the candidates.
pub fn why_not(
    candidates: &Arc<Candidates>,
    settings: &RetrievalSettings,
    request: &SelectionRequest,
    id: ContextId,
    facts: &SearchFacts,
) -> Result<WhyNot, RetrievalError> {
    let index = candidates
        .items
        .iter()
        .position(|candidate| candidate.id == id)
        .ok_or(RetrievalError::NotCompared(id))?;
    let selection = select(candidates, settings, request);
    let explanation = selection
        .explain_one(index)
        .ok_or(RetrievalError::NotCompared(id))?;
    let returned_as_another = matches!(explanation.outcome, Outcome::Duplicate { of }
        if selection.chosen().iter().any(|chosen| chosen.id == of));
    let suggestions = if matches!(explanation.outcome, Outcome::Chosen { .. }) {
        Vec::new()
    } else {
        let case = Case {
            candidates: Arc::clone(candidates),
            settings: *settings,
            request: *request,
            index,
            changes: Vec::new(),
        };
        case.suggestions(facts)
    };
    Ok(WhyNot {
        explanation,
        returned_as_another,
        suggestions,
    })
}

/// A context's situation after some changes.
struct Case {
    candidates: Arc<Candidates>,
    settings: RetrievalSettings,
    request: SelectionRequest,
    index: usize,
    changes: Vec<Change>,
}

impl Case {
    fn suggestions(mut self, facts: &SearchFacts) -> Vec<Suggestion> {
        self.bring_into_search(facts);
        if let Some(rank) = self.rank() {
            return vec![self.suggestion(rank, true)];
        }
        let mut found = Vec::new();
        if !self.over_threshold() {
            let Some(similarity) = self.select().ranking.similarity[self.index] else {
                return found;
            };
            found.extend(self.vector_weight());
            self.apply(Change::Threshold {
                from: self.settings.relevance_threshold,
                to: shortest(similarity),
            });
            if let Some(rank) = self.rank() {
                found.push(self.suggestion(rank, true));
                return found;
            }
        }
        found.extend(self.budget_and_limit(facts.max_tokens_limit));
        found.extend(self.raised_threshold());
        found.extend(
            RankingWeight::ALL
                .into_iter()
                .filter_map(|name| self.ranking_weight(name)),
        );
        if !found
            .iter()
            .any(|s| matches!(s.changes.last(), Some(Change::VectorWeight { .. })))
        {
            found.extend(self.vector_weight());
        }
        found
    }

    fn bring_into_search(&mut self, facts: &SearchFacts) {
        let candidate = &self.candidates.items[self.index];
        let level = candidate.level;
        let Some(exclusion) = candidate.excluded else {
            return;
        };
        if exclusion == Exclusion::Filter {
            self.apply(Change::Filter {
                condition: facts.failed_condition.clone(),
            });
        }
        let outside = !facts.levels.is_empty() && !facts.levels.contains(&level);
        if exclusion == Exclusion::Level || outside {
            self.apply(Change::Level { level });
        }
    }

    /// The smallest budget and the smallest limit, each alone; both together if neither does.
    fn budget_and_limit(&self, max_tokens: u32) -> Vec<Suggestion> {
        let selection = self.select();
        let Some(place) = selection.place_of(self.index) else {
            return Vec::new();
        };
        let now = selection.limit;
        let tokens = self
            .least_tokens(&selection, place, now, max_tokens)
            .and_then(|(to, smallest)| self.with(&[self.tokens(to)], smallest));
        let limit = self
            .least_limit(&selection, place, self.request.max_tokens)
            .and_then(|(to, smallest)| self.with(&[self.limit(to)], smallest));
        if tokens.is_some() || limit.is_some() || self.request.limit.is_none() {
            return tokens.into_iter().chain(limit).collect();
        }
        self.least_tokens(&selection, place, selection.stock.len(), max_tokens)
            .and_then(|(tokens, _)| {
                let (limit, _) = self.least_limit(&selection, place, tokens)?;
                self.with(&[self.tokens(tokens), self.limit(limit)], false)
            })
            .into_iter()
            .collect()
    }

    fn tokens(&self, to: u32) -> Change {
        Change::Tokens {
            from: self.request.max_tokens,
            to,
        }
    }

    fn limit(&self, to: usize) -> Change {
        Change::Limit {
            from: self.request.limit.unwrap_or(usize::MAX),
            to,
        }
    }

    /// The smallest budget over the present one that takes the item at `place`, and whether none
    /// smaller does. Goes from each budget to the next that packs otherwise; only when that takes
    /// too long, in growing strides.
    fn least_tokens(
        &self,
        selection: &Selection,
        place: usize,
        limit: usize,
        max_tokens: u32,
    ) -> Option<(u32, bool)> {
        let stock = &selection.stock;
        let takes = |budget: u32| stock.pack(budget, limit).takes(place);
        let mut budget = self
            .request
            .max_tokens
            .checked_add(1)?
            .max(stock.least_budget(place));
        for _ in 0..PACKING_WORK / stock.len().max(1) {
            if budget > max_tokens {
                return None;
            }
            let packing = stock.pack(budget, limit);
            if packing.takes(place) {
                return Some((budget, true));
            }
            budget = packing.next_budget?;
        }
        let mut missed = budget - 1;
        let mut stride = 1;
        while missed < max_tokens {
            let tried = missed.saturating_add(stride).min(max_tokens);
            if takes(tried) {
                let found = first_hit(missed.into(), tried.into(), |budget| {
                    u32::try_from(budget).is_ok_and(takes)
                });
                return u32::try_from(found).ok().map(|budget| (budget, false));
            }
            missed = tried;
            stride = stride.saturating_mul(2);
        }
        None
    }

    /// The smallest limit over the present one that takes the item at `place`, and whether none
    /// smaller does.
    fn least_limit(
        &self,
        selection: &Selection,
        place: usize,
        budget: u32,
    ) -> Option<(usize, bool)> {
        let stock = &selection.stock;
        let takes = |limit: usize| stock.pack(budget, limit).takes(place);
        let from = self.request.limit?;
        let tried = (from + 1).saturating_add(PACKING_WORK / stock.len().max(1));
        if let Some(limit) = (from + 1..=stock.len().min(tried)).find(|&limit| takes(limit)) {
            return Some((limit, true));
        }
        (tried < stock.len() && takes(stock.len())).then(|| {
            let found = first_hit(tried as u64, stock.len() as u64, |limit| {
                takes(limit as usize)
            });
            (found as usize, false)
        })
    }

    /// A higher threshold, which drops less relevant ones that other facts put before this one.
    fn raised_threshold(&self) -> Option<Suggestion> {
        let selection = self.select();
        let ranking = &selection.ranking;
        let own = ranking.similarity[self.index]?;
        let mut values: Vec<f32> = ranking
            .order
            .iter()
            .filter_map(|ranked| ranking.similarity[ranked.index as usize])
            .filter(|&value| value <= own && f64::from(value) > self.settings.relevance_threshold)
            .collect();
        values.sort_unstable_by(f32::total_cmp);
        values.dedup();
        let change = |at: u64| {
            let to = values.get(at as usize).copied().unwrap_or(own);
            Change::Threshold {
                from: self.settings.relevance_threshold,
                to: shortest(to),
            }
        };
        let last = (values.len() as u64).checked_sub(1)?;
        let tried = self.attempts().min(last + 1);
        let takes = |at: u64| self.with(&[change(at)], true);
        if let Some(found) = (0..tried).find_map(takes) {
            return Some(found);
        }
        if tried > last || takes(last).is_none() {
            return None;
        }
        let at = first_hit(tried - 1, last, |at| takes(at).is_some());
        self.with(&[change(at)], false)
    }

    fn ranking_weight(&self, name: RankingWeight) -> Option<Suggestion> {
        let from = self.settings.weights.get(name);
        self.weight(from, |to| Change::Weight {
            name,
            from,
            to,
            weights: self.settings.weights.with(name, to),
        })
    }

    fn vector_weight(&self) -> Option<Suggestion> {
        if self.request.mode != SearchMode::Hybrid {
            return None;
        }
        let from = self.settings.strategy.vector_weight;
        self.weight(from, |to| Change::VectorWeight { from, to })
    }

    /// Goes outwards from a weight in both directions in even strides, and back from the first
    /// that does to the nearest that does.
    fn weight(&self, from: f64, change: impl Fn(f64) -> Change) -> Option<Suggestion> {
        let at = |steps: u64, up: bool| {
            let by = steps as f64 / f64::from(WEIGHT_STEPS);
            let to = (if up { from + by } else { from - by }).clamp(0.0, 1.0);
            (to * f64::from(WEIGHT_STEPS)).round() / f64::from(WEIGHT_STEPS)
        };
        let attempt = |steps, up| self.with(&[change(at(steps, up))], false);
        let reach = |up: bool| {
            let room = if up { 1.0 - from } else { from };
            (room * f64::from(WEIGHT_STEPS)).ceil() as u64
        };
        let stride = (u64::from(WEIGHT_STEPS) / self.attempts()).max(1);
        let mut missed = 0;
        while missed < reach(true).max(reach(false)) {
            let nearest = [true, false]
                .into_iter()
                .filter_map(|up| {
                    let tried = reach(up).min(missed + stride);
                    (missed < tried && attempt(tried, up).is_some()).then(|| {
                        let does = |steps| attempt(steps, up).is_some();
                        (first_hit(missed, tried, does), up)
                    })
                })
                .min_by_key(|(steps, _)| *steps);
            if let Some((steps, up)) = nearest {
                return attempt(steps, up);
            }
            missed += stride;
        }
        None
    }

    /// How many whole selections one search for a change may try.
    fn attempts(&self) -> u64 {
        let affordable = RANKING_WORK / self.candidates.items.len().max(1);
        affordable.clamp(8, 100) as u64
    }

    fn apply(&mut self, change: Change) {
        match &change {
            Change::Level { level } => {
                for candidate in &mut Arc::make_mut(&mut self.candidates).items {
                    if candidate.level == *level && candidate.excluded == Some(Exclusion::Level) {
                        candidate.excluded = None;
                    }
                }
            }
            Change::Filter { .. } => {
                Arc::make_mut(&mut self.candidates).items[self.index].excluded = None;
            }
            other => other.apply(&mut self.settings, &mut self.request),
        }
        self.changes.push(change);
    }

    fn select(&self) -> Selection {
        select(&self.candidates, &self.settings, &self.request)
    }

    fn rank(&self) -> Option<usize> {
        self.select().rank_of(self.index)
    }

    fn over_threshold(&self) -> bool {
        self.select().ranking.passes(self.index)
    }

    /// The suggestion of the changes so far and `more`, if they let it in.
    fn with(&self, more: &[Change], smallest: bool) -> Option<Suggestion> {
        let mut settings = self.settings;
        let mut request = self.request;
        for change in more {
            change.apply(&mut settings, &mut request);
        }
        let rank = select(&self.candidates, &settings, &request).rank_of(self.index)?;
        Some(Suggestion {
            changes: self.changes.iter().chain(more).cloned().collect(),
            rank,
            smallest,
        })
    }

    fn suggestion(&self, rank: usize, smallest: bool) -> Suggestion {
        Suggestion {
            changes: self.changes.clone(),
            rank,
            smallest,
        }
    }
}

/// The decimal with the fewest digits that is this number: what people can copy into settings.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// A value in `missed + 1 ..= hit` that does while the one before it does not.
fn first_hit(mut missed: u64, mut hit: u64, does: impl Fn(u64) -> bool) -> u64 {
    while hit - missed > 1 {
        let middle = missed + (hit - missed) / 2;
        if does(middle) {
            hit = middle;
        } else {
            missed = middle;
        }
    }
    hit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::Candidate;
    use crate::retrieval::fixture::{
        any_candidates, any_request, any_settings, candidate, candidates, id, request, settings,
    };
    use proptest::prelude::*;

    fn similar(number: u64, cosine: f32) -> Candidate {
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

    fn ask(
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
        let mut case = Case {
            candidates: Arc::clone(candidates),
            settings: *settings,
            request: *request,
            index,
            changes: Vec::new(),
        };
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
            let index = pick.index(candidates.items.len());
            let id = candidates.items[index].id;
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
}
