//! What became of every candidate, and why.

use std::fmt;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::budget::LeftOut;
use super::order::{Key, Ranked, best_first};
use super::places::{NO_VALUE, places};
use super::{Exclusion, ScoreParts, Selection};
use crate::context::{ContextId, ContextLevel};

/// The stage that kept or dropped a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Outcome {
    /// It was returned.
    Chosen {
        /// Its place in the result, from 1.
        rank: u32,
    },
    /// Its level was not asked for.
    Level,
    /// The filter does not let it through.
    Filter,
    /// It is not relevant enough.
    Threshold {
        /// Its similarity; `None` where nothing speaks for it: no similar vector, no word, no
        /// neighbour.
        similarity: Option<f32>,
        /// The similarity that it needs.
        threshold: f32,
    },
    /// A better-ranked context has the same text.
    Duplicate {
        /// The one that stands for it.
        of: ContextId,
    },
    /// It did not fit beside the chosen ones.
    Budget {
        /// Its tokens.
        tokens: u32,
        /// Tokens of the budget that stayed free.
        left: u32,
    },
    /// The limit was reached with better ones.
    Outranked {
        /// The limit.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        limit: usize,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chosen { rank } => write!(f, "returned as number {rank}"),
            Self::Level => write!(f, "its level was not searched"),
            Self::Filter => write!(f, "the filter excludes it"),
            Self::Threshold {
                similarity: Some(similarity),
                threshold,
            } => write!(
                f,
                "its similarity {similarity:.3} is below the threshold {threshold:.3}"
            ),
            Self::Threshold {
                similarity: None, ..
            } => write!(f, "neither vector, words nor neighbours speak for it"),
            Self::Duplicate { of } => write!(f, "{of} has the same text and ranks before it"),
            Self::Budget { tokens, left } => write!(
                f,
                "its {tokens} tokens do not fit; {left} of the budget stayed free"
            ),
            Self::Outranked { limit } => {
                write!(f, "better ones reached the limit of {limit}")
            }
        }
    }
}

/// Places from 1, before and after each stage, among the candidates inside the search. `None`
/// where a candidate did not reach the stage or has no such score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Ranks {
    /// By the vectors alone.
    pub vector: Option<u32>,
    /// By the words alone.
    pub text: Option<u32>,
    /// By both, before phrase and neighbours.
    pub fused: Option<u32>,
    /// By similarity, after phrase and neighbours.
    pub similarity: Option<u32>,
    /// By the final score, among those over the threshold.
    pub score: Option<u32>,
    /// By the final score, after equal texts were folded.
    pub folded: Option<u32>,
    /// In the result.
    pub chosen: Option<u32>,
}

/// What became of one candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// The context.
    pub id: ContextId,
    /// Its level.
    pub level: ContextLevel,
    /// Its tokens.
    pub tokens: u32,
    /// The final score, 0 to 1; of a dropped candidate the one it would have.
    pub score: f32,
    /// Vectors and words together, before phrase and neighbours.
    pub fused: f32,
    /// What the score is made of.
    pub parts: ScoreParts,
    /// Whether the similarity of the vectors is an estimate, from one bit a component: in a large
    /// store, only the best are compared exactly.
    #[serde(default)]
    pub estimated: bool,
    /// Its places.
    pub ranks: Ranks,
    /// What became of it.
    pub outcome: Outcome,
}

/// How many candidates each stage dropped. All but `level` and `filter` together were searched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StageCounts {
    /// Compared with the query, inside the levels and the filter.
    pub searched: u32,
    /// Outside of the levels; known only when everything was asked for.
    pub level: u32,
    /// Outside of the filter; known only when everything was asked for.
    pub filter: u32,
    /// By estimates, too far from the query to be ranked: in a large store, only the best become
    /// candidates, unless everything was asked for.
    #[serde(default)]
    pub distant: u32,
    /// Not relevant enough.
    pub threshold: u32,
    /// Folded into another one with the same text.
    pub duplicate: u32,
    /// Did not fit.
    pub budget: u32,
    /// Beyond the limit.
    pub outranked: u32,
    /// Returned.
    pub chosen: u32,
}

