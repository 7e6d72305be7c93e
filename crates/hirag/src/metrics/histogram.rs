//! Latencies in bounded memory: histograms of short slices of time, merged when somebody looks.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Percentiles are right within 1 %.
const SIGNIFICANT_DIGITS: u8 = 2;
/// Latencies are told apart from here on: a cache hit takes some microseconds.
const FINEST_NANOS: u64 = 128;
/// The largest at first; a histogram grows as longer ones come.
const FIRST_NANOS: u64 = 1 << 20;
/// Longer than this is counted as this long in the percentiles: an hour.
const LONGEST_NANOS: u64 = 3_600_000_000_000;
/// Slices of a window. The oldest is dropped whole, so a window covers 90 to 100 % of its time.
const SLICES: u64 = 10;

/// The latencies of one operation over some time, in milliseconds; all 0 when there were none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LatencySummary {
    /// How often it ran.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub count: u64,
    /// The mean; exact.
    pub mean_ms: f64,
    /// The shortest; exact.
    pub min_ms: f64,
    /// Half are at most this; within 1 %.
    pub p50_ms: f64,
    /// 95 % are at most this; within 1 %.
    pub p95_ms: f64,
    /// 99 % are at most this; within 1 %.
    pub p99_ms: f64,
    /// The longest; exact.
    pub max_ms: f64,
}

/// Runs that took about the same time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Bucket {
    /// Milliseconds that they took at least.
    pub from_ms: f64,
    /// Milliseconds that they stayed below.
    pub to_ms: f64,
    /// How many they were.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub count: u64,
}

impl Bucket {
    /// How many of the `recorded` values, each with how often it was, lie between two neighbours of
    /// `bounds`, which ascend; from the first bucket that has any to the last. What lies beyond the
    /// bounds counts in the nearest bucket.
    pub fn between<T: Copy + PartialOrd>(
        bounds: &[T],
        ms: impl Fn(T) -> f64,
        recorded: impl Iterator<Item = (T, u64)>,
    ) -> Vec<Self> {
        let mut buckets: Vec<Self> = bounds
            .windows(2)
            .map(|bound| Self {
                from_ms: ms(bound[0]),
                to_ms: ms(bound[1]),
                count: 0,
            })
            .collect();
        let Some(last) = buckets.len().checked_sub(1) else {
            return buckets;
        };
        for (value, count) in recorded {
            let place = bounds.partition_point(|bound| *bound <= value);
            buckets[place.saturating_sub(1).min(last)].count += count;
        }
        let has_any = |bucket: &Self| bucket.count > 0;
        let end = buckets.iter().rposition(has_any).map_or(0, |at| at + 1);
        buckets.truncate(end);
        let begin = buckets.iter().position(has_any).unwrap_or(0);
        buckets.split_off(begin)
    }
}

/// The latencies of one stretch of time.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    count: u64,
    sum: Duration,
    min: Option<Duration>,
    max: Duration,
    /// Made with the first latency, as most slices of most operations stay empty.
    histogram: Option<Histogram<u32>>,
}

impl Latencies {
    pub(super) fn record(&mut self, latency: Duration) {
        self.count += 1;
        self.sum = self.sum.saturating_add(latency);
        self.min = shortest(self.min, Some(latency));
        self.max = self.max.max(latency);
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        if let Some(histogram) = self.histogram() {
            // Cannot fail: it grows by itself, and the value is within what it can grow to.
            let _ = histogram.record(nanos.min(LONGEST_NANOS));
        }
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
        self.min = shortest(self.min, other.min);
        self.max = self.max.max(other.max);
        if let (Some(theirs), Some(ours)) = (&other.histogram, self.histogram()) {
            let _ = ours.add(theirs);
        }
    }

