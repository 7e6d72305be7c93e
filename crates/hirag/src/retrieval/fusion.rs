//! Relevance: what the vectors, the words and the neighbours say together.
//!
//! Scores are brought to 0..1 and summed by weight, because a weighted sum keeps how much better
//! one match is than another, which ranks throw away (Bruch, Gai, Ingber: *An Analysis of Fusion
//! Functions for Hybrid Retrieval*, 2023).

use super::facts::some;
use super::{Candidates, RetrievalStrategy};
use crate::context::SearchMode;

/// A cosine as a score: opposite directions say no more than unrelated ones.
pub(super) fn vector_score(cosine: f32) -> f32 {
    cosine.clamp(0.0, 1.0)
}

/// BM25 as a share of the most that any text could have for the same words: it means the same
/// for every query, so that a threshold can be set on it.
pub(super) fn text_score(bm25: f32, bound: f32) -> f32 {
    if bound > 0.0 {
        (bm25 / bound).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// The weighted sum of hybrid mode.
pub(super) fn weigh(vector: f32, text: f32, vector_weight: f32) -> f32 {
    vector_weight * vector + (1.0 - vector_weight) * text
}

/// What a neighbour lends: a share of the way up to its own score. Evidence lies around the words
/// that match, so a turn next to a good match is likely part of the answer; but it is never lifted
/// above that match, and one that is as good already gains nothing. Unlike a plain sum, this
/// leaves contexts with and without a session comparable.
fn lift(own: f32, neighbour: f32, share: f32) -> f32 {
    share * (neighbour - own).max(0.0)
}

/// The relevance of every candidate of one query.
#[derive(Debug)]
pub(super) struct Fusion {
    mode: SearchMode,
    vector_weight: f32,
    neighbour_weight: f32,
    phrase_boost: f32,
    bm25_bound: f32,
    /// The mean vector score of the candidates that have a vector and match words: stands in for
    /// the vector of those that match words and wait for theirs, which neither gains nor loses by
    /// waiting. `None` without any: then words alone decide.
    typical_vector: Option<f32>,
    /// Vectors and words together, before neighbours and phrase.
    own: Vec<f32>,
    /// The same for neighbours to take from: 0 for contexts outside of the search. Empty where all
    /// are inside.
    lends: Vec<f32>,
}

impl Fusion {
    pub(super) fn new(
        candidates: &Candidates,
        strategy: &RetrievalStrategy,
        mode: SearchMode,
    ) -> Self {
        let count = candidates.len();
        let mut fusion = Self {
            mode,
            vector_weight: strategy.vector_weight as f32,
            neighbour_weight: strategy.neighbour_weight as f32,
            phrase_boost: strategy.phrase_boost as f32,
            bm25_bound: candidates.bm25_bound,
            typical_vector: None,
            own: Vec::with_capacity(count),
            lends: Vec::new(),
        };
        let mut waiting = Vec::new();
        for index in 0..count {
            let vector = fusion.vector(candidates, index);
            let text = fusion.text(candidates, index);
            if vector.is_none() && text > 0.0 {
                waiting.push(index);
            }
            fusion.own.push(fusion.fuse(vector, text));
        }
        if !waiting.is_empty() {
            fusion.typical_vector = fusion.mean_vector_of_matches(candidates);
            for index in waiting {
                fusion.own[index] = fusion.fuse(None, fusion.text(candidates, index));
            }
        }
        if !candidates.excluded.is_empty() {
            let own = fusion.own.iter().enumerate();
            let lends = own.map(|(index, own)| match candidates.excluded(index) {
                None => *own,
                Some(_) => 0.0,
            });
            fusion.lends = lends.collect();
        }
        fusion
    }

    fn mean_vector_of_matches(&self, candidates: &Candidates) -> Option<f32> {
        let matching = (0..candidates.len()).filter(|&index| {
            self.text(candidates, index) > 0.0 && candidates.excluded(index).is_none()
        });
        let vectors = matching.filter_map(|index| self.vector(candidates, index));
        let (mut sum, mut count) = (0.0_f64, 0_u32);
        for vector in vectors {
            sum += f64::from(vector);
            count += 1;
        }
        (count > 0).then(|| (sum / f64::from(count)) as f32)
    }

    /// Score of the vectors; `None` without one, or where the mode does not look at it.
    pub(super) fn vector(&self, candidates: &Candidates, index: usize) -> Option<f32> {
        match self.mode {
            SearchMode::Text => None,
            SearchMode::Hybrid | SearchMode::Vector => candidates.cosine(index).map(vector_score),
        }
    }

    /// Score of the words; 0 where the mode does not look at them.
    pub(super) fn text(&self, candidates: &Candidates, index: usize) -> f32 {
        match self.mode {
            SearchMode::Vector => 0.0,
            SearchMode::Hybrid | SearchMode::Text => candidates
                .bm25(index)
                .map_or(0.0, |bm25| text_score(bm25, self.bm25_bound)),
        }
    }

    /// Whether the query as a phrase counts.
    pub(super) fn phrase(&self, candidates: &Candidates, index: usize) -> bool {
        candidates.phrase(index) && self.mode != SearchMode::Vector
    }

    /// Vectors and words together, before phrase and neighbours.
    pub(super) fn fused(&self, candidates: &Candidates, index: usize) -> f32 {
        self.fuse(self.vector(candidates, index), self.text(candidates, index))
    }

    fn fuse(&self, vector: Option<f32>, text: f32) -> f32 {
        match (self.mode, vector) {
            (SearchMode::Vector, vector) => vector.unwrap_or(0.0),
            (SearchMode::Text, _) => text,
            (SearchMode::Hybrid, Some(vector)) => weigh(vector, text, self.vector_weight),
            (SearchMode::Hybrid, None) if text > 0.0 => weigh(
                self.typical_vector.unwrap_or(text),
                text,
                self.vector_weight,
            ),
            (SearchMode::Hybrid, None) => 0.0,
        }
    }

    /// What the better neighbour of candidate `index` lends, 0 to 1: `neighbour_weight` of the way
    /// up to the one next to it, the square of that for the one after. Contexts outside of the
    /// search lend nothing.
    pub(super) fn lent(&self, candidates: &Candidates, index: usize) -> f32 {
        let (mut next_to, mut after_that) = (0.0_f32, 0.0_f32);
        let lends = match self.lends.is_empty() {
            true => &self.own,
            false => &self.lends,
        };
        for (side, next) in candidates.neighbours[index].iter().enumerate() {
            let Some(next) = some(*next)
                .map(|next| next as usize)
                .filter(|&n| n != index)
            else {
                continue;
            };
            let (Some(&lent), Some(beyond)) = (lends.get(next), candidates.neighbours.get(next))
            else {
                continue;
            };
            next_to = next_to.max(lent);
            // What is beyond one outside of the search is no neighbour.
            if let (None, Some(after)) = (candidates.excluded(next), some(beyond[side]))
                && let Some(&lends) = lends.get(after as usize)
            {
                after_that = after_that.max(lends);
            }
        }
        let (own, share) = (self.own[index], self.neighbour_weight);
        lift(own, next_to, share).max(lift(own, after_that, share * share))
    }

    /// The relevance of candidate `index`, 0 to 1; `None` where nothing speaks for it: no similar
    /// vector, no word and no neighbour.
    pub(super) fn similarity(&self, candidates: &Candidates, index: usize) -> Option<f32> {
        let lent = self.lent(candidates, index);
        let own = self.own[index];
        let evidence = own > 0.0
            || lent > 0.0
            // Weights of 0 hide what speaks for it.
            || self.text(candidates, index) > 0.0
            || self.vector(candidates, index).is_some_and(|v| v > 0.0);
        evidence.then(|| {
            let similarity = own + lent;
            if self.phrase(candidates, index) {
                (similarity * self.phrase_boost).min(1.0)
            } else {
                similarity.min(1.0)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::fixture::{candidate, settings};
    use crate::retrieval::{Candidate, Exclusion};

    /// Vector weight 0.5, neighbour weight 0.4, phrase boost 1.2, bound 10.
    fn fuse(items: &[Candidate], mode: SearchMode) -> Vec<Option<f32>> {
        let candidates = Candidates {
            bm25_bound: 10.0,
            ..items.iter().copied().collect()
        };
        let fusion = Fusion::new(&candidates, &settings().strategy, mode);
        (0..items.len())
            .map(|i| fusion.similarity(&candidates, i))
            .collect()
    }

    fn close(found: Option<f32>, wanted: f32) -> bool {
        found.is_some_and(|found| (found - wanted).abs() < 1e-6)
    }

    fn scored(cosine: Option<f32>, bm25: Option<f32>) -> Candidate {
        Candidate {
            cosine,
            bm25,
            ..candidate(1)
        }
    }

    #[test]
    fn hybrid_weighs_vector_and_words() {
        let found = fuse(&[scored(Some(0.6), Some(4.0))], SearchMode::Hybrid);
        assert!(close(found[0], 0.5 * 0.6 + 0.5 * 0.4));
    }

    #[test]
    fn one_mode_alone_ignores_the_other_score() {
        let items = [scored(Some(0.6), Some(4.0))];
        assert!(close(fuse(&items, SearchMode::Vector)[0], 0.6));
        assert!(close(fuse(&items, SearchMode::Text)[0], 0.4));
    }

    #[test]
    fn without_the_querys_vector_words_alone_decide() {
        let found = fuse(
            &[scored(None, Some(4.0)), scored(None, Some(8.0))],
            SearchMode::Hybrid,
        );
        assert!(close(found[0], 0.4) && close(found[1], 0.8));
    }

    #[test]
    fn a_pending_vector_counts_like_those_of_other_matches() {
        let found = fuse(
            &[
                scored(Some(0.2), Some(4.0)),
                scored(Some(0.4), Some(4.0)),
                scored(Some(0.9), None),
                scored(None, Some(8.0)),
            ],
            SearchMode::Hybrid,
        );
        assert!(close(found[3], 0.5 * 0.3 + 0.5 * 0.8));
    }

    #[test]
    fn a_phrase_is_boosted_but_never_above_one() {
        let phrase = |cosine, bm25| Candidate {
            phrase: true,
            ..scored(Some(cosine), Some(bm25))
        };
        let found = fuse(&[phrase(0.6, 4.0), phrase(1.0, 9.9)], SearchMode::Hybrid);
        assert!(close(found[0], 0.6) && close(found[1], 1.0));
    }

    #[test]
    fn the_better_neighbour_lends_a_share_of_its_own_score() {
        let mut middle = scored(Some(0.1), None);
        middle.neighbours = [Some(0), Some(2)];
        let items = [
            scored(Some(0.4), None),
            middle,
            scored(Some(0.8), Some(10.0)),
        ];
        let found = fuse(&items, SearchMode::Hybrid);
        assert!(close(found[1], 0.05 + 0.4 * (0.9 - 0.05)));
        assert!(close(found[0], 0.2), "no neighbour, no change");
    }

    #[test]
    fn a_context_outside_of_the_search_lends_nothing() {
        let mut first = scored(Some(0.1), None);
        first.neighbours = [None, Some(1)];
        let mut second = scored(Some(0.8), None);
        second.excluded = Some(Exclusion::Filter);
        assert!(close(fuse(&[first, second], SearchMode::Hybrid)[0], 0.05));
    }

    #[test]
    fn nothing_that_speaks_for_it_is_no_similarity() {
        let items = [scored(Some(-0.3), None), scored(None, None)];
        assert_eq!(fuse(&items, SearchMode::Hybrid), [None, None]);
        assert_eq!(fuse(&[scored(None, Some(3.0))], SearchMode::Vector), [None]);
    }

    #[test]
    fn impossible_numbers_never_reach_a_score() {
        let mut odd = scored(Some(f32::NAN), Some(f32::NAN));
        odd.neighbours = [Some(0), Some(99)];
        let items = [odd, scored(Some(7.0), Some(f32::INFINITY))];
        let found = fuse(&items, SearchMode::Hybrid);
        assert_eq!(found[0], None);
        assert!(close(found[1], 1.0));
    }
}
