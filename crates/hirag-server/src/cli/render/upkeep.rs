use std::fmt::Write;

use hirag::import::{ImportReport, Problem};
use hirag::manager::{Purge, Reembedded};
use hirag::store::sqlite::CleanUpItem;

use super::super::output::Style;
use super::snippet::{harmless, line};
use super::{bytes, count};
use crate::commands::{Backup, Collected, Exported, RestoredDatabase};

/// Lines of a kind that are told one by one.
const TOLD: usize = 20;

pub(in super::super) fn import(report: &ImportReport, style: Style) -> String {
    let mut out = format!(
        "{} from {}: {} new, {} changed, {} unchanged, {} removed",
        count(report.contexts, "context"),
        count(report.files, "file"),
        report.imported,
        report.updated,
        report.unchanged,
        report.removed
    );
    if report.pending > 0 {
        let _ = write!(
            out,
            "\n{}; words alone find {} meanwhile",
            waiting(report.pending),
            if report.pending == 1 { "it" } else { "them" }
        );
    }
    let skipped: Vec<String> = report
        .skipped
        .iter()
        .map(|skipped| format!("{}: {}", skipped.path, skipped.reason))
        .collect();
    told(&mut out, "skipped", &skipped, 0, style);
    let (failed, warnings) = report
        .untold
        .iter()
        .fold((0, 0), |(failed, warnings), file| {
            (failed + file.failed, warnings + file.warnings)
        });
    for (title, problems, untold) in [
        ("warnings", &report.warnings, warnings),
        ("failed", &report.failed, failed),
    ] {
        told(&mut out, title, &named(problems), untold, style);
    }
    if report.cancelled {
        let _ = write!(
            out,
            "\nstopped; what is counted here is stored, and importing again goes on"
        );
    }
    out
}

fn waiting(number: u64) -> String {
    match number {
        1 => "1 context waits for its vector".to_owned(),
        _ => format!("{number} contexts wait for their vectors"),
    }
}

/// What went wrong, each with its file and line.
pub(super) fn named(problems: &[Problem]) -> Vec<String> {
    problems
        .iter()
        .map(|problem| match problem.line {
            Some(line) => format!("{}:{line}: {}", problem.path, problem.message),
            None if problem.message.contains(&problem.path) => problem.message.clone(),
            None => format!("{}: {}", problem.path, problem.message),
        })
        .collect()
}

pub(super) fn told(out: &mut String, title: &str, lines: &[String], untold: u64, style: Style) {
    if lines.is_empty() {
        return;
    }
    let all = lines.len() as u64 + untold;
    let _ = write!(out, "\n{} ({all})", style.bold(title));
    for line in lines.iter().take(TOLD) {
        let _ = write!(out, "\n  {}", harmless(line));
    }
    let more = all.saturating_sub(TOLD as u64);
    if more > 0 {
        let _ = write!(out, "\n  and {more} more");
    }
}

pub(in super::super) fn collected(collected: &Collected, style: Style) -> String {
    let report = &collected.clean_up;
    let mut out = match report.dry_run {
        true => "Nothing was changed. A clean-up would do this:".to_owned(),
        false => "Cleaned up:".to_owned(),
    };
    for (what, items) in [
        ("expired, marked as deleted", &report.expired),
        ("used often, L2 to L3", &report.promoted),
        ("beyond the size of L1, to L2", &report.evicted),
        ("beyond the size of L2, to L3", &report.overflowed),
    ] {
        let lines: Vec<String> = items.iter().map(item).collect();
        match lines.is_empty() {
            true => {
                let _ = write!(out, "\n{what}: none");
            }
            false => told(&mut out, what, &lines, 0, style),
        }
    }
    let _ = match report.dry_run {
        true => write!(out, "\npurged for good: {}", report.due_for_purge),
        false => write!(out, "\npurged for good: {}", collected.purged),
    };
    if report.operation.is_some() {
        let _ = write!(out, "\n`hirag undo` brings back what expired");
    }
    out
}

fn item(item: &CleanUpItem) -> String {
    format!("{} {}", item.id, line(&item.preview))
}

pub(in super::super) fn purge(purge: &Purge, _: Style) -> String {
    format!("{} removed for good", count(purge.purged, "context"))
}

pub(in super::super) fn reembedded(reembedded: &Reembedded, _: Style) -> String {
    let Reembedded {
        from, to, embedded, ..
    } = reembedded;
    let mut out = match reembedded.up_to_date {
        true => format!("The vectors are of {to} already; {embedded} waited and were embedded."),
        false => format!(
            "{} of {to} serve now, in place of {from}.",
            count(*embedded, "vector")
        ),
    };
    if reembedded.refused > 0 {
        let _ = write!(
            out,
            "\nThe model refused {}; words find them.",
            count(reembedded.refused, "text")
        );
    }
    out
}

pub(in super::super) fn exported(exported: &Exported, _: Style) -> String {
    format!(
        "{} written to {}",
        count(exported.contexts, "context"),
        exported.file
    )
}

pub(in super::super) fn backup(backup: &Backup, _: Style) -> String {
    format!("{} written to {}", bytes(backup.bytes), backup.file)
}

pub(in super::super) fn restored_database(restored: &RestoredDatabase, _: Style) -> String {
    let previous = match &restored.previous {
        Some(previous) => format!("; what was there before is kept as {previous}"),
        None => String::new(),
    };
    format!("{} is the backup now{previous}", restored.database_file)
}
