//! Leaves a failing part in peace for a while, and asks it carefully before trusting it again.

mod state;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

use super::CircuitBreakerSettings;
use crate::clock::SharedClock;
use crate::config::ConfigError;
use state::Machine;

/// State changes that a slow subscriber may fall behind before it misses some.
const SUBSCRIBER_BACKLOG: usize = 64;

/// Whether calls go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// They do.
    Closed,
    /// They do not, until the time-out has passed and the next call asks.
    Open,
    /// A few do, as probes.
    HalfOpen,
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        })
    }
}

/// One change of state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BreakerEvent {
    /// When.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub at: Timestamp,
    /// The state before.
    pub from: BreakerState,
    /// The state after.
    pub to: BreakerState,
    /// Why, as a sentence part.
    pub reason: String,
}

/// What a breaker knows of itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BreakerSnapshot {
    /// Whether calls go through.
    pub state: BreakerState,
    /// Milliseconds until a probe is let through; `None` unless open.
    pub retry_after_ms: Option<f64>,
    /// Failures that count now.
    pub failures_in_window: u32,
    /// Successful probes of this half-open phase.
    pub probe_successes: u32,
    /// Probes that have not ended.
    pub probes_in_flight: u32,
    /// Calls that succeeded, ever.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub succeeded: u64,
    /// Calls that failed, ever.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub failed: u64,
    /// Calls that were given up without a result, ever.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub abandoned: u64,
    /// Calls refused, ever.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub refused: u64,
    /// The latest changes of state, oldest first, a hundred at most.
    pub history: Vec<BreakerEvent>,
}

/// The breaker does not let the call through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the circuit breaker is open; it lets a probe through in {retry_after:?}")]
pub struct Open {
    /// Until asking again makes sense.
    pub retry_after: Duration,
}

/// A circuit breaker; a handle that is cheap to clone, all clones being one breaker.
///
/// Closed, it counts failures in a sliding window; successes do not forgive them, as a part that
/// fails half of the time fails. At the threshold it opens. After the time-out the next call is
/// let through as a probe (half-open), with as many at once as successes are still missing to
/// close; one failed probe opens it anew.
#[derive(Debug, Clone)]
pub struct CircuitBreaker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    machine: Mutex<Machine>,
    events: broadcast::Sender<BreakerEvent>,
}

impl CircuitBreaker {
    /// A closed breaker.
    ///
    /// # Errors
    /// [`ConfigError`] if a setting is out of range.
    pub fn new(settings: CircuitBreakerSettings, clock: SharedClock) -> Result<Self, ConfigError> {
        settings.validate()?;
        Ok(Self {
            shared: Arc::new(Shared {
                clock,
                machine: Mutex::new(Machine::new(settings)),
                events: broadcast::Sender::new(SUBSCRIBER_BACKLOG),
            }),
        })
    }

    /// Leave for one call. Tell the permit how the call ended; a permit that is dropped counts as
    /// neither success nor failure.
    ///
    /// # Errors
    /// [`Open`] if the call must not be made.
    pub fn try_acquire(&self) -> Result<Permit, Open> {
        self.shared
            .change(|machine, now| machine.acquire(now))
            .map(|epoch| Permit {
                shared: Arc::clone(&self.shared),
                epoch,
                resolved: false,
            })
    }

    /// Whether calls go through. An open breaker becomes half-open only when a call asks.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.shared.machine.lock().state()
    }

    /// What it knows of itself.
    #[must_use]
    pub fn snapshot(&self) -> BreakerSnapshot {
        let now = self.shared.clock.elapsed();
        self.shared.machine.lock().snapshot(now)
    }

    /// Changes of state from now on, in order.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<BreakerEvent> {
        self.shared.events.subscribe()
    }

    /// Closes it and forgets the failures; results of earlier permits no longer count.
    pub fn reset(&self) {
        self.reset_because("reset by hand");
    }

    /// The same, for a reason that its history tells.
    pub(crate) fn reset_because(&self, reason: &str) {
        self.shared.change(|machine, _| machine.reset(reason));
    }

    /// Goes on with other settings; what was counted stays counted.
    ///
    /// # Errors
    /// [`ConfigError`] if a setting is out of range; the old ones stay in force.
    pub fn update(&self, settings: CircuitBreakerSettings) -> Result<(), ConfigError> {
        settings.validate()?;
        self.shared
            .change(|machine, now| machine.update(settings, now));
        Ok(())
    }
}

impl Shared {
    /// Works on the state, and tells about the changes while still holding it, so that
    /// subscribers see them in order.
    fn change<T>(&self, work: impl FnOnce(&mut Machine, Duration) -> T) -> T {
        let mut machine = self.machine.lock();
        let result = work(&mut machine, self.clock.elapsed());
        for (from, to, reason) in machine.take_transitions() {
            tracing::warn!(%from, %to, reason, "the circuit breaker changed its state");
            let event = BreakerEvent {
                at: self.clock.now(),
                from,
                to,
                reason,
            };
            machine.remember(event.clone());
            // Nobody listening is fine.
            let _ = self.events.send(event);
        }
        result
    }
}

/// Leave for one call through a [`CircuitBreaker`].
#[derive(Debug)]
#[must_use = "tell the permit how the call ended"]
pub struct Permit {
    shared: Arc<Shared>,
    epoch: u64,
    resolved: bool,
}

impl Permit {
    /// The call succeeded.
    pub fn success(mut self) {
        self.resolved = true;
        self.shared.change(|machine, _| machine.success(self.epoch));
    }

    /// The call failed. The reason is shown and logged: no secrets in it; it is cut at 200
    /// characters.
    pub fn failure(mut self, reason: &str) {
        self.resolved = true;
        self.shared
            .change(|machine, now| machine.failure(self.epoch, now, reason));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.resolved {
            self.shared.change(|machine, _| machine.abandon(self.epoch));
        }
    }
}

#[cfg(test)]
mod tests;
