//! Statements of the database that took long.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;

use super::histogram::millis;
use crate::clock::SharedClock;

/// Slow statements remembered.
const KEPT: usize = 50;
/// Characters of a statement remembered: a filter can be long.
const CHARS: usize = 2_000;

/// One run of a statement that took long.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlowStatement {
    /// When it ended.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub at: Timestamp,
    /// What it was run for, e.g. `retrieve`.
    pub operation: String,
    /// Its text, with a mark in the place of each value.
    pub statement: String,
    /// Milliseconds from its begin to its last row.
    pub ms: f64,
    /// How the database goes about it, a step each; empty where there is nothing to plan.
    pub plan: Vec<String>,
}

/// Keeps the latest slow statements; a handle that is cheap to clone, all clones being one.
#[derive(Debug, Clone)]
pub struct SlowStatements {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    least_ms: AtomicU64,
    kept: Mutex<VecDeque<SlowStatement>>,
}

impl SlowStatements {
    /// None yet; and none is slow before [`Self::set_least_ms`] says from when.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self {
            shared: Arc::new(Shared {
                clock,
                least_ms: AtomicU64::new(u64::MAX),
                kept: Mutex::default(),
            }),
        }
    }

    /// Calls slow from now on what takes these milliseconds.
    pub fn set_least_ms(&self, least_ms: u64) {
        self.shared.least_ms.store(least_ms, Ordering::Relaxed);
    }

    /// Milliseconds from which a statement is slow.
    #[must_use]
    pub fn least_ms(&self) -> u64 {
        self.shared.least_ms.load(Ordering::Relaxed)
    }

    /// The plan of this statement, where one is kept.
    pub(crate) fn plan_of(&self, statement: &str) -> Option<Vec<String>> {
        let shown = shown(statement);
        let kept = self.shared.kept.lock();
        let same = kept.iter().rfind(|slow| slow.statement == shown);
        same.map(|slow| slow.plan.clone())
    }

    /// Keeps a statement that has just ended.
    pub(crate) fn record(
        &self,
        operation: &str,
        statement: &str,
        took: Duration,
        plan: Vec<String>,
    ) {
        let slow = SlowStatement {
            at: self.shared.clock.now(),
            operation: operation.to_owned(),
            statement: shown(statement),
            ms: millis(took),
            plan,
        };
        tracing::warn!(
            operation,
            ms = slow.ms,
            statement = slow.statement,
            "a slow statement"
        );
        let mut kept = self.shared.kept.lock();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(slow);
    }

    /// Those that are kept, oldest first.
    #[must_use]
    pub fn latest(&self) -> Vec<SlowStatement> {
        self.shared.kept.lock().iter().cloned().collect()
    }
}

/// A statement on one line.
fn shown(statement: &str) -> String {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FakeClock;

    #[test]
    fn the_latest_fifty_are_kept_on_one_line_each_and_never_longer_than_needed() {
        let slow = SlowStatements::new(FakeClock::at(Timestamp::UNIX_EPOCH));
        for nth in 0..60 {
            slow.record(
                "list",
                "SELECT\n  1",
                Duration::from_millis(nth),
                Vec::new(),
            );
        }
        let long = format!("SELECT {}", "é".repeat(5_000));
        slow.record("list", &long, Duration::from_secs(2), Vec::new());
        let latest = slow.latest();
        assert_eq!((latest.len(), latest[0].ms), (50, 11.0));
        assert_eq!(latest[0].statement, "SELECT 1");
        let last = &latest[49];
        assert_eq!((last.statement.chars().count(), last.ms), (2_001, 2_000.0));
    }

    #[test]
    fn a_plan_is_known_by_its_statement() {
        let slow = SlowStatements::new(FakeClock::at(Timestamp::UNIX_EPOCH));
        let plan = vec!["SCAN contexts".to_owned()];
        slow.record("count", "SELECT  count(*)", Duration::ZERO, plan.clone());
        assert_eq!(slow.plan_of("SELECT\ncount(*)"), Some(plan));
        assert_eq!(slow.plan_of("SELECT 1"), None);
    }
}
