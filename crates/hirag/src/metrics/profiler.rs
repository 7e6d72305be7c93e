//! How long operations take.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use serde::Serialize;

use super::MetricsSettings;
use super::histogram::{Latencies, LatencySummary, Window, millis};
use crate::clock::SharedClock;
use crate::config::ConfigError;

/// Slow operations remembered.
const SLOW_KEPT: usize = 100;
/// Parts of one operation remembered.
const PARTS_KEPT: usize = 32;

/// One operation's latencies.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct OperationMetrics {
    /// The operation, e.g. `retrieve`.
    pub operation: String,
    /// Over the last minute.
    pub last_minute: LatencySummary,
    /// Over the last five minutes.
    pub last_five_minutes: LatencySummary,
    /// Over the last hour.
    pub last_hour: LatencySummary,
    /// Since the start.
    pub all: LatencySummary,
}

/// One part of an operation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Part {
    /// The part, e.g. `embed`.
    pub name: &'static str,
    /// Milliseconds.
    pub ms: f64,
}

/// One run of an operation that took long.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SlowOperation {
    /// When it ended.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub at: Timestamp,
    /// The operation.
    pub operation: String,
    /// Milliseconds.
    pub ms: f64,
    /// Where the time went, as far as it was measured.
    pub parts: Vec<Part>,
}

/// All operations' latencies at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PerformanceMetrics {
    /// The operations that ran, by name.
    pub operations: Vec<OperationMetrics>,
    /// The latest slow runs, oldest first, a hundred at most.
    pub slow: Vec<SlowOperation>,
    /// Milliseconds from which a run is slow.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub slow_ms: u64,
}

impl fmt::Display for PerformanceMetrics {
    /// A table of the latencies since the start, in milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |operation: &OperationMetrics| operation.operation.chars().count();
        let width = self.operations.iter().map(name).max().unwrap_or(0).max(9);
        let header = ["count", "mean ms", "p50 ms", "p95 ms", "p99 ms", "max ms"];
        write!(f, "{:width$}", "operation")?;
        for column in header {
            write!(f, " {column:>10}")?;
        }
        for OperationMetrics { operation, all, .. } in &self.operations {
            write!(f, "\n{operation:width$} {:>10}", all.count)?;
            for ms in [all.mean_ms, all.p50_ms, all.p95_ms, all.p99_ms, all.max_ms] {
                write!(f, " {ms:>10.3}")?;
            }
        }
        Ok(())
    }
}

/// Records how long operations take; a handle that is cheap to clone, all clones being one.
///
/// The memory is bounded: operations are named in the program, and each has at most thirty-one
/// histograms of some kilobytes.
#[derive(Debug, Clone)]
pub struct PerformanceProfiler {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    slow_ms: AtomicU64,
    operations: RwLock<BTreeMap<&'static str, Arc<Mutex<Operation>>>>,
    slow: Mutex<VecDeque<SlowOperation>>,
}

#[derive(Debug)]
struct Operation {
    minute: Window,
    five_minutes: Window,
    hour: Window,
    all: Latencies,
}

impl Default for Operation {
    fn default() -> Self {
        Self {
            minute: Window::over(Duration::from_secs(60)),
            five_minutes: Window::over(Duration::from_secs(300)),
            hour: Window::over(Duration::from_secs(3_600)),
            all: Latencies::default(),
        }
    }
}

impl PerformanceProfiler {
    /// A profiler that has recorded nothing.
    ///
    /// # Errors
    /// [`ConfigError`] if a setting is out of range.
    pub fn new(settings: &MetricsSettings, clock: SharedClock) -> Result<Self, ConfigError> {
        settings.validate()?;
        Ok(Self {
            shared: Arc::new(Shared {
                clock,
                slow_ms: AtomicU64::new(settings.slow_ms),
                operations: RwLock::default(),
                slow: Mutex::default(),
            }),
        })
    }

    /// Goes on with other settings.
    ///
    /// # Errors
    /// [`ConfigError`] if a setting is out of range; the old ones stay in force.
    pub fn update(&self, settings: &MetricsSettings) -> Result<(), ConfigError> {
        settings.validate()?;
        self.shared
            .slow_ms
            .store(settings.slow_ms, Ordering::Relaxed);
        Ok(())
    }

