use std::fmt::Write;

use hirag::context::ContextLevel;
use hirag::eval::EvalReport;
use hirag::manager::{Health, HealthState};
use hirag::metrics::PerformanceMetrics;

use super::super::output::Style;
use super::{bytes, count, queries};
use crate::commands::{Doctor, Settings, StatsResponse};

pub(in super::super) fn stats(answer: &StatsResponse, style: Style) -> String {
    let stats = &answer.stats;
    let counts = &stats.counts;
    let mut out = String::new();
    let mut field = |name: &str, value: String| {
        let _ = writeln!(out, "{} {value}", style.dim(&format!("{name:12}")));
    };
    let levels: Vec<String> = ContextLevel::ALL
        .into_iter()
        .map(|level| format!("{level} {}", counts.contexts_per_level.get(level)))
        .collect();
    field(
        "contexts",
        format!("{} ({})", counts.total_contexts, levels.join(", ")),
    );
    field("tokens", counts.total_tokens.to_string());
    field("pending", counts.pending.to_string());
    field("deleted", counts.deleted.to_string());
    field("sources", counts.sources.to_string());
    field("traces", counts.traces.to_string());
    field(
        "model",
        match &stats.model {
            Some(model) => model.to_string(),
            None => "none yet".to_owned(),
        },
    );
    let size = &stats.database;
    field(
        "database",
        format!(
            "{}, {} ({} free, {} in the log)",
            answer.database_file,
            bytes(size.file_bytes),
            bytes(size.free_bytes),
            bytes(size.wal_bytes)
        ),
    );
    field("settings", answer.config_file.clone());
    match &stats.embedding_cache {
        None => field("cache", "off".to_owned()),
        Some(cache) => {
            for (name, layer) in [("memory", &cache.memory), ("disk", &cache.disk)] {
                field(
                    &format!("cache {name}"),
                    format!(
                        "{}, {}, hit rate {:.3} of {}, {} invalidated",
                        vectors(layer.entries),
                        bytes(layer.bytes),
                        layer.hit_rate,
                        layer.total,
                        layer.invalidations
                    ),
                );
            }
        }
    }
    let answers = &stats.answer_cache;
    field(
        "cache answers",
        format!(
            "{} answers, {}, hit rate {:.3} of {}, {} invalidated",
            answers.entries,
            bytes(answers.bytes),
            answers.hit_rate,
            answers.total,
            answers.invalidations
        ),
    );
    field("working set", format!("{} in memory", stats.working_set));
    if let Some(process) = &stats.process {
        field(
            "memory",
            format!(
                "{} resident, {:.1} % of the machine's",
                bytes(process.resident_bytes),
                process.share * 100.0
            ),
        );
    }
    field("breaker", stats.circuit_breaker.state.to_string());
    if !stats.performance.operations.is_empty() {
        let _ = write!(out, "\n{}", stats.performance);
    }
    out += &slow_statements(&stats.performance, style);
    out
}

/// The slow statements of the database with their plans, the slowest first.
fn slow_statements(performance: &PerformanceMetrics, style: Style) -> String {
    let mut slow: Vec<_> = performance.slow_statements.iter().collect();
    slow.sort_by(|a, b| b.ms.total_cmp(&a.ms));
    let mut out = String::new();
    for (place, one) in slow.into_iter().enumerate() {
        if place == 0 {
            let head = style.dim("slow statements of the database");
            let _ = write!(out, "\n\n{head}");
        }
        let _ = write!(
            out,
            "\n{:>10.0} ms  {}: {}",
            one.ms, one.operation, one.statement
        );
        for step in &one.plan {
            let _ = write!(out, "\n{:15}{step}", "");
        }
    }
    out
}

fn vectors(number: u64) -> String {
    count(number, "vector")
}

fn word(state: HealthState, style: Style) -> String {
    match state {
        HealthState::Healthy => "well".to_owned(),
        HealthState::Degraded => style.bold("degraded"),
        HealthState::Unhealthy => style.mark("failing"),
    }
}

