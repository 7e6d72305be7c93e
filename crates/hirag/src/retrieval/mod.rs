//! From a query to the best contexts inside a budget, with the reasons.
//!
//! Everything here is a pure function of [`Candidates`], [`RetrievalSettings`] and a
//! [`SelectionRequest`]: fusion → ranking → fold → budget, put together by [`select`]. The same
//! path serves a retrieval, its explanation and [`why_not`], so that they cannot disagree.

mod budget;
mod candidate;
mod error;
mod explain;
mod facts;
#[cfg(test)]
mod fixture;
mod fold;
mod fusion;
mod order;
mod pipeline;
mod places;
mod ranking;
mod rerank;
mod settings;
mod shortlist;
mod trace;
mod why_not;

pub use candidate::{Candidate, Candidates, Exclusion};
pub use error::RetrievalError;
pub use explain::{Explanation, Outcome, Ranks, StageCounts};
pub(crate) use facts::{Fact, Facts, NONE, some};
pub use pipeline::{Chosen, Selection, SelectionRequest, select};
pub use ranking::Ranking;
pub use rerank::{OtherSettings, Rerankable};
pub use settings::{RankingWeight, RankingWeights, RetrievalSettings, RetrievalStrategy};
pub(crate) use shortlist::Rough;
pub use shortlist::Shortlisting;
pub use trace::{LevelLedger, ScoreParts, StageTiming, TokenLedger, Trace, TraceId};
pub use why_not::{Change, SearchFacts, Suggestion, WhyNot, why_not};
