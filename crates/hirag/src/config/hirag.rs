use serde::{Deserialize, Serialize};

use super::{ConfigError, require, sum_to_one, within};
use crate::retrieval::{RankingWeights, RetrievalStrategy};
use crate::tokens::TokenSettings;

/// The settings `[hirag]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct HiragSettings {
    /// Contexts in the working set at most, 1 to 10000.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub l1_size: usize,
    /// Contexts in L2 at most, 1 to 100 million.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub l2_size: usize,
    /// Whether L3 is searched and stored into.
    pub l3_enabled: bool,
    /// Tokens that a retrieval returns at most when it does not say.
    pub max_context_tokens: u32,
    /// Tokens that a retrieval may ask for at most.
    pub max_tokens_limit: u32,
    /// Relevance below which a context is dropped, 0 to 1.
    pub relevance_threshold: f64,
    /// How tokens are counted.
    pub token_estimator: TokenSettings,
    /// How candidates are scored and the budget is shared.
    pub retrieval_strategy: RetrievalStrategy,
    /// What the final order is made of.
    pub ranking_weights: RankingWeights,
}

impl HiragSettings {
    /// Refuses values out of range, and shares or weights that do not sum to 1.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within("hirag.l1_size", self.l1_size, 1..=10_000)?;
        within("hirag.l2_size", self.l2_size, 1..=100_000_000)?;
        within(
            "hirag.max_tokens_limit",
            self.max_tokens_limit,
            1..=100_000_000,
        )?;
        require(
            (1..=self.max_tokens_limit).contains(&self.max_context_tokens),
            "hirag.max_context_tokens",
            self.max_context_tokens,
            &format!(
                "must be between 1 and `hirag.max_tokens_limit` ({})",
                self.max_tokens_limit
            ),
        )?;
        within(
            "hirag.relevance_threshold",
            self.relevance_threshold,
            0.0..=1.0,
        )?;
        self.token_estimator.validate()?;
        check_strategy(&self.retrieval_strategy)?;
        check_weights(&self.ranking_weights)
    }
}

/// Refuses values out of range, and shares that do not sum to 1.
fn check_strategy(settings: &RetrievalStrategy) -> Result<(), ConfigError> {
    const SECTION: &str = "hirag.retrieval_strategy";
    let key = |name: &str| format!("{SECTION}.{name}");
    sum_to_one(
        SECTION,
        &[
            ("l1_allocation", settings.l1_allocation),
            ("l2_allocation", settings.l2_allocation),
            ("l3_allocation", settings.l3_allocation),
        ],
    )?;
    within(
        &key("min_contexts_per_level"),
        settings.min_contexts_per_level,
        0..=1_000,
    )?;
    within(&key("vector_weight"), settings.vector_weight, 0.0..=1.0)?;
    within(
        &key("neighbour_weight"),
        settings.neighbour_weight,
        0.0..=1.0,
    )?;
    within(&key("phrase_boost"), settings.phrase_boost, 1.0..=10.0)?;
    // A τ of 0 would divide by zero; a minute is short enough.
    within(
        &key("recency_tau_days"),
        settings.recency_tau_days,
        0.0007..=36_500.0,
    )
}

/// Refuses weights outside of 0 to 1, or that do not sum to 1.
fn check_weights(settings: &RankingWeights) -> Result<(), ConfigError> {
    sum_to_one(
        "hirag.ranking_weights",
        &[
            ("similarity", settings.similarity),
            ("recency", settings.recency),
            ("level", settings.level),
            ("frequency", settings.frequency),
        ],
    )
}