    fn histogram(&mut self) -> Option<&mut Histogram<u32>> {
        if self.histogram.is_none() {
            let mut new =
                Histogram::new_with_bounds(FINEST_NANOS, FIRST_NANOS, SIGNIFICANT_DIGITS).ok()?;
            new.auto(true);
            self.histogram = Some(new);
        }
        self.histogram.as_mut()
    }

    /// How many lie in each bucket of a 1-2-5 series, from the first to the last that has any;
    /// within 1 % of the bounds.
    pub(super) fn distribution(&self) -> Vec<Bucket> {
        let Some(histogram) = &self.histogram else {
            return Vec::new();
        };
        let bounds: Vec<f64> = (-4..=7)
            .flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)))
            .collect();
        let recorded = histogram.iter_recorded().map(|recorded| {
            let nanos = histogram.lowest_equivalent(recorded.value_iterated_to());
            (
                millis(Duration::from_nanos(nanos)),
                u64::from(recorded.count_at_value()),
            )
        });
        Bucket::between(&bounds, |bound| bound, recorded)
    }

    pub(super) fn summary(&self) -> LatencySummary {
        let Some(histogram) = &self.histogram else {
            return LatencySummary::default();
        };
        let max_ms = millis(self.max);
        let quantile = |q| {
            let value = Duration::from_nanos(histogram.value_at_quantile(q));
            // A bucket's upper end may lie above everything that is in it.
            millis(value).min(max_ms)
        };
        LatencySummary {
            count: self.count,
            mean_ms: millis(self.sum) / self.count as f64,
            min_ms: millis(self.min.unwrap_or_default()),
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
            max_ms,
        }
    }
}

/// The latencies of the last so-and-so much time.
#[derive(Debug)]
pub(super) struct Window {
    slice: Duration,
    slices: Vec<(u64, Latencies)>,
}

impl Window {
    pub(super) fn over(length: Duration) -> Self {
        Self {
            slice: length / SLICES as u32,
            slices: Vec::new(),
        }
    }

    pub(super) fn record(&mut self, now: Duration, latency: Duration) {
        let current = self.number(now);
        self.forget(current);
        // A thread that is late by a slice may find a newer one; the order does not matter.
        let place = match self
            .slices
            .iter()
            .position(|(number, _)| *number == current)
        {
            Some(place) => place,
            None => {
                self.slices.push((current, Latencies::default()));
                self.slices.len() - 1
            }
        };
        self.slices[place].1.record(latency);
    }

    pub(super) fn summary(&mut self, now: Duration) -> LatencySummary {
        self.whole(now).summary()
    }

    pub(super) fn distribution(&mut self, now: Duration) -> Vec<Bucket> {
        self.whole(now).distribution()
    }

    /// How much time it looks back on.
    pub(super) fn reach(&self, now: Duration) -> Duration {
        let oldest = (self.number(now) + 1).saturating_sub(SLICES);
        now.saturating_sub(self.slice * u32::try_from(oldest).unwrap_or(u32::MAX))
    }

    fn whole(&mut self, now: Duration) -> Latencies {
        let current = self.number(now);
        self.forget(current);
        let mut all = Latencies::default();
        for (_, slice) in &self.slices {
            all.add(slice);
        }
        all
    }

    fn number(&self, now: Duration) -> u64 {
        (now.as_nanos() / self.slice.as_nanos()) as u64
    }

    /// Drops the slices that lie before the window, and with them their memory.
    fn forget(&mut self, current: u64) {
        self.slices.retain(|(number, _)| number + SLICES > current);
    }
}

fn shortest(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.into_iter().chain(other).min()
}

