//! One process writes a database at a time; the others read.
//!
//! The lock is advisory and held on a file beside the database, so the system releases it when
//! its holder dies. The file says who holds it, for the error of the one who has to wait.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::classify::io_at;
use crate::files::beside;
use crate::store::StoreError;

/// How often a waiting writer looks again.
const POLL: Duration = Duration::from_millis(50);

/// The right to write; given back when dropped.
#[derive(Debug)]
pub(super) struct WriterLock {
    file: File,
}

impl WriterLock {
    /// Takes the lock of `database`, waiting for at most `patience`.
    ///
    /// # Errors
    /// [`StoreError::Locked`] with the holder; [`StoreError::ReadOnly`] where the lock file
    /// cannot be made.
    #[expect(
        clippy::disallowed_methods,
        reason = "opening a database blocks its thread by contract, and no system call waits for \
                  this lock with a limit"
    )]
    pub(super) fn acquire(database: &Path, patience: Duration) -> Result<Self, StoreError> {
        let path = beside(database, ".lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| match source.kind() {
                std::io::ErrorKind::StorageFull => StoreError::DiskFull {
                    path: database.to_owned(),
                },
                _ => io_at(&path)(source),
            })?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                    std::thread::sleep(POLL);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked {
                        path: database.to_owned(),
                        holder: holder(&mut file),
                    });
                }
                Err(TryLockError::Error(source)) => return Err(StoreError::Io { path, source }),
            }
        }
        // The name is a courtesy to the one who waits: on a full disk the lock holds without it.
        let name = format!("process {}", std::process::id());
        let _ = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(name.as_bytes()));
        Ok(Self { file })
    }
}

/// Does `work` while nobody writes `database`, for who takes its files as they are. Blocks.
///
/// # Errors
/// [`StoreError::Locked`] while somebody writes it; nothing was done then.
pub fn while_nobody_writes<T>(database: &Path, work: impl FnOnce() -> T) -> Result<T, StoreError> {
    let _lock = match WriterLock::acquire(database, Duration::ZERO) {
        Ok(lock) => Some(lock),
        // Where that cannot be written, nothing is.
        Err(StoreError::ReadOnly { .. }) => None,
        Err(error) => return Err(error),
    };
    Ok(work())
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn holder(file: &mut File) -> String {
    let mut name = String::new();
    let read = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.take(200).read_to_string(&mut name));
    match read {
        Ok(length) if length > 0 => name,
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("hirag.db");
        let first = WriterLock::acquire(&database, Duration::ZERO).unwrap();
        let error = WriterLock::acquire(&database, Duration::ZERO).unwrap_err();
        assert_eq!(error.code(), "store_locked");
        assert!(error.to_string().contains(&std::process::id().to_string()));
        drop(first);
        WriterLock::acquire(&database, Duration::ZERO).unwrap();
    }
}
