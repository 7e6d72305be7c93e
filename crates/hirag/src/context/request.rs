use serde::{Deserialize, Serialize};

use super::{Context, ContextId, ContextLevel, Filter, Priority};
use crate::retrieval::{ScoreParts, StageTiming, TokenLedger, TraceId};

/// How candidates are found and scored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// By vectors and by words.
    #[default]
    Hybrid,
    /// By vectors alone.
    Vector,
    /// By words alone.
    Text,
}

/// What to retrieve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ContextRequest {
    /// The query, in words.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 16_384,
            example = "who keeps the deploy key?"
        )
    )]
    pub query: String,
    /// Tokens to return at most; `None` is `hirag.max_context_tokens`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, example = 2_000))]
    pub max_tokens: Option<u32>,
    /// Contexts to return at most; `None` is as many as fit.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, example = 10))]
    pub limit: Option<usize>,
    /// Levels to search; empty is all.
    #[serde(default)]
    pub levels: Vec<ContextLevel>,
    /// Conditions.
    #[serde(default)]
    pub filter: Filter,
    /// By vectors, by words, or both.
    #[serde(default)]
    pub mode: SearchMode,
    /// Its place in the embedding queue.
    #[serde(default = "query_priority")]
    pub priority: Priority,
    /// Whether the trace keeps every candidate, those outside the levels and the filter too.
    #[serde(default)]
    pub explain: bool,
    /// Whether every context is compared exactly, however long it takes. In a large store, only the
    /// best by an estimate are otherwise.
    #[serde(default)]
    pub exact: bool,
}

fn query_priority() -> Priority {
    Priority::High
}

impl ContextRequest {
    /// A request with everything but the query left to the defaults.
    #[must_use]
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            max_tokens: None,
            limit: None,
            levels: Vec::new(),
            filter: Filter::default(),
            mode: SearchMode::default(),
            priority: query_priority(),
            explain: false,
            exact: false,
        }
    }
}

/// What a retrieval had to do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Degradation {
    /// The query could not be embedded; found by full text alone.
    Embedding,
    /// The stored vectors belong to another model than the configured one.
    Model,
}

/// One number a level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LevelCounts {
    /// L1.
    #[serde(rename = "Immediate")]
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub immediate: u64,
    /// L2.
    #[serde(rename = "ShortTerm")]
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub short_term: u64,
    /// L3.
    #[serde(rename = "LongTerm")]
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub long_term: u64,
}

impl LevelCounts {
    /// The number of `level`.
    #[must_use]
    pub fn get(&self, level: ContextLevel) -> u64 {
        match level {
            ContextLevel::Immediate => self.immediate,
            ContextLevel::ShortTerm => self.short_term,
            ContextLevel::LongTerm => self.long_term,
        }
    }

    /// The number of `level`, to change.
    pub fn get_mut(&mut self, level: ContextLevel) -> &mut u64 {
        match level {
            ContextLevel::Immediate => &mut self.immediate,
            ContextLevel::ShortTerm => &mut self.short_term,
            ContextLevel::LongTerm => &mut self.long_term,
        }
    }

    /// All levels together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.immediate + self.short_term + self.long_term
    }
}

/// A context that a retrieval returned, with the reasons.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetrievedContext {
    /// The context.
    #[serde(flatten)]
    pub context: Context,
    /// Its place, from 1.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub rank: usize,
    /// The final score, 0 to 1.
    pub score: f32,
    /// What the score is made of.
    pub parts: ScoreParts,
    /// Other contexts with the same text, folded into this one.
    pub same_text: Vec<ContextId>,
}

/// The answer to a [`ContextRequest`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContextResponse {
    /// The contexts, best first.
    pub contexts: Vec<RetrievedContext>,
    /// Their tokens together; never over the budget.
    pub total_tokens: u32,
    /// Milliseconds, the query's embedding included.
    pub retrieval_time_ms: f64,
    /// About the retrieval.
    pub metadata: RetrievalMetadata,
}

/// Facts about one retrieval.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RetrievalMetadata {
    /// The trace, to look at later.
    pub trace_id: TraceId,
    /// By vectors, by words, or both.
    pub mode: SearchMode,
    /// What it had to do without; empty when nothing.
    pub degraded: Vec<Degradation>,
    /// Contexts returned from each level.
    pub level_distribution: LevelCounts,
    /// Mean similarity of the returned contexts; 0 when there are none.
    pub average_relevance: f32,
    /// Caches that answered, e.g. the query's vector from memory.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub cache_hits: u64,
    /// Contexts that were compared with the query.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub total_searched: u64,
    /// The budget: allotted, used and skipped.
    pub ledger: TokenLedger,
    /// Where the time went.
    pub timings: Vec<StageTiming>,
}