pub(super) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn nothing_recorded_is_all_zero() {
        assert_eq!(Latencies::default().summary(), LatencySummary::default());
        assert_eq!(
            Window::over(MINUTE).summary(MINUTE),
            LatencySummary::default()
        );
    }

    #[test]
    fn a_window_forgets_slice_by_slice() {
        let mut window = Window::over(MINUTE);
        for second in 0..60 {
            window.record(Duration::from_secs(second), Duration::from_millis(1));
        }
        assert_eq!(window.summary(Duration::from_secs(59)).count, 60);
        assert_eq!(window.summary(Duration::from_secs(60)).count, 54);
        assert_eq!(window.summary(Duration::from_secs(113)).count, 6);
        assert_eq!(window.summary(Duration::from_secs(114)).count, 0);
        assert!(window.slices.is_empty());
    }

    #[test]
    fn a_distribution_has_every_bucket_between_its_first_and_its_last() {
        let mut latencies = Latencies::default();
        for micros in [1_500, 1_700, 30_000] {
            latencies.record(Duration::from_micros(micros));
        }
        let buckets = latencies.distribution();
        let counts: Vec<_> = buckets.iter().map(|b| (b.from_ms, b.count)).collect();
        assert_eq!(counts, [(1.0, 2), (2.0, 0), (5.0, 0), (10.0, 0), (20.0, 1)]);
        assert!(Latencies::default().distribution().is_empty());
    }

    #[test]
    fn a_window_reaches_back_to_the_begin_of_its_oldest_slice() {
        let window = Window::over(MINUTE);
        let reach = |second| window.reach(Duration::from_secs(second)).as_secs();
        assert_eq!([0, 30, 59, 60, 65, 66].map(reach), [0, 30, 59, 54, 59, 54]);
    }

    #[test]
    fn the_shortest_is_exact_and_outlives_merging() {
        let mut window = Window::over(MINUTE);
        for (second, millis) in [(0, 7), (10, 3), (20, 9)] {
            window.record(Duration::from_secs(second), Duration::from_millis(millis));
        }
        let summary = window.summary(Duration::from_secs(20));
        assert_eq!((summary.min_ms, summary.max_ms), (3.0, 9.0));
    }

    #[test]
    fn slices_stay_bounded_over_a_long_time() {
        let mut window = Window::over(MINUTE);
        for second in 0..100_000 {
            window.record(
                Duration::from_secs(second),
                Duration::from_millis(second % 9_000),
            );
            assert!(window.slices.len() <= SLICES as usize);
        }
    }

    #[test]
    fn extreme_latencies_are_counted() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::ZERO);
        latencies.record(Duration::MAX);
        latencies.record(Duration::MAX);
        let summary = latencies.summary();
        assert_eq!(summary.count, 3);
        assert!(summary.p99_ms >= 3.5e6 && summary.max_ms >= summary.p99_ms);
    }

    proptest! {
        /// Against the sorted list: the percentiles are right within 1 %, also when merged from
        /// several slices.
        #[test]
        fn percentiles_agree_with_the_sorted_list(
            nanos in prop::collection::vec(1_000..100_000_000_000_u64, 1..500)
        ) {
            let mut window = Window::over(MINUTE);
            for (nth, nanos) in nanos.iter().enumerate() {
                let now = Duration::from_secs(nth as u64 % 60);
                window.record(now, Duration::from_nanos(*nanos));
            }
            let mut sorted = nanos;
            sorted.sort_unstable();
            let exact = |q: f64| {
                let rank = (q * sorted.len() as f64).ceil().max(1.0) as usize;
                sorted[rank - 1] as f64 / 1e6
            };
            let summary = window.summary(Duration::from_secs(59));
            prop_assert_eq!(summary.count, sorted.len() as u64);
            let pairs = [
                (summary.p50_ms, exact(0.5)),
                (summary.p95_ms, exact(0.95)),
                (summary.p99_ms, exact(0.99)),
                (summary.max_ms, exact(1.0)),
                (summary.mean_ms, sorted.iter().sum::<u64>() as f64 / sorted.len() as f64 / 1e6),
            ];
            for (got, exact) in pairs {
                let allowed = exact * 0.01 + FINEST_NANOS as f64 / 1e6;
                prop_assert!((got - exact).abs() <= allowed, "{} for {}", got, exact);
            }
        }
    }
}
