//! Retrieval quality on a golden set: queries with the documents that answer them.
//!
//! The measures and the reading of the files; whoever retrieves feeds them.

mod error;
mod golden;
mod metrics;
mod report;

pub use error::EvalError;
pub use golden::{GoldenQuery, GoldenSet, Judgements, read_qrels, read_queries};
pub use metrics::{QueryScores, mrr, ndcg, recall, score};
pub use report::{EvalReport, EvalRun, LatencyMs};
