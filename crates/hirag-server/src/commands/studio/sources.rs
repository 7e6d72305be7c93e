//! Folders and files that are kept up to date, as a window asks for them.

use hirag::import::ImportProgress;
use hirag::manager::RunOptions;
use hirag::sources::{NewSource, RemovedSource, RunOutcome, Source, SourceRun, SourceStatus};

use super::{JobStarted, Nothing};
use crate::commands::{
    self, Result, SourceChange, SourceRemoval, SourceRequest, SourceRunRequest, SourcesResponse,
    counted,
};
use crate::studio::{ActivityKind, JobKind, Studio};

/// All sources.
///
/// # Errors
/// As [`commands::sources`].
pub async fn sources(studio: &Studio, _request: Nothing) -> Result<SourcesResponse> {
    commands::sources(&studio.host().await?).await
}

/// A source.
///
/// # Errors
/// As [`commands::source`].
pub async fn source(studio: &Studio, request: SourceRequest) -> Result<SourceStatus> {
    commands::source(&studio.host().await?, request.id).await
}

/// Keeps a folder or a file up to date from now on. It is read at once if it is watched.
///
/// # Errors
/// As [`commands::source_add`].
pub async fn source_add(studio: &Studio, request: NewSource) -> Result<SourceStatus> {
    let added = commands::source_add(&studio.host().await?, request).await?;
    note(studio, format!("Added the source {}", added.source.name));
    Ok(added)
}

/// Changes a source.
///
/// # Errors
/// As [`commands::source_change`].
pub async fn source_change(studio: &Studio, request: SourceChange) -> Result<SourceStatus> {
    let changed = commands::source_change(&studio.host().await?, request).await?;
    note(
        studio,
        format!("Changed the source {}", changed.source.name),
    );
    Ok(changed)
}

/// Keeps a source up to date no longer.
///
/// # Errors
/// As [`commands::source_remove`].
pub async fn source_remove(studio: &Studio, request: SourceRemoval) -> Result<RemovedSource> {
    let removed = commands::source_remove(&studio.host().await?, request).await?;
    let name = &removed.source.name;
    match &removed.deletion {
        Some(deletion) => {
            let contexts = counted(deletion.ids.len() as u64, "context");
            let summary = format!("Removed the source {name} with {contexts}");
            let activity = studio.activity();
            activity.note(ActivityKind::Deleted, summary, &deletion.ids);
        }
        None => note(studio, format!("Removed the source {name}")),
    }
    Ok(removed)
}

/// Begins to bring a source, or all, in line with their files. Its result is a
/// [`RanSources`](commands::RanSources).
///
/// # Errors
/// [`commands::Error::Busy`] while there is another; as [`commands::source`]; why nothing can be
/// written, where that is so.
pub async fn source_run(studio: &Studio, request: SourceRunRequest) -> Result<JobStarted> {
    let host = studio.host().await?;
    if let Some(why) = host.manager().only_reads_because() {
        return Err(why.into());
    }
    if let Some(id) = request.id {
        commands::source(&host, id).await?;
    }
    let studio = studio.clone();
    let job = studio.clone().jobs().start(JobKind::Sources, |handle| {
        let options = RunOptions {
            cancel: handle.cancel_flag(),
            emptied: request.emptied,
        };
        async move {
            let progress = |source: &Source, at: ImportProgress| {
                let (done, total) = (at.files_done, at.files_total);
                let name = &source.name;
                let total = counted(total, "file");
                let text = format!("{name}: {done} of {total} to read");
                handle.progress(at.bytes_done, Some(at.bytes_total), "bytes", text);
            };
            let ran = commands::source_run(&host, request.id, options, progress).await?;
            for one in &ran.runs {
                note_run(&studio, &one.name, &one.run);
            }
            Ok(ran)
        }
    })?;
    Ok(JobStarted { job })
}

/// Notes a run that changed something, or could not.
pub(crate) fn note_run(studio: &Studio, name: &str, run: &SourceRun) {
    let summary = match (&run.problem, run.outcome) {
        (Some(problem), RunOutcome::Failed) => format!("{name}: {}", problem.message),
        _ if run.changed() => format!(
            "Brought {name} up to date: {} new, {} changed, {} removed, {} renamed",
            run.imported,
            run.updated,
            run.removed,
            counted(run.renamed, "file")
        ),
        _ => return,
    };
    note(studio, summary);
}

fn note(studio: &Studio, summary: String) {
    studio.activity().note(ActivityKind::Sources, summary, &[]);
}
