use std::fmt::Write;

use hirag::sources::{
    RemovedSource, RunOutcome, Source, SourceRules, SourceRun, SourceStatus, WatchState,
};

use super::super::output::Style;
use super::count;
use super::snippet::harmless;
use super::upkeep::{named, told};
use crate::commands::{RanSources, SourcesResponse};

pub(in super::super) fn source_added(added: &SourceStatus, style: Style) -> String {
    let name = harmless(&added.source.name);
    let how = match added.source.watch {
        true => "A window or a server reads it by itself; ",
        false => "",
    };
    format!(
        "{}\n{how}`hirag source run {}` reads it now.",
        source(added, style),
        quoted(&name)
    )
}

pub(in super::super) fn sources(all: &SourcesResponse, style: Style) -> String {
    if all.sources.is_empty() {
        return "No sources yet; `hirag source add FOLDER` adds one.".to_owned();
    }
    let lines: Vec<String> = all.sources.iter().map(|one| line(one, style)).collect();
    lines.join("\n")
}

fn line(one: &SourceStatus, style: Style) -> String {
    let source = &one.source;
    format!(
        "{} {} {}\n  {} in {}; {}",
        style.dim(&source.id.to_string()),
        style.bold(&harmless(&source.name)),
        harmless(&source.path),
        count(source.contexts, "context"),
        count(source.files, "file"),
        last(source)
    )
}

fn last(source: &Source) -> String {
    match &source.last_run {
        None => "not read yet".to_owned(),
        Some(run) => match &run.problem {
            Some(problem) => format!("failed: {}", harmless(&problem.message)),
            None if run.failed_total > 0 => format!(
                "last read {}, {} failed",
                run.ended_at,
                count(run.failed_total, "file or line")
            ),
            None => format!("last read {}", run.ended_at),
        },
    }
}

pub(in super::super) fn source(status: &SourceStatus, style: Style) -> String {
    let source = &status.source;
    let mut out = line(status, style);
    let watched = match (&status.watching, source.watch) {
        (_, false) => "no".to_owned(),
        (WatchState::Polled { because }, _) => format!("now and then: {}", harmless(because)),
        (_, true) => "while a window or a server runs".to_owned(),
    };
    let _ = write!(out, "\n  watched: {watched}");
    let SourceRules {
        include,
        exclude,
        level,
        doc_type,
        agent,
        session,
    } = &source.rules;
    let level = level.map(|level| level.to_string());
    let globs = |globs: &[String]| (!globs.is_empty()).then(|| globs.join("  "));
    for (what, value) in [
        ("include", globs(include)),
        ("exclude", globs(exclude)),
        ("level", level),
        ("doc_type", doc_type.clone()),
        ("agent", agent.clone()),
        ("session", session.clone()),
    ] {
        if let Some(value) = value {
            let _ = write!(out, "\n  {what}: {}", harmless(&value));
        }
    }
    if let Some(run) = &source.last_run {
        let _ = write!(out, "\n  last run: {}", summary(run));
        problems(&mut out, run, style);
    }
    out
}

pub(in super::super) fn ran_sources(ran: &RanSources, style: Style) -> String {
    if ran.runs.is_empty() {
        return "No sources yet; `hirag source add FOLDER` adds one.".to_owned();
    }
    let each = ran.runs.iter().map(|one| {
        let name = style.bold(&harmless(&one.name));
        let mut out = format!("{name}: {}", summary(&one.run));
        problems(&mut out, &one.run, style);
        out
    });
    each.collect::<Vec<_>>().join("\n")
}

fn summary(run: &SourceRun) -> String {
    if let Some(problem) = &run.problem {
        return format!("failed: {}", harmless(&problem.message));
    }
    let mut out = format!(
        "{}, {} read: {} new, {} changed, {} unchanged, {} removed",
        count(run.files, "file"),
        run.read,
        run.imported,
        run.updated,
        run.unchanged,
        run.removed
    );
    for (number, what) in [(run.renamed, "renamed"), (run.gone, "gone")] {
        if number > 0 {
            let _ = write!(out, "; {} {what}", count(number, "file"));
        }
    }
    if run.skipped > 0 {
        let _ = write!(out, "; {} passed over", count(run.skipped, "file"));
    }
    if run.outcome == RunOutcome::Stopped {
        let _ = write!(out, "; stopped, and running it again goes on");
    }
    out
}

fn problems(out: &mut String, run: &SourceRun, style: Style) {
    for (title, problems, total) in [
        ("warnings", &run.warnings, run.warned_total),
        ("failed", &run.failed, run.failed_total),
    ] {
        let untold = total.saturating_sub(problems.len() as u64);
        told(out, title, &named(problems), untold, style);
    }
}

pub(in super::super) fn source_removed(removed: &RemovedSource, style: Style) -> String {
    let name = style.bold(&harmless(&removed.source.name));
    match &removed.deletion {
        None => format!(
            "Removed the source {name}; its {} stay.",
            count(removed.source.contexts, "context")
        ),
        Some(deletion) => format!(
            "Removed the source {name} with {}; `hirag undo` brings them back.",
            count(deletion.ids.len() as u64, "context")
        ),
    }
}

fn quoted(name: &str) -> String {
    match name.contains(|sign: char| !sign.is_alphanumeric() && !"-_.".contains(sign)) {
        true => format!("'{}'", name.replace('\'', r"'\''")),
        false => name.to_owned(),
    }
}
