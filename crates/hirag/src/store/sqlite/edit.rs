//! Changing contexts that are there.

use rusqlite::{Connection, OptionalExtension, params};

use super::lifecycle::{self, CleanUpRules};
use super::writer::Changes;
use super::{SqliteStore, collections, contexts, fields, vectors, words};
use crate::context::{
    ContentHash, ContextError, ContextId, ContextLevel, Metadata, MetadataLimits, StateTag,
    validate_metadata,
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
    /// Another time of creation, in milliseconds since the epoch.
    pub created_ms: Option<i64>,
    /// Another agent.
    pub agent: Option<String>,
    /// Another session.
    pub session: Option<String>,
}

impl Edit {
    /// Whether the context is of another time, agent or session then.
    fn moves(&self) -> bool {
        self.created_ms.is_some() || self.agent.is_some() || self.session.is_some()
    }
}

/// Keys to set in metadata, or, with null, to remove.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    /// The keys with their values.
    pub changes: Metadata,
    /// What the result may be.
    pub limits: MetadataLimits,
}

impl Merge {
    fn into(self, mut metadata: Metadata) -> Result<Metadata, ContextError> {
        for (key, value) in self.changes {
            if value.is_null() {
                metadata.remove(&key);
            } else {
                metadata.insert(key, value);
            }
        }
        validate_metadata(&metadata, self.limits)?;
        Ok(metadata)
    }
}

/// A change to a context that must be there.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveEdit {
    /// The context.
    pub id: ContextId,
    /// The change.
    pub edit: Edit,
    /// Changes to the metadata that it has then, in place of those of `edit`.
    pub merge: Option<Merge>,
    /// The states in which it is made, where it is not made in any.
    pub only_in: Option<Vec<StateTag>>,
}

impl SqliteStore {
    /// Changes contexts, all of them or none, and brings L1 back to its size in the same
    /// transaction. Returns what moved from L1 to L2 to make room.
    ///
    /// # Errors
    /// `Ok(Err(_))` with the first id that is unknown or marked as deleted, or that is in another
    /// state, or whose merged metadata is not allowed; nothing was changed then.
    pub async fn edit_all(
        &self,
        collection: &str,
        edits: Vec<LiveEdit>,
        rules: CleanUpRules,
    ) -> Result<Result<Vec<ContextId>, ContextError>, StoreError> {
        let name = collection.to_owned();
        let now_ms = self.now_ms();
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            let mut allowed = Vec::with_capacity(edits.len());
            for LiveEdit {
                id,
                mut edit,
                merge,
                only_in,
            } in edits
            {
                let Some(seq) = live_seq(c, number, id)? else {
                    return Ok(Err(not_live(c, number, id)?));
                };
                if let Some(states) = only_in {
                    let now = contexts::get(c, number, &[id])?.pop();
                    if !now.is_some_and(|now| states.contains(&now.state_tag())) {
                        return Ok(Err(ContextError::ChangedMeanwhile(id)));
                    }
                }
                if let Some(merge) = merge {
                    match merge.into(metadata(c, seq)?) {
                        Ok(merged) => edit.metadata = Some(merged),
                        Err(error) => return Ok(Err(error)),
                    }
                }
                allowed.push((seq, edit));
            }
            for (seq, edit) in &allowed {
                apply(c, number, *seq, edit, now_ms, changes)?;
            }
            lifecycle::evict(c, number, &rules, now_ms, changes).map(Ok)
        })
        .await
    }
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
    if edit.moves() {
        connection
            .prepare_cached(
                "UPDATE contexts SET created_ms = coalesce(?2, created_ms),
                     agent = coalesce(?3, agent), session = coalesce(?4, session)
                 WHERE seq = ?1",
            )?
            .execute(params![seq, edit.created_ms, edit.agent, edit.session])?;
    }
    if edit.text.is_some() || edit.metadata.is_some() || edit.level.is_some() || edit.moves() {
        connection
            .prepare_cached("UPDATE contexts SET updated_ms = ?2 WHERE seq = ?1")?
            .execute(params![seq, now_ms])?;
    }
    Ok(())
}

fn metadata(connection: &Connection, seq: i64) -> Result<Metadata, StoreError> {
    let json: String = connection
        .prepare_cached("SELECT metadata FROM contexts WHERE seq = ?1")?
        .query_row([seq], |row| row.get(0))?;
    serde_json::from_str(&json).map_err(|e| StoreError::Internal(e.to_string()))
}

pub(super) fn live_seq(
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
pub(super) fn not_live(
    connection: &Connection,
    collection: i64,
    id: ContextId,
) -> Result<ContextError, StoreError> {
    Ok(match contexts::seq_of(connection, collection, id)? {
        Some(_) => ContextError::Deleted(id),
        None => ContextError::UnknownId(id),
    })
}
