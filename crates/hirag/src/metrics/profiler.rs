//! How long operations take.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};

use super::histogram::{Bucket, Latencies, LatencySummary, Window, millis};
use super::{MemoryGauge, MetricsSettings, SlowStatement, SlowStatements};
use crate::clock::SharedClock;
use crate::config::ConfigError;

/// Slow operations remembered.
const SLOW_KEPT: usize = 100;
/// Parts of one operation remembered.
const PARTS_KEPT: usize = 32;

/// The time over which latencies are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// The last minute.
    Minute,
    /// The last five minutes.
    FiveMinutes,
    /// The last hour.
    #[default]
    Hour,
    /// Since the start.
    All,
}

/// One operation's latencies.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Part {
    /// The part, e.g. `embed`.
    pub name: &'static str,
    /// Milliseconds.
    pub ms: f64,
}

/// One run of an operation that took long.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlowOperation {
    /// When it ended.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub at: Timestamp,
    /// The operation.
    pub operation: String,
    /// Milliseconds.
    pub ms: f64,
    /// Bytes by which the process grew in the machine's memory meanwhile, or shrank, whatever else it
    /// did; null where nobody looked before.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub memory_bytes: Option<i64>,
    /// Where the time went, as far as it was measured.
    pub parts: Vec<Part>,
}

/// All operations' latencies at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PerformanceMetrics {
    /// The operations that ran, by name.
    pub operations: Vec<OperationMetrics>,
    /// The latest slow runs, oldest first, a hundred at most.
    pub slow: Vec<SlowOperation>,
    /// Milliseconds from which a run is slow.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub slow_ms: u64,
    /// The latest slow statements of the database, oldest first, fifty at most.
    pub slow_statements: Vec<SlowStatement>,
    /// Milliseconds from which a statement is slow.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub slow_statement_ms: u64,
}

/// How it was before an operation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Before {
    resident_bytes: Option<u64>,
}

impl OperationMetrics {
    /// The latencies over `span`.
    #[must_use]
    pub fn over(&self, span: Span) -> &LatencySummary {
        match span {
            Span::Minute => &self.last_minute,
            Span::FiveMinutes => &self.last_five_minutes,
            Span::Hour => &self.last_hour,
            Span::All => &self.all,
        }
    }
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
    statements: SlowStatements,
    gauge: MemoryGauge,
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
    /// Since somebody took it.
    since_taken: Latencies,
}

impl Default for Operation {
    fn default() -> Self {
        Self {
            minute: Window::over(Duration::from_secs(60)),
            five_minutes: Window::over(Duration::from_secs(300)),
            hour: Window::over(Duration::from_secs(3_600)),
            all: Latencies::default(),
            since_taken: Latencies::default(),
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
        let statements = SlowStatements::new(clock.clone());
        statements.set_least_ms(settings.slow_statement_ms);
        Ok(Self {
            gauge: MemoryGauge::of_this_process(clock.clone()),
            statements,
            shared: Arc::new(Shared {
                clock,
                slow_ms: AtomicU64::new(settings.slow_ms),
                operations: RwLock::default(),
                slow: Mutex::default(),
            }),
        })
    }

    /// The same that tells the statements which a database finds slow.
    #[must_use]
    pub fn watching(mut self, statements: &SlowStatements) -> Self {
        statements.set_least_ms(self.statements.least_ms());
        self.statements = statements.clone();
        self
    }

    /// The same with another look at the memory.
    #[must_use]
    pub fn gauged(mut self, gauge: MemoryGauge) -> Self {
        self.gauge = gauge;
        self
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
        self.statements.set_least_ms(settings.slow_statement_ms);
        Ok(())
    }

    /// How it is before an operation, to be told with it if that is slow.
    #[must_use]
    pub fn before(&self) -> Before {
        Before {
            resident_bytes: self.gauge.recent(),
        }
    }

    /// Records one run of `operation` that has just ended.
    pub fn record(&self, operation: &'static str, took: Duration) {
        self.record_parts(operation, took, &[], Before::default());
    }

    /// Records one run of `operation` that has just ended, and where its time went, which is
    /// logged and kept if the run was slow, as is what it took since `before`.
    pub fn record_parts(
        &self,
        operation: &'static str,
        took: Duration,
        parts: &[(&'static str, Duration)],
        before: Before,
    ) {
        self.count(operation, took);
        let slow_ms = self.shared.slow_ms.load(Ordering::Relaxed);
        if took >= Duration::from_millis(slow_ms) {
            self.remember_slow(operation, took, parts, before);
        }
    }

    fn count(&self, operation: &'static str, took: Duration) {
        let now = self.shared.clock.elapsed();
        let recorded = self.operation(operation);
        let mut operation = recorded.lock();
        operation.minute.record(now, took);
        operation.five_minutes.record(now, took);
        operation.hour.record(now, took);
        operation.all.record(took);
        operation.since_taken.record(took);
    }

    /// Measures one run of `operation`, until the timer is dropped.
    pub fn timer(&self, operation: &'static str) -> Timer {
        let now = self.shared.clock.elapsed();
        Timer {
            profiler: self.clone(),
            before: self.before(),
            operation,
            start: now,
            part_start: now,
            parts: Vec::new(),
            long: false,
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
            slow_statements: self.statements.latest(),
            slow_statement_ms: self.statements.least_ms(),
        }
    }

    /// The latencies since this was last called, by operation, those without any too: for the one
    /// who draws their course over time.
    #[must_use]
    pub fn take(&self) -> Vec<(&'static str, LatencySummary)> {
        let operations = self.shared.operations.read();
        let taken = operations.iter().map(|(name, operation)| {
            let taken = std::mem::take(&mut operation.lock().since_taken);
            (*name, taken.summary())
        });
        taken.collect()
    }

    /// How often `operation` took how long, as [`Bucket`]s in a 1-2-5 series without gaps; empty
    /// if it did not run.
    #[must_use]
    pub fn distribution(&self, operation: &str, span: Span) -> Vec<Bucket> {
        let now = self.shared.clock.elapsed();
        let operation = self.shared.operations.read().get(operation).cloned();
        let Some(operation) = operation else {
            return Vec::new();
        };
        let mut operation = operation.lock();
        match span {
            Span::Minute => operation.minute.distribution(now),
            Span::FiveMinutes => operation.five_minutes.distribution(now),
            Span::Hour => operation.hour.distribution(now),
            Span::All => operation.all.distribution(),
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
        before: Before,
    ) {
        let memory_bytes = before.resident_bytes.and_then(|before| {
            let after = self.gauge.read()?.resident;
            i64::try_from(i128::from(after) - i128::from(before)).ok()
        });
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
            memory_bytes,
            parts,
        });
    }
}

/// Measures one run of an operation; records it when dropped.
#[derive(Debug)]
#[must_use = "it measures until it is dropped"]
pub struct Timer {
    profiler: PerformanceProfiler,
    before: Before,
    operation: &'static str,
    start: Duration,
    part_start: Duration,
    parts: Vec<(&'static str, Duration)>,
    long: bool,
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

    /// For work whose length is its size, e.g. an import: however long it takes, it is not slow.
    pub fn long(mut self) -> Self {
        self.long = true;
        self
    }

    /// Records nothing, e.g. for a run that was refused before it did anything.
    pub fn cancel(mut self) {
        self.cancelled = true;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if self.cancelled {
            return;
        }
        let took = self.elapsed();
        match self.long {
            true => self.profiler.count(self.operation, took),
            false => self
                .profiler
                .record_parts(self.operation, took, &self.parts, self.before),
        }
    }
}

#[cfg(test)]
mod tests;
