//! Counts and latencies while a run goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use hirag::metrics::Bucket;
use tokio::time::Instant;

use super::client::Outcome;
use super::pace::{Schedule, Turn};
use super::report::{ErrorCount, ErrorKind, Latency, OperationReport, SecondReport};
use super::{LoadError, Operation};

/// Microseconds that can be told apart from longer ones: no request waits longer.
const LONGEST_US: u64 = 86_400_000_000;
/// Digits of a latency that are kept.
const DIGITS: u8 = 3;

/// Latencies in microseconds.
type Latencies = Histogram<u64>;

/// What all clients note.
#[derive(Debug)]
pub(super) struct Tally {
    from: Instant,
    until: Instant,
    operations: [OperationTally; Operation::ALL.len()],
    errors: BTreeMap<(ErrorKind, Option<u16>), (u64, String)>,
    bytes: u64,
    delays: Latencies,
    seconds: Vec<SecondReport>,
    /// The latencies of the last of the seconds.
    second: Latencies,
}

#[derive(Debug)]
struct OperationTally {
    begun: u64,
    ended: u64,
    succeeded: u64,
    /// Successes in the measured time, whenever they were begun: what the server did in it.
    done_in_time: u64,
    latencies: Latencies,
}

/// Sums over the operations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) begun: u64,
    pub(super) ended: u64,
    pub(super) succeeded: u64,
    pub(super) limited: u64,
    pub(super) done_in_time: u64,
    pub(super) bytes: u64,
}

impl Tally {
    pub(super) fn new(schedule: &Schedule) -> Result<Self, LoadError> {
        let operation = || {
            Ok::<_, LoadError>(OperationTally {
                begun: 0,
                ended: 0,
                succeeded: 0,
                done_in_time: 0,
                latencies: latencies()?,
            })
        };
        Ok(Self {
            from: schedule.from,
            until: schedule.until,
            operations: [operation()?, operation()?, operation()?, operation()?],
            errors: BTreeMap::new(),
            bytes: 0,
            delays: latencies()?,
            seconds: Vec::new(),
            second: latencies()?,
        })
    }

    /// A request was begun.
    pub(super) fn begin(&mut self, operation: Operation, turn: &Turn) {
        if turn.counted {
            self.operations[operation as usize].begun += 1;
            self.delays.saturating_record(micros(turn.delay));
        }
    }

    /// A request ended at `now`.
    pub(super) fn end(
        &mut self,
        operation: Operation,
        turn: &Turn,
        now: Instant,
        outcome: Outcome,
    ) {
        let succeeded = outcome.failure.is_none();
        let failure = outcome.failure.as_ref();
        let kind = failure.map(|failure| failure.kind);
        let took = micros(now.duration_since(turn.due));
        let of = &mut self.operations[operation as usize];
        of.done_in_time += u64::from(succeeded && (self.from..self.until).contains(&now));
        let timed = turn.counted && matches!(kind, None | Some(ErrorKind::TimeOut));
        if turn.counted {
            of.ended += 1;
            of.succeeded += u64::from(succeeded);
            self.bytes += outcome.bytes;
            if timed {
                of.latencies.saturating_record(took);
            }
        }
        if now >= self.from {
            self.reach(now);
            if let Some(second) = self.seconds.last_mut() {
                second.succeeded += u64::from(succeeded);
                let failed = !matches!(kind, None | Some(ErrorKind::Limited));
                second.failed += u64::from(failed);
            }
            if timed {
                self.second.saturating_record(took);
            }
        }
        if let Some(failure) = outcome.failure.filter(|_| turn.counted) {
            let key = (failure.kind, failure.status);
            let entry = self.errors.entry(key).or_insert((0, failure.reason));
            entry.0 += 1;
        }
    }

    /// Goes on to the second that `now` is in, through those in which nothing ended.
    fn reach(&mut self, now: Instant) {
        let number = now.duration_since(self.from).as_secs() as usize;
        // Who was overtaken on the way here belongs to the second that goes on.
        while self.seconds.len() <= number {
            self.close_second();
            self.seconds.push(SecondReport {
                succeeded: 0,
                failed: 0,
                p50_ms: None,
                p99_ms: None,
                max_ms: None,
            });
        }
    }

