//! The table `traces`: records of retrievals, bounded by count and age.

use rusqlite::{OptionalExtension, params};

use super::SqliteStore;
use crate::store::StoreError;

/// How many traces are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceBounds {
    /// Traces at most.
    pub count: u64,
    /// Bytes of all traces at most.
    pub bytes: u64,
    /// Traces from before this go, in milliseconds since the epoch.
    pub oldest_ms: i64,
}

impl SqliteStore {
    /// Keeps a trace, and drops the oldest beyond the bounds. Not waited for: a trace is a help for
    /// people, not worth a caller's time.
    pub fn keep_trace(&self, id: [u8; 16], body: Vec<u8>, bounds: TraceBounds) {
        let Some(writer) = &self.shared.writer else {
            return;
        };
        let now_ms = self.now_ms();
        drop(writer.submit(move |c, _| {
            c.prepare_cached("INSERT OR REPLACE INTO traces VALUES (?1, ?2, ?3)")?
                .execute(params![id, now_ms, body])?;
            c.prepare_cached("DELETE FROM traces WHERE at_ms < ?1")?
                .execute([bounds.oldest_ms])?;
            c.prepare_cached(
                "DELETE FROM traces WHERE id IN
                     (SELECT id FROM
                          (SELECT id, count(*) OVER newest AS place,
                               sum(length(body)) OVER newest AS bytes FROM traces
                           WINDOW newest AS (ORDER BY at_ms DESC, id DESC))
                      WHERE place > ?1 OR bytes > ?2)",
            )?
            .execute([signed(bounds.count), signed(bounds.bytes)])?;
            Ok(())
        }));
    }

    /// The body of a trace.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn trace(&self, id: [u8; 16]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(move |c| {
            Ok(c.prepare_cached("SELECT body FROM traces WHERE id = ?1")?
                .query_row([id], |row| row.get(0))
                .optional()?)
        })
        .await
    }

    /// The bodies of the last traces, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn recent_traces(&self, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(move |c| {
            let mut statement =
                c.prepare_cached("SELECT body FROM traces ORDER BY at_ms DESC, id DESC LIMIT ?1")?;
            let rows = statement.query_map([limit], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
