//! A backup in the place of the database.

mod swap;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;

use self::swap::Swap;
use super::backup::{check_whole, write_copy};
use super::classify::io_at;
use super::lock::WriterLock;
use super::open::{connect_to_read, register_vector_functions};
use super::schema;
use crate::files::{beside, folder_of, remove_if_there};
use crate::store::StoreError;

pub(super) use self::swap::{check_not_begun, finish_begun, in_between};

/// Puts the backup at `backup` in the place of the database at `target`. What was there is kept
/// beside it, with its log; its new path is returned. Blocks.
///
/// Whatever breaks it off, the old database or the new one is there whole at the next start: up to
/// the moment when the copy is complete it is the old one, from then on the new one.
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
    let source = check(backup).map_err(|e| e.at(backup))?;
    std::fs::create_dir_all(folder_of(target)).map_err(io_at(folder_of(target)))?;
    let _lock = WriterLock::acquire(target, Duration::ZERO)?;
    finish_begun(target)?;
    let copy = beside(target, ".restoring");
    let begun = write_copy(&source, &copy)
        .map_err(|e| match e {
            damaged @ StoreError::Corrupt { .. } => damaged.at(backup),
            other => other.at(target),
        })
        .and_then(|()| Swap::begin(&copy, target, now).map_err(io_at(target)));
    match begun {
        Ok(swap) => swap.carry_out_or_undo().map_err(io_at(target)),
        Err(error) => {
            let _ = remove_if_there(&copy);
            Err(error)
        }
    }
}

fn check(backup: &Path) -> Result<Connection, StoreError> {
    if !backup.is_file() {
        return Err(StoreError::CannotOpen {
            path: backup.to_owned(),
            reason: "there is no such file".to_owned(),
        });
    }
    let connection = connect_to_read(backup)?;
    if schema::check(&connection, backup)? == 0 {
        return Err(StoreError::Corrupt {
            path: backup.to_owned(),
            reason: "it is an empty database".to_owned(),
        });
    }
    check_whole(&connection, backup)?;
    Ok(connection)
}
