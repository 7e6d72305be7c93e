//! Clean-up, backup and restore.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;

use hirag::files::beside;
use hirag::manager::DATABASE_FILE;
use hirag::store::sqlite::{BackupProgress, while_nobody_writes};
use serde::Deserialize;

use super::jobs::{JobStarted, file};
use crate::commands::{self, Backup, Collected, RestoreRequest, RestoredDatabase, Result, counted};
use crate::studio::{ActivityKind, JobKind, Studio};
use crate::whole_file::WholeFile;

/// Whether to clean up or to tell what a clean-up would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct CleanUpRequest {
    /// Only tell.
    pub dry_run: bool,
}

/// Which file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct FileRequest {
    /// Its absolute path.
    pub file: String,
}

/// Applies the levels' rules, or tells what they would do.
///
/// # Errors
/// As [`commands::collect`].
pub async fn clean_up(studio: &Studio, request: CleanUpRequest) -> Result<Collected> {
    let collected = commands::collect(&studio.host().await?, request.dry_run).await?;
    if !request.dry_run {
        let plan = &collected.clean_up;
        let moved = plan.promoted.len() + plan.evicted.len() + plan.overflowed.len();
        let summary = format!(
            "Cleaned up: {} expired, {moved} moved",
            counted(plan.expired.len() as u64, "context")
        );
        let ids: Vec<_> = plan.expired.iter().map(|item| item.id).collect();
        studio
            .activity()
            .note(ActivityKind::CleanedUp, summary, &ids);
    }
    Ok(collected)
}

/// Begins to copy the database as it is now to a new file. Its result is a [`Backup`].
///
/// # Errors
/// [`Error::BadRequest`] for a path that is not absolute, [`Error::Busy`] while there is another.
///
/// [`Error::BadRequest`]: commands::Error::BadRequest
/// [`Error::Busy`]: commands::Error::Busy
pub async fn backup_start(studio: &Studio, request: FileRequest) -> Result<JobStarted> {
    let target = file(&request.file)?;
    let host = studio.host().await?;
    let job = studio.jobs().start(JobKind::Backup, |handle| async move {
        let stop = handle.cancel_flag();
        let watch = move |at: BackupProgress| {
            let now = if at.checking {
                "Checking the copy"
            } else {
                "Writing the copy"
            };
            handle.progress(at.bytes_done, Some(at.bytes_total), "bytes", now.to_owned());
            match stop.load(Ordering::Relaxed) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        commands::backup(&host, &target, watch).await
    })?;
    Ok(JobStarted { job })
}

/// Copies the files of a database that cannot be opened as they are, so that nothing is lost
/// before a restore: the database itself, and its log beside the copy. One that is open is copied as
/// [`backup_start`] does.
///
/// # Errors
/// [`hirag::store::StoreError::Locked`] while another process writes it: its files would not belong
/// together. [`commands::Error::Unwritable`]; a file that exists is not written over, and none is left half written.
pub async fn backup_file(studio: &Studio, request: FileRequest) -> Result<Backup> {
    let target = file(&request.file)?;
    if let Some(host) = studio.host_now() {
        return commands::backup(&host, &target, |_| ControlFlow::Continue(())).await;
    }
    let database = studio.data_dir().join(DATABASE_FILE);
    let work = move || while_nobody_writes(&database, || copy_files(&database, &target));
    let copied = tokio::task::spawn_blocking(work).await;
    copied?.map_err(hirag::Error::from)?
}

fn copy_files(database: &Path, target: &Path) -> Result<Backup> {
    let (copy, bytes) = WholeFile::copy_of(database, target)?;
    let [log, kept_log] = [database, target].map(|path| beside(path, "-wal"));
    // The log first: a copy that is there has what belongs to it.
    let logged = log.exists();
    if logged {
        WholeFile::copy_of(&log, &kept_log)?.0.finish_new()?;
    }
    if let Err(error) = copy.finish_new() {
        if logged {
            let _ = std::fs::remove_file(&kept_log);
        }
        return Err(error);
    }
    Ok(Backup {
        file: target.display().to_string(),
        bytes,
    })
}

/// Puts a backup in the place of the database, which is kept beside it, and opens it. Jobs end
/// first; commands wait meanwhile. Works where the database cannot be opened, too.
///
/// # Errors
/// As [`commands::restore`]; the database is as it was then.
pub async fn restore(studio: &Studio, request: FileRequest) -> Result<RestoredDatabase> {
    let request = RestoreRequest {
        backup: file(&request.file)?,
        data_dir: studio.data_dir().to_owned(),
    };
    let work = commands::restore(request, studio.clock().clone());
    let restored = studio.while_closed(work).await?;
    let summary = "Restored the database from a backup".to_owned();
    studio.activity().note(ActivityKind::Restored, summary, &[]);
    Ok(restored)
}