impl Selection {
    /// What became of the `count` best candidates and of all that were chosen, best first; those
    /// outside of the search come last.
    #[must_use]
    pub fn explain_best(&self, count: usize) -> Vec<Explanation> {
        self.explain(&self.listing(count))
    }

    /// What became of the candidate at `index`.
    pub(super) fn explain_one(&self, index: usize) -> Option<Explanation> {
        self.explain(&[index]).pop()
    }

    fn explain(&self, listed: &[usize]) -> Vec<Explanation> {
        let ranking = &self.ranking;
        let candidates = &ranking.candidates;
        let stands_for: FxHashMap<u32, u32> = self
            .folded
            .duplicates
            .iter()
            .map(|duplicate| (duplicate.index(), duplicate.of))
            .collect();
        listed
            .iter()
            .zip(self.ranks(listed))
            .map(|(&index, ranks)| {
                let candidate = candidates.get(index);
                let duplicate_of = stands_for.get(&(index as u32));
                let duplicate_of = duplicate_of.map(|&of| ranking.id(of));
                Explanation {
                    id: candidate.id,
                    level: candidate.level,
                    tokens: candidate.tokens,
                    score: ranking.score(index),
                    fused: ranking.fusion.fused(candidates, index),
                    parts: ranking.parts(index),
                    estimated: candidates.estimated(index),
                    outcome: self.outcome(index, &ranks, duplicate_of),
                    ranks,
                }
            })
            .collect()
    }

    fn outcome(&self, index: usize, ranks: &Ranks, duplicate_of: Option<ContextId>) -> Outcome {
        let ranking = &self.ranking;
        match ranking.candidates.excluded(index) {
            Some(Exclusion::Level) => return Outcome::Level,
            Some(Exclusion::Filter) => return Outcome::Filter,
            None => {}
        }
        if let Some(rank) = ranks.chosen {
            return Outcome::Chosen { rank };
        }
        if let Some(of) = duplicate_of {
            return Outcome::Duplicate { of };
        }
        let Some(place) = ranks.folded.map(|rank| rank as usize - 1) else {
            return Outcome::Threshold {
                similarity: ranking.similarity[index],
                threshold: ranking.threshold(),
            };
        };
        let item = self.whole().stock.item(place);
        match self.whole().packing.left_out(place, item) {
            LeftOut::NoRoom => Outcome::Budget {
                tokens: item.tokens,
                left: self.packing.left(),
            },
            LeftOut::Outranked => Outcome::Outranked { limit: self.limit },
        }
    }

    /// How many candidates each stage dropped.
    #[must_use]
    pub fn counts(&self) -> StageCounts {
        let ranking = &self.ranking;
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let outside = |exclusion| match ranking.searched == ranking.similarity.len() {
            true => 0,
            false => {
                let all = ranking.candidates.excluded.iter();
                count(all.filter(|one| **one == Some(exclusion)).count())
            }
        };
        let chosen = count(self.packing.taken.len());
        let ledger = self.ledger();
        let budget = ContextLevel::ALL.map(|level| ledger.level(level).skipped);
        let budget = budget.into_iter().sum();
        StageCounts {
            searched: count(self.searched()),
            distant: count(self.distant()),
            level: outside(Exclusion::Level),
            filter: outside(Exclusion::Filter),
            threshold: count(ranking.searched - ranking.passed.len()),
            duplicate: count(self.folded.duplicates.len()),
            budget,
            outranked: count(self.folded.kept.len()) - budget - chosen,
            chosen,
        }
    }