    /// Records one run of `operation` that has just ended.
    pub fn record(&self, operation: &'static str, took: Duration) {
        self.record_parts(operation, took, &[]);
    }

    /// Records one run of `operation` that has just ended, and where its time went, which is
    /// logged and kept if the run was slow.
    pub fn record_parts(
        &self,
        operation: &'static str,
        took: Duration,
        parts: &[(&'static str, Duration)],
    ) {
        let now = self.shared.clock.elapsed();
        let recorded = self.operation(operation);
        {
            let mut operation = recorded.lock();
            operation.minute.record(now, took);
            operation.five_minutes.record(now, took);
            operation.hour.record(now, took);
            operation.all.record(took);
        }
        let slow_ms = self.shared.slow_ms.load(Ordering::Relaxed);
        if took >= Duration::from_millis(slow_ms) {
            self.remember_slow(operation, took, parts);
        }
    }

    /// Measures one run of `operation`, until the timer is dropped.
    pub fn timer(&self, operation: &'static str) -> Timer {
        let now = self.shared.clock.elapsed();
        Timer {
            profiler: self.clone(),
            operation,
            start: now,
            part_start: now,
            parts: Vec::new(),
            cancelled: false,
        }
    }

    /// All latencies now.
    #[must_use]
    pub fn metrics(&self) -> PerformanceMetrics {
        let now = self.shared.clock.elapsed();
        let operations: Vec<_> = self
            .shared
            .operations
            .read()
            .iter()
            .map(|(name, operation)| (*name, Arc::clone(operation)))
            .collect();
        let operations = operations.into_iter().map(|(name, operation)| {
            let mut operation = operation.lock();
            OperationMetrics {
                operation: name.to_owned(),
                last_minute: operation.minute.summary(now),
                last_five_minutes: operation.five_minutes.summary(now),
                last_hour: operation.hour.summary(now),
                all: operation.all.summary(),
            }
        });
        PerformanceMetrics {
            operations: operations.collect(),
            slow: self.shared.slow.lock().iter().cloned().collect(),
            slow_ms: self.shared.slow_ms.load(Ordering::Relaxed),
        }
    }

    fn operation(&self, name: &'static str) -> Arc<Mutex<Operation>> {
        if let Some(operation) = self.shared.operations.read().get(name) {
            return Arc::clone(operation);
        }
        Arc::clone(self.shared.operations.write().entry(name).or_default())
    }

    fn remember_slow(
        &self,
        operation: &'static str,
        took: Duration,
        parts: &[(&'static str, Duration)],
    ) {
        let parts: Vec<_> = parts
            .iter()
            .take(PARTS_KEPT)
            .map(|(name, took)| Part {
                name,
                ms: millis(*took),
            })
            .collect();
        let shown: Vec<_> = parts
            .iter()
            .map(|part| format!("{} {:.1} ms", part.name, part.ms))
            .collect();
        let ms = millis(took);
        tracing::warn!(operation, ms, parts = shown.join(", "), "a slow operation");
        let mut slow = self.shared.slow.lock();
        if slow.len() == SLOW_KEPT {
            slow.pop_front();
        }
        slow.push_back(SlowOperation {
            at: self.shared.clock.now(),
            operation: operation.to_owned(),
            ms,
            parts,
        });
    }
}

/// Measures one run of an operation; records it when dropped.
#[derive(Debug)]
#[must_use = "it measures until it is dropped"]
pub struct Timer {
    profiler: PerformanceProfiler,
    operation: &'static str,
    start: Duration,
    part_start: Duration,
    parts: Vec<(&'static str, Duration)>,
    cancelled: bool,
}

impl Timer {
    /// Ends a part of the run, which began at the start or where the part before ended. Returns
    /// how long it took.
    pub fn part(&mut self, name: &'static str) -> Duration {
        let now = self.profiler.shared.clock.elapsed();
        let took = now.saturating_sub(self.part_start);
        self.part_start = now;
        self.parts.push((name, took));
        took
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.profiler
            .shared
            .clock
            .elapsed()
            .saturating_sub(self.start)
    }

    /// The parts that have ended, in order.
    #[must_use]
    pub fn parts(&self) -> &[(&'static str, Duration)] {
        &self.parts
    }

    /// Records nothing, e.g. for a run that was refused before it did anything.
    pub fn cancel(mut self) {
        self.cancelled = true;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if !self.cancelled {
            let took = self.elapsed();
            self.profiler
                .record_parts(self.operation, took, &self.parts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;

    fn profiler() -> (PerformanceProfiler, Arc<FakeClock>) {
        let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
        let settings = MetricsSettings {
            slow_ms: 100,
            ..MetricsSettings::default()
        };
        (
            PerformanceProfiler::new(&settings, clock.clone()).unwrap(),
            clock,
        )
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn each_window_sees_its_own_time() {
        let (profiler, clock) = profiler();
        for minutes in [58, 3, 1] {
            profiler.record("store", ms(minutes));
            clock.advance(Duration::from_secs(60 * minutes));
        }
        profiler.record("store", ms(7));
        let metrics = profiler.metrics();
        let store = &metrics.operations[0];
        let counts = [
            store.last_minute.count,
            store.last_five_minutes.count,
            store.last_hour.count,
            store.all.count,
        ];
        assert_eq!(counts, [1, 3, 3, 4]);
        assert_eq!(store.last_minute.max_ms, 7.0);
        assert_eq!(store.all.max_ms, 58.0);
        assert_eq!(store.all.mean_ms, (58.0 + 3.0 + 1.0 + 7.0) / 4.0);
    }

    #[test]
    fn a_timer_records_its_run_and_its_parts() {
        let (profiler, clock) = profiler();
        let mut timer = profiler.timer("retrieve");
        clock.advance(ms(80));
        assert_eq!(timer.part("embed"), ms(80));
        clock.advance(ms(20));
        timer.part("search");
        drop(timer);
        let metrics = profiler.metrics();
        assert_eq!(metrics.operations[0].all.max_ms, 100.0);
        let slow = &metrics.slow[0];
        assert_eq!((slow.operation.as_str(), slow.ms), ("retrieve", 100.0));
        assert_eq!(slow.at.as_millisecond(), 100);
        let parts: Vec<_> = slow.parts.iter().map(|part| (part.name, part.ms)).collect();
        assert_eq!(parts, [("embed", 80.0), ("search", 20.0)]);
    }

    #[test]
    fn a_cancelled_timer_records_nothing() {
        let (profiler, _clock) = profiler();
        profiler.timer("retrieve").cancel();
        assert!(profiler.metrics().operations.is_empty());
    }

    #[test]
    fn only_slow_runs_are_kept_and_of_them_the_latest_hundred() {
        let (profiler, _clock) = profiler();
        profiler.record("store", ms(99));
        assert!(profiler.metrics().slow.is_empty());
        for nth in 0..150 {
            profiler.record("store", ms(100 + nth));
        }
        let slow = profiler.metrics().slow;
        assert_eq!((slow.len(), slow[0].ms, slow[99].ms), (100, 150.0, 249.0));
    }

    #[test]
    fn the_limit_of_slow_changes_while_running() {
        let (profiler, _clock) = profiler();
        let stricter = MetricsSettings {
            slow_ms: 5,
            ..MetricsSettings::default()
        };
        profiler.update(&stricter).unwrap();
        profiler.record("store", ms(5));
        assert_eq!(profiler.metrics().slow.len(), 1);
    }

    #[test]
    fn many_threads_lose_nothing() {
        let (profiler, clock) = profiler();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (profiler, clock) = (&profiler, &clock);
                scope.spawn(move || {
                    for _ in 0..1_000 {
                        clock.advance(ms(1));
                        profiler.record(if thread % 2 == 0 { "even" } else { "odd" }, ms(1));
                    }
                });
            }
        });
        let metrics = profiler.metrics();
        let counts: Vec<_> = metrics.operations.iter().map(|o| o.all.count).collect();
        assert_eq!(counts, [4_000, 4_000]);
    }

    #[test]
    fn the_text_is_a_table() {
        let (profiler, _clock) = profiler();
        profiler.record("store", ms(2));
        let text = profiler.metrics().to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].starts_with("operation      count    mean ms"),
            "{text}"
        );
        assert!(
            lines[1].starts_with("store              1      2.000"),
            "{text}"
        );
    }
}
