//! A copy of the database while it is in use.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rusqlite::Connection;

use super::SqliteStore;
use super::classify::io_at;
use super::open::connect_to_read;
use crate::files::{beside, create_private_file, folder_of, remove_if_there, sync_folder_of};
use crate::store::StoreError;

/// Steps of SQLite's machine, or pages that it checks, between two looks at whether to go on:
/// some milliseconds.
const STEPS: i32 = 2_000;

/// How far a backup has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupProgress {
    /// Bytes that are written.
    pub bytes_done: u64,
    /// Bytes that the copy will have at most.
    pub bytes_total: u64,
    /// Whether all is written, and the copy is read once more to be sure of it.
    pub checking: bool,
}

impl SqliteStore {
    /// Writes a copy of the database as it is now to a new file, complete or not at all. `watch`
    /// gets the progress many times a second and says whether to go on; the answer tells whether
    /// the copy is there, or was broken off.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the file exists or cannot be written; [`StoreError::Corrupt`] when
    /// the database is damaged, as the copy could not be restored.
    pub async fn back_up(
        &self,
        target: &Path,
        watch: impl FnMut(BackupProgress) -> ControlFlow<()> + Send + 'static,
    ) -> Result<ControlFlow<()>, StoreError> {
        let target = target.to_owned();
        check_new(&target)?;
        let partial = beside(&target, ".partial");
        let database = self.shared.path.clone();
        self.read(move |c| {
            let written = copy_and_check(c, &database, &partial, watch).and_then(|end| {
                if end.is_continue() {
                    std::fs::rename(&partial, &target)
                        .and_then(|()| sync_folder_of(&target))
                        .map_err(io_at(&target))?;
                }
                Ok(end)
            });
            if !matches!(written, Ok(ControlFlow::Continue(()))) {
                let _ = remove_if_there(&partial);
            }
            written.map_err(|e| e.at(&target))
        })
        .await
    }
}

fn check_new(target: &Path) -> Result<(), StoreError> {
    let refused = |kind, why| {
        Err(StoreError::Io {
            path: target.to_owned(),
            source: std::io::Error::new(kind, why),
        })
    };
    if target.exists() {
        let why = "it exists already; choose a new name";
        return refused(std::io::ErrorKind::AlreadyExists, why);
    }
    if !folder_of(target).is_dir() {
        return refused(std::io::ErrorKind::NotFound, "its folder is not there");
    }
    Ok(())
}

fn copy_and_check(
    connection: &Connection,
    database: &Path,
    copy: &Path,
    watch: impl FnMut(BackupProgress) -> ControlFlow<()> + Send + 'static,
) -> Result<ControlFlow<()>, StoreError> {
    let bytes_total = used_bytes(connection)?;
    let watch = Arc::new(Mutex::new(watch));
    let look = |checking: bool| {
        let (watch, copy) = (Arc::clone(&watch), copy.to_owned());
        move || {
            let written = copy.metadata().map_or(0, |facts| facts.len());
            let bytes_done = written.min(bytes_total);
            watch.lock()(BackupProgress {
                bytes_done,
                bytes_total,
                checking,
            })
        }
    };
    let write = || write_copy(connection, copy);
    if watched(connection, look(false), write)?.is_break() {
        return Ok(ControlFlow::Break(()));
    }
    let reader = connect_to_read(copy)?;
    let check = || match check_whole(&reader, copy) {
        Err(StoreError::Corrupt { reason, .. }) => Err(StoreError::Corrupt {
            path: database.to_owned(),
            reason: format!("{reason}; no backup was written, as none could be restored"),
        }),
        other => other,
    };
    watched(&reader, look(true), check)
}

/// Runs `work` on a connection, and breaks it off when `look` says so.
fn watched(
    connection: &Connection,
    mut look: impl FnMut() -> ControlFlow<()> + Send + 'static,
    work: impl FnOnce() -> Result<(), StoreError>,
) -> Result<ControlFlow<()>, StoreError> {
    if look().is_break() {
        return Ok(ControlFlow::Break(()));
    }
    let stopped = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&stopped);
    let handler = move || {
        let stop = look().is_break();
        if stop {
            tell.store(true, Ordering::Relaxed);
        }
        stop
    };
    connection.progress_handler(STEPS, Some(handler))?;
    let watched = Watched(connection);
    let outcome = work();
    drop(watched);
    match outcome {
        Err(_) if stopped.load(Ordering::Relaxed) => Ok(ControlFlow::Break(())),
        other => other.map(ControlFlow::Continue),
    }
}

/// A connection with a handler, which does not outlive the work, however that ends: the connection may go
/// back among those that others take.
struct Watched<'a>(&'a Connection);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.progress_handler(0, None::<fn() -> bool>) {
            tracing::error!(%error, "a connection keeps a handler that is not its own");
        }
    }
}

/// Bytes of the pages that hold something.
fn used_bytes(connection: &Connection) -> Result<u64, StoreError> {
    let pages: i64 = connection.query_row(
        "SELECT page_size * (page_count - freelist_count)
         FROM pragma_page_size, pragma_page_count, pragma_freelist_count",
        [],
        |row| row.get(0),
    )?;
    Ok(pages.unsigned_abs())
}

/// Writes a copy of the database, with what its log holds, to `file`, and synchronises it. What
/// stands there is written over; after a failure, nothing stands there.
pub(super) fn write_copy(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    // With the journal that a copy has until it is complete: it would be taken for the new copy's.
    let clear = || {
        remove_if_there(file)?;
        remove_if_there(&beside(file, "-journal"))
    };
    clear().map_err(io_at(file))?;
    create_private_file(file).map_err(io_at(file))?;
    let written = connection
        .execute("VACUUM INTO ?1", [file.to_string_lossy()])
        .map_err(StoreError::from)
        .and_then(|_| {
            std::fs::File::open(file)
                .and_then(|copy| copy.sync_all())
                .map_err(io_at(file))
        });
    if written.is_err() {
        let _ = clear();
    }
    written
}

/// Whether SQLite finds the database whole.
///
/// # Errors
/// [`StoreError::Corrupt`] with the first fault.
pub(super) fn check_whole(connection: &Connection, file: &Path) -> Result<(), StoreError> {
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match verdict.as_str() {
        "ok" => Ok(()),
        _ => Err(StoreError::Corrupt {
            path: file.to_owned(),
            reason: verdict,
        }),
    }
}