    /// The places of the candidates at `listed`.
    fn ranks(&self, listed: &[usize]) -> Vec<Ranks> {
        let ranking = &self.ranking;
        let candidates = &*ranking.candidates;
        let fusion = &ranking.fusion;
        let count = candidates.len();
        let mut columns: [Vec<f32>; 4] = std::array::from_fn(|_| Vec::with_capacity(count));
        for index in 0..count {
            let of_searched = |value: Option<f32>| match candidates.excluded(index) {
                Some(_) => NO_VALUE,
                None => value.unwrap_or(NO_VALUE),
            };
            let positive = |value: f32| (value > 0.0).then_some(value);
            let values = [
                fusion.vector(candidates, index),
                positive(fusion.text(candidates, index)),
                positive(fusion.fused(candidates, index)),
                ranking.similarity[index],
            ];
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(of_searched(value));
            }
        }
        let [vector, text, fused, similarity] =
            columns.map(|values| places(candidates, listed, &values));
        let whole = self.whole();
        let chosen = whole.packing.taken.iter().map(|&place| whole.kept[place]);
        let [score, folded, chosen] = [
            numbered(count, whole.order.iter().copied()),
            numbered(count, whole.kept.iter().copied()),
            numbered(count, chosen),
        ];
        listed
            .iter()
            .enumerate()
            .map(|(at, &index)| Ranks {
                vector: vector[at],
                text: text[at],
                fused: fused[at],
                similarity: similarity[at],
                score: score[index],
                folded: folded[index],
                chosen: chosen[index],
            })
            .collect()
    }

    /// The first `count` indices, and all that were chosen, each once: by final score, then below the threshold, then
    /// outside of the search.
    fn listing(&self, count: usize) -> Vec<usize> {
        let ranking = &self.ranking;
        let candidates = &ranking.candidates;
        let unranked = |excluded: bool| {
            let indices = (0..candidates.len()).filter(move |&index| {
                candidates.excluded(index).is_some() == excluded
                    && (excluded || !ranking.passes(index))
            });
            let value = |index: usize| ranking.similarity[index].unwrap_or(0.0);
            best_first(
                candidates,
                indices.map(|index| Key::new(index, value(index))).collect(),
            )
        };
        let indices = |order: &[Ranked]| -> Vec<usize> {
            order.iter().map(|ranked| ranked.index as usize).collect()
        };
        let mut listing = indices(&self.whole().order);
        // A short list rarely reaches what was dropped, which then needs no order.
        for excluded in [false, true] {
            if listing.len() < count {
                listing.extend(indices(&unranked(excluded)));
            }
        }
        let rest = listing.split_off(count.min(listing.len()));
        // What was chosen may stand below: for its level's minimum or share, or after larger ones.
        let chosen: FxHashSet<usize> = self.chosen().iter().map(|one| one.index).collect();
        listing.extend(rest.into_iter().filter(|index| chosen.contains(index)));
        listing
    }
}

