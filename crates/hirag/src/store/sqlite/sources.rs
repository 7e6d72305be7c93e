//! The table `sources`, and writes that keep a source and its contexts in step.

use rusqlite::{Connection, OptionalExtension, params};

use super::edit::{self, Edit};
use super::kept::{json, of_json_if_any};
use super::lifecycle::{self, CleanUpRules};
use super::{RowMap, SqliteStore, collections, contexts, deletion, trait_impl, vectors};
use crate::context::{ContentHash, ContextId};
use crate::import::ToldAgain;
use crate::sources::SourceId;
use crate::store::{Record, StoreError};

/// What has been imported from a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// The source.
    pub source: String,
    /// Hash of its content and of what shaped the import.
    pub fingerprint: [u8; 32],
    /// Contexts that it has.
    pub contexts: u64,
    /// Which kept source it belongs to. `None` leaves it where it is.
    pub kept_by: Option<SourceId>,
    /// What tells whether the file was touched since, without opening it.
    pub stamp: Option<[u8; 32]>,
    /// What was wrong with it, to be told again while it stays as it is.
    pub problem: Option<ToldAgain>,
    /// Whether it stands on another file system than the root of its kept source.
    pub apart: bool,
}

/// A context of a source that is stored already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: ContextId,
    /// Hash of its text.
    pub content_hash: ContentHash,
    /// Hash of its metadata as JSON.
    pub metadata_hash: ContentHash,
    /// Its place.
    pub position: i64,
    /// When it was created, in milliseconds since the epoch.
    pub created_ms: i64,
    /// Its agent.
    pub agent: Option<String>,
    /// Its session.
    pub session: Option<String>,
}

/// Changes that are written together or not at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriteBatch {
    /// New contexts.
    pub insert: Vec<Record>,
    /// Changed contexts.
    pub edit: Vec<(ContextId, Edit)>,
    /// Contexts that the source has no more: marked as deleted, under one operation.
    pub remove: Vec<ContextId>,
    /// The source's new state.
    pub source: Option<SourceState>,
}

/// What a [`WriteBatch`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// New contexts.
    pub inserted: u64,
    /// Changed contexts.
    pub edited: u64,
    /// Contexts marked as deleted.
    pub removed: u64,
    /// Contexts that moved from L1 to L2 to make room.
    pub evicted: Vec<ContextId>,
}

