use std::collections::VecDeque;
use std::time::Duration;

/// The time over which a rate is told: long enough to be calm, short enough to be today's.
const WINDOW: Duration = Duration::from_secs(15);
/// Time between two marks; bounds their number.
const STEP: Duration = Duration::from_millis(500);

/// How fast something counts up.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    /// Moments and what was done by then.
    marks: VecDeque<(Duration, u64)>,
}

impl Pace {
    /// Notes that `done` were done at `now`; returns how many a second that is, 0 until it is
    /// known.
    pub(super) fn mark(&mut self, now: Duration, done: u64) -> f64 {
        let last = self.marks.back().map(|(at, _)| *at);
        if last.is_none_or(|last| now.saturating_sub(last) >= STEP) {
            self.marks.push_back((now, done));
        }
        while self.marks.len() > 2 && now.saturating_sub(self.marks[1].0) >= WINDOW {
            self.marks.pop_front();
        }
        let Some((since, before)) = self.marks.front() else {
            return 0.0;
        };
        let seconds = now.saturating_sub(*since).as_secs_f64();
        if seconds <= 0.0 {
            return 0.0;
        }
        done.saturating_sub(*before) as f64 / seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_a_change_of_pace_and_the_marks_stay_few() {
        let mut pace = Pace::default();
        let (mut now, mut done) = (Duration::ZERO, 0);
        assert_eq!(pace.mark(now, done), 0.0);
        for (per_step, expected) in [(10, 100.0), (1, 10.0)] {
            let mut rate = 0.0;
            for _ in 0..1_000 {
                now += Duration::from_millis(100);
                done += per_step;
                rate = pace.mark(now, done);
            }
            assert!((rate - expected).abs() < 0.5, "{rate}");
            assert!(pace.marks.len() < 40);
        }
    }
}
