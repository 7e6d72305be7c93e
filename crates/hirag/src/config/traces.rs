use serde::{Deserialize, Serialize};

use super::{ConfigError, Ttl, within};

/// The settings `[traces]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct TracesSettings {
    /// Traces kept at most, 0 to a million.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub keep: usize,
    /// How long a trace is kept.
    pub max_age: Ttl,
    /// Candidates of a trace kept at most, 1 to 100000; `explain` keeps all.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub max_candidates: usize,
    /// Millions of bytes that all traces take at most, 1 to 100000.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub max_mb: u64,
}

impl TracesSettings {
    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within("traces.keep", self.keep, 0..=1_000_000)?;
        within("traces.max_candidates", self.max_candidates, 1..=100_000)?;
        within("traces.max_mb", self.max_mb, 1..=100_000)
    }
}
