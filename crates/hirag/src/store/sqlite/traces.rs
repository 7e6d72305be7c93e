//! The table `traces`: records of retrievals, bounded by count and age.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::{Connection, OptionalExtension, params};

use super::SqliteStore;
use super::contexts::signed;
use crate::context::ContextId;
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

/// Traces that may wait for the writer.
const WAITING: i64 = 256;

/// About how many traces there are.
#[derive(Debug)]
pub(super) struct TraceTally {
    /// Bytes in the table: at least as many as there are.
    bytes: AtomicI64,
    /// Traces that wait for the writer.
    waiting: AtomicI64,
}

impl Default for TraceTally {
    /// Unknown, and therefore measured at first.
    fn default() -> Self {
        Self {
            bytes: AtomicI64::new(i64::MAX),
            waiting: AtomicI64::new(0),
        }
    }
}

impl TraceTally {
    /// Whether one more may wait; it does then.
    fn may_wait(&self) -> bool {
        let may = self.waiting.fetch_add(1, Ordering::Relaxed) < WAITING;
        if !may {
            self.waits_no_more();
            tracing::info!("a trace was left out: the writer is busy");
        }
        may
    }

    fn waits_no_more(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    fn add(&self, bytes: usize) -> i64 {
        let sum = self
            .bytes
            .load(Ordering::Relaxed)
            .saturating_add(signed(bytes));
        self.bytes.store(sum, Ordering::Relaxed);
        sum
    }

    fn measure(&self, connection: &Connection) -> Result<i64, StoreError> {
        let bytes = connection
            .prepare_cached("SELECT coalesce(sum(length(body)), 0) FROM traces")?
            .query_row([], |row| row.get(0))?;
        self.bytes.store(bytes, Ordering::Relaxed);
        Ok(bytes)
    }
}

/// A trace as it is kept.
#[derive(Debug, Clone)]
pub struct KeptTrace {
    /// Its id.
    pub id: [u8; 16],
    /// Its JSON.
    pub body: Vec<u8>,
    /// How many stay beside it.
    pub bounds: TraceBounds,
}

impl SqliteStore {
    /// Counts that contexts were returned, and keeps the trace of the retrieval: within half a second,
    /// or five after the last time. Lost with the process, or where the disk takes no more: neither is
    /// worth a caller's time, nor a write to the disk of its own, and [`Self::written`] is for who
    /// wants to wait. While the writer has other work, only so many traces wait for it. A store that cannot
    /// write does nothing.
    pub fn record_retrieval(&self, returned: &[ContextId], trace: Option<KeptTrace>) {
        let Some(writer) = &self.shared.writer else {
            return;
        };
        let now_ms = self.now_ms();
        if let Some(due) = self.shared.accesses.add(returned, now_ms) {
            writer.leave(move |c, changes| {
                let counted = due.write(c, changes);
                counted.inspect_err(|error| tracing::warn!(%error, "accesses could not be counted"))
            });
        }
        if let Some(trace) = trace.filter(|_| self.shared.trace_tally.may_wait()) {
            let tally = Arc::clone(&self.shared.trace_tally);
            writer.leave(move |c, _| {
                tally.waits_no_more();
                let kept = keep(c, &tally, &trace, now_ms);
                kept.inspect_err(|error| tracing::warn!(%error, "a trace could not be kept"))
            });
        }
    }

    /// Waits until everything that was given to the writer before is on disk, or has failed.
    pub async fn written(&self) {
        if let Some(writer) = &self.shared.writer {
            // Who waits learns from what is there then, not from this answer.
            let _ = writer.submit(|_, _| Ok(())).await;
        }
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

    /// Of the last traces, the bodies of those that name a context, newest first; and how many
    /// there were to look through.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn recent_traces_of(
        &self,
        id: ContextId,
        limit: usize,
    ) -> Result<(Vec<Vec<u8>>, u64), StoreError> {
        let limit = signed(limit);
        self.read(move |c| {
            let looked_through: i64 = c
                .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM traces LIMIT ?1)")?
                .query_row([limit], |row| row.get(0))?;
            // An id stands in the JSON as it is: bytes are searched, nothing is read as JSON.
            let mut statement = c.prepare_cached(
                "SELECT body FROM
                     (SELECT body FROM traces ORDER BY at_ms DESC, id DESC LIMIT ?1)
                 WHERE instr(body, ?2) > 0",
            )?;
            let rows =
                statement.query_map(params![limit, id.to_string().as_bytes()], |row| row.get(0))?;
            let bodies = rows.collect::<Result<_, _>>()?;
            Ok((bodies, looked_through.unsigned_abs()))
        })
        .await
    }
}

/// Keeps a trace, and drops the oldest beyond its bounds.
fn keep(
    connection: &Connection,
    tally: &TraceTally,
    trace: &KeptTrace,
    now_ms: i64,
) -> Result<(), StoreError> {
    let KeptTrace { id, body, bounds } = trace;
    let limit = signed(bounds.bytes);
    if signed(body.len()) > limit {
        tracing::info!(
            bytes = body.len(),
            limit,
            "a trace is larger than all traces may be"
        );
        return Ok(());
    }
    connection
        .prepare_cached("INSERT OR REPLACE INTO traces VALUES (?1, ?2, ?3)")?
        .execute(params![id, now_ms, body])?;
    connection
        .prepare_cached("DELETE FROM traces WHERE at_ms < ?1")?
        .execute([bounds.oldest_ms])?;
    connection
        .prepare_cached(
            "DELETE FROM traces WHERE id IN
                 (SELECT id FROM traces ORDER BY at_ms DESC, id DESC LIMIT -1 OFFSET ?1)",
        )?
        .execute([signed(bounds.count)])?;
    if tally.add(body.len()) > limit && tally.measure(connection)? > limit {
        // A tenth more than it must, so that not every retrieval has to measure.
        connection
            .prepare_cached(
                "DELETE FROM traces WHERE id IN
                     (SELECT id FROM
                          (SELECT id, sum(length(body)) OVER newest AS bytes FROM traces
                           WINDOW newest AS (ORDER BY at_ms DESC, id DESC))
                      WHERE bytes > ?1 AND id <> ?2)",
            )?
            .execute(params![limit - limit / 10, id])?;
        tally.measure(connection)?;
    }
    Ok(())
}
