//! The breaker's rules, without locks and clocks.

use std::collections::VecDeque;
use std::time::Duration;

use super::{BreakerEvent, BreakerSnapshot, BreakerState, Open};
use crate::resilience::CircuitBreakerSettings;

/// Changes of state remembered.
const HISTORY: usize = 100;
/// Characters of a reason kept.
const REASON_CHARS: usize = 200;
/// When to ask again while all probes are on their way; they may end at any moment.
const PROBE_WAIT: Duration = Duration::from_secs(1);

#[derive(Debug)]
enum Phase {
    /// With the times of the failures that may still count, oldest first.
    Closed {
        failures: VecDeque<Duration>,
    },
    Open {
        since: Duration,
    },
    HalfOpen {
        successes: u32,
        in_flight: u32,
    },
}

/// The state with all its numbers.
#[derive(Debug)]
pub(super) struct Machine {
    settings: CircuitBreakerSettings,
    phase: Phase,
    /// Counts the changes of state. A result whose permit is of another epoch is about a state
    /// that is gone, and changes nothing.
    epoch: u64,
    succeeded: u64,
    failed: u64,
    abandoned: u64,
    refused: u64,
    transitions: Vec<(BreakerState, BreakerState, String)>,
    history: VecDeque<BreakerEvent>,
}

impl Machine {
    pub(super) fn new(settings: CircuitBreakerSettings) -> Self {
        Self {
            settings,
            phase: closed(),
            epoch: 0,
            succeeded: 0,
            failed: 0,
            abandoned: 0,
            refused: 0,
            transitions: Vec::new(),
            history: VecDeque::new(),
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Closed { .. } => BreakerState::Closed,
            Phase::Open { .. } => BreakerState::Open,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// The epoch of the permit.
    pub(super) fn acquire(&mut self, now: Duration) -> Result<u64, Open> {
        if let Phase::Open { since } = self.phase {
            let retry_after = (since + self.settings.timeout.duration()).saturating_sub(now);
            if !retry_after.is_zero() {
                self.refused += 1;
                return Err(Open { retry_after });
            }
            let half_open = Phase::HalfOpen {
                successes: 0,
                in_flight: 0,
            };
            self.enter(
                half_open,
                format!("the time-out of {} is over", self.settings.timeout),
            );
        }
        if let Phase::HalfOpen {
            successes,
            in_flight,
        } = &mut self.phase
        {
            if *successes + *in_flight >= self.settings.success_threshold {
                self.refused += 1;
                let retry_after = PROBE_WAIT.min(self.settings.timeout.duration());
                return Err(Open { retry_after });
            }
            *in_flight += 1;
        }
        Ok(self.epoch)
    }

    pub(super) fn success(&mut self, epoch: u64) {
        self.succeeded += 1;
        if epoch != self.epoch {
            return;
        }
        if let Phase::HalfOpen {
            successes,
            in_flight,
        } = &mut self.phase
        {
            *successes += 1;
            *in_flight = in_flight.saturating_sub(1);
        }
        self.close_if_proven();
    }

    pub(super) fn failure(&mut self, epoch: u64, now: Duration, reason: &str) {
        self.failed += 1;
        if epoch != self.epoch {
            return;
        }
        let window = self.settings.window_size;
        let why = match &mut self.phase {
            Phase::Closed { failures } => {
                failures.push_back(now);
                forget(failures, window.duration(), now);
                if failures.len() < self.settings.failure_threshold as usize {
                    return;
                }
                format!("{} failures within {window}, the last: ", failures.len())
            }
            Phase::HalfOpen { .. } => "a probe failed: ".to_owned(),
            Phase::Open { .. } => return,
        };
        let reason = why
            .chars()
            .chain(reason.chars().take(REASON_CHARS))
            .collect();
        self.enter(Phase::Open { since: now }, reason);
    }

    pub(super) fn abandon(&mut self, epoch: u64) {
        self.abandoned += 1;
        if epoch != self.epoch {
            return;
        }
        if let Phase::HalfOpen { in_flight, .. } = &mut self.phase {
            *in_flight = in_flight.saturating_sub(1);
        }
    }

    pub(super) fn reset(&mut self, reason: &str) {
        // A reset of a closed breaker is no change of state, yet ends the epoch all the same.
        if self.state() == BreakerState::Closed {
            self.phase = closed();
            self.epoch += 1;
        } else {
            self.enter(closed(), reason.to_owned());
        }
    }

    pub(super) fn update(&mut self, settings: CircuitBreakerSettings, now: Duration) {
        self.settings = settings;
        if let Phase::Closed { failures } = &mut self.phase {
            forget(failures, self.settings.window_size.duration(), now);
        }
        self.close_if_proven();
    }

    pub(super) fn snapshot(&self, now: Duration) -> BreakerSnapshot {
        let mut snapshot = BreakerSnapshot {
            state: self.state(),
            retry_after_ms: None,
            failures_in_window: 0,
            probe_successes: 0,
            probes_in_flight: 0,
            succeeded: self.succeeded,
            failed: self.failed,
            abandoned: self.abandoned,
            refused: self.refused,
            history: self.history.iter().cloned().collect(),
        };
        match &self.phase {
            Phase::Closed { failures } => {
                let window = self.settings.window_size.duration();
                let counting = failures
                    .iter()
                    .filter(|at| now.saturating_sub(**at) <= window);
                snapshot.failures_in_window = counting.count() as u32;
            }
            Phase::Open { since } => {
                let left = (*since + self.settings.timeout.duration()).saturating_sub(now);
                snapshot.retry_after_ms = Some(left.as_secs_f64() * 1e3);
            }
            Phase::HalfOpen {
                successes,
                in_flight,
            } => {
                snapshot.probe_successes = *successes;
                snapshot.probes_in_flight = *in_flight;
            }
        }
        snapshot
    }

    pub(super) fn take_transitions(&mut self) -> Vec<(BreakerState, BreakerState, String)> {
        std::mem::take(&mut self.transitions)
    }

    pub(super) fn remember(&mut self, event: BreakerEvent) {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(event);
    }

    fn close_if_proven(&mut self) {
        if let Phase::HalfOpen { successes, .. } = self.phase
            && successes >= self.settings.success_threshold
        {
            self.enter(closed(), format!("{successes} probes succeeded"));
        }
    }

    fn enter(&mut self, phase: Phase, reason: String) {
        let from = self.state();
        self.phase = phase;
        self.epoch += 1;
        self.transitions.push((from, self.state(), reason));
    }
}

fn closed() -> Phase {
    Phase::Closed {
        failures: VecDeque::new(),
    }
}

/// Drops the failures that are older than the window.
fn forget(failures: &mut VecDeque<Duration>, window: Duration, now: Duration) {
    while failures
        .front()
        .is_some_and(|at| now.saturating_sub(*at) > window)
    {
        failures.pop_front();
    }
}
