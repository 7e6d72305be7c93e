//! The record of one retrieval.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Explanation, RetrievalError, RetrievalSettings, StageCounts};
use crate::context::{
    ContextId, ContextLevel, ContextRequest, Degradation, LevelCounts, SearchMode,
};

/// The id of a trace: a UUID of version 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct TraceId(ContextId);

impl TraceId {
    /// A new id for a retrieval at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(ContextId::new(now))
    }

    /// The id's sixteen bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TraceId {
    type Err = RetrievalError;

    fn from_str(s: &str) -> Result<Self, RetrievalError> {
        s.parse()
            .map(Self)
            .map_err(|_| RetrievalError::UnknownTrace(s.to_owned()))
    }
}

/// What a final score is made of; every part lies between 0 and 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)] // Traces of before a part was told of are read too.
pub struct ScoreParts {
    /// Similarity of the vectors; `None` without a vector on either side.
    pub vector: Option<f32>,
    /// Match of the words; 0 where none matches.
    pub text: f32,
    /// Share of the query's words, without its stop words, that stand in the text. For people: the
    /// score counts the words by their rarity, in `text`.
    pub overlap: f32,
    /// What the better neighbour in the session lends.
    pub neighbour: f32,
    /// Whether the whole query stands in the text as a phrase.
    pub phrase: bool,
    /// All of the above fused: the relevance.
    pub similarity: f32,
    /// `exp(-age/τ)`.
    pub recency: f32,
    /// 1.0, 0.7 or 0.5 by the level.
    pub level: f32,
    /// `log(1+n)/log(101)` of the access count, at most 1.
    pub frequency: f32,
}

/// Milliseconds that one stage of a retrieval took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StageTiming {
    /// The stage.
    pub stage: String,
    /// Milliseconds.
    pub ms: f64,
}

/// The budget of one level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LevelLedger {
    /// Tokens that its share allots.
    pub allotted: u32,
    /// Tokens that it used, shares of other levels included.
    pub used: u32,
    /// Contexts skipped because they did not fit.
    pub skipped: u32,
    /// Tokens of the skipped contexts.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub skipped_tokens: u64,
}

/// The budget of one retrieval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenLedger {
    /// Tokens that could be returned.
    pub budget: u32,
    /// Tokens returned.
    pub used: u32,
    /// L1.
    pub immediate: LevelLedger,
    /// L2.
    pub short_term: LevelLedger,
    /// L3.
    pub long_term: LevelLedger,
    /// Contexts chosen from each level.
    pub chosen: LevelCounts,
}

impl TokenLedger {
    /// The part of `level`.
    #[must_use]
    pub fn level(&self, level: ContextLevel) -> &LevelLedger {
        match level {
            ContextLevel::Immediate => &self.immediate,
            ContextLevel::ShortTerm => &self.short_term,
            ContextLevel::LongTerm => &self.long_term,
        }
    }
}

/// The record of one retrieval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trace {
    /// The id.
    pub id: TraceId,
    /// When the request came in.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub time: Timestamp,
    /// What was asked for.
    pub request: ContextRequest,
    /// How candidates were scored in the end: words alone where the query had no vector.
    pub mode: SearchMode,
    /// The settings that were used.
    pub settings: RetrievalSettings,
    /// What the retrieval had to do without; empty when nothing.
    pub degraded: Vec<Degradation>,
    /// Tokens returned.
    pub total_tokens: u32,
    /// Milliseconds, the query's embedding included.
    pub retrieval_time_ms: f64,
    /// Where the time went.
    pub timings: Vec<StageTiming>,
    /// How many candidates each stage kept and dropped; of all, however many are listed below.
    pub counts: StageCounts,
    /// The budget: allotted, used and skipped.
    pub ledger: TokenLedger,
    /// Whether `candidates` are all there were, those outside of the search too.
    pub complete: bool,
    /// What became of the candidates, best first.
    pub candidates: Vec<Explanation>,
}

impl Trace {
    /// What became of one context; `None` if it is not listed.
    #[must_use]
    pub fn explanation(&self, id: ContextId) -> Option<&Explanation> {
        self.candidates.iter().find(|candidate| candidate.id == id)
    }
}
