use serde::{Deserialize, Serialize};

use super::{ConfigError, Period, Ttl, require};

/// The settings `[levels]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct LevelsSettings {
    /// Accesses that promote a context from L2 to L3; 0 is never.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub promotion: u64,
    /// How long L2 keeps a context.
    pub l2_ttl: Ttl,
    /// How long L3 keeps a context.
    pub l3_ttl: Ttl,
    /// Time between two runs of the clean-up, 1 second at least.
    pub gc_interval: Period,
    /// Time between the mark and the purge, in which `undo` brings back.
    pub purge_after: Period,
}

impl LevelsSettings {
    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require(
            self.gc_interval >= Period::from_secs(1),
            "levels.gc_interval",
            format!("\"{}\"", self.gc_interval),
            "must be at least 1s",
        )
    }
}
