//! Which contexts of a large store are worth being ranked.
//!
//! Ranking all of a million contexts takes longer than finding those that can come to anything. So
//! each gets a rough score, of the estimate of its cosine and of its words: that of the ranking,
//! without neighbours, phrase and fold. The best are candidates, with what stands around them in their
//! sessions; the others are counted.

use super::facts::Facts;
use super::fusion::{text_score, vector_score, weigh};
use super::ranking::Scorer;
use super::{RetrievalSettings, SelectionRequest};
use crate::context::SearchMode;

/// Candidates for each context that is likely returned, and at least. What is lost by it is measured:
/// see decision 6.
const FOR_EACH: usize = 16;
const AT_LEAST: usize = 2_048;
/// The best of every level that are candidates at least: a level has its minimum, wherever its best
/// contexts rank.
const OF_A_LEVEL: usize = 64;
/// Of so many contexts, one at most is a candidate: with more, all of them may as well be.
const ONE_IN: usize = 4;

/// How to choose candidates: by what they are ranked by then.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shortlisting {
    /// The settings of the ranking.
    pub settings: RetrievalSettings,
    /// What the selection is asked for.
    pub request: SelectionRequest,
}

impl Shortlisting {
    /// How many of `searched` contexts, of so many tokens on average, are candidates; `None` for all.
    pub(crate) fn count(&self, searched: usize, average_tokens: f32) -> Option<usize> {
        let fit = self.request.max_tokens as f32 / average_tokens.max(1.0);
        let returned = self.request.limit.unwrap_or(usize::MAX).min(fit as usize);
        let count = returned.saturating_mul(FOR_EACH).max(AT_LEAST);
        (count <= searched / ONE_IN).then_some(count)
    }

    /// The best of every level that are candidates.
    pub(crate) fn of_a_level(&self) -> usize {
        let minimum = self.settings.strategy.min_contexts_per_level as usize;
        minimum.saturating_mul(FOR_EACH).max(OF_A_LEVEL)
    }

    /// What gives rough scores; of words, `bound` is the largest score.
    pub(crate) fn rough(&self, bound: f32) -> Rough {
        Rough {
            mode: self.request.mode,
            vector_weight: self.settings.strategy.vector_weight as f32,
            bound,
            scorer: Scorer::new(&self.settings, self.request.now_ms),
        }
    }
}

/// Gives rough scores.
pub(crate) struct Rough {
    mode: SearchMode,
    vector_weight: f32,
    bound: f32,
    scorer: Scorer,
}

impl Rough {
    /// Vectors and words together; `cosine` is not a number where there is none. 0 where nothing
    /// speaks for it.
    pub(crate) fn similarity(&self, cosine: f32, bm25: f32) -> f32 {
        let text = text_score(bm25, self.bound);
        match self.mode {
            SearchMode::Text => text,
            // A vector that is not there is no larger than 0.
            SearchMode::Vector => vector_score(cosine).max(0.0),
            SearchMode::Hybrid if cosine.is_nan() => text,
            SearchMode::Hybrid => weigh(vector_score(cosine), text, self.vector_weight),
        }
    }

    /// The most that a context of some similarity can come to.
    pub(crate) fn most(&self, similarity: f32) -> f32 {
        self.scorer.most(similarity)
    }

    /// What the context at `index` comes to.
    pub(crate) fn score(&self, facts: &Facts, index: usize, similarity: f32) -> f32 {
        self.scorer.score(facts, index, similarity)
    }
}