pub(in super::super) fn health(health: &Health, style: Style) -> String {
    let mut out = format!("{}\n", word(health.state, style));
    for component in &health.components {
        let _ = writeln!(
            out,
            "  {:10} {}: {} {}",
            component.name,
            word(component.state, style),
            component.detail,
            style.dim(&format!("({:.1} ms)", component.latency_ms)),
        );
    }
    out
}

pub(in super::super) fn doctor(doctor: &Doctor, style: Style) -> String {
    let mut out = String::new();
    for finding in &doctor.findings {
        let mark = match finding.ok {
            true => "ok  ".to_owned(),
            false => style.mark("BAD "),
        };
        let _ = writeln!(out, "{mark} {}: {}", finding.check, finding.detail);
    }
    for component in &doctor.health.components {
        let mark = match component.state {
            HealthState::Healthy => "ok  ".to_owned(),
            HealthState::Degraded => style.bold("note"),
            HealthState::Unhealthy => style.mark("BAD "),
        };
        let _ = writeln!(out, "{mark} {}: {}", component.name, component.detail);
    }
    if doctor.embedded > 0 {
        let _ = writeln!(
            out,
            "{} got the vector that it waited for",
            count(doctor.embedded, "context")
        );
    }
    if doctor.optimised {
        let _ = writeln!(out, "indexes tidied, free space given back to the disk");
    } else if !doctor.writable {
        let _ = writeln!(
            out,
            "nothing was tidied: this process may not write the database now"
        );
    }
    let _ = writeln!(out, "database {}", doctor.database_file);
    let _ = writeln!(out, "settings {}", doctor.config_file);
    let _ = write!(
        out,
        "{}",
        match doctor.ok {
            true => "Everything agrees.",
            false => "Something disagrees; `hirag restore` brings back a backup.",
        }
    );
    out
}

pub(in super::super) fn eval(report: &EvalReport, _: Style) -> String {
    let latency = &report.latency_ms;
    let mut out = format!(
        "{}, the first {}\nrecall  {:.4}\nMRR     {:.4}\nnDCG    {:.4}\n\
         latency {:.1} ms (half), {:.1} ms (95 %), {:.1} ms (99 %)",
        queries(report.queries),
        count(report.k as u64, "result"),
        report.recall,
        report.mrr,
        report.ndcg,
        latency.p50,
        latency.p95,
        latency.p99
    );
    if report.unjudged > 0 {
        let _ = write!(
            out,
            "\n{} left out, as nothing is relevant to them",
            report.unjudged
        );
    }
    out
}

pub(in super::super) fn settings(answer: &Settings, _: Style) -> String {
    let there = match answer.config_file_exists {
        true => "",
        false => " (absent)",
    };
    let settings = match toml::to_string(&answer.settings) {
        Ok(settings) => settings,
        Err(error) => format!("# {error}"),
    };
    format!(
        "# settings file: {}{there}\n# data folder: {}\n\n{settings}",
        answer.config_file, answer.data_dir
    )
}

#[cfg(test)]
mod tests {
    use hirag::metrics::SlowStatement;

    use super::*;

    #[test]
    fn slow_statements_stand_with_their_plans_and_the_slowest_first() {
        let slow = |operation: &str, ms, plan: &[&str]| SlowStatement {
            at: jiff::Timestamp::UNIX_EPOCH,
            operation: operation.to_owned(),
            statement: "SELECT 1".to_owned(),
            ms,
            plan: plan.iter().map(|step| (*step).to_owned()).collect(),
        };
        let mut performance = PerformanceMetrics {
            operations: Vec::new(),
            slow: Vec::new(),
            slow_ms: 1_000,
            slow_statements: Vec::new(),
            slow_statement_ms: 1_000,
        };
        assert_eq!(slow_statements(&performance, Style::default()), "");
        performance.slow_statements = vec![
            slow("commit", 1_200.0, &[]),
            slow("list", 3_400.0, &["SCAN c"]),
        ];
        let told = slow_statements(&performance, Style::default());
        let lines: Vec<&str> = told.lines().skip(3).collect();
        assert_eq!(
            lines,
            [
                "      3400 ms  list: SELECT 1",
                "               SCAN c",
                "      1200 ms  commit: SELECT 1"
            ]
        );
    }
}
