use serde::{Deserialize, Serialize};

use super::{ConfigError, require, sum_to_one, within};

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
    pub token_estimator: TokenEstimatorSettings,
    /// How candidates are scored and the budget is shared.
    pub retrieval_strategy: RetrievalStrategySettings,
    /// What the final order is made of.
    pub ranking_weights: RankingWeights,
}

/// How tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TokenEstimatorKind {
    /// By the tokenizer of OpenAI's models.
    Tiktoken,
    /// By characters.
    Chars,
    /// By words.
    Words,
}

/// The settings `[hirag.token_estimator]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct TokenEstimatorSettings {
    /// How tokens are counted.
    pub kind: TokenEstimatorKind,
    /// Characters a token has, for `chars`; 0.1 to 100.
    pub chars_per_token: f64,
    /// Tokens a word has, for `words`; 0.1 to 100.
    pub tokens_per_word: f64,
}

/// The settings `[hirag.retrieval_strategy]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct RetrievalStrategySettings {
    /// L1's share of the budget. The three shares sum to 1.
    pub l1_allocation: f64,
    /// L2's share of the budget.
    pub l2_allocation: f64,
    /// L3's share of the budget.
    pub l3_allocation: f64,
    /// Contexts of each level to return at least, where they exist and fit; 0 to 1000.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub min_contexts_per_level: usize,
    /// The vectors' part of the fused score, 0 to 1; the words' part is the rest.
    pub vector_weight: f64,
    /// The part of its better neighbour's score that a context gets, 0 to 1.
    pub neighbour_weight: f64,
    /// The factor for texts with the exact phrase, 1 to 10.
    pub phrase_boost: f64,
    /// Days after which recency has fallen to 1/e, 0.0007 (a minute) to 36500.
    pub recency_tau_days: f64,
}

/// The settings `[hirag.ranking_weights]`; they sum to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct RankingWeights {
    /// Of the relevance to the query.
    pub similarity: f64,
    /// Of the age.
    pub recency: f64,
    /// Of the level.
    pub level: f64,
    /// Of how often it was returned.
    pub frequency: f64,
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
        self.retrieval_strategy.validate()?;
        self.ranking_weights.validate()
    }
}

impl TokenEstimatorSettings {
    fn validate(&self) -> Result<(), ConfigError> {
        const RANGE: std::ops::RangeInclusive<f64> = 0.1..=100.0;
        within(
            "hirag.token_estimator.chars_per_token",
            self.chars_per_token,
            RANGE,
        )?;
        within(
            "hirag.token_estimator.tokens_per_word",
            self.tokens_per_word,
            RANGE,
        )
    }
}

impl RetrievalStrategySettings {
    /// Refuses values out of range, and shares that do not sum to 1.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        const SECTION: &str = "hirag.retrieval_strategy";
        let key = |name: &str| format!("{SECTION}.{name}");
        sum_to_one(
            SECTION,
            &[
                ("l1_allocation", self.l1_allocation),
                ("l2_allocation", self.l2_allocation),
                ("l3_allocation", self.l3_allocation),
            ],
        )?;
        within(
            &key("min_contexts_per_level"),
            self.min_contexts_per_level,
            0..=1_000,
        )?;
        within(&key("vector_weight"), self.vector_weight, 0.0..=1.0)?;
        within(&key("neighbour_weight"), self.neighbour_weight, 0.0..=1.0)?;
        within(&key("phrase_boost"), self.phrase_boost, 1.0..=10.0)?;
        // A τ of 0 would divide by zero; a minute is short enough.
        within(
            &key("recency_tau_days"),
            self.recency_tau_days,
            0.0007..=36_500.0,
        )
    }
}

impl RankingWeights {
    /// Refuses weights outside of 0 to 1, or that do not sum to 1.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        sum_to_one(
            "hirag.ranking_weights",
            &[
                ("similarity", self.similarity),
                ("recency", self.recency),
                ("level", self.level),
                ("frequency", self.frequency),
            ],
        )
    }
}
