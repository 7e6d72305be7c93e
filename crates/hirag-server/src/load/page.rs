//! A report as one page with pictures, which needs nothing else.

use super::{Latency, LoadReport, Queries, course};
use crate::commands::Result;
use crate::pictures::{draw_bars, draw_lines, escape, figure, page as whole, short};

/// The page.
///
/// # Errors
/// [`crate::commands::Error::Chart`].
pub fn page(report: &LoadReport) -> Result<String> {
    let mut body = format!("<p>{}</p>\n", escape(&plan_told(report)));
    body += &figures(report);
    body += &latencies(report);
    body += &errors(report);
    for (title, plot) in [
        ("Answers by the second", course::throughput(report)),
        ("Latency by the second", course::latency(report)),
    ] {
        let drawn = figure(|canvas| draw_lines(canvas, &plot))?;
        body += &format!("<h2>{title}</h2>\n{drawn}");
    }
    let drawn = figure(|canvas| draw_bars(canvas, "the load", &report.distribution))?;
    body += &format!("<h2>Latencies</h2>\n{drawn}");
    let when = report.started.strftime("%Y-%m-%d %H:%M:%S UTC");
    let about = format!("{when}; {}", report.url);
    Ok(whole("Load", &about, &body))
}

/// What was run, in a sentence.
pub(crate) fn plan_told(report: &LoadReport) -> String {
    let plan = &report.plan;
    let how = match plan.rate {
        Some(rate) => format!(
            "Open loop: {} requests a second, at most {} at once",
            short(rate),
            plan.concurrency
        ),
        None => format!("Closed loop: {} clients at once", plan.concurrency),
    };
    let queries = match plan.queries {
        Queries::Repeated => "repeated",
        Queries::Fresh => "never seen before",
    };
    let stopped = match report.stopped {
        true => format!(", stopped before {} s", short(plan.duration_s)),
        false => String::new(),
    };
    format!(
        "{how}, {}, queries {queries}; {} s measured after {} s of warm-up{stopped}. Seed {}.",
        plan.mix_told(),
        short(report.measured_s),
        short(plan.warm_up_s),
        plan.seed.unwrap_or_default(),
    )
}

fn figures(report: &LoadReport) -> String {
    let rate = report.success_rate;
    let mut rows = vec![
        ("Requests", report.requests.to_string()),
        ("Succeeded", report.succeeded.to_string()),
        ("Failed", report.failed.to_string()),
        ("Put off by the limiter (429)", report.limited.to_string()),
        (
            "Success rate",
            rate.map_or_else(|| "none ended".to_owned(), percent),
        ),
        ("Answers a second", short(report.per_s)),
    ];
    if report.unfinished > 0 {
        rows.push(("Under way at the stop", report.unfinished.to_string()));
    }
    if let Some(open) = &report.open_loop {
        rows.push(("Due", open.due.to_string()));
        rows.push((
            "Not begun, as no client was free",
            open.not_started.to_string(),
        ));
        rows.push((
            "Begun late, p99",
            format!("{} ms", short(open.delay.p99_ms)),
        ));
    }
    if let Some(seconds) = report.processor_s {
        let told = format!("{} s", short(seconds));
        rows.push(("Processor time of the process that asked", told));
    }
    let mut table = "<h2>In all</h2>\n<table><tbody>\n".to_owned();
    for (name, value) in rows {
        table += &format!("<tr><td>{name}</td><td>{value}</td></tr>\n");
    }
    table + "</tbody></table>\n"
}

fn latencies(report: &LoadReport) -> String {
    let mut table = "<h2>Latency by operation, in milliseconds</h2>\n<table><thead><tr>\
                     <th>Operation</th><th>Requests</th><th>A second</th><th>Mean</th><th>p50</th>\
                     <th>p90</th><th>p95</th><th>p99</th><th>p99.9</th><th>Longest</th></tr></thead>\
                     <tbody>\n"
        .to_owned();
    let mut row = |name: &str, requests: u64, per_s: f64, latency: &Latency| {
        table += &format!(
            "<tr><td>{name}</td><td>{requests}</td><td>{}</td>",
            short(per_s)
        );
        for ms in latency.all() {
            table += &format!("<td>{}</td>", short(ms));
        }
        table += "</tr>\n";
    };
    for one in &report.operations {
        row(
            one.operation.as_str(),
            one.requests,
            one.per_s,
            &one.latency,
        );
    }
    row("all", report.requests, report.per_s, &report.latency);
    table + "</tbody></table>\n"
}

fn errors(report: &LoadReport) -> String {
    if report.errors.is_empty() {
        return String::new();
    }
    let mut table = "<h2>Failures</h2>\n<table><thead><tr><th>Why</th><th>How many</th>\
                     <th>The first of them</th></tr></thead><tbody>\n"
        .to_owned();
    for error in &report.errors {
        table += &format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            error.told(),
            error.count,
            escape(&error.example)
        );
    }
    table + "</tbody></table>\n"
}

/// A share in percent; 100 only where it is whole.
pub(crate) fn percent(share: f64) -> String {
    let thousandths = (share * 100_000.0).floor();
    format!("{} %", thousandths / 1_000.0)
}
