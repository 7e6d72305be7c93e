//! Charts as SVG, in the colours of a theme, with the same told in words; and reports of them.

mod bars;
mod data;
mod flames;
mod lines;
mod report;
mod theme;

#[cfg(test)]
mod tests;

use hirag::metrics::{Bucket, PerformanceMetrics};
use hirag::resilience::BreakerSnapshot;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use report::{csv, escape, html};
pub use theme::Theme;

pub(crate) use data::{Axis, Line, Plot, Unit};
pub(crate) use report::{figure, page};

use crate::commands::{Error, Result};
use crate::profile::Profile;
use crate::studio::History;

/// Pixels of a chart's side.
const SIDE: std::ops::RangeInclusive<u32> = 100..=4_000;
/// Minutes of a chart.
const MINUTES: std::ops::RangeInclusive<u32> = 1..=60;

/// What a chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// Percentiles of an operation over time.
    Latency,
    /// How many runs of an operation took how long.
    Histogram,
    /// Hit rates of the caches over time.
    Cache,
    /// Runs a second by operation over time.
    Throughput,
    /// The process's memory over time.
    Memory,
    /// The breaker's state over time.
    Breaker,
}

/// A chart to draw.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct ChartRequest {
    /// What it shows.
    pub kind: ChartKind,
    /// Of which operation; `retrieve` by default. For latency and histogram.
    #[serde(default)]
    pub operation: Option<String>,
    /// Over how many minutes, 1 to 60.
    pub minutes: u32,
    /// In which colours.
    #[serde(default)]
    #[ts(as = "Option<Theme>", optional)]
    pub theme: Theme,
    /// Pixels, 100 to 4000.
    pub width: u32,
    /// Pixels, 100 to 4000.
    pub height: u32,
}

/// A place on a chart and what it stands for.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct ChartPoint {
    /// The line or the bars that it belongs to.
    pub series: String,
    /// The time (RFC 3339) or, of a bar, its bounds.
    pub x: String,
    /// The value; `None` where there was none.
    pub y: Option<f64>,
    /// Pixels from the left.
    pub px: i32,
    /// Pixels from the top.
    pub py: i32,
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct Chart {
    /// The picture.
    pub svg: String,
    /// The same in words.
    pub alternative: String,
    /// Its places, for hovering.
    pub points: Vec<ChartPoint>,
}

/// What a chart is drawn on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Canvas {
    pub(crate) theme: Theme,
    /// Pixels.
    pub(crate) width: u32,
    /// Pixels.
    pub(crate) height: u32,
}

/// What charts are drawn from.
#[derive(Debug, Clone)]
pub struct Material {
    /// The time.
    pub now: Timestamp,
    /// The course of the last minutes.
    pub history: History,
    /// Latencies by operation.
    pub metrics: PerformanceMetrics,
    /// How many runs of the operation took how long.
    pub distribution: Vec<Bucket>,
    /// The breaker.
    pub breaker: BreakerSnapshot,
}

impl ChartRequest {
    /// Refuses sizes and times that are not allowed.
    ///
    /// # Errors
    /// [`Error::BadRequest`] with the rule.
    pub fn validate(&self) -> Result<()> {
        let within = |key, value: u32, range: &std::ops::RangeInclusive<u32>, rule| {
            if range.contains(&value) {
                return Ok(());
            }
            let value = value.to_string();
            Err(Error::BadRequest { key, value, rule })
        };
        within(
            "minutes",
            self.minutes,
            &MINUTES,
            "must be between 1 and 60",
        )?;
        within("width", self.width, &SIDE, "must be between 100 and 4000")?;
        within("height", self.height, &SIDE, "must be between 100 and 4000")
    }

    const fn canvas(&self) -> Canvas {
        Canvas {
            theme: self.theme,
            width: self.width,
            height: self.height,
        }
    }

    /// The operation that it is about.
    #[must_use]
    pub fn operation(&self) -> &str {
        self.operation.as_deref().unwrap_or("retrieve")
    }
}

/// Draws a chart.
///
/// # Errors
/// [`Error::BadRequest`] for a size that is not allowed, [`Error::Chart`] when it cannot be drawn.
pub fn draw(request: &ChartRequest, material: &Material) -> Result<Chart> {
    request.validate()?;
    match request.kind {
        ChartKind::Histogram => draw_bars(
            request.canvas(),
            request.operation(),
            &material.distribution,
        ),
        _ => draw_lines(request.canvas(), &data::plot(request, material)),
    }
}

/// Draws lines over time.
///
/// # Errors
/// [`Error::Chart`].
pub(crate) fn draw_lines(canvas: Canvas, plot: &Plot) -> Result<Chart> {
    lines::draw(canvas, plot)
}

/// Draws how many runs of an operation took how long.
///
/// # Errors
/// [`Error::Chart`].
pub(crate) fn draw_bars(canvas: Canvas, operation: &str, buckets: &[Bucket]) -> Result<Chart> {
    bars::draw(canvas, operation, buckets)
}

/// Draws where the time of an operation went.
///
/// # Errors
/// [`Error::Chart`] when it cannot be drawn.
pub fn draw_flames(profile: &Profile, theme: Theme, width: u32) -> Result<Chart> {
    flames::draw(profile, theme, width)
}

/// Puts the words into the picture, for those who cannot see it.
fn described(svg: &str, alternative: &str) -> String {
    let label = format!("<svg role=\"img\" aria-label=\"{}\" ", escape(alternative));
    svg.replacen("<svg ", &label, 1)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Chart(error.to_string())
}

/// A number as short as people want it.
pub(crate) fn short(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
