//! The course of the last hour, a point every five seconds.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hirag::HiragManager;
use hirag::metrics::{CacheStats, LatencySummary};
use jiff::Timestamp;
use serde::Serialize;

use super::SAMPLE_INTERVAL;

/// Points that are kept: an hour.
const KEPT: usize = 720;

/// One operation over time; a value each time.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct OperationCourse {
    /// The operation.
    pub name: String,
    /// Milliseconds that half of the runs took at most; null where there were none.
    pub p50: Vec<Option<f64>>,
    /// The same for 95 %.
    pub p95: Vec<Option<f64>>,
    /// The same for 99 %.
    pub p99: Vec<Option<f64>>,
    /// Runs.
    #[ts(type = "number[]")]
    pub count: Vec<u64>,
}

/// One cache over time; a value each time.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct CacheCourse {
    /// `memory`, `disk`, or `all` for both together.
    pub name: String,
    /// Hits over questions, 0 to 1; null where there were no questions.
    pub rate: Vec<Option<f64>>,
}

/// The course of the last minutes, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ts_rs::TS)]
pub struct History {
    /// The ends of the five seconds that each value is of.
    #[ts(type = "string[]")]
    pub times: Vec<Timestamp>,
    /// Latencies and counts by operation.
    pub operations: Vec<OperationCourse>,
    /// Hit rates by cache.
    pub cache_hit_rates: Vec<CacheCourse>,
    /// Bytes of the process in the machine's memory; 0 where the system does not tell.
    #[ts(type = "number[]")]
    pub rss_bytes: Vec<u64>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Point {
    pub(crate) at: Timestamp,
    pub(crate) operations: BTreeMap<&'static str, LatencySummary>,
    /// Of memory, disk and both.
    pub(crate) cache: [Option<f64>; 3],
    pub(crate) rss_bytes: u64,
}

/// Takes the points.
#[derive(Debug)]
pub(crate) struct Recorder {
    points: VecDeque<Point>,
    /// Hits and questions by layer, when the last point was taken.
    asked: [(u64, u64); 3],
}

impl Recorder {
    pub(super) const fn new() -> Self {
        Self {
            points: VecDeque::new(),
            asked: [(0, 0); 3],
        }
    }

    /// Takes a point.
    pub(super) fn sample(&mut self, manager: &HiragManager, at: Timestamp) {
        let (cache, rss_bytes) = manager.vitals();
        let taken = manager.profiler().take().into_iter();
        let point = Point {
            at,
            operations: taken.filter(|(_, summary)| summary.count > 0).collect(),
            cache: self.rates(&cache.unwrap_or_default()),
            rss_bytes,
        };
        self.push(point);
    }

    pub(crate) fn push(&mut self, point: Point) {
        if self.points.len() == KEPT {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }

    /// Hit rates since the last point.
    fn rates(&mut self, cache: &CacheStats) -> [Option<f64>; 3] {
        let (memory, disk) = (&cache.memory, &cache.disk);
        let now = [
            (memory.hits, memory.total),
            (disk.hits, disk.total),
            (memory.hits + disk.hits, memory.total),
        ];
        let before = std::mem::replace(&mut self.asked, now);
        let mut rates = [None; 3];
        for (rate, (now, before)) in rates.iter_mut().zip(now.into_iter().zip(before)) {
            // A cache that was made anew counts from the start.
            let new = |now: u64, before: u64| now.checked_sub(before).unwrap_or(now);
            let questions = new(now.1, before.1);
            if questions > 0 {
                *rate = Some((new(now.0, before.0) as f64 / questions as f64).min(1.0));
            }
        }
        rates
    }

    /// The points of the last minutes, oldest first.
    pub(crate) fn points(&self, minutes: u32) -> Vec<Point> {
        let wanted = u64::from(minutes) * 60 / SAMPLE_INTERVAL.as_secs();
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).clamp(1, KEPT);
        let skipped = self.points.len().saturating_sub(wanted);
        self.points.iter().skip(skipped).cloned().collect()
    }

    /// The same, told by operation and cache.
    pub(crate) fn history(&self, minutes: u32) -> History {
        let points = self.points(minutes);
        let names: BTreeSet<&'static str> = points
            .iter()
            .flat_map(|point| point.operations.keys().copied())
            .collect();
        let operations = names.into_iter().map(|name| {
            let of = |value: fn(&LatencySummary) -> f64| {
                let each = points
                    .iter()
                    .map(|point| point.operations.get(name).map(value));
                each.collect()
            };
            let counts = points.iter().map(|p| p.operations.get(name));
            OperationCourse {
                name: name.to_owned(),
                p50: of(|summary| summary.p50_ms),
                p95: of(|summary| summary.p95_ms),
                p99: of(|summary| summary.p99_ms),
                count: counts.map(|s| s.map_or(0, |s| s.count)).collect(),
            }
        });
        let caches = ["memory", "disk", "all"].into_iter().enumerate();
        History {
            operations: operations.collect(),
            cache_hit_rates: caches
                .map(|(place, name)| CacheCourse {
                    name: name.to_owned(),
                    rate: points.iter().map(|point| point.cache[place]).collect(),
                })
                .collect(),
            rss_bytes: points.iter().map(|point| point.rss_bytes).collect(),
            times: points.iter().map(|point| point.at).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use hirag::metrics::CacheLayerStats;

    use super::*;

    fn point(second: i64) -> Point {
        Point {
            at: Timestamp::from_second(second).unwrap(),
            ..Point::default()
        }
    }

    #[test]
    fn an_hour_is_kept_and_the_oldest_goes_first() {
        let mut recorder = Recorder::new();
        for second in 0..1_000 {
            recorder.push(point(second * 5));
        }
        assert_eq!(recorder.points(60).len(), 720);
        assert_eq!(recorder.points(600).len(), 720);
        let minute = recorder.history(1);
        assert_eq!(minute.times.len(), 12);
        assert_eq!(minute.times[11].as_second(), 4_995);
    }

    #[test]
    fn an_operation_has_a_value_each_time_and_none_where_it_did_not_run() {
        let mut recorder = Recorder::new();
        recorder.push(point(0));
        let mut busy = point(5);
        let summary = LatencySummary {
            count: 3,
            p50_ms: 1.0,
            p95_ms: 2.0,
            p99_ms: 4.0,
            ..LatencySummary::default()
        };
        busy.operations.insert("retrieve", summary);
        recorder.push(busy);
        let history = recorder.history(60);
        assert_eq!(history.operations.len(), 1);
        assert_eq!(history.operations[0].p95, [None, Some(2.0)]);
        assert_eq!(history.operations[0].count, [0, 3]);
        assert_eq!(history.rss_bytes.len(), 2);
    }

    #[test]
    fn a_hit_rate_is_of_the_questions_since_the_point_before() {
        let mut recorder = Recorder::new();
        let stats = |hits, total| {
            let memory = CacheLayerStats {
                hits,
                total,
                ..CacheLayerStats::default()
            };
            CacheStats {
                memory,
                ..CacheStats::default()
            }
        };
        assert_eq!(recorder.rates(&stats(0, 0)), [None; 3]);
        assert_eq!(recorder.rates(&stats(1, 4))[0], Some(0.25));
        assert_eq!(recorder.rates(&stats(4, 8))[2], Some(0.75));
        assert_eq!(recorder.rates(&stats(4, 8))[0], None);
        assert_eq!(recorder.rates(&stats(1, 2))[0], Some(0.5));
    }
}
