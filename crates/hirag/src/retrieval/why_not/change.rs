use serde::{Deserialize, Serialize};

use super::super::{RankingWeight, RankingWeights, RetrievalSettings, SelectionRequest};
use crate::context::ContextLevel;

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// Search this level too.
    Level {
        /// The level.
        level: ContextLevel,
    },
    /// Let this context through the filter. What else a changed filter lets through is not known
    /// here, and may rank before it.
    Filter {
        /// The condition that excludes it, in words.
        condition: Option<String>,
    },
    /// Another relevance threshold: lower for a context below it, higher to drop others.
    Threshold {
        /// The threshold now.
        from: f64,
        /// The threshold that does.
        to: f64,
    },
    /// A larger budget.
    Tokens {
        /// `max_tokens` now.
        from: u32,
        /// `max_tokens` that does.
        to: u32,
    },
    /// A higher limit.
    Limit {
        /// The limit now.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        from: usize,
        /// The limit that does.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        to: usize,
    },
    /// Another ranking weight, the others scaled alike to sum to 1.
    Weight {
        /// Which one.
        name: RankingWeight,
        /// The weight now.
        from: f64,
        /// The weight that does.
        to: f64,
        /// All weights then.
        weights: RankingWeights,
    },
    /// Another weight of the vectors against the words.
    VectorWeight {
        /// The weight now.
        from: f64,
        /// The weight that does.
        to: f64,
    },
}

impl Change {
    /// Makes the change, as far as it is one of settings or request.
    pub(super) fn apply(&self, settings: &mut RetrievalSettings, request: &mut SelectionRequest) {
        match self {
            Self::Level { .. } | Self::Filter { .. } => {}
            Self::Threshold { to, .. } => settings.relevance_threshold = *to,
            Self::Tokens { to, .. } => request.max_tokens = *to,
            Self::Limit { to, .. } => request.limit = Some(*to),
            Self::Weight { weights, .. } => settings.weights = *weights,
            Self::VectorWeight { to, .. } => settings.strategy.vector_weight = *to,
        }
    }
}
