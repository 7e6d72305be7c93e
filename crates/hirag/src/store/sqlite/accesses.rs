//! Accesses on their way to the table `contexts`: how often each context was returned since the last
//! commit that counted them. However many searches there are, one job of the writer counts them all.

use std::collections::HashMap;

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};

use super::writer::Changes;
use crate::context::ContextId;
use crate::store::StoreError;

/// Accesses that wait for the writer.
#[derive(Debug, Default)]
pub(super) struct Accesses {
    waiting: Mutex<HashMap<ContextId, Access>>,
}

/// How often a context was returned, and when last.
#[derive(Debug, Clone, Copy)]
struct Access {
    count: u32,
    last_ms: i64,
}

impl Accesses {
    /// Counts that contexts were returned. Tells whether the writer has yet to be given the job that
    /// [writes](Self::write) it.
    #[must_use]
    pub(super) fn add(&self, ids: &[ContextId], now_ms: i64) -> bool {
        let mut waiting = self.waiting.lock();
        let first = waiting.is_empty();
        for id in ids {
            let access = waiting.entry(*id).or_insert(Access {
                count: 0,
                last_ms: now_ms,
            });
            access.count = access.count.saturating_add(1);
            access.last_ms = access.last_ms.max(now_ms);
        }
        first && !waiting.is_empty()
    }

    /// Writes all that wait.
    pub(super) fn write(
        &self,
        connection: &Connection,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        let mut statement = connection.prepare_cached(
            "UPDATE contexts SET access_count = access_count + ?2,
                 accessed_ms = max(accessed_ms, ?3) WHERE id = ?1
             RETURNING seq, access_count",
        )?;
        for (id, access) in waiting {
            let counted = statement
                .query_row(
                    params![id.as_bytes(), access.count, access.last_ms],
                    |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())),
                )
                .optional()?;
            changes.accesses.extend(counted);
        }
        Ok(())
    }
}
