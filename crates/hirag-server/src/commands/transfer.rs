//! Bringing contexts in and out: import, export, backup, restore.

use std::io::Write;
use std::path::{Path, PathBuf};

use hirag::HiragManager;
use hirag::clock::SharedClock;
use hirag::import::{ImportProgress, ImportReport};
use hirag::manager::{ImportOptions, ListRequest};
use hirag::store::Order;
use serde::Serialize;

use super::{Error, Host, Result};
use crate::whole_file::WholeFile;

/// Contexts that are read at a time.
const PAGE: usize = 500;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct Exported {
    /// The file.
    pub file: String,
    /// Contexts in it.
    #[ts(type = "number")]
    pub contexts: u64,
}

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

/// Writes every context that is not marked as deleted as a line of JSON, oldest first, which
/// `import` reads again. `progress` gets the contexts written. Returns their number.
///
/// # Errors
/// The store's, or what `out` says.
pub async fn export(
    host: &Host,
    out: &mut (impl Write + Send),
    mut progress: impl FnMut(u64) + Send,
) -> Result<u64> {
    let mut request = ListRequest {
        order: Order::OldestFirst,
        limit: PAGE,
        ..ListRequest::default()
    };
    let mut written = 0;
    loop {
        let page = host.manager().list(request.clone()).await?;
        for context in &page.contexts {
            serde_json::to_writer(&mut *out, context).map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
        }
        written += page.contexts.len() as u64;
        progress(written);
        match page.next_cursor {
            Some(cursor) => request.cursor = Some(cursor),
            None => break,
        }
    }
    out.flush()?;
    Ok(written)
}

/// Exports to a file, which is there whole or not at all.
///
/// # Errors
/// As [`export`], and [`Error::Unwritable`].
pub async fn export_file(
    host: &Host,
    file: &Path,
    progress: impl FnMut(u64) + Send,
) -> Result<Exported> {
    let mut out = WholeFile::begin(file)?;
    let contexts = match export(host, &mut out, progress).await {
        Err(Error::Output(error)) => Err(Error::Unwritable {
            path: file.to_owned(),
            reason: error.to_string(),
        }),
        other => other,
    }?;
    out.finish()?;
    Ok(Exported {
        file: file.display().to_string(),
        contexts,
    })
}

/// Copies the database as it is now to a new file.
///
/// # Errors
/// As [`HiragManager::back_up`].
pub async fn backup(host: &Host, file: &Path) -> Result<Backup> {
    host.manager().back_up(file).await?;
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
