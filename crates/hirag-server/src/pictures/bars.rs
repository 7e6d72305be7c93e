//! A histogram.

use hirag::metrics::Bucket;
use plotters::prelude::*;

use super::lines::LETTERS;
use super::{Canvas, Chart, ChartPoint, described, failed, short};
use crate::commands::Result;

/// Draws how many runs took how long.
pub(super) fn draw(canvas: Canvas, operation: &str, buckets: &[Bucket]) -> Result<Chart> {
    let alternative = tell(operation, buckets);
    let theme = canvas.theme;
    let most = buckets.iter().map(|bucket| bucket.count).max().unwrap_or(0);
    let top = most.max(1) as f64 * 1.1;
    let end = buckets.len().max(1) as f64;
    let bound = |place: f64| {
        let place = place.round().max(0.0) as usize;
        let at = buckets.get(place).map(|bucket| bucket.from_ms);
        at.or_else(|| buckets.last().map(|bucket| bucket.to_ms))
    };
    let mut svg = String::new();
    let mut points = Vec::new();
    {
        let root = SVGBackend::with_string(&mut svg, (canvas.width, canvas.height));
        let root = root.into_drawing_area();
        root.fill(&theme.ground()).map_err(failed)?;
        let letters = ("sans-serif", LETTERS, &theme.ink());
        let mut chart = ChartBuilder::on(&root)
            .margin(12)
            .margin_right(26)
            .x_label_area_size(26)
            .y_label_area_size(54)
            .build_cartesian_2d(0.0..end, 0.0..top)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(theme.grid())
            .light_line_style(TRANSPARENT)
            .axis_style(theme.grid())
            .label_style(letters)
            .x_labels(buckets.len().clamp(2, 12))
            .y_labels(5)
            .x_label_formatter(&|place| match bound(*place) {
                Some(ms) => format!("{} ms", short(ms)),
                None => String::new(),
            })
            .y_label_formatter(&|count| short(*count))
            .draw()
            .map_err(failed)?;
        let fill = theme.series(0).filled();
        for (place, bucket) in buckets.iter().enumerate() {
            let (left, count) = (place as f64, bucket.count as f64);
            let bar = Rectangle::new([(left + 0.05, 0.0), (left + 0.95, count)], fill);
            chart.draw_series([bar]).map_err(failed)?;
            let (px, py) = chart.backend_coord(&(left + 0.5, count));
            points.push(ChartPoint {
                series: operation.to_owned(),
                x: format!("{} to {} ms", short(bucket.from_ms), short(bucket.to_ms)),
                y: Some(count),
                px,
                py,
            });
        }
        root.present().map_err(failed)?;
    }
    Ok(Chart {
        svg: described(&svg, &alternative),
        alternative,
        points,
    })
}

fn tell(operation: &str, buckets: &[Bucket]) -> String {
    let runs: u64 = buckets.iter().map(|bucket| bucket.count).sum();
    let most = buckets.iter().max_by_key(|bucket| bucket.count);
    let (Some(most), Some(last)) = (most, buckets.last()) else {
        return format!("Latencies of {operation}. There is nothing to show yet.");
    };
    format!(
        "Latencies of {runs} runs of {operation}. Most, {}, took {} to {} ms; the longest less than \
         {} ms.",
        most.count,
        short(most.from_ms),
        short(most.to_ms),
        short(last.to_ms)
    )
}
