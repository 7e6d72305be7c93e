//! The settings of retrieval. Their only defaults stand in `defaults.toml`.

use serde::{Deserialize, Serialize};

use super::RetrievalError;
use crate::context::ContextLevel;

/// How far shares and weights may miss a sum of 1, for decimals that binary fractions cannot hold.
const SUM_TOLERANCE: f64 = 1e-6;

/// `[hirag.retrieval_strategy]`: fusion, recency, and how the budget is shared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RetrievalStrategy {
    /// Share of the budget for L1, 0 to 1; the three shares sum to 1.
    pub l1_allocation: f64,
    /// Share of the budget for L2.
    pub l2_allocation: f64,
    /// Share of the budget for L3.
    pub l3_allocation: f64,
    /// Contexts to return from every level that has so many relevant ones, as far as they fit.
    pub min_contexts_per_level: u32,
    /// Weight of the vectors against the words in hybrid mode, 0 (words alone) to 1 (vectors alone).
    pub vector_weight: f64,
    /// Share of the better neighbour's similarity that a context is lent, 0 to 1.
    pub neighbour_weight: f64,
    /// Factor on the similarity of a context that holds the whole query as a phrase, 1 to 10.
    pub phrase_boost: f64,
    /// Days after which recency has fallen to 1/e; above 0.
    pub recency_tau_days: f64,
}

impl RetrievalStrategy {
    /// The share of the budget for `level`.
    #[must_use]
    pub fn allocation(&self, level: ContextLevel) -> f64 {
        self.allocations()[level.index()]
    }

    /// The shares of L1, L2 and L3.
    #[must_use]
    pub fn allocations(&self) -> [f64; 3] {
        [self.l1_allocation, self.l2_allocation, self.l3_allocation]
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`RetrievalError::Setting`] names the key, the value and the rule.
    pub fn validate(&self) -> Result<(), RetrievalError> {
        for (key, value) in [
            ("hirag.retrieval_strategy.l1_allocation", self.l1_allocation),
            ("hirag.retrieval_strategy.l2_allocation", self.l2_allocation),
            ("hirag.retrieval_strategy.l3_allocation", self.l3_allocation),
            ("hirag.retrieval_strategy.vector_weight", self.vector_weight),
            (
                "hirag.retrieval_strategy.neighbour_weight",
                self.neighbour_weight,
            ),
        ] {
            unit(key, value)?;
        }
        sums_to_one(
            "hirag.retrieval_strategy.l1_allocation + l2_allocation + l3_allocation",
            self.allocations().iter().sum(),
        )?;
        require(
            (1.0..=10.0).contains(&self.phrase_boost),
            "hirag.retrieval_strategy.phrase_boost",
            self.phrase_boost,
            "it must be between 1 and 10",
        )?;
        require(
            self.recency_tau_days > 0.0 && self.recency_tau_days.is_finite(),
            "hirag.retrieval_strategy.recency_tau_days",
            self.recency_tau_days,
            "it must be a number of days above 0",
        )
    }
}

/// `[hirag.ranking_weights]`: what the final score is made of. The weights sum to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RankingWeights {
    /// Weight of the relevance.
    pub similarity: f64,
    /// Weight of the recency.
    pub recency: f64,
    /// Weight of the level.
    pub level: f64,
    /// Weight of the access frequency.
    pub frequency: f64,
}

/// The name of one of the [`RankingWeights`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RankingWeight {
    /// `similarity`
    Similarity,
    /// `recency`
    Recency,
    /// `level`
    Level,
    /// `frequency`
    Frequency,
}

impl RankingWeight {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Similarity,
        Self::Recency,
        Self::Level,
        Self::Frequency,
    ];
}

impl RankingWeights {
    /// The weight of that name.
    #[must_use]
    pub fn get(&self, name: RankingWeight) -> f64 {
        match name {
            RankingWeight::Similarity => self.similarity,
            RankingWeight::Recency => self.recency,
            RankingWeight::Level => self.level,
            RankingWeight::Frequency => self.frequency,
        }
    }

