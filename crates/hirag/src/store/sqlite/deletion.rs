//! Marking as deleted, and bringing back.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::edit::{live_seq, not_live};
use super::lifecycle::{self, CleanUpRules};
use super::writer::Changes;
use super::{SqliteStore, collections, contexts};
use crate::context::{ContextError, ContextId, Filter, LevelCounts};
use crate::store::StoreError;

/// What was marked as deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deletion {
    /// The number of this deletion.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub operation: i64,
    /// The contexts, as many as were there.
    pub ids: Vec<ContextId>,
    /// How many from each level.
    pub per_level: LevelCounts,
}

/// What was brought back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Restored {
    /// The contexts.
    pub ids: Vec<ContextId>,
    /// Contexts that stay deleted because the same part of their source was stored again since.
    pub superseded: Vec<ContextId>,
}

impl SqliteStore {
    /// Marks contexts as deleted; they can be brought back until they are purged.
    ///
    /// # Errors
    /// `Ok(Err(_))` with the first id that is unknown or marked already; nothing was marked then.
    pub async fn mark_deleted(
        &self,
        collection: &str,
        ids: Vec<ContextId>,
    ) -> Result<Result<Deletion, ContextError>, StoreError> {
        let name = collection.to_owned();
        let now_ms = self.now_ms();
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            let mut seqs = Vec::with_capacity(ids.len());
            for id in ids {
                match live_seq(c, number, id)? {
                    Some(seq) if seqs.contains(&seq) => {}
                    Some(seq) => seqs.push(seq),
                    None => return Ok(Err(not_live(c, number, id)?)),
                }
            }
            mark(c, &seqs, now_ms, changes).map(Ok)
        })
        .await
    }

    /// Marks everything that passes the filter as deleted.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing was marked then.
    pub async fn mark_matching(
        &self,
        collection: &str,
        filter: Filter,
    ) -> Result<Deletion, StoreError> {
        let name = collection.to_owned();
        let now_ms = self.now_ms();
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            let seqs = super::scroll::matching(c, number, &filter)?;
            mark(c, &seqs, now_ms, changes)
        })
        .await
    }

    /// Brings contexts back: those of the last deletion, or those of the given ones that are marked. What has expired in
    /// the meantime gets the expiry of the rules in L2 and no expiry elsewhere. L1 is brought back
    /// to its size in the same transaction.
    ///
    /// # Errors
    /// [`StoreError::NothingToUndo`]; `Ok(Err(_))` with the first given id that is unknown. Nothing
    /// was brought back then.
    pub async fn undo(
        &self,
        collection: &str,
        ids: Option<Vec<ContextId>>,
        rules: CleanUpRules,
    ) -> Result<Result<Restored, ContextError>, StoreError> {
        let name = collection.to_owned();
        let now_ms = self.now_ms();
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            for id in ids.iter().flatten() {
                if contexts::seq_of(c, number, *id)?.is_none() {
                    return Ok(Err(ContextError::UnknownId(*id)));
                }
            }
            let rows = match ids {
                Some(ids) => deleted_rows(c, number, &ids)?,
                None => last_deletion(c, number)?,
            };
            if rows.is_empty() {
                return Err(StoreError::NothingToUndo);
            }
            let mut restored = Restored::default();
            for (seq, id) in rows {
                let changed = c
                    .prepare_cached(
                        "UPDATE OR IGNORE contexts SET deleted_ms = NULL, deleted_by = NULL,
                             expires_ms = CASE WHEN expires_ms > ?2 THEN expires_ms
                                  WHEN level = 2 AND expires_ms IS NOT NULL THEN ?3 END,
                             level_expiry = CASE WHEN expires_ms > ?2 THEN level_expiry ELSE 1 END
                         WHERE seq = ?1",
                    )?
                    .execute(params![seq, now_ms, rules.l2_expiry_ms])?;
                if changed == 1 {
                    changes.rows.insert(seq);
                    restored.ids.push(id);
                } else {
                    restored.superseded.push(id);
                }
            }
            lifecycle::evict(c, number, &rules, now_ms, changes)?;
            Ok(Ok(restored))
        })
        .await
    }
}

/// Marks rows as deleted under a new operation number.
pub(super) fn mark(
    connection: &Connection,
    seqs: &[i64],
    now_ms: i64,
    changes: &mut Changes,
) -> Result<Deletion, StoreError> {
    let operation: i64 = connection
        .prepare_cached(
            "INSERT INTO counters VALUES ('operation', 1)
             ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
        )?
        .query_row([], |row| row.get(0))?;
    let mut deletion = mark_by(connection, seqs, Some(operation), now_ms, changes)?;
    deletion.operation = operation;
    Ok(deletion)
}

/// Marks rows whose successors are stored in the same transaction. That is no deletion of its own: an
/// undo of the last one would bring them back beside their successors. By its id each can be.
pub(super) fn replace(
    connection: &Connection,
    seqs: &[i64],
    now_ms: i64,
    changes: &mut Changes,
) -> Result<Deletion, StoreError> {
    mark_by(connection, seqs, None, now_ms, changes)
}

fn mark_by(
    connection: &Connection,
    seqs: &[i64],
    operation: Option<i64>,
    now_ms: i64,
    changes: &mut Changes,
) -> Result<Deletion, StoreError> {
    let mut deletion = Deletion::default();
    let mut statement = connection.prepare_cached(
        "UPDATE contexts SET deleted_ms = ?2, deleted_by = ?3
         WHERE seq = ?1 AND deleted_ms IS NULL RETURNING id, level",
    )?;
    for &seq in seqs {
        let marked = statement
            .query_row(params![seq, now_ms, operation], |row| {
                let level: u8 = row.get(1)?;
                Ok((row.get(0)?, contexts::level_of(1, level)?))
            })
            .optional()?;
        if let Some((id, level)) = marked {
            deletion.ids.push(ContextId::from_bytes(id));
            *deletion.per_level.get_mut(level) += 1;
            changes.rows.insert(seq);
        }
    }
    Ok(deletion)
}

fn deleted_rows(
    connection: &Connection,
    collection: i64,
    ids: &[ContextId],
) -> Result<Vec<(i64, ContextId)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq FROM contexts WHERE id = ?1 AND collection = ?2 AND deleted_ms IS NOT NULL",
    )?;
    let mut rows = Vec::new();
    for &id in ids {
        let seq = statement
            .query_row(params![id.as_bytes(), collection], |row| row.get(0))
            .optional()?;
        rows.extend(seq.map(|seq| (seq, id)));
    }
    Ok(rows)
}

fn last_deletion(
    connection: &Connection,
    collection: i64,
) -> Result<Vec<(i64, ContextId)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, id FROM contexts WHERE collection = ?1 AND deleted_by =
             (SELECT max(deleted_by) FROM contexts
              WHERE collection = ?1 AND deleted_ms IS NOT NULL)",
    )?;
    let rows = statement.query_map([collection], |row| {
        Ok((row.get(0)?, ContextId::from_bytes(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
