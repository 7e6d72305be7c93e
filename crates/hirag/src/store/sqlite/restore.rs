//! A backup in the place of the database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::lock::WriterLock;
use super::open::register_vector_functions;
use super::schema;
use crate::files::beside;
use crate::store::StoreError;

/// Puts the backup at `backup` in the place of the database at `target`. What was there is kept
/// beside it; its new path is returned. Blocks.
///
/// # Errors
/// [`StoreError::Corrupt`] or [`StoreError::Newer`] for a backup that this program cannot use,
/// [`StoreError::Locked`] when the database is in use; nothing was changed then.
pub fn restore(
    backup: &Path,
    target: &Path,
    now: Timestamp,
) -> Result<Option<PathBuf>, StoreError> {
    register_vector_functions();
    check(backup).map_err(|e| e.at(backup))?;
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| StoreError::Io { path, source }
    };
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(io(folder))?;
    }
    let _lock = WriterLock::acquire(target, Duration::ZERO)?;
    let fresh = beside(target, ".restoring");
    std::fs::copy(backup, &fresh).map_err(io(&fresh))?;
    std::fs::File::open(&fresh)
        .and_then(|file| file.sync_all())
        .map_err(io(&fresh))?;
    let kept = target
        .exists()
        .then(|| beside(target, &format!(".before-restore-{}", now.as_second())));
    if let Some(kept) = &kept {
        // The log belongs to the old file: it moves along, whole.
        for suffix in ["-wal", "-shm"] {
            let log = beside(target, suffix);
            if log.exists() {
                std::fs::rename(&log, beside(kept, suffix)).map_err(io(&log))?;
            }
        }
        std::fs::rename(target, kept).map_err(io(target))?;
    }
    std::fs::rename(&fresh, target).map_err(io(target))?;
    Ok(kept)
}

fn check(backup: &Path) -> Result<(), StoreError> {
    if !backup.is_file() {
        return Err(StoreError::CannotOpen {
            path: backup.to_owned(),
            reason: "there is no such file".to_owned(),
        });
    }
    let connection = Connection::open_with_flags(backup, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    if schema::check(&connection, backup)? == 0 {
        return Err(StoreError::Corrupt {
            path: backup.to_owned(),
            reason: "it is an empty database".to_owned(),
        });
    }
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(StoreError::Corrupt {
            path: backup.to_owned(),
            reason: verdict,
        });
    }
    Ok(())
}
