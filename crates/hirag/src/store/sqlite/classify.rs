//! What SQLite says, in the words of [`StoreError`].

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Error, ErrorCode};

use crate::store::StoreError;

impl From<Error> for StoreError {
    /// Classifies; the path is added where it is known.
    fn from(source: Error) -> Self {
        let path = PathBuf::new();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { path },
            Some(ErrorCode::CannotOpen) => Self::CannotOpen {
                path,
                reason: source.to_string(),
            },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked {
                path,
                holder: "another process".to_owned(),
            },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt {
                path,
                reason: source.to_string(),
            },
            _ if is_damaged_text(&source) => Self::Corrupt {
                path,
                reason: source.to_string(),
            },
            _ => Self::Sqlite { path, source },
        }
    }
}

/// Whether a text came out that never went in: whatever is stored is valid UTF-8.
fn is_damaged_text(error: &Error) -> bool {
    match error {
        Error::Utf8Error(..) => true,
        Error::FromSqlConversionFailure(_, _, inner) => inner.is::<std::str::Utf8Error>(),
        _ => false,
    }
}

/// What the system says of the file or folder at `path`.
pub(super) fn io_at(path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| match source.kind() {
        io::ErrorKind::StorageFull => StoreError::DiskFull { path },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { path }
        }
        _ => StoreError::Io { path, source },
    }
}

impl StoreError {
    /// Names the database in an error that does not know it yet.
    pub(super) fn at(mut self, database: &Path) -> Self {
        match &mut self {
            Self::DiskFull { path }
            | Self::ReadOnly { path }
            | Self::CannotOpen { path, .. }
            | Self::Locked { path, .. }
            | Self::Corrupt { path, .. }
            | Self::Sqlite { path, .. }
                if path.as_os_str().is_empty() =>
            {
                database.clone_into(path);
            }
            _ => {}
        }
        self
    }

    /// The same error for another of the writes that failed together.
    pub(super) fn duplicate(&self) -> Self {
        match self {
            Self::DiskFull { path } => Self::DiskFull { path: path.clone() },
            Self::ReadOnly { path } => Self::ReadOnly { path: path.clone() },
            Self::Locked { path, holder } => Self::Locked {
                path: path.clone(),
                holder: holder.clone(),
            },
            Self::Corrupt { path, reason } => Self::Corrupt {
                path: path.clone(),
                reason: reason.clone(),
            },
            Self::Closed => Self::Closed,
            other => Self::Internal(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(code: i32) -> StoreError {
        Error::SqliteFailure(rusqlite::ffi::Error::new(code), None).into()
    }

    #[test]
    fn the_systems_failures_have_codes_of_their_own() {
        use rusqlite::ffi;
        for (code, expected) in [
            (ffi::SQLITE_FULL, "disk_full"),
            (ffi::SQLITE_READONLY, "store_read_only"),
            (ffi::SQLITE_BUSY, "store_locked"),
            (ffi::SQLITE_CORRUPT, "store_corrupt"),
            (ffi::SQLITE_NOTADB, "store_corrupt"),
            (ffi::SQLITE_CANTOPEN, "store_cannot_open"),
            (ffi::SQLITE_MISUSE, "store_failed"),
        ] {
            let error = sqlite(code).at(Path::new("/data/hirag.db"));
            assert_eq!(error.code(), expected);
            assert!(error.to_string().contains("/data/hirag.db"), "{error}");
        }
    }
}
