//! Long work: begun here, watched by its events, stopped at will.

use std::path::PathBuf;

use hirag::context::ContextLevel;
use hirag::export::ExportFormat;
use hirag::import::{FileKind, Format, ImportProgress, Problem, Skipped, discover, path_text};
use hirag::manager::{EmbeddingProgress, ImportOptions};
use serde::{Deserialize, Serialize};

use super::Nothing;
use crate::commands::{self, Error, ExportRequest, Result, counted};
use crate::studio::{ActivityKind, Job, JobKind, Studio};

/// Files that a preview names.
const FILES: usize = 1_000;

/// What to look at before an import.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct ImportPreviewRequest {
    /// Files and folders.
    pub paths: Vec<String>,
    /// What they hold.
    #[serde(default)]
    #[ts(as = "Option<Format>", optional)]
    pub format: Format,
}

/// A file that would be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct ImportFile {
    /// Its path.
    pub path: String,
    /// How it would be read.
    pub format: FileKind,
    /// Its bytes.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// What an import would read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct ImportPreview {
    /// The files, the first thousand.
    pub files: Vec<ImportFile>,
    /// Files in all.
    #[ts(type = "number")]
    pub total_files: u64,
    /// Their bytes.
    #[ts(type = "number")]
    pub total_bytes: u64,
    /// Files and folders that would be passed over, the first thousand.
    pub skipped: Vec<Skipped>,
    /// Paths that cannot be read, the first thousand.
    pub failed: Vec<Problem>,
}

/// An import to begin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct ImportStart {
    /// Files and folders.
    pub paths: Vec<String>,
    /// What they hold.
    #[serde(default)]
    #[ts(as = "Option<Format>", optional)]
    pub format: Format,
    /// The level of contexts that bring none along; L3 by default.
    #[serde(default)]
    pub level: Option<ContextLevel>,
    /// The agent of contexts that bring none along.
    #[serde(default)]
    pub agent: Option<String>,
    /// The session of contexts that bring none along.
    #[serde(default)]
    pub session: Option<String>,
}

/// An export to begin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct ExportStart {
    /// The file, or the folder for Markdown; there whole or not at all.
    pub file: String,
    /// How contexts are written down; as lines of JSON where nothing is said.
    #[serde(default)]
    #[ts(as = "Option<ExportFormat>", optional)]
    pub format: ExportFormat,
    /// In Markdown, a note a session instead of one a context.
    #[serde(default)]
    #[ts(as = "Option<bool>", optional)]
    pub by_session: bool,
}

/// A job that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct JobStarted {
    /// Its id.
    pub job: String,
}

/// Which job.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct JobRequest {
    /// Its id.
    pub job: String,
}

/// The jobs of this run.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct JobsResponse {
    /// Newest first, fifty at most.
    pub jobs: Vec<Job>,
}

/// What an import would read, without reading it.
///
/// # Errors
/// [`Error::BadRequest`] without a path.
pub async fn import_preview(
    studio: &Studio,
    request: ImportPreviewRequest,
) -> Result<ImportPreview> {
    let (paths, format) = (paths(request.paths)?, request.format);
    let settings = studio.config().import.clone();
    let found = tokio::task::spawn_blocking(move || discover(&paths, format, &settings)).await?;
    let files = found.files.iter().take(FILES).map(|file| ImportFile {
        path: path_text(&file.path),
        format: file.kind,
        bytes: file.bytes,
    });
    Ok(ImportPreview {
        files: files.collect(),
        total_files: found.files.len() as u64,
        total_bytes: found.files.iter().map(|file| file.bytes).sum(),
        skipped: found.skipped.into_iter().take(FILES).collect(),
        failed: found.failed.into_iter().take(FILES).collect(),
    })
}

/// Begins an import. Its result is an [`ImportReport`](hirag::import::ImportReport).
///
/// # Errors
/// [`Error::BadRequest`] without a path, [`Error::Busy`] while there is another.
pub async fn import_start(studio: &Studio, request: ImportStart) -> Result<JobStarted> {
    let paths = paths(request.paths)?;
    let options = ImportOptions {
        format: request.format,
        level: request.level,
        agent: request.agent,
        session: request.session,
        ..ImportOptions::default()
    };
    begin_import(studio, paths, options).await
}

