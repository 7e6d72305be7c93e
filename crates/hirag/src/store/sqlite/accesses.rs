//! Accesses on their way to the table `contexts`: how often each context was returned since the last
//! commit that counted them. However many searches there are, one job of the writer counts them all.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};

use super::writer::Changes;
use crate::context::ContextId;
use crate::store::StoreError;

/// Accesses that wait for the writer.
#[derive(Debug, Default)]
pub(super) struct Accesses {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<ContextId, Access>,
    /// Whether there is a [`Due`] that has not been written.
    due: bool,
}

/// How often a context was returned, and when last.
#[derive(Debug, Clone, Copy)]
struct Access {
    count: u32,
    last_ms: i64,
}

impl Accesses {
    /// Counts that contexts were returned. Gives what the writer is to do, unless it has it already.
    #[must_use]
    pub(super) fn add(self: &Arc<Self>, ids: &[ContextId], now_ms: i64) -> Option<Due> {
        let mut state = self.state.lock();
        for id in ids {
            let access = state.waiting.entry(*id).or_insert(Access {
                count: 0,
                last_ms: now_ms,
            });
            access.count = access.count.saturating_add(1);
            access.last_ms = access.last_ms.max(now_ms);
        }
        if state.due || state.waiting.is_empty() {
            return None;
        }
        state.due = true;
        drop(state);
        Some(Due(Arc::clone(self)))
    }

    fn put_back(&self, accesses: HashMap<ContextId, Access>) {
        let mut state = self.state.lock();
        for (id, access) in accesses {
            let waiting = state
                .waiting
                .entry(id)
                .or_insert(Access { count: 0, ..access });
            waiting.count = waiting.count.saturating_add(access.count);
            waiting.last_ms = waiting.last_ms.max(access.last_ms);
        }
    }
}

/// The task of writing what waits. Dropped without that, the next access gives it anew.
#[derive(Debug)]
pub(super) struct Due(Arc<Accesses>);

impl Due {
    /// Writes all that wait.
    pub(super) fn write(
        &self,
        connection: &Connection,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        let waiting = {
            let mut state = self.0.state.lock();
            // What is added from now on needs another one.
            state.due = false;
            std::mem::take(&mut state.waiting)
        };
        let written = write(connection, &waiting, changes);
        if written.is_err() {
            // None of them is counted then.
            self.0.put_back(waiting);
        }
        written
    }
}

fn write(
    connection: &Connection,
    waiting: &HashMap<ContextId, Access>,
    changes: &mut Changes,
) -> Result<(), StoreError> {
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

impl Drop for Due {
    fn drop(&mut self) {
        // There may be a later one by now; then there are two, which does no harm.
        self.0.state.lock().due = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_comes_to_nothing_loses_no_access() {
        let connection = Connection::open_in_memory().unwrap();
        let id = ContextId::from_bytes([1; 16]);
        connection
            .execute_batch(
                "CREATE TABLE contexts (seq INTEGER PRIMARY KEY, id, access_count, accessed_ms)",
            )
            .unwrap();
        connection
            .execute("INSERT INTO contexts VALUES (7, ?1, 0, 0)", [id.as_bytes()])
            .unwrap();
        let accesses = Arc::new(Accesses::default());
        assert!(accesses.add(&[], 1).is_none(), "there is nothing to write");
        let due = accesses.add(&[id], 1).unwrap();
        assert!(accesses.add(&[id], 3).is_none(), "it is written with that");
        drop(due);
        let due = accesses.add(&[id], 2).unwrap();
        let empty = Connection::open_in_memory().unwrap();
        due.write(&empty, &mut Changes::default()).unwrap_err();
        let mut changes = Changes::default();
        due.write(&connection, &mut changes).unwrap();
        assert_eq!(changes.accesses.into_iter().collect::<Vec<_>>(), [(7, 3)]);
        let last = "SELECT accessed_ms FROM contexts";
        let last: i64 = connection.query_row(last, [], |row| row.get(0)).unwrap();
        assert_eq!(last, 3);
        assert!(accesses.add(&[id], 4).is_some());
    }
}