    fn close_second(&mut self) {
        if let Some(second) = self.seconds.last_mut().filter(|_| !self.second.is_empty()) {
            second.p50_ms = Some(millis(self.second.value_at_quantile(0.5)));
            second.p99_ms = Some(millis(self.second.value_at_quantile(0.99)));
            second.max_ms = Some(millis(self.second.max()));
            self.second.reset();
        }
    }

    pub(super) fn sums(&self) -> Sums {
        let sum = |of: fn(&OperationTally) -> u64| self.operations.iter().map(of).sum();
        let limited = self.errors.get(&(ErrorKind::Limited, None));
        Sums {
            begun: sum(|of| of.begun),
            ended: sum(|of| of.ended),
            succeeded: sum(|of| of.succeeded),
            limited: limited.map_or(0, |(count, _)| *count),
            done_in_time: sum(|of| of.done_in_time),
            bytes: self.bytes,
        }
    }

    /// The course until `end`, by seconds.
    pub(super) fn seconds(&mut self, end: Instant) -> Vec<SecondReport> {
        // A second that has just begun has no place of its own.
        if let Some(before) = end
            .checked_sub(Duration::from_nanos(1))
            .filter(|at| *at >= self.from)
        {
            self.reach(before);
        }
        self.close_second();
        self.seconds.clone()
    }

    pub(super) fn errors(&self) -> Vec<ErrorCount> {
        let errors = self.errors.iter();
        let mut errors: Vec<ErrorCount> = errors
            .map(|((kind, status), (count, example))| ErrorCount {
                kind: *kind,
                status: *status,
                count: *count,
                example: example.clone(),
            })
            .collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.count));
        errors
    }

    pub(super) fn operation(&self, operation: Operation, measured: Duration) -> OperationReport {
        let of = &self.operations[operation as usize];
        OperationReport {
            operation,
            requests: of.begun,
            succeeded: of.succeeded,
            per_s: per_second(of.done_in_time, measured),
            latency: summary(&of.latencies),
        }
    }

    pub(super) fn delay(&self) -> Latency {
        summary(&self.delays)
    }

    /// The latencies of all operations, and how many requests took how long.
    pub(super) fn all(&self) -> Result<(Latency, Vec<Bucket>), LoadError> {
        let mut all = latencies()?;
        for of in &self.operations {
            all.add(&of.latencies).map_err(broken)?;
        }
        Ok((summary(&all), distribution(&all)))
    }
}

/// Events a second; 0 over no time.
pub(super) fn per_second(count: u64, time: Duration) -> f64 {
    match time.is_zero() {
        true => 0.0,
        false => count as f64 / time.as_secs_f64(),
    }
}

fn latencies() -> Result<Latencies, LoadError> {
    Histogram::new_with_bounds(1, LONGEST_US, DIGITS).map_err(broken)
}

fn broken(error: impl std::fmt::Display) -> LoadError {
    LoadError::Internal(error.to_string())
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(LONGEST_US)
}

fn millis(micros: u64) -> f64 {
    micros as f64 / 1e3
}

fn summary(latencies: &Latencies) -> Latency {
    if latencies.is_empty() {
        return Latency::default();
    }
    let max = latencies.max();
    // A step's upper end may lie above everything that is in it.
    let quantile = |q| millis(latencies.value_at_quantile(q).min(max));
    Latency {
        mean_ms: latencies.mean() / 1e3,
        p50_ms: quantile(0.5),
        p90_ms: quantile(0.9),
        p95_ms: quantile(0.95),
        p99_ms: quantile(0.99),
        p999_ms: quantile(0.999),
        max_ms: millis(max),
    }
}

/// How many lie in each step of a 1-2-5 series, from the first to the last that has any.
fn distribution(latencies: &Latencies) -> Vec<Bucket> {
    let bounds = (0..=10).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let bounds: Vec<u64> = bounds.collect();
    let recorded = latencies.iter_recorded().map(|recorded| {
        let micros = latencies.lowest_equivalent(recorded.value_iterated_to());
        (micros, recorded.count_at_value())
    });
    Bucket::between(&bounds, millis, recorded)
}
