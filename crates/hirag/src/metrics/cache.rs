use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Counts how often one layer of a cache answers.
#[derive(Debug, Default)]
pub struct CacheCounters {
    hits: AtomicU64,
    misses: AtomicU64,
    invalidations: AtomicU64,
}

impl CacheCounters {
    /// Counts a question that the layer answered, or could not answer.
    pub fn count(&self, hit: bool) {
        let counter = if hit { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts entries that were removed because they are not to be given any more. Those that made
    /// room for others are none of them.
    pub fn count_invalidations(&self, entries: u64) {
        self.invalidations.fetch_add(entries, Ordering::Relaxed);
    }

    /// What was counted, with what the layer holds now.
    #[must_use]
    pub fn stats(&self, entries: u64, bytes: u64) -> CacheLayerStats {
        let hits = self.hits.load(Ordering::Relaxed);
        let misses = self.misses.load(Ordering::Relaxed);
        CacheLayerStats {
            hits,
            misses,
            total: hits + misses,
            hit_rate: rate(hits, misses),
            entries,
            bytes,
            invalidations: self.invalidations.load(Ordering::Relaxed),
        }
    }
}

/// One layer of a cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CacheLayerStats {
    /// Questions that it answered.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub hits: u64,
    /// Questions that it could not answer.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub misses: u64,
    /// Both together.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub total: u64,
    /// Hits over all questions, 0 to 1; 0 when there were none.
    pub hit_rate: f64,
    /// Entries that it holds.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub entries: u64,
    /// Bytes that they take.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub bytes: u64,
    /// Entries that were removed because what they follow from has changed, or their text was deleted,
    /// or they were over their time.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub invalidations: u64,
}

/// A cache of two layers: who misses in memory asks the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CacheStats {
    /// In memory.
    pub memory: CacheLayerStats,
    /// On disk; all 0 without one.
    pub disk: CacheLayerStats,
    /// Questions answered by either layer, over all questions, 0 to 1; 0 when there were none.
    pub hit_rate: f64,
}

impl CacheStats {
    /// Of these layers, every question having gone to memory first.
    #[must_use]
    pub fn of(memory: CacheLayerStats, disk: CacheLayerStats) -> Self {
        let hits = memory.hits + disk.hits;
        Self {
            memory,
            disk,
            hit_rate: rate(hits, memory.total.saturating_sub(hits)),
        }
    }
}

fn rate(hits: u64, misses: u64) -> f64 {
    match hits + misses {
        0 => 0.0,
        total => hits as f64 / total as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hit_rate_is_hits_over_questions_and_zero_without_any() {
        let counters = CacheCounters::default();
        assert_eq!(counters.stats(0, 0).hit_rate, 0.0);
        counters.count(false);
        assert_eq!(counters.stats(0, 0).hit_rate, 0.0);
        counters.count(true);
        let stats = counters.stats(3, 4_096);
        assert_eq!((stats.hit_rate, stats.total), (0.5, 2));
        assert_eq!((stats.entries, stats.bytes), (3, 4_096));
        counters.count_invalidations(2);
        let stats = counters.stats(1, 2_048);
        assert_eq!((stats.invalidations, stats.total), (2, 2));
    }

    #[test]
    fn a_question_that_memory_misses_and_disk_answers_is_a_hit_of_the_whole() {
        let (memory, disk) = (CacheCounters::default(), CacheCounters::default());
        memory.count(true);
        for _ in 0..3 {
            memory.count(false);
        }
        disk.count(true);
        disk.count(false);
        disk.count(false);
        let stats = CacheStats::of(memory.stats(0, 0), disk.stats(0, 0));
        assert_eq!(stats.hit_rate, 0.5);
        assert_eq!(CacheStats::default().hit_rate, 0.0);
    }
}
