//! What a chart's lines are made of.

use hirag::resilience::{BreakerEvent, BreakerState};
use jiff::Timestamp;

use super::{ChartKind, ChartRequest, Material, short};
use crate::studio::SAMPLE_INTERVAL;

/// Operations that one chart tells apart.
const OPERATIONS: usize = 6;

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Milliseconds,
    Percent,
    PerSecond,
    Megabytes,
    /// 0 closed, 1 half-open, 2 open.
    State,
}

impl Unit {
    pub(super) fn tell(self, value: f64) -> String {
        match self {
            Self::Milliseconds => format!("{} ms", short(value)),
            Self::Percent => format!("{} %", short(value)),
            Self::PerSecond => format!("{}/s", short(value)),
            Self::Megabytes => format!("{} MB", short(value)),
            Self::State if value < 0.5 => "closed".to_owned(),
            Self::State if value < 1.5 => "half-open".to_owned(),
            Self::State => "open".to_owned(),
        }
    }

    /// The top of the axis, where it does not follow from the values.
    pub(super) const fn top(self) -> Option<f64> {
        match self {
            Self::Percent => Some(100.0),
            Self::State => Some(2.0),
            _ => None,
        }
    }
}

/// How the times under a chart are told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Axis {
    /// The minutes up to now.
    Ago { now: Timestamp, minutes: u32 },
    /// The seconds since the start.
    Since { start: Timestamp, seconds: f64 },
}

impl Axis {
    /// Both ends: minutes before now, or seconds since the start.
    pub(super) fn ends(self) -> (f64, f64) {
        match self {
            Self::Ago { minutes, .. } => (-f64::from(minutes), 0.0),
            Self::Since { seconds, .. } => (0.0, seconds.max(1.0)),
        }
    }

    /// Where a moment lies between them.
    pub(super) fn place(self, at: Timestamp) -> f64 {
        match self {
            Self::Ago { now, .. } => at.duration_since(now).as_secs_f64() / 60.0,
            Self::Since { start, .. } => at.duration_since(start).as_secs_f64(),
        }
    }

    /// A place in words.
    pub(super) fn tell(self, place: f64) -> String {
        match self {
            Self::Ago { .. } => match place.round() {
                0.0 => "now".to_owned(),
                minutes => format!("{minutes} min"),
            },
            Self::Since { .. } => format!("{} s", short(place)),
        }
    }

    /// All of it in words.
    pub(super) fn length(self) -> String {
        match self {
            Self::Ago { minutes: 1, .. } => "the last minute".to_owned(),
            Self::Ago { minutes, .. } => format!("the last {minutes} minutes"),
            Self::Since { seconds, .. } => format!("{} seconds", short(seconds)),
        }
    }
}

/// One line.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// Times and values, oldest first.
    pub(crate) values: Vec<(Timestamp, Option<f64>)>,
}

/// Lines over time.
#[derive(Debug, Clone)]
pub(crate) struct Plot {
    /// What it shows, as the beginning of a sentence.
    pub(crate) subject: String,
    pub(crate) unit: Unit,
    pub(crate) axis: Axis,
    pub(crate) lines: Vec<Line>,
}

/// The lines of a chart.
pub(super) fn plot(request: &ChartRequest, material: &Material) -> Plot {
    let history = &material.history;
    let line = |name: &str, values: Vec<Option<f64>>| Line {
        name: name.to_owned(),
        values: history.times.iter().copied().zip(values).collect(),
    };
    let (subject, unit, lines) = match request.kind {
        ChartKind::Latency | ChartKind::Histogram => {
            let name = request.operation();
            let found = history.operations.iter().find(|one| one.name == name);
            let lines = found.map_or_else(Vec::new, |course| {
                vec![
                    line("p50", course.p50.clone()),
                    line("p95", course.p95.clone()),
                    line("p99", course.p99.clone()),
                ]
            });
            (format!("Latency of {name}"), Unit::Milliseconds, lines)
        }
        ChartKind::Cache => {
            let percent = |rate: &Option<f64>| rate.map(|rate| rate * 100.0);
            let lines = history
                .cache_hit_rates
                .iter()
                .map(|course| line(&course.name, course.rate.iter().map(percent).collect()));
            let subject = "Hit rates of the embedding caches".to_owned();
            (subject, Unit::Percent, lines.collect())
        }
        ChartKind::Throughput => {
            let seconds = SAMPLE_INTERVAL.as_secs_f64();
            let lines = history.operations.iter().take(OPERATIONS).map(|course| {
                let rate = course
                    .count
                    .iter()
                    .map(|count| Some(*count as f64 / seconds));
                line(&course.name, rate.collect())
            });
            (
                "Operations a second".to_owned(),
                Unit::PerSecond,
                lines.collect(),
            )
        }
        ChartKind::Memory => {
            let megabytes = |bytes: &u64| (*bytes > 0).then(|| *bytes as f64 / 1_048_576.0);
            let values = history.rss_bytes.iter().map(megabytes).collect();
            let lines = vec![line("resident", values)];
            ("Memory of the process".to_owned(), Unit::Megabytes, lines)
        }
        ChartKind::Breaker => {
            let lines = vec![states(request, material)];
            (
                "State of the circuit breaker".to_owned(),
                Unit::State,
                lines,
            )
        }
    };
    Plot {
        subject,
        unit,
        axis: Axis::Ago {
            now: material.now,
            minutes: request.minutes,
        },
        lines,
    }
}

/// The breaker's states as steps: each change has a point before and after it.
fn states(request: &ChartRequest, material: &Material) -> Line {
    let seconds = i64::from(request.minutes) * 60;
    let begin = material
        .now
        .checked_sub(jiff::SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MIN);
    let events: Vec<&BreakerEvent> = material
        .breaker
        .history
        .iter()
        .filter(|event| (begin..=material.now).contains(&event.at))
        .collect();
    let height = |state| match state {
        BreakerState::Closed => Some(0.0),
        BreakerState::HalfOpen => Some(1.0),
        BreakerState::Open => Some(2.0),
    };
    let first = events.first().map_or(material.breaker.state, |e| e.from);
    let mut values = vec![(begin, height(first))];
    for event in events {
        values.push((event.at, height(event.from)));
        values.push((event.at, height(event.to)));
    }
    values.push((material.now, height(material.breaker.state)));
    Line {
        name: "state".to_owned(),
        values,
    }
}
