//! The candidates of a search, kept to be ranked by other settings without searching again.

use std::fmt;
use std::sync::Arc;

use super::{
    Candidates, Chosen, Explanation, RankingWeights, RetrievalError, RetrievalSettings,
    RetrievalStrategy, Selection, SelectionRequest, select,
};

/// What to rank by instead; `None` is as the search was.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct OtherSettings {
    /// Other weights.
    pub weights: Option<RankingWeights>,
    /// Another fusion, recency and sharing of the budget.
    pub strategy: Option<RetrievalStrategy>,
    /// Another relevance that is needed.
    pub relevance_threshold: Option<f64>,
    /// Another budget.
    pub max_tokens: Option<u32>,
}

/// A search whose candidates are still there.
#[derive(Clone)]
pub struct Rerankable {
    candidates: Arc<Candidates>,
    settings: RetrievalSettings,
    request: SelectionRequest,
    chosen: Vec<Chosen>,
    max_tokens_limit: u32,
}

/// The candidates are too many to show.
impl fmt::Debug for Rerankable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rerankable")
            .field("candidates", &self.candidates())
            .field("settings", &self.settings)
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

impl Rerankable {
    /// The search that came to `selection`; a budget is at most `max_tokens_limit`.
    #[must_use]
    pub fn of(selection: &Selection, max_tokens_limit: u32) -> Self {
        Self {
            candidates: Arc::clone(&selection.ranking.candidates),
            settings: *selection.settings(),
            request: *selection.request(),
            chosen: selection.chosen().to_vec(),
            max_tokens_limit,
        }
    }

    /// How many candidates it holds.
    #[must_use]
    pub fn candidates(&self) -> usize {
        self.candidates.len()
    }

    /// What the search chose, best first.
    #[must_use]
    pub fn before(&self) -> &[Chosen] {
        &self.chosen
    }

    /// What became of the `count` best candidates and of all that were chosen, as
    /// [`Selection::explain_best`] tells.
    #[must_use]
    pub fn reasons(&self, count: usize) -> Vec<Explanation> {
        select(&self.candidates, &self.settings, &self.request).explain_best(count)
    }

    /// What it would have chosen with other settings, at the same moment. Takes milliseconds for
    /// a hundred thousand candidates.
    ///
    /// # Errors
    /// [`RetrievalError`] for a setting that is not allowed.
    pub fn rank(&self, other: &OtherSettings) -> Result<Selection, RetrievalError> {
        let settings = RetrievalSettings {
            relevance_threshold: other
                .relevance_threshold
                .unwrap_or(self.settings.relevance_threshold),
            strategy: other.strategy.unwrap_or(self.settings.strategy),
            weights: other.weights.unwrap_or(self.settings.weights),
        };
        settings.validate()?;
        let given = other.max_tokens.unwrap_or(self.request.max_tokens);
        if given == 0 || given > self.max_tokens_limit {
            return Err(RetrievalError::Budget {
                given,
                limit: self.max_tokens_limit,
            });
        }
        let request = SelectionRequest {
            max_tokens: given,
            ..self.request
        };
        Ok(select(&self.candidates, &settings, &request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::Candidate;
    use crate::retrieval::fixture::{candidate, candidates, id, request, settings};

    /// The first is more similar, the second was used more.
    fn kept() -> Rerankable {
        let items = vec![
            Candidate {
                cosine: Some(0.9),
                ..candidate(1)
            },
            Candidate {
                cosine: Some(0.6),
                access_count: 100,
                ..candidate(2)
            },
        ];
        let selection = select(&candidates(items), &settings(), &request(1_000));
        Rerankable::of(&selection, 1_000)
    }

    fn weights(similarity: f64, frequency: f64) -> OtherSettings {
        OtherSettings {
            weights: Some(RankingWeights {
                similarity,
                frequency,
                recency: 0.0,
                level: 0.0,
            }),
            ..OtherSettings::default()
        }
    }

    fn order(selection: &Selection) -> Vec<crate::context::ContextId> {
        selection.chosen().iter().map(|chosen| chosen.id).collect()
    }

    #[test]
    fn other_weights_give_another_order_of_the_same_candidates() {
        let kept = kept();
        let similar = kept.rank(&weights(1.0, 0.0)).unwrap();
        assert_eq!(order(&similar), [id(1), id(2)]);
        let used = kept.rank(&weights(0.0, 1.0)).unwrap();
        assert_eq!(order(&used), [id(2), id(1)]);
    }

    #[test]
    fn nothing_else_is_what_the_search_chose() {
        let kept = kept();
        let again = kept.rank(&OtherSettings::default()).unwrap();
        assert_eq!(again.chosen(), kept.before());
    }

    #[test]
    fn what_no_search_may_ask_for_is_refused_here_too() {
        let kept = kept();
        assert!(kept.rank(&weights(0.9, 0.9)).is_err());
        for max_tokens in [0, 1_001] {
            let other = OtherSettings {
                max_tokens: Some(max_tokens),
                ..OtherSettings::default()
            };
            assert_eq!(kept.rank(&other).unwrap_err().code(), "invalid_budget");
        }
    }
}
