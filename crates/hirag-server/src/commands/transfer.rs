//! Bringing everything in and out: import, backup, restore.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use hirag::HiragManager;
use hirag::clock::SharedClock;
use hirag::import::{ImportProgress, ImportReport};
use hirag::manager::ImportOptions;
use hirag::store::sqlite::BackupProgress;
use serde::Serialize;

use super::{Host, Result};

/// A copy of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct Backup {
    /// The file.
    pub file: String,
    /// Its bytes.
    #[ts(type = "number")]
    pub bytes: u64,
}

/// Which backup to put in place of which memory.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// The backup.
    pub backup: PathBuf,
    /// The memory's folder.
    pub data_dir: PathBuf,
}

/// A database that a backup was put in place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct RestoredDatabase {
    /// The database's file.
    pub database_file: String,
    /// Where the database that was there before is kept, if there was one.
    pub previous: Option<String>,
}

/// Imports files and folders.
///
/// # Errors
/// As [`HiragManager::import`].
pub async fn import(
    host: &Host,
    paths: Vec<PathBuf>,
    options: ImportOptions,
    progress: impl FnMut(ImportProgress) + Send,
) -> Result<ImportReport> {
    Ok(host.manager().import(paths, options, progress).await?)
}

/// Copies the database as it is now to a new file. `watch` gets the progress and says whether to
/// go on.
///
/// # Errors
/// As [`HiragManager::back_up_watched`].
pub async fn backup(
    host: &Host,
    file: &Path,
    watch: impl FnMut(BackupProgress) -> ControlFlow<()> + Send + 'static,
) -> Result<Backup> {
    host.manager().back_up_watched(file, watch).await?;
    Ok(Backup {
        file: file.display().to_string(),
        bytes: file.metadata().map_or(0, |facts| facts.len()),
    })
}

/// Puts a backup in the place of a memory's database, which nobody may have open.
///
/// # Errors
/// As [`HiragManager::restore`].
pub async fn restore(request: RestoreRequest, clock: SharedClock) -> Result<RestoredDatabase> {
    let database = request.data_dir.join(hirag::manager::DATABASE_FILE);
    let work = move || HiragManager::restore(&request.backup, &request.data_dir, &clock);
    let previous = tokio::task::spawn_blocking(work).await??;
    Ok(RestoredDatabase {
        database_file: database.display().to_string(),
        previous: previous.map(|path| path.display().to_string()),
    })
}
