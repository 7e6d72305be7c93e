//! Percentiles, and what the process holds.

use std::time::Instant;

use serde::Serialize;

/// Percentiles of some milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Spread {
    count: usize,
    p50: f64,
    p95: f64,
    p99: f64,
    max: f64,
}

impl Spread {
    pub(crate) fn of(mut times: Vec<f64>) -> Self {
        times.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| {
            let place = (times.len() as f64 * share) as usize;
            times.get(place).or(times.last()).copied().unwrap_or(0.0)
        };
        let [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1.0].map(at);
        let count = times.len();
        Self {
            count,
            p50,
            p95,
            p99,
            max,
        }
    }
}

pub(crate) fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

/// What the process holds, in bytes, as Linux tells it.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Held {
    /// With the pages of mapped files.
    pub(crate) rss_bytes: u64,
    /// Without them.
    pub(crate) anonymous_bytes: u64,
}

impl Held {
    pub(crate) fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let of = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            kib.unwrap_or(0) * 1_024
        };
        Self {
            rss_bytes: of("VmRSS:"),
            anonymous_bytes: of("RssAnon:"),
        }
    }

    /// What came since.
    pub(crate) fn beyond(self, before: Self) -> Self {
        Self {
            rss_bytes: self.rss_bytes.saturating_sub(before.rss_bytes),
            anonymous_bytes: self.anonymous_bytes.saturating_sub(before.anonymous_bytes),
        }
    }
}
