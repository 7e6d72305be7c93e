//! Why not this one: the stage that dropped a context, and the smallest changes that let it in.
//!
//! No change is guessed: each one given was tried on the same candidates.

mod budget;
mod case;
mod change;
mod lead;
mod threshold;
mod vector_weight;
mod weight;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::case::Case;
pub use self::change::Change;
use super::{
    Candidates, Explanation, Outcome, RankingWeight, RetrievalError, RetrievalSettings,
    SelectionRequest, select,
};
use crate::context::{ContextId, ContextLevel};

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
    /// Ranking weights that alone do not let it in, whatever their value to four decimals and with
    /// the others scaled alike. That holds for every value; it is computed, not sampled.
    pub ruled_out: Vec<RankingWeight>,
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
    /// Whether no smaller change of this kind does, of a weight to four decimals. `false` where not
    /// every smaller one was tried.
    pub smallest: bool,
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
        .facts
        .ids
        .iter()
        .position(|other| *other == id)
        .ok_or(RetrievalError::NotCompared(id))?;
    let selection = select(candidates, settings, request);
    let explanation = selection
        .explain_one(index)
        .ok_or(RetrievalError::NotCompared(id))?;
    let returned_as_another = matches!(explanation.outcome, Outcome::Duplicate { of }
        if selection.chosen().iter().any(|chosen| chosen.id == of));
    let mut why = WhyNot {
        explanation,
        returned_as_another,
        suggestions: Vec::new(),
        ruled_out: Vec::new(),
    };
    if !matches!(why.explanation.outcome, Outcome::Chosen { .. }) {
        let case = Case::new(candidates, settings, request, index);
        (why.suggestions, why.ruled_out) = case.answer(facts);
    }
    Ok(why)
}
