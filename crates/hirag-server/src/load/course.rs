//! The seconds of a run as lines.

use jiff::{SignedDuration, Timestamp};

use super::{LoadReport, SecondReport};
use crate::pictures::{Axis, Line, Plot, Unit};

/// Points of a line: more than pixels can show would only make a page large.
const POINTS: usize = 600;

/// Answers by the second, of those that were measured to their end.
pub(super) fn throughput(report: &LoadReport) -> Plot {
    let whole = (report.measured_s as usize).max(1);
    let seconds = &report.seconds[..whole.min(report.seconds.len())];
    let rate = |name, of: fn(&SecondReport) -> u64| {
        line(name, report.started, seconds, move |seconds| {
            let count: u64 = seconds.iter().map(of).sum();
            Some(count as f64 / seconds.len().max(1) as f64)
        })
    };
    Plot {
        subject: "Answers a second".to_owned(),
        unit: Unit::PerSecond,
        axis: axis(report.started, seconds),
        lines: vec![
            rate("succeeded", |second| second.succeeded),
            rate("failed", |second| second.failed),
        ],
    }
}

/// Latencies by the second in which requests ended, to the last of them.
pub(super) fn latency(report: &LoadReport) -> Plot {
    let worst = |name, of: fn(&SecondReport) -> Option<f64>| {
        line(name, report.started, &report.seconds, move |seconds| {
            seconds.iter().filter_map(of).reduce(f64::max)
        })
    };
    Plot {
        subject: "Latency".to_owned(),
        unit: Unit::Milliseconds,
        axis: axis(report.started, &report.seconds),
        lines: vec![
            worst("p50", |second| second.p50_ms),
            worst("p99", |second| second.p99_ms),
            worst("longest", |second| second.max_ms),
        ],
    }
}

fn axis(start: Timestamp, seconds: &[SecondReport]) -> Axis {
    Axis::Since {
        start,
        seconds: seconds.len() as f64,
    }
}

/// A line with a point in the middle of each second, or of as many as one point has to stand for.
fn line(
    name: &str,
    start: Timestamp,
    seconds: &[SecondReport],
    value: impl Fn(&[SecondReport]) -> Option<f64>,
) -> Line {
    let size = seconds.len().div_ceil(POINTS).max(1);
    let points = seconds.chunks(size).enumerate().map(|(number, seconds)| {
        let middle = (number * size) as f64 + seconds.len() as f64 / 2.0;
        let since = SignedDuration::try_from_secs_f64(middle).unwrap_or_default();
        let at = start.saturating_add(since).unwrap_or(start);
        (at, value(seconds))
    });
    Line {
        name: name.to_owned(),
        values: points.collect(),
    }
}
