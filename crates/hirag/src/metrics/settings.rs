use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, Period, require, within};

/// The settings `[metrics]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct MetricsSettings {
    /// Milliseconds from which an operation is slow, at most a day; 0 calls every one slow.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub slow_ms: u64,
    /// Milliseconds from which a statement of the database is slow, at most a day; 0 calls every one
    /// slow.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub slow_statement_ms: u64,
    /// Megabytes (2²⁰ bytes) of this process from which a warning is logged; 0 is never.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub memory_warning_mb: u64,
    /// Megabytes (2²⁰ bytes) that this process is to stay below. At 80 % of them it is told, and the
    /// caches in memory shrink; 0 is no limit.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub memory_limit_mb: u64,
    /// Time between two looks at the process, 1 second to 1 day.
    pub watch_interval: Period,
}

impl MetricsSettings {
    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within("metrics.slow_ms", self.slow_ms, 0..=86_400_000)?;
        within(
            "metrics.slow_statement_ms",
            self.slow_statement_ms,
            0..=86_400_000,
        )?;
        within(
            "metrics.memory_warning_mb",
            self.memory_warning_mb,
            0..=1 << 30,
        )?;
        within("metrics.memory_limit_mb", self.memory_limit_mb, 0..=1 << 30)?;
        require(
            (Period::from_secs(1)..=Period::from_secs(86_400)).contains(&self.watch_interval),
            "metrics.watch_interval",
            format!("\"{}\"", self.watch_interval),
            "must be between 1s and 1d",
        )
    }
}