impl SqliteStore {
    /// The state of a source, if it was imported.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn source(
        &self,
        collection: &str,
        source: &str,
    ) -> Result<Option<SourceState>, StoreError> {
        let (name, source) = (collection.to_owned(), source.to_owned());
        self.read(move |c| {
            let number = collections::number(c, &name)?;
            Ok(c.prepare_cached(
                "SELECT fingerprint, contexts, kept_by, stamp, problem, apart FROM sources
                 WHERE collection = ?1 AND source = ?2",
            )?
            .query_row(params![number, source], |row| {
                Ok(SourceState {
                    source: source.clone(),
                    fingerprint: row.get(0)?,
                    contexts: row.get::<_, i64>(1)?.unsigned_abs(),
                    kept_by: row.get::<_, Option<i64>>(2)?.map(SourceId),
                    stamp: row.get(3)?,
                    problem: of_json_if_any(row, 4)?,
                    apart: row.get(5)?,
                })
            })
            .optional()?)
        })
        .await
    }

    /// Whether a source has any live context with a source key.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn is_live(&self, collection: &str, source: &str) -> Result<bool, StoreError> {
        let (name, source) = (collection.to_owned(), source.to_owned());
        self.read(move |c| {
            let number = collections::number(c, &name)?;
            Ok(c.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM contexts
                 WHERE collection = ?1 AND source = ?2 AND source_key IS NOT NULL
                     AND deleted_ms IS NULL)",
            )?
            .query_row(params![number, source], |row| row.get(0))?)
        })
        .await
    }

    /// The live contexts of a source by their source key.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn known(&self, collection: &str, source: &str) -> Result<RowMap<Known>, StoreError> {
        let (name, source) = (collection.to_owned(), source.to_owned());
        self.read(move |c| {
            let number = collections::number(c, &name)?;
            let mut statement = c.prepare_cached(
                "SELECT source_key, id, content_hash, metadata, position, created_ms, agent, session
                 FROM contexts
                 WHERE collection = ?1 AND source = ?2 AND source_key IS NOT NULL
                     AND deleted_ms IS NULL",
            )?;
            let rows = statement.query_map(params![number, source], |row| {
                let metadata: String = row.get(3)?;
                Ok((
                    row.get(0)?,
                    Known {
                        id: ContextId::from_bytes(row.get(1)?),
                        content_hash: ContentHash::from_bytes(row.get(2)?),
                        metadata_hash: ContentHash::of(&metadata),
                        position: row.get(4)?,
                        created_ms: row.get(5)?,
                        agent: row.get(6)?,
                        session: row.get(7)?,
                    },
                ))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Writes a batch: durable as a whole when this returns `Ok`, unwritten as a whole otherwise.
    /// L1 is brought back to its size in the same transaction.
    ///
    /// # Errors
    /// [`StoreError::BadVector`] before anything is written; others when the database fails.
    pub async fn apply(
        &self,
        collection: &str,
        batch: WriteBatch,
        rules: CleanUpRules,
    ) -> Result<Written, StoreError> {
        let (name, now_ms) = (collection.to_owned(), self.now_ms());
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            let set = vectors::active(c, number)?;
            let is_replaced = !batch.insert.is_empty();
            let records = trait_impl::normalise_all(&set, batch.insert)?;
            let mut written = Written::default();
            let mut removed = Vec::with_capacity(batch.remove.len());
            for id in batch.remove {
                removed.extend(contexts::seq_of(c, number, id)?);
            }
            if !removed.is_empty() {
                let mark = match is_replaced {
                    true => deletion::replace,
                    false => deletion::mark,
                };
                let marked = mark(c, &removed, now_ms, changes)?;
                written.removed = marked.ids.len() as u64;
            }
            for (id, change) in &batch.edit {
                if let Some(seq) = contexts::seq_of(c, number, *id)? {
                    edit::apply(c, number, seq, change, now_ms, changes)?;
                    written.edited += 1;
                }
            }
            contexts::insert(c, number, &set, &records, now_ms, changes)?;
            written.inserted = records.len() as u64;
            if let Some(state) = &batch.source {
                put_state(c, number, state, now_ms)?;
            }
            written.evicted = lifecycle::evict(c, number, &rules, now_ms, changes)?;
            Ok(written)
        })
        .await
    }
}

fn put_state(
    connection: &Connection,
    collection: i64,
    state: &SourceState,
    now_ms: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO sources (collection, source, fingerprint, contexts, imported_ms, kept_by,
                 stamp, problem, apart)
             VALUES (?1, ?2, ?3, ?4, ?5,
                 -- One that was removed meanwhile keeps nothing.
                 (SELECT id FROM kept_sources WHERE id = ?6), ?7, ?8, ?9)
             ON CONFLICT (collection, source) DO UPDATE SET fingerprint = excluded.fingerprint,
                 contexts = excluded.contexts, imported_ms = excluded.imported_ms,
                 kept_by = coalesce(excluded.kept_by, kept_by), stamp = excluded.stamp,
                 problem = excluded.problem,
                 -- Who reads it for no kept source has not looked where it stands.
                 apart = CASE WHEN excluded.kept_by IS NULL THEN apart ELSE excluded.apart END",
        )?
        .execute(params![
            collection,
            state.source,
            state.fingerprint,
            contexts::signed(state.contexts),
            now_ms,
            state.kept_by.map(|id| id.0),
            state.stamp,
            state.problem.as_ref().map(json).transpose()?,
            state.apart,
        ])?;
    Ok(())
}
