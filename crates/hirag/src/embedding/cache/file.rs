//! Opening the file, and replacing one that is of no use.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::table::{SCHEMA, SCHEMA_VERSION};
use crate::files::{beside, create_private_file};

/// "HiRC": tells our file from another program's, which must not be wiped.
const APPLICATION_ID: i32 = 0x4869_5243;
/// How long another process may hold the file before the writer gives up.
const WRITE_PATIENCE: Duration = Duration::from_secs(1);
/// The same for a reader, whose caller waits for it.
const READ_PATIENCE: Duration = Duration::from_millis(100);

/// A connection to write and one to read.
pub(super) fn open_pair(path: &Path) -> Result<(Connection, Connection), String> {
    let writer = match open_writer(path) {
        Err(OpenError::Replaceable(reason)) => {
            tracing::warn!(path = %path.display(), %reason, "replacing the embedding cache's file");
            delete(path)?;
            open_writer(path)
        }
        other => other,
    };
    let writer = writer.map_err(|e| match e {
        OpenError::Replaceable(reason) | OpenError::Final(reason) => reason,
    })?;
    let reader = open_reader(path).map_err(|e| e.to_string())?;
    Ok((writer, reader))
}

enum OpenError {
    /// Our file, but of no use.
    Replaceable(String),
    /// Locked, read-only, someone else's.
    Final(String),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        if is_corrupt(&error) {
            Self::Replaceable(error.to_string())
        } else {
            Self::Final(error.to_string())
        }
    }
}

fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    create_private_file(path).map_err(|e| OpenError::Final(e.to_string()))?;
    let mut db = Connection::open(path)?;
    db.busy_timeout(WRITE_PATIENCE)?;
    if db.is_readonly("main")? {
        return Err(OpenError::Final("the file is read-only".to_owned()));
    }
    // Takes effect only before the first table; lets the file shrink when the limit does.
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    // A purged text must not live on in a free page.
    db.pragma_update(None, "secure_delete", "ON")?;

    let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let tables: i64 = change.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    let owner: i32 = change.pragma_query_value(None, "application_id", |r| r.get(0))?;
    let version: i32 = change.pragma_query_value(None, "user_version", |r| r.get(0))?;
    match (tables, owner) {
        (0, _) => {
            change.execute_batch(SCHEMA)?;
            change.pragma_update(None, "application_id", APPLICATION_ID)?;
            change.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        (_, APPLICATION_ID) if version == SCHEMA_VERSION => {}
        (_, APPLICATION_ID) => {
            return Err(OpenError::Replaceable(format!("schema version {version}")));
        }
        _ => {
            return Err(OpenError::Final(
                "the file is a database of something else".to_owned(),
            ));
        }
    }
    change.commit()?;
    Ok(db)
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.busy_timeout(READ_PATIENCE)?;
    db.pragma_update(None, "query_only", "ON")?;
    Ok(db)
}

/// Deletes the file and what belongs to it.
pub(super) fn delete(path: &Path) -> Result<(), String> {
    for suffix in ["-wal", "-shm", ""] {
        match std::fs::remove_file(beside(path, suffix)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.to_string()),
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn is_corrupt(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}
