//! The figures as CSV and as one page that needs nothing else.

use super::{Canvas, Chart, ChartKind, ChartRequest, Material, Theme, draw, short};
use crate::commands::Result;
use crate::studio::History;

/// Pixels of a report's charts.
const SIZE: (u32, u32) = (860, 260);

/// Text as HTML shows it, in attributes, too.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // No page may hold these, whatever they are written as.
            c if c.is_control() && !matches!(c, '\n' | '\t') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The course of the last minutes, a line each time: `time`, `rss_bytes`, the hit rates, and for
/// each operation its runs and percentiles. What there was none of is empty.
#[must_use]
pub fn csv(history: &History) -> String {
    let mut header = vec!["time".to_owned(), "rss_bytes".to_owned()];
    for cache in &history.cache_hit_rates {
        header.push(format!("cache_{}_hit_rate", cache.name));
    }
    for operation in &history.operations {
        for column in ["count", "p50_ms", "p95_ms", "p99_ms"] {
            header.push(format!("{}_{column}", operation.name));
        }
    }
    let number = |value: &Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    let mut lines = vec![row(&header)];
    for (nth, time) in history.times.iter().enumerate() {
        let mut cells = vec![time.to_string(), history.rss_bytes[nth].to_string()];
        for cache in &history.cache_hit_rates {
            cells.push(number(&cache.rate[nth]));
        }
        for operation in &history.operations {
            cells.push(operation.count[nth].to_string());
            for values in [&operation.p50, &operation.p95, &operation.p99] {
                cells.push(number(&values[nth]));
            }
        }
        lines.push(row(&cells));
    }
    lines.join("")
}

fn row(cells: &[String]) -> String {
    let cells = cells.iter().map(|cell| match cell {
        cell if cell.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", cell.replace('"', "\"\""))
        }
        cell => cell.clone(),
    });
    let line: Vec<String> = cells.collect();
    format!("{}\r\n", line.join(","))
}

/// One page with charts and tables; without scripts, and with nothing from elsewhere.
///
/// # Errors
/// As [`draw`].
pub fn html(material: &Material, minutes: u32) -> Result<String> {
    let mut body = String::new();
    let chart = |kind, operation: Option<&str>| {
        figure(|canvas| {
            let request = ChartRequest {
                kind,
                operation: operation.map(str::to_owned),
                minutes,
                theme: canvas.theme,
                width: canvas.width,
                height: canvas.height,
            };
            draw(&request, material)
        })
    };
    for operation in &material.metrics.operations {
        let name = &operation.operation;
        let title = format!("<h2>Latency: {}</h2>\n", escape(name));
        body += &(title + &chart(ChartKind::Latency, Some(name))?);
    }
    for (title, kind) in [
        ("Throughput", ChartKind::Throughput),
        ("Cache hit rates", ChartKind::Cache),
        ("Memory", ChartKind::Memory),
        ("Circuit breaker", ChartKind::Breaker),
    ] {
        body += &format!("<h2>{title}</h2>\n{}", chart(kind, None)?);
    }
    body += &latencies(material);
    body += &slow(material);
    let now = material.now.strftime("%Y-%m-%d %H:%M:%S UTC");
    let about = format!("{now}; the last {minutes} minutes");
    Ok(page("Performance", &about, &body))
}

/// A page that needs nothing else, in the colours that the reader's system wants.
pub(crate) fn page(title: &str, about: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>HiRAG Studio: {title}</title>\n<style>{STYLE}</style></head>\n<body><main>\n\
         <h1>{title}</h1>\n<p>HiRAG Studio {version}, {about}.</p>\n\
         {body}</main></body></html>\n",
        version = env!("CARGO_PKG_VERSION"),
        about = escape(about),
    )
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;color:#1f242b;background:#fff;margin:2rem}\
main{max-width:60rem;margin:auto}svg{max-width:100%;height:auto}\
table{border-collapse:collapse;width:100%}th,td{text-align:right;padding:.25rem .5rem;border-bottom:1px solid #dee2e7}\
th:first-child,td:first-child{text-align:left}figcaption{color:#545c68}figure{margin:0 0 2rem}.dark{display:none}\
@media (prefers-color-scheme:dark){body{color:#e8e6e1;background:#1d1d1b}th,td{border-color:#44423e}\
figcaption{color:#a8a59d}.light{display:none}.dark{display:block}}";

/// A chart as part of a page: in both themes, of which the page shows one, and in words.
pub(crate) fn figure(draw: impl Fn(Canvas) -> Result<Chart>) -> Result<String> {
    let (width, height) = SIZE;
    let themed = |theme| {
        draw(Canvas {
            theme,
            width,
            height,
        })
    };
    let (light, dark) = (themed(Theme::Light)?, themed(Theme::Dark)?);
    Ok(format!(
        "<figure><div class=\"light\">{}</div><div class=\"dark\">{}</div>\n\
         <figcaption>{}</figcaption></figure>\n",
        light.svg,
        dark.svg,
        escape(&light.alternative)
    ))
}

fn latencies(material: &Material) -> String {
    let mut table = "<h2>Latencies since the start</h2>\n<table><thead><tr><th>Operation</th>\
                     <th>Runs</th><th>Mean ms</th><th>p50 ms</th><th>p95 ms</th><th>p99 ms</th>\
                     <th>Longest ms</th></tr></thead><tbody>\n"
        .to_owned();
    for operation in &material.metrics.operations {
        let all = &operation.all;
        table += &format!(
            "<tr><td>{}</td><td>{}</td>",
            escape(&operation.operation),
            all.count
        );
        for ms in [all.mean_ms, all.p50_ms, all.p95_ms, all.p99_ms, all.max_ms] {
            table += &format!("<td>{}</td>", short(ms));
        }
        table += "</tr>\n";
    }
    table + "</tbody></table>\n"
}

fn slow(material: &Material) -> String {
    if material.metrics.slow.is_empty() {
        return String::new();
    }
    let mut table = "<h2>Slowest runs of late</h2>\n<table><thead><tr><th>Operation</th>\
                     <th>When</th><th>ms</th><th>Parts</th></tr></thead><tbody>\n"
        .to_owned();
    for run in material.metrics.slow.iter().rev() {
        let parts: Vec<String> = run
            .parts
            .iter()
            .map(|part| format!("{} {} ms", part.name, short(part.ms)))
            .collect();
        table += &format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            escape(&run.operation),
            run.at.strftime("%H:%M:%S"),
            short(run.ms),
            escape(&parts.join(", "))
        );
    }
    table + "</tbody></table>\n"
}