/// The place, from 1, of every candidate in `order`, by index.
fn numbered(count: usize, order: impl Iterator<Item = Ranked>) -> Vec<Option<u32>> {
    let mut places = vec![None; count];
    for (ranked, place) in order.zip(1..) {
        places[ranked.index as usize] = Some(place);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::fixture::{any_candidates, any_request, any_settings};
    use crate::retrieval::{Candidate, SelectionRequest, fixture, select};
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn explain_all(selection: &Selection) -> Vec<Explanation> {
        selection.explain_best(usize::MAX)
    }

    #[test]
    fn ranks_follow_a_candidate_through_the_stages() {
        let scored = |number, cosine, bm25| Candidate {
            cosine: Some(cosine),
            bm25,
            ..fixture::candidate(number)
        };
        let mut third = scored(3, 0.2, None);
        third.neighbours = [Some(1), None];
        let mut twin = scored(4, 0.1, None);
        twin.text_key = 2;
        let candidates = fixture::candidates(vec![
            scored(1, 0.5, None),
            scored(2, 0.4, Some(8.0)),
            third,
            twin,
        ]);
        let request = SelectionRequest {
            limit: Some(2),
            ..fixture::request(1000)
        };
        let selection = select(&candidates, &fixture::settings(), &request);
        let all = explain_all(&selection);
        // Own 0.25, 0.6, 0.1, 0.05; the third is lent 0.4·0.6.
        assert_eq!(
            all[1].ranks,
            Ranks {
                vector: Some(3),
                text: None,
                fused: Some(3),
                similarity: Some(2),
                score: Some(2),
                folded: Some(2),
                chosen: Some(2),
            }
        );
        let outcomes: Vec<Outcome> = all.iter().map(|e| e.outcome).collect();
        assert_eq!(
            outcomes,
            [
                Outcome::Chosen { rank: 1 },
                Outcome::Chosen { rank: 2 },
                Outcome::Outranked { limit: 2 },
                Outcome::Duplicate { of: fixture::id(2) },
            ]
        );
        assert_eq!(selection.chosen()[0].same_text, [fixture::id(4)]);
    }

    #[test]
    fn outcomes_are_flat_json_with_their_stage() {
        let json = serde_json::to_value(Outcome::Budget { tokens: 9, left: 3 }).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"stage": "budget", "tokens": 9, "left": 3})
        );
    }

    proptest! {
        #[test]
        fn every_candidate_has_one_outcome_and_agrees_with_the_result(
            candidates in any_candidates(), settings in any_settings(), request in any_request(),
        ) {
            let selection = select(&candidates, &settings, &request);
            let all = explain_all(&selection);
            let ids: HashSet<ContextId> = all.iter().map(|e| e.id).collect();
            prop_assert_eq!(all.len(), candidates.len());
            prop_assert_eq!(ids.len(), all.len());

            let chosen: Vec<(ContextId, f32, ScoreParts)> = all.iter()
                .filter(|e| matches!(e.outcome, Outcome::Chosen { .. }))
                .map(|e| (e.id, e.score, e.parts))
                .collect();
            let returned: Vec<(ContextId, f32, ScoreParts)> =
                selection.chosen().iter().map(|c| (c.id, c.score, c.parts)).collect();
            prop_assert_eq!(chosen, returned);

            for explanation in &all {
                let ranks = &explanation.ranks;
                prop_assert!((0.0..=1.0).contains(&explanation.score));
                match explanation.outcome {
                    Outcome::Chosen { rank } => prop_assert_eq!(ranks.chosen, Some(rank)),
                    Outcome::Level | Outcome::Filter => prop_assert_eq!(ranks, &Ranks::default()),
                    Outcome::Threshold { .. } => prop_assert!(ranks.score.is_none()),
                    Outcome::Duplicate { of } => {
                        prop_assert!(ranks.score.is_some() && ranks.folded.is_none());
                        let better = all.iter().find(|e| e.id == of).unwrap();
                        prop_assert!(better.ranks.score < ranks.score);
                        prop_assert!(better.ranks.folded.is_some());
                    }
                    Outcome::Budget { tokens, left } => prop_assert!(tokens > left),
                    Outcome::Outranked { limit } => {
                        prop_assert_eq!(Some(limit), request.limit);
                        prop_assert_eq!(selection.chosen().len(), limit);
                    }
                }
            }
            let best = selection.explain_best(3);
            let wanted: Vec<&Explanation> = all.iter().enumerate()
                .filter(|(at, e)| *at < 3 || matches!(e.outcome, Outcome::Chosen { .. }))
                .map(|(_, e)| e)
                .collect();
            prop_assert_eq!(best.iter().collect::<Vec<_>>(), wanted);
        }

        #[test]
        fn counts_and_ledger_add_up(
            candidates in any_candidates(), settings in any_settings(), request in any_request(),
        ) {
            let selection = select(&candidates, &settings, &request);
            let counts = selection.counts();
            prop_assert_eq!((counts.searched + counts.level + counts.filter) as usize, candidates.len());
            prop_assert_eq!(
                counts.searched,
                counts.threshold + counts.duplicate + counts.budget + counts.outranked + counts.chosen
            );
            let ledger = selection.ledger();
            prop_assert_eq!(ledger.budget, request.max_tokens);
            prop_assert_eq!(ledger.chosen.total(), u64::from(counts.chosen));
            let levels = ContextLevel::ALL.map(|level| *ledger.level(level));
            prop_assert_eq!(ledger.used, levels.iter().map(|l| l.used).sum::<u32>());
            prop_assert_eq!(counts.budget, levels.iter().map(|l| l.skipped).sum::<u32>());
            prop_assert!(levels.iter().map(|l| l.allotted).sum::<u32>() <= ledger.budget);
        }
    }
}
