use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, Period, require, within};

/// Within which an allowance must refill: far below where nanoseconds in 64 bits overflow.
const YEAR_SECS: f64 = 365.0 * 86_400.0;

/// The settings `[circuit_breaker]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct CircuitBreakerSettings {
    /// Failures within [`window_size`](Self::window_size) that open it, 1 to 10000.
    pub failure_threshold: u32,
    /// Successes of probes that close it, and probes at once at most; 1 to 100.
    pub success_threshold: u32,
    /// How long it stays open before it lets a probe through, over 0 to 1 day.
    pub timeout: Period,
    /// How long a failure counts, over 0 to 1 day.
    pub window_size: Period,
}

impl CircuitBreakerSettings {
    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.validate_as("circuit_breaker")
    }

    /// The same for settings that stand in another section.
    pub(crate) fn validate_as(&self, section: &str) -> Result<(), ConfigError> {
        let key = |name: &str| format!("{section}.{name}");
        within(
            &key("failure_threshold"),
            self.failure_threshold,
            1..=10_000,
        )?;
        within(&key("success_threshold"), self.success_threshold, 1..=100)?;
        up_to_a_day(&key("timeout"), self.timeout)?;
        up_to_a_day(&key("window_size"), self.window_size)
    }
}

/// The settings `[rate_limit]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct RateLimitSettings {
    /// Whether clients are limited at all.
    pub enabled: bool,
    /// Requests that a client may make in a window, 1 to a million.
    pub requests_per_window: u32,
    /// Seconds of a window, 1 to 86400.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub window_secs: u64,
    /// Requests at once, if more than [`requests_per_window`](Self::requests_per_window); 1 to a
    /// million.
    pub burst_size: u32,
    /// Seconds between two searches for clients to forget, 1 to 86400.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub cleanup_interval_secs: u64,
    /// Clients counted one by one at most, 1 to a million.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub max_clients: usize,
}

impl RateLimitSettings {
    /// Requests that a client may make at once.
    #[must_use]
    pub fn at_once(&self) -> u32 {
        self.requests_per_window.max(self.burst_size)
    }

    /// Refuses values out of range.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within(
            "rate_limit.requests_per_window",
            self.requests_per_window,
            1..=1_000_000,
        )?;
        within("rate_limit.window_secs", self.window_secs, 1..=86_400)?;
        within("rate_limit.burst_size", self.burst_size, 1..=1_000_000)?;
        let refill = self.window_secs as f64 / f64::from(self.requests_per_window)
            * f64::from(self.at_once());
        require(
            refill <= YEAR_SECS,
            "rate_limit.burst_size",
            self.burst_size,
            "must be small enough to refill, at `requests_per_window` in `window_secs`, within a year",
        )?;
        within(
            "rate_limit.cleanup_interval_secs",
            self.cleanup_interval_secs,
            1..=86_400,
        )?;
        within("rate_limit.max_clients", self.max_clients, 1..=1_000_000)
    }
}

fn up_to_a_day(key: &str, period: Period) -> Result<(), ConfigError> {
    require(
        !period.is_zero() && period <= Period::from_secs(86_400),
        key,
        format!("\"{period}\""),
        "must be over 0 and at most 1d",
    )
}
