use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// How the cache fares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CacheCounters {
    /// The layer in memory.
    pub memory: LayerCounters,
    /// The file; it is asked only when memory has nothing.
    pub disk: LayerCounters,
}

/// How one layer of the cache fares. Hits and misses count from the program's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LayerCounters {
    /// Look-ups that found a usable vector.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub hits: u64,
    /// Look-ups that did not.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub misses: u64,
    /// Look-ups.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub total: u64,
    /// Hits of all look-ups, 0 to 1; 0 before the first.
    pub hit_rate: f64,
    /// Vectors held.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub entries: u64,
    /// Bytes taken: keys and vectors in memory, used pages in the file.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub bytes: u64,
}

/// Hits and misses of one layer.
#[derive(Debug, Default)]
pub(super) struct Tally {
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Tally {
    pub(super) fn count(&self, hit: bool) {
        let counter = if hit { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counters(&self, entries: u64, bytes: u64) -> LayerCounters {
        let hits = self.hits.load(Ordering::Relaxed);
        let misses = self.misses.load(Ordering::Relaxed);
        let total = hits + misses;
        #[allow(clippy::cast_precision_loss)]
        let hit_rate = if total == 0 {
            0.0
        } else {
            hits as f64 / total as f64
        };
        LayerCounters {
            hits,
            misses,
            total,
            hit_rate,
            entries,
            bytes,
        }
    }
}
