//! Lines over time.

use plotters::prelude::*;

use super::data::{Axis, Line, Plot, Unit};
use super::{Canvas, Chart, ChartPoint, described, failed};
use crate::commands::Result;

/// The size of the letters; plotters draws them at four fifths of it, as pixels.
pub(super) const LETTERS: i32 = 14;
/// Pixels above the lines, and with their names in one row there.
const ABOVE: i32 = 12;
const ABOVE_WITH_NAMES: i32 = 30;
/// Where the row of names begins, and how wide a letter of it is at most.
const NAMES_FROM: i32 = 64;
const LETTER_WIDTH: i32 = 8;

/// Draws the lines.
pub(super) fn draw(canvas: Canvas, plot: &Plot) -> Result<Chart> {
    let alternative = tell(plot);
    let theme = canvas.theme;
    let (begin, end) = plot.axis.ends();
    let top = plot.unit.top().unwrap_or_else(|| top(&plot.lines));
    let place = |at: jiff::Timestamp| plot.axis.place(at);
    let mut svg = String::new();
    let mut points = Vec::new();
    {
        let root = SVGBackend::with_string(&mut svg, (canvas.width, canvas.height));
        let root = root.into_drawing_area();
        root.fill(&theme.ground()).map_err(failed)?;
        let letters = ("sans-serif", LETTERS, &theme.ink());
        let named = plot.lines.len() > 1;
        if named {
            names(&root, canvas, plot)?;
        }
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .margin_top(if named { ABOVE_WITH_NAMES } else { ABOVE })
            .margin_right(22)
            .x_label_area_size(26)
            .y_label_area_size(54)
            .build_cartesian_2d(begin..end, 0.0..top)
            .map_err(failed)?;
        let labels = match plot.unit {
            Unit::State => 3,
            _ => 5,
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(theme.grid())
            .light_line_style(TRANSPARENT)
            .axis_style(theme.grid())
            .label_style(letters)
            .x_labels(6)
            .y_labels(labels)
            .x_label_formatter(&|place| plot.axis.tell(*place))
            .y_label_formatter(&|value| plot.unit.tell(*value))
            .draw()
            .map_err(failed)?;
        for (number, line) in plot.lines.iter().enumerate() {
            let colour = theme.series(number);
            let style = colour.stroke_width(2);
            let pieces = pieces(line, plot.axis);
            for piece in &pieces {
                if let [alone] = piece.as_slice() {
                    let dot = Circle::new(*alone, 2, colour.filled());
                    chart.draw_series([dot]).map_err(failed)?;
                }
                let series = LineSeries::new(piece.iter().copied(), style);
                chart.draw_series(series).map_err(failed)?;
            }
            for (at, value) in &line.values {
                let (px, py) = chart.backend_coord(&(place(*at), value.unwrap_or(0.0)));
                points.push(ChartPoint {
                    series: line.name.clone(),
                    x: at.to_string(),
                    y: *value,
                    px,
                    py,
                });
            }
        }
        root.present().map_err(failed)?;
    }
    Ok(Chart {
        svg: described(&svg, &alternative),
        alternative,
        points,
    })
}

/// Writes which line is which above them, where they hide nothing.
fn names(
    root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    canvas: Canvas,
    plot: &Plot,
) -> Result<()> {
    let theme = canvas.theme;
    let y = ABOVE_WITH_NAMES / 2;
    let mut x = NAMES_FROM;
    for (number, line) in plot.lines.iter().enumerate() {
        let style = theme.series(number).stroke_width(2);
        let stroke = PathElement::new(vec![(x, y), (x + 14, y)], style);
        root.draw(&stroke).map_err(failed)?;
        let letters = ("sans-serif", LETTERS).into_font().color(&theme.ink());
        root.draw_text(&line.name, &letters, (x + 19, y - LETTERS / 2))
            .map_err(failed)?;
        let length = i32::try_from(line.name.chars().count()).unwrap_or(i32::MAX);
        x = x.saturating_add(length.saturating_mul(LETTER_WIDTH).saturating_add(36));
    }
    Ok(())
}

/// The stretches of a line between which there is no value.
fn pieces(line: &Line, axis: Axis) -> Vec<Vec<(f64, f64)>> {
    let (begin, end) = axis.ends();
    let mut pieces = vec![Vec::new()];
    for (at, value) in &line.values {
        let place = axis.place(*at).min(end);
        match value {
            Some(value) if place >= begin => {
                if let Some(piece) = pieces.last_mut() {
                    piece.push((place, *value));
                }
            }
            _ if pieces.last().is_some_and(|piece| !piece.is_empty()) => pieces.push(Vec::new()),
            _ => {}
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// A round number above all values.
fn top(lines: &[Line]) -> f64 {
    let values = lines.iter().flat_map(|line| &line.values);
    let most = values.filter_map(|(_, value)| *value).fold(0.0, f64::max);
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(most.log10().floor());
    let step = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|step| *step >= most * 1.05);
    step.unwrap_or(most * 1.05)
}

/// The chart in words.
fn tell(plot: &Plot) -> String {
    let mut told = format!("{} over {}.", plot.subject, plot.axis.length());
    let before = told.len();
    for line in &plot.lines {
        let values: Vec<f64> = line.values.iter().filter_map(|(_, value)| *value).collect();
        let Some(last) = values.last() else { continue };
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        let unit = plot.unit;
        if unit == Unit::State {
            let changes = values.windows(2).filter(|pair| pair[0] != pair[1]).count();
            told += &format!(" Now {}, after {changes} changes.", unit.tell(*last));
            continue;
        }
        told += &format!(
            " {}: between {} and {}, last {}.",
            line.name,
            unit.tell(least),
            unit.tell(most),
            unit.tell(*last)
        );
    }
    if told.len() == before {
        told += " There is nothing to show yet.";
    }
    told
}
