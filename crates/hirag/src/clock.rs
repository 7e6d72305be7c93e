//! Time comes in as a parameter, so that no test sleeps.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// What the core asks for the time.
pub trait Clock: Send + Sync + Debug + 'static {
    /// Wall-clock time, for what is stored. It may jump when a person sets the machine's clock.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary start, never going back; for windows, time-outs and rates.
    fn elapsed(&self) -> Duration;
}

/// A clock handle that is cheap to clone.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A shared handle to a new system clock.
    #[must_use]
    pub fn shared() -> SharedClock {
        Arc::new(Self {
            start: Instant::now(),
        })
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands still until it is told to move. For tests and benches.
#[derive(Debug)]
pub struct FakeClock {
    base: Timestamp,
    elapsed_nanos: AtomicU64,
}

impl FakeClock {
    /// A clock that stands at `base`.
    #[must_use]
    pub fn at(base: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            base,
            elapsed_nanos: AtomicU64::new(0),
        })
    }

    /// Moves both the wall clock and the elapsed time forward.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.elapsed_nanos.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        self.base
            .checked_add(self.elapsed())
            .unwrap_or(Timestamp::MAX)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_nanos.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fake_clock_moves_only_when_told() {
        let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        clock.advance(Duration::from_millis(1_500));
        assert_eq!(clock.elapsed(), Duration::from_millis(1_500));
        assert_eq!(clock.now().as_millisecond(), 1_500);
    }
}
