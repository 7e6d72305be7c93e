//! Sources: which there are, and reading them again.

use std::fmt::Write;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::super::answers::{KeptSource, LastRun, SourceRun, Sources};
use super::super::arguments;
use super::super::marking::{Marks, NOTICE};
use super::{Answer, Call, Failure};
use crate::commands::counted;

/// What the command gives, as far as it is told.
#[derive(Debug, Deserialize)]
struct Response {
    sources: Vec<Source>,
}

#[derive(Debug, Deserialize)]
struct Source {
    id: i64,
    name: String,
    path: String,
    watch: bool,
    files: u64,
    contexts: u64,
    running: Option<IgnoredAny>,
    last_run: Option<Run>,
}

#[derive(Debug, Deserialize)]
struct Run {
    outcome: String,
    ended_at: String,
    problem: Option<Reason>,
    imported: u64,
    updated: u64,
    removed: u64,
    failed: Vec<Failed>,
    failed_total: u64,
}

#[derive(Debug, Deserialize)]
struct Reason {
    message: String,
}

#[derive(Debug, Deserialize)]
struct Failed {
    path: String,
    message: String,
}

async fn all(call: &Call<'_>) -> Result<Vec<Source>, Failure> {
    let response: Response = call.door.ask("sources", json!({})).await?;
    Ok(response.sources)
}

pub(super) async fn list(
    call: &Call<'_>,
    arguments: arguments::Sources,
) -> Result<Answer, Failure> {
    let mut errors = usize::try_from(arguments.errors).unwrap_or(usize::MAX);
    let all = all(call).await?.into_iter();
    let listed = Sources {
        sources: all.map(|source| kept(source, &mut errors)).collect(),
        notice: NOTICE.to_owned(),
    };
    let words = told(&listed.sources, &Marks::new());
    Answer::new(&listed, words)
}

/// Letters of one reason; the rest of a long path or message tells a model nothing.
const REASON: usize = 300;

/// As it is told, with `errors` at most, which are taken off.
fn kept(source: Source, errors: &mut usize) -> KeptSource {
    let mut reason = |Failed { path, message }: Failed| {
        *errors = errors.checked_sub(1)?;
        Some(format!("{path}: {message}").chars().take(REASON).collect())
    };
    let last_run = source.last_run.map(|run| LastRun {
        outcome: run.outcome,
        ended_at: run.ended_at,
        problem: run.problem.map(|problem| problem.message),
        imported: run.imported,
        updated: run.updated,
        removed: run.removed,
        failed: run.failed_total,
        errors: run.failed.into_iter().map_while(&mut reason).collect(),
    });
    KeptSource {
        id: source.id,
        name: source.name,
        path: source.path,
        watched: source.watch,
        running: source.running.is_some(),
        files: source.files,
        contexts: source.contexts,
        last_run,
    }
}

/// Sources in words. Whoever named a file may have meant a model to read it: names stand between marks
/// as texts do.
fn told(sources: &[KeptSource], marks: &Marks) -> String {
    if sources.is_empty() {
        return "No folder or file is kept up to date.\n".to_owned();
    }
    let count = counted(sources.len() as u64, "source");
    let mut out = format!("{count}. {}\n", marks.notice());
    for source in sources {
        let facts = json!({"id": source.id, "name": source.name, "path": source.path});
        marks.around(&mut out, &facts, &state(source));
    }
    out
}

fn state(source: &KeptSource) -> String {
    let mut out = format!(
        "{}, {}.",
        counted(source.files, "file"),
        counted(source.contexts, "context")
    );
    if source.running {
        out += " It is being read now.";
    }
    let Some(run) = &source.last_run else {
        return out + " It was not read yet.";
    };
    let _ = write!(
        out,
        " Last read {}, {}: {} new, {} changed, {} removed, {} could not be read.",
        run.ended_at,
        run.outcome,
        counted(run.imported, "context"),
        run.updated,
        run.removed,
        counted(run.failed, "file or line")
    );
    for line in run.problem.iter().chain(&run.errors) {
        let _ = write!(out, "\n{line}");
    }
    out
}

pub(super) async fn run(
    call: &Call<'_>,
    arguments: arguments::SourceRun,
) -> Result<Answer, Failure> {
    let all = all(call).await?;
    let one = match &arguments.source {
        Some(wanted) => Some(find(&all, wanted.trim())?),
        None if all.is_empty() => {
            return Err(unknown("no folder or file is kept up to date".to_owned()));
        }
        None => None,
    };
    let request = json!({ "id": one.map(|source| source.id) });
    let _started: IgnoredAny = call.door.ask("source_run", request).await?;
    let read = one.map_or(all.as_slice(), std::slice::from_ref);
    let started = SourceRun {
        sources: read.iter().map(|source| source.name.clone()).collect(),
        then: "memory_sources says when it is done, and what came of it".to_owned(),
    };
    let words = format!(
        "Begun to read {}. {}.",
        counted(read.len() as u64, "source"),
        started.then
    );
    Answer::new(&started, words)
}

/// The source of a name or a number.
fn find<'a>(all: &'a [Source], wanted: &str) -> Result<&'a Source, Failure> {
    let lower = wanted.to_lowercase();
    let named = all
        .iter()
        .find(|source| source.name.to_lowercase() == lower);
    let numbered = || all.iter().find(|source| source.id.to_string() == wanted);
    named.or_else(numbered).ok_or_else(|| {
        unknown(format!(
            "there is no source {wanted:?}; memory_sources says which there are"
        ))
    })
}

fn unknown(message: String) -> Failure {
    Failure {
        code: "unknown_source".to_owned(),
        message,
    }
}
