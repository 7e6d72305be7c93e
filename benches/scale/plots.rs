//! Time and memory as the number of contexts grows, as SVG.

use std::collections::BTreeMap;
use std::path::Path;

use plotters::prelude::*;
use serde_json::{Value, json};

const SIZE: (u32, u32) = (900, 560);
const FONT: (&str, u32) = ("sans-serif", 15);
/// Easy to tell apart, for those who see fewer colours too.
const COLOURS: [RGBColor; 8] = [
    RGBColor(0, 0, 0),
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(110, 110, 110),
];

/// Points by the number of contexts, for each line.
type Lines = BTreeMap<String, Vec<(f64, f64)>>;

/// Draws what the results of the mixture have.
pub(crate) fn draw(results: &Path, out: &Path) -> Value {
    std::fs::create_dir_all(out).expect("the folder can be made");
    let (mut time, mut memory) = (Lines::new(), Lines::new());
    for (contexts, figures) in read(results, "compare-mixture-") {
        for side in figures["sides"].as_array().into_iter().flatten() {
            let name = side["name"].as_str().unwrap_or_default();
            put(
                &mut time,
                &format!("{name}, vectors, p50"),
                contexts,
                &side["ms"]["p50"],
                1.0,
            );
            put(
                &mut memory,
                name,
                contexts,
                &side["held"]["rss_bytes"],
                1e-6,
            );
        }
    }
    for (contexts, figures) in read(results, "retrievals-mixture-") {
        put(
            &mut time,
            "HiRAG Studio, whole retrieval, p95",
            contexts,
            &figures["whole_ms"]["p95"],
            1.0,
        );
        let held = &figures["held"]["anonymous_bytes"];
        put(
            &mut memory,
            "HiRAG Studio, whole retrieval, beyond the base",
            contexts,
            held,
            1e-6,
        );
    }
    let mut drawn = Vec::new();
    for (name, about, unit, lines) in [
        ("time.svg", "One search at a time", "ms", time),
        ("memory.svg", "What the process holds", "MB", memory),
    ] {
        if lines.is_empty() {
            continue;
        }
        picture(&out.join(name), about, unit, &lines).expect("the picture can be written");
        drawn.push(name);
    }
    json!({ "drawn": drawn })
}

/// The results whose names begin so, by the number of contexts.
fn read(results: &Path, prefix: &str) -> BTreeMap<u64, Value> {
    let entries = std::fs::read_dir(results).expect("the results can be read");
    let found = entries.filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        let contexts = name
            .strip_prefix(prefix)?
            .strip_suffix(".json")?
            .parse()
            .ok()?;
        let body = std::fs::read(results.join(name)).ok()?;
        Some((contexts, serde_json::from_slice(&body).ok()?))
    });
    found.collect()
}

fn put(lines: &mut Lines, name: &str, contexts: u64, value: &Value, scale: f64) {
    if let Some(value) = value.as_f64() {
        let point = (contexts as f64, (value * scale).max(f64::MIN_POSITIVE));
        lines.entry(name.to_owned()).or_default().push(point);
    }
}

fn picture(
    file: &Path,
    about: &str,
    unit: &str,
    lines: &Lines,
) -> Result<(), Box<dyn std::error::Error>> {
    let points = || lines.values().flatten();
    let range = |of: fn(&(f64, f64)) -> f64| {
        let least = points().map(of).fold(f64::MAX, f64::min);
        least..points().map(of).fold(f64::MIN, f64::max)
    };
    let (x, y) = (range(|point| point.0), range(|point| point.1));
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(about, (FONT.0, 20))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(
            (x.start * 0.9..x.end * 1.1).log_scale(),
            (y.start * 0.7..y.end * 1.5).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("contexts")
        .y_desc(unit)
        .label_style(FONT)
        .x_label_formatter(&|contexts| thousands(*contexts))
        .y_label_formatter(&|value| format!("{value}"))
        .light_line_style(RGBColor(240, 240, 240))
        .draw()?;
    for (place, (name, points)) in lines.iter().enumerate() {
        let style = COLOURS[place % COLOURS.len()].stroke_width(2);
        chart
            .draw_series(LineSeries::new(points.clone(), style).point_size(3))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(FONT)
        .background_style(WHITE.mix(0.85))
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    area.present()?;
    Ok(())
}

/// `100,000`
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