pub(super) async fn begin_import(
    studio: &Studio,
    paths: Vec<PathBuf>,
    options: ImportOptions,
) -> Result<JobStarted> {
    let host = studio.host().await?;
    let studio = studio.clone();
    let job = studio.clone().jobs().start(JobKind::Import, |handle| {
        let options = ImportOptions {
            cancel: handle.cancel_flag(),
            ..options
        };
        async move {
            let progress = |at: ImportProgress| {
                let text = format!(
                    "{}, {} of {}",
                    counted(at.contexts, "context"),
                    at.files_done,
                    counted(at.files_total, "file")
                );
                handle.progress(at.bytes_done, Some(at.bytes_total), "bytes", text);
            };
            let report = commands::import(&host, paths, options, progress).await?;
            let summary = format!(
                "Imported {} new from {}",
                counted(report.imported, "context"),
                counted(report.files, "file")
            );
            studio.activity().note(ActivityKind::Imported, summary, &[]);
            Ok(report)
        }
    })?;
    Ok(JobStarted { job })
}

/// Begins to embed everything by the configured model. Its result is a
/// [`Reembedded`](hirag::manager::Reembedded). Stopped, it goes on where it was the next time.
///
/// # Errors
/// [`Error::Busy`] while there is another.
pub async fn reembed_start(studio: &Studio, _request: Nothing) -> Result<JobStarted> {
    let host = studio.host().await?;
    let studio = studio.clone();
    let job = studio
        .clone()
        .jobs()
        .start(JobKind::Reembed, |handle| async move {
            let progress = |at: EmbeddingProgress| {
                let text = format!("{} of {}", at.done, counted(at.total, "context"));
                handle.progress(at.done, Some(at.total), "contexts", text);
            };
            let work = commands::reembed(&host, progress);
            let reembedded = handle.until_cancelled(work).await?;
            let summary = format!(
                "Embedded {} by {}",
                counted(reembedded.embedded, "context"),
                reembedded.to
            );
            studio
                .activity()
                .note(ActivityKind::Reembedded, summary, &[]);
            Ok(reembedded)
        })?;
    Ok(JobStarted { job })
}

/// Begins an export. Its result is an [`Exported`](crate::commands::Exported).
///
/// # Errors
/// [`Error::Busy`] while there is another.
pub async fn export_start(studio: &Studio, request: ExportStart) -> Result<JobStarted> {
    let host = studio.host().await?;
    let request = ExportRequest {
        place: file(&request.file)?,
        format: request.format,
        by_session: request.by_session,
    };
    let total = host
        .manager()
        .count(&hirag::context::Filter::default())
        .await?;
    let job = studio.jobs().start(JobKind::Export, |handle| async move {
        let progress = |done: u64| {
            let text = format!("{done} of {}", counted(total, "context"));
            handle.progress(done, Some(total), "contexts", text);
        };
        let work = commands::export_file(&host, &request, progress);
        handle.until_cancelled(work).await
    })?;
    Ok(JobStarted { job })
}

/// The jobs of this run.
///
/// # Errors
/// None.
pub async fn jobs(studio: &Studio, _request: Nothing) -> Result<JobsResponse> {
    let jobs = studio.jobs().list();
    Ok(JobsResponse { jobs })
}

/// Asks a job to stop; what it has finished stays.
///
/// # Errors
/// [`Error::UnknownJob`].
pub async fn job_cancel(studio: &Studio, request: JobRequest) -> Result<Nothing> {
    studio.jobs().cancel(&request.job)?;
    Ok(Nothing {})
}

fn paths(paths: Vec<String>) -> Result<Vec<PathBuf>> {
    if paths.is_empty() {
        return Err(Error::BadRequest {
            key: "paths",
            value: "[]".to_owned(),
            rule: "must name a file or a folder",
        });
    }
    paths.iter().map(|path| file(path)).collect()
}

/// A path that a person chose. A relative one would be looked for wherever the program was
/// started.
pub(super) fn file(path: &str) -> Result<PathBuf> {
    let given = PathBuf::from(path);
    if given.is_absolute() {
        return Ok(given);
    }
    Err(Error::BadRequest {
        key: "path",
        value: format!("{path:?}"),
        rule: "must be absolute",
    })
}
