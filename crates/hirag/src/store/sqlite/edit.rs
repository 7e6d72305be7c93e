//! Changing, marking as deleted, and bringing back.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::writer::Changes;
use super::{SqliteStore, collections, contexts, fields, vectors, words};
use crate::context::{
    ContentHash, Context, ContextError, ContextId, ContextLevel, Filter, LevelCounts, Metadata,
};
use crate::store::StoreError;

/// A change to a stored context, resolved: `None` leaves a part as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edit {
    /// A new text, its tokens, and its vector; without a vector it becomes pending.
    pub text: Option<(String, u32, Option<Vec<f32>>)>,
    /// New metadata in place of the old.
    pub metadata: Option<Metadata>,
    /// A new level.
    pub level: Option<ContextLevel>,
    /// A new expiry in milliseconds since the epoch, and whether it follows from the level.
    pub expiry: Option<(Option<i64>, bool)>,
    /// A new place in the session.
    pub position: Option<i64>,
}

/// What was marked as deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
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
    /// Changes a context; all of the change or none of it.
    ///
    /// # Errors
    /// `Ok(None)` when there is no such context or it is marked as deleted.
    pub async fn edit(
        &self,
        collection: &str,
        id: ContextId,
        edit: Edit,
    ) -> Result<Option<Context>, StoreError> {
        let name = collection.to_owned();
        let now_ms = self.now_ms();
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            let Some(seq) = live_seq(c, number, id)? else {
                return Ok(None);
            };
            apply(c, number, seq, &edit, now_ms, changes)?;
            Ok(contexts::get(c, number, &[id])?.pop())
        })
        .await
    }

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

    /// Brings contexts back: those of the last deletion, or the given ones. What has expired in
    /// the meantime gets `l2_expiry_ms` in L2 and no expiry elsewhere.
    ///
    /// # Errors
    /// [`StoreError::NothingToUndo`].
    pub async fn undo(
        &self,
        collection: &str,
        ids: Option<Vec<ContextId>>,
        l2_expiry_ms: Option<i64>,
    ) -> Result<Restored, StoreError> {
        let name = collection.to_owned();
        let now_ms = self.now_ms();
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
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
                    .execute(params![seq, now_ms, l2_expiry_ms])?;
                if changed == 1 {
                    changes.rows.insert(seq);
                    restored.ids.push(id);
                } else {
                    restored.superseded.push(id);
                }
            }
            Ok(restored)
        })
        .await
    }
}

/// Counts that contexts were returned.
pub(super) fn count_accesses(
    connection: &Connection,
    ids: &[ContextId],
    now_ms: i64,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE contexts SET access_count = access_count + 1,
             accessed_ms = max(accessed_ms, ?2) WHERE id = ?1
         RETURNING seq, access_count",
    )?;
    for id in ids {
        let access = statement
            .query_row(params![id.as_bytes(), now_ms], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
            })
            .optional()?;
        changes.accesses.extend(access);
    }
    Ok(())
}

/// Applies an edit to a row.
pub(super) fn apply(
    connection: &Connection,
    collection: i64,
    seq: i64,
    edit: &Edit,
    now_ms: i64,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    changes.rows.insert(seq);
    if let Some((text, tokens, vector)) = &edit.text {
        connection
            .prepare_cached(
                "UPDATE contexts SET text = ?2, token_count = ?3, word_count = ?4,
                     content_hash = ?5, pending = ?6 WHERE seq = ?1",
            )?
            .execute(params![
                seq,
                text,
                tokens,
                words::count(text),
                ContentHash::of(text).as_bytes(),
                vector.is_none()
            ])?;
        words::remove(connection, seq, changes)?;
        words::insert(connection, seq, text, changes)?;
        // Vectors of the old text go from every set: a set that is being built fills it again.
        for set in vectors::sets(connection, collection)? {
            vectors::remove(connection, &set, seq)?;
            if let (true, Some(vector)) = (set.active, vector) {
                let unit = vectors::normalised(&set, vector)?;
                vectors::insert(connection, &set, seq, &unit)?;
            }
        }
    }
    if let Some(metadata) = &edit.metadata {
        let json =
            serde_json::to_string(metadata).map_err(|e| StoreError::Internal(e.to_string()))?;
        connection
            .prepare_cached("UPDATE contexts SET metadata = ?2 WHERE seq = ?1")?
            .execute(params![seq, json])?;
        fields::remove(connection, seq)?;
        fields::insert(connection, seq, metadata)?;
    }
    if let Some(level) = edit.level {
        connection
            .prepare_cached(
                // What comes into L1 is its newest: otherwise it would be the first to leave.
                "UPDATE contexts SET level = ?2, accessed_ms =
                     CASE WHEN ?2 = ?4 AND level <> ?4 THEN max(accessed_ms, ?3)
                     ELSE accessed_ms END
                 WHERE seq = ?1",
            )?
            .execute(params![
                seq,
                level.number(),
                now_ms,
                ContextLevel::Immediate.number()
            ])?;
    }
    if let Some((expires_ms, by_level)) = edit.expiry {
        connection
            .prepare_cached(
                "UPDATE contexts SET expires_ms = ?2, level_expiry = ?3 WHERE seq = ?1",
            )?
            .execute(params![seq, expires_ms, by_level])?;
    }
    if let Some(position) = edit.position {
        connection
            .prepare_cached("UPDATE contexts SET position = ?2 WHERE seq = ?1")?
            .execute(params![seq, position])?;
    }
    if edit.text.is_some() || edit.metadata.is_some() || edit.level.is_some() {
        connection
            .prepare_cached("UPDATE contexts SET updated_ms = ?2 WHERE seq = ?1")?
            .execute(params![seq, now_ms])?;
    }
    Ok(())
}

/// Marks rows as deleted under a new operation number.
pub(super) fn mark(
    connection: &Connection,
    seqs: &[i64],
    now_ms: i64,
    changes: &mut Changes,
) -> Result<Deletion, StoreError> {
    let mut deletion = Deletion {
        operation: connection
            .prepare_cached(
                "INSERT INTO counters VALUES ('operation', 1)
                 ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            )?
            .query_row([], |row| row.get(0))?,
        ..Deletion::default()
    };
    let mut statement = connection.prepare_cached(
        "UPDATE contexts SET deleted_ms = ?2, deleted_by = ?3
         WHERE seq = ?1 AND deleted_ms IS NULL RETURNING id, level",
    )?;
    for &seq in seqs {
        let marked = statement
            .query_row(params![seq, now_ms, deletion.operation], |row| {
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

fn live_seq(
    connection: &Connection,
    collection: i64,
    id: ContextId,
) -> Result<Option<i64>, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT seq FROM contexts WHERE id = ?1 AND collection = ?2 AND deleted_ms IS NULL",
        )?
        .query_row(params![id.as_bytes(), collection], |row| row.get(0))
        .optional()?)
}

/// What is wrong with an id of which there is no live row.
fn not_live(
    connection: &Connection,
    collection: i64,
    id: ContextId,
) -> Result<ContextError, StoreError> {
    Ok(match contexts::seq_of(connection, collection, id)? {
        Some(_) => ContextError::Deleted(id),
        None => ContextError::UnknownId(id),
    })
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