    /// These weights with one set to `value` (0 to 1) and the others scaled alike, so that the sum
    /// is 1 again. Others that are all 0 share the rest equally.
    #[must_use]
    pub fn with(&self, name: RankingWeight, value: f64) -> Self {
        let others: f64 = RankingWeight::ALL
            .into_iter()
            .filter(|other| *other != name)
            .map(|other| self.get(other))
            .sum();
        let rest = 1.0 - value;
        let new = |other: RankingWeight| {
            if other == name {
                value
            } else if others > 0.0 {
                self.get(other) * rest / others
            } else {
                rest / 3.0
            }
        };
        Self {
            similarity: new(RankingWeight::Similarity),
            recency: new(RankingWeight::Recency),
            level: new(RankingWeight::Level),
            frequency: new(RankingWeight::Frequency),
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`RetrievalError::Setting`] names the key, the value and the rule.
    pub fn validate(&self) -> Result<(), RetrievalError> {
        for (key, value) in [
            ("hirag.ranking_weights.similarity", self.similarity),
            ("hirag.ranking_weights.recency", self.recency),
            ("hirag.ranking_weights.level", self.level),
            ("hirag.ranking_weights.frequency", self.frequency),
        ] {
            unit(key, value)?;
        }
        sums_to_one(
            "hirag.ranking_weights.similarity + recency + level + frequency",
            RankingWeight::ALL.into_iter().map(|w| self.get(w)).sum(),
        )
    }
}

/// Everything that decides what a query's candidates come to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RetrievalSettings {
    /// `hirag.relevance_threshold`: contexts whose similarity is below are dropped; 0 to 1.
    pub relevance_threshold: f64,
    /// `[hirag.retrieval_strategy]`
    pub strategy: RetrievalStrategy,
    /// `[hirag.ranking_weights]`
    pub weights: RankingWeights,
}

impl RetrievalSettings {
    /// Checks every value.
    ///
    /// # Errors
    /// [`RetrievalError::Setting`] names the key, the value and the rule.
    pub fn validate(&self) -> Result<(), RetrievalError> {
        unit("hirag.relevance_threshold", self.relevance_threshold)?;
        self.strategy.validate()?;
        self.weights.validate()
    }
}

fn unit(key: &'static str, value: f64) -> Result<(), RetrievalError> {
    require(
        (0.0..=1.0).contains(&value),
        key,
        value,
        "it must be between 0 and 1",
    )
}

fn sums_to_one(key: &'static str, sum: f64) -> Result<(), RetrievalError> {
    require(
        (sum - 1.0).abs() <= SUM_TOLERANCE,
        key,
        sum,
        "the sum must be 1",
    )
}

fn require(
    holds: bool,
    key: &'static str,
    value: f64,
    rule: &'static str,
) -> Result<(), RetrievalError> {
    if holds {
        Ok(())
    } else {
        Err(RetrievalError::Setting { key, value, rule })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::fixture::settings;
    use proptest::prelude::*;

    fn refused(change: impl FnOnce(&mut RetrievalSettings)) -> String {
        let mut settings = settings();
        change(&mut settings);
        let error = settings.validate().unwrap_err();
        assert_eq!(error.code(), "invalid_settings");
        error.to_string()
    }

    #[test]
    fn good_settings_pass() {
        assert_eq!(settings().validate(), Ok(()));
    }

    #[test]
    fn a_bad_value_is_refused_with_its_key_and_its_value() {
        let text = refused(|s| s.strategy.vector_weight = 1.5);
        assert!(text.contains("hirag.retrieval_strategy.vector_weight") && text.contains("1.5"));
        assert!(refused(|s| s.strategy.phrase_boost = 0.9).contains("phrase_boost"));
        assert!(refused(|s| s.strategy.recency_tau_days = 0.0).contains("recency_tau_days"));
        assert!(refused(|s| s.strategy.neighbour_weight = f64::NAN).contains("neighbour_weight"));
        assert!(refused(|s| s.relevance_threshold = -0.1).contains("relevance_threshold"));
        assert!(refused(|s| s.weights.level = -0.2).contains("ranking_weights.level"));
    }

    #[test]
    fn shares_and_weights_that_do_not_sum_to_one_are_refused() {
        assert!(refused(|s| s.strategy.l2_allocation = 0.5).contains("1.1"));
        assert!(refused(|s| s.weights.similarity = 0.9).contains("the sum must be 1"));
    }

    #[test]
    fn unknown_keys_are_refused() {
        let mut json = serde_json::to_value(settings()).unwrap();
        json["weights"]["novelty"] = 0.1.into();
        assert!(serde_json::from_value::<RetrievalSettings>(json).is_err());
    }

    #[test]
    fn one_changed_weight_leaves_the_others_in_proportion() {
        let weights = RankingWeights {
            similarity: 0.5,
            recency: 0.2,
            level: 0.2,
            frequency: 0.1,
        };
        let changed = weights.with(RankingWeight::Similarity, 0.75);
        assert!((changed.recency - 0.1).abs() < 1e-12);
        assert!((changed.frequency - 0.05).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn changed_weights_are_always_allowed(value in 0.0..=1.0, which in 0usize..4, all in 0usize..4) {
            let one = RankingWeights { similarity: 0.0, recency: 0.0, level: 0.0, frequency: 0.0 }
                .with(RankingWeight::ALL[all], 1.0);
            prop_assert_eq!(one.with(RankingWeight::ALL[which], value).validate(), Ok(()));
            prop_assert_eq!(settings().weights.with(RankingWeight::ALL[which], value).validate(), Ok(()));
        }
    }
}
