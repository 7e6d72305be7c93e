//! When a client's next request is due.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::LoadPlan;

/// A request to be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    /// From when its latency counts.
    pub(super) due: Instant,
    /// How long ago that was.
    pub(super) delay: Duration,
    /// Whether it is measured.
    pub(super) counted: bool,
}

/// The times of a run. All its clients share one.
#[derive(Debug)]
pub(super) struct Schedule {
    start: Instant,
    /// When the warm-up ends.
    pub(super) from: Instant,
    /// When no request is begun any more.
    pub(super) until: Instant,
    /// Requests a second; `None` where each client asks when it was answered.
    rate: Option<f64>,
    /// The next request of an open loop. They belong to no client: whoever is free takes one.
    next: AtomicU64,
}

impl Schedule {
    pub(super) fn new(plan: &LoadPlan, start: Instant) -> Self {
        let from = start + plan.warm_up();
        Self {
            start,
            from,
            until: from + plan.duration(),
            rate: plan.rate,
            next: AtomicU64::new(0),
        }
    }

    /// Waits for a request that is due; `None` when the time is up.
    pub(super) async fn next(&self) -> Option<Turn> {
        let due = match self.rate {
            None => Instant::now(),
            Some(rate) => {
                let number = self.next.fetch_add(1, Ordering::Relaxed);
                let due = self.due(number, rate).filter(|due| *due < self.until)?;
                sleep_until(due).await;
                due
            }
        };
        let now = Instant::now();
        (now < self.until).then(|| Turn {
            due,
            delay: now.duration_since(due),
            counted: due >= self.from,
        })
    }

    /// How many requests of an open loop were due in the measured time, before `moment`.
    pub(super) fn due_by(&self, moment: Instant) -> Option<u64> {
        let rate = self.rate?;
        let until = self.first_after(moment.min(self.until), rate);
        Some(until.saturating_sub(self.first_after(self.from, rate)))
    }

    fn due(&self, number: u64, rate: f64) -> Option<Instant> {
        let since = Duration::try_from_secs_f64(number as f64 / rate).ok()?;
        self.start.checked_add(since)
    }

    /// The first request that is due at `moment` or later. The estimate is put right, as requests
    /// are due at whole nanoseconds.
    fn first_after(&self, moment: Instant, rate: f64) -> u64 {
        let seconds = moment.duration_since(self.start).as_secs_f64();
        let mut number = ((seconds * rate) as u64).saturating_sub(2);
        while self.due(number, rate).is_some_and(|due| due < moment) {
            number += 1;
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(rate: Option<f64>) -> LoadPlan {
        LoadPlan {
            rate,
            warm_up_s: 1.0,
            ..LoadPlan::new(4, 2.0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_loop_asks_at_its_rate_and_counts_after_the_warm_up() {
        let start = Instant::now();
        for rate in [3.0, 10.0, 1_000.0, 0.7] {
            let begun = Instant::now();
            let schedule = Schedule::new(&plan(Some(rate)), begun);
            let (mut all, mut counted) = (0, 0);
            while let Some(turn) = schedule.next().await {
                let at = (turn.due - begun).as_secs_f64();
                assert!((at - f64::from(all) / rate).abs() < 1e-6);
                all += 1;
                counted += u64::from(turn.counted);
            }
            assert_eq!(all, (3.0 * rate).ceil() as i32, "{rate}");
            assert_eq!(schedule.due_by(schedule.until), Some(counted), "{rate}");
        }
        assert!(start.elapsed() > Duration::from_secs(4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_nobody_took_in_time_keeps_the_moment_when_it_was_due() {
        let start = Instant::now();
        let schedule = Schedule::new(&plan(Some(10.0)), start);
        schedule.next().await.unwrap();
        tokio::time::advance(Duration::from_millis(1_500)).await;
        let turn = schedule.next().await.unwrap();
        assert_eq!(turn.due, start + Duration::from_millis(100));
        assert_eq!(turn.delay, Duration::from_millis(1_400));
        assert!(!turn.counted);
        assert_eq!(schedule.due_by(Instant::now()), Some(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_loop_asks_at_once_until_the_time_is_up() {
        let schedule = Schedule::new(&plan(None), Instant::now());
        assert!(!schedule.next().await.unwrap().counted);
        tokio::time::advance(Duration::from_secs(1)).await;
        let turn = schedule.next().await.unwrap();
        assert_eq!((turn.counted, turn.delay), (true, Duration::ZERO));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(schedule.next().await, None);
        assert_eq!(schedule.due_by(Instant::now()), None);
    }
}
