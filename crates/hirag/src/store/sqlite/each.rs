//! Many contexts in one transaction, each of which may be refused by itself.

use rusqlite::Connection;

use super::lifecycle::{self, CleanUpRules};
use super::writer::Changes;
use super::{SqliteStore, collections, contexts, trait_impl, vectors};
use crate::context::ContextId;
use crate::store::{Record, StoreError};

/// What became of contexts that were stored each by itself.
#[derive(Debug)]
pub(crate) struct Each {
    /// One a context, in their order: why it was refused.
    pub(crate) outcomes: Vec<Result<(), StoreError>>,
    /// Contexts that moved from L1 to L2 to make room.
    pub(crate) evicted: Vec<ContextId>,
}

impl SqliteStore {
    /// Writes contexts in one transaction. One whose identity or vector cannot be is refused, and
    /// keeps none of the others out.
    ///
    /// # Errors
    /// [`StoreError`] for everything that concerns all of them; nothing was written then.
    pub(crate) async fn insert_each(
        &self,
        collection: &str,
        records: Vec<Record>,
        rules: CleanUpRules,
    ) -> Result<Each, StoreError> {
        let name = collection.to_owned();
        let now_ms = self.now_ms();
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            let set = vectors::active(c, number)?;
            let mut outcomes = Vec::with_capacity(records.len());
            for record in records {
                outcomes.push(match insert(c, number, &set, record, now_ms, changes) {
                    Err(error) if concerns_all(&error) => return Err(error),
                    outcome => outcome,
                });
            }
            let evicted = lifecycle::evict(c, number, &rules, now_ms, changes)?;
            Ok(Each { outcomes, evicted })
        })
        .await
    }
}

/// Writes a row, or leaves no part of it behind.
fn insert(
    connection: &Connection,
    collection: i64,
    set: &vectors::VectorSet,
    record: Record,
    now_ms: i64,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let records = trait_impl::normalise_all(set, vec![record])?;
    connection.execute_batch("SAVEPOINT one_row")?;
    let inserted = contexts::insert(connection, collection, set, &records, now_ms, changes);
    if inserted.is_err() {
        connection.execute_batch("ROLLBACK TO one_row")?;
    }
    connection.execute_batch("RELEASE one_row")?;
    inserted
}

fn concerns_all(error: &StoreError) -> bool {
    !matches!(
        error,
        StoreError::IdTaken(_) | StoreError::SourceTaken { .. } | StoreError::BadVector { .. }
    )
}
