use std::fmt::Write;

use super::super::output::Style;
use super::bytes;
use crate::load::{Latency, LoadReport, percent, plan_told};

/// Above the columns of figures.
const HEAD: [&str; 7] = ["mean", "p50", "p90", "p95", "p99", "p99.9", "longest"];

pub(in super::super) fn load(report: &LoadReport, style: Style) -> String {
    let mut out = format!("{}\n{}\n\n", style.bold(&report.url), plan_told(report));
    let mut row = |name: &str, requests: &str, per_s: &str, cells: &[String]| {
        let _ = write!(out, "{name:10}{requests:>10}{per_s:>10}");
        for cell in cells {
            let _ = write!(out, "{cell:>10}");
        }
        out.push('\n');
    };
    let cells = |latency: &Latency| latency.all().map(|ms| format!("{ms:.2}"));
    row("ms", "requests", "a second", &HEAD.map(str::to_owned));
    for one in &report.operations {
        let (requests, per_s) = (one.requests.to_string(), format!("{:.1}", one.per_s));
        row(
            one.operation.as_str(),
            &requests,
            &per_s,
            &cells(&one.latency),
        );
    }
    if report.operations.len() > 1 {
        let (requests, per_s) = (report.requests.to_string(), format!("{:.1}", report.per_s));
        row("all", &requests, &per_s, &cells(&report.latency));
    }
    let rate = report.success_rate;
    let _ = write!(
        out,
        "\n{} succeeded, {} failed, {} put off by the limiter (429)",
        report.succeeded,
        match report.failed {
            0 => "0".to_owned(),
            failed => style.mark(&failed.to_string()),
        },
        report.limited,
    );
    let _ = match rate {
        Some(rate) => writeln!(out, ": {}", percent(rate)),
        None => writeln!(out),
    };
    for error in &report.errors {
        let _ = writeln!(out, "  {} {}: {}", error.count, error.told(), error.example);
    }
    if report.unfinished > 0 {
        let _ = writeln!(out, "{} were under way at the stop", report.unfinished);
    }
    if let Some(open) = &report.open_loop {
        let _ = writeln!(
            out,
            "{} were due, {} of them were not begun, as no client was free; the others {:.2} ms \
             late (99 %)",
            open.due, open.not_started, open.delay.p99_ms
        );
    }
    let _ = write!(out, "{} received", bytes(report.received_bytes));
    if let Some(seconds) = report.processor_s {
        let _ = write!(out, ", {seconds:.1} s of processor time to ask");
    }
    if let Some(session) = &report.stored_session {
        let _ = write!(
            out,
            "; what was stored has the session {session} and expires in an hour"
        );
    }
    out
}
