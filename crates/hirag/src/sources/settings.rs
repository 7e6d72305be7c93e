use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, Period, require, within};

/// The settings `[sources]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SourcesSettings {
    /// Whether sources are watched at all while a window or a server runs.
    pub watch: bool,
    /// Milliseconds without a change before a changed folder is read, 10 to 60,000.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub settle_ms: u64,
    /// Time between two runs of a source that cannot be watched, 1 second to 1 day.
    pub poll_interval: Period,
}

impl SourcesSettings {
    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within("sources.settle_ms", self.settle_ms, 10..=60_000)?;
        require(
            (Period::from_secs(1)..=Period::from_secs(86_400)).contains(&self.poll_interval),
            "sources.poll_interval",
            format!("\"{}\"", self.poll_interval),
            "must be between 1s and 1d",
        )
    }
}
