//! Counting, checking, tidying.

mod inspect;
mod parts;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rusqlite::Connection;
use serde::Serialize;

pub use self::inspect::{Finding, Inspection, inspect_file};
pub use self::parts::DatabaseParts;
use super::{SqliteStore, collections};
use crate::context::{ContextLevel, LevelCounts};
use crate::files::beside;
use crate::store::StoreError;
use crate::tasks::broken_off;

/// How much is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreCounts {
    /// Contexts in all, without those marked as deleted.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub total_contexts: u64,
    /// The same by level.
    pub contexts_per_level: LevelCounts,
    /// Contexts that wait for their vector.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub pending: u64,
    /// Contexts that are marked as deleted.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub deleted: u64,
    /// Tokens of all contexts that are not marked.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub total_tokens: u64,
    /// Files and collections that contexts came from.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub sources: u64,
    /// Traces kept.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub traces: u64,
}

/// The last counts, as long as nothing was committed: counting a large store takes tens of
/// milliseconds, and it is asked for by everybody who shows something. Clones share everything.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    /// How many commits were made.
    commits: Arc<AtomicU64>,
    /// Of which collection, and after which commit.
    last: Arc<Mutex<Option<(u64, String, StoreCounts)>>>,
}

impl Counted {
    /// Counts a commit, before whoever asked for it is answered.
    pub(super) fn end(&self) {
        self.commits.fetch_add(1, Ordering::Release);
    }

    fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    fn known(&self, commits: u64, collection: &str) -> Option<StoreCounts> {
        let last = self.last.lock();
        let (after, of, counts) = last.as_ref()?;
        (*after == commits && of == collection).then(|| counts.clone())
    }

    /// Keeps what was counted after at least so many commits.
    fn keep(&self, commits: u64, collection: &str, counts: &StoreCounts) {
        *self.last.lock() = Some((commits, collection.to_owned(), counts.clone()));
    }
}

/// What the database takes on the disk, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatabaseSize {
    /// The main file.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub file_bytes: u64,
    /// Of these, free for new rows.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub free_bytes: u64,
    /// The write-ahead log.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub wal_bytes: u64,
}

impl SqliteStore {
    /// How much is stored in a collection.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn counts(&self, collection: &str) -> Result<StoreCounts, StoreError> {
        let counted = &self.shared.counted;
        let commits = counted.commits();
        // Another process that writes tells nothing of it.
        if self.is_writable()
            && let Some(counts) = counted.known(commits, collection)
        {
            return Ok(counts);
        }
        let name = collection.to_owned();
        let counts = self.read(move |c| counts(c, collections::number(c, &name)?));
        let counts = counts.await?;
        counted.keep(commits, collection, &counts);
        Ok(counts)
    }

    /// What the database takes on the disk.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn size(&self) -> Result<DatabaseSize, StoreError> {
        let wal = beside(&self.shared.path, "-wal");
        self.read(move |c| {
            let pragma = |name: &str| -> Result<u64, StoreError> {
                let value: i64 = c.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?;
                Ok(value.unsigned_abs())
            };
            let page = pragma("page_size")?;
            Ok(DatabaseSize {
                file_bytes: pragma("page_count")? * page,
                free_bytes: pragma("freelist_count")? * page,
                wal_bytes: std::fs::metadata(wal).map_or(0, |facts| facts.len()),
            })
        })
        .await
    }

    /// Gives free pages back to the disk and refreshes what the query planner knows. Every other
    /// write waits meanwhile.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] when there is no room for the copy; nothing is lost then.
    pub async fn optimise(&self) -> Result<(), StoreError> {
        let Some(writer) = &self.shared.writer else {
            return Err(self.no_writer());
        };
        // The word index is merged by the writer; VACUUM cannot run inside its transactions.
        writer
            .submit(|c, _| {
                Ok(
                    c.execute("INSERT INTO words (words) VALUES ('optimize')", [])
                        .map(|_| ())?,
                )
            })
            .await
            .unwrap_or(Err(StoreError::Closed))
            .map_err(|e| e.at(&self.shared.path))?;
        let path = self.shared.path.clone();
        tokio::task::spawn_blocking(move || {
            let vacuum = || -> Result<(), StoreError> {
                let connection = Connection::open(&path)?;
                connection.busy_timeout(std::time::Duration::from_secs(30))?;
                connection
                    .execute_batch("VACUUM; PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);")?;
                Ok(())
            };
            vacuum().map_err(|e| e.at(&path))
        })
        .await
        .map_err(|e| StoreError::Internal(broken_off(&e)))?
    }
}

fn counts(connection: &Connection, collection: i64) -> Result<StoreCounts, StoreError> {
    let number = |sql: &str, parameters: &[i64]| -> Result<u64, StoreError> {
        let parameters = rusqlite::params_from_iter(parameters);
        let value: i64 = connection
            .prepare_cached(sql)?
            .query_row(parameters, |row| row.get(0))?;
        Ok(value.unsigned_abs())
    };
    let mut counts = StoreCounts {
        pending: number(
            "SELECT count(*) FROM contexts
             WHERE collection = ?1 AND pending = 1 AND deleted_ms IS NULL",
            &[collection],
        )?,
        sources: number(
            "SELECT count(*) FROM sources
             WHERE collection = ?1 AND (problem IS NULL OR contexts > 0)",
            &[collection],
        )?,
        traces: number("SELECT count(*) FROM traces", &[])?,
        ..StoreCounts::default()
    };
    // One look at the index that lists are read from.
    let mut statement = connection.prepare_cached(
        "SELECT count(deleted_ms),
             coalesce(sum(token_count) FILTER (WHERE deleted_ms IS NULL), 0),
             count(*) FILTER (WHERE deleted_ms IS NULL AND level = ?2),
             count(*) FILTER (WHERE deleted_ms IS NULL AND level = ?3),
             count(*) FILTER (WHERE deleted_ms IS NULL AND level = ?4)
         FROM contexts WHERE collection = ?1",
    )?;
    let [first, second, third] = ContextLevel::ALL.map(ContextLevel::number);
    statement.query_row((collection, first, second, third), |row| {
        let number =
            |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.unsigned_abs());
        counts.deleted = number(0)?;
        counts.total_tokens = number(1)?;
        for (place, level) in ContextLevel::ALL.into_iter().enumerate() {
            *counts.contexts_per_level.get_mut(level) = number(2 + place)?;
        }
        Ok(())
    })?;
    counts.total_contexts = counts.contexts_per_level.total();
    Ok(counts)
}
