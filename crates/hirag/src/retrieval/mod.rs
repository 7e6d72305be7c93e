//! From a query to the best contexts inside a budget, with the reasons.

mod candidate;
mod error;
mod trace;

pub use candidate::{Candidate, Candidates, Exclusion};
pub use error::RetrievalError;
pub use trace::{LevelLedger, ScoreParts, StageTiming, TokenLedger, TraceId};
