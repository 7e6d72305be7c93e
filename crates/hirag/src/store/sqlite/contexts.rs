//! The table `contexts`: rows in, rows out.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::writer::Changes;
use super::{fields, vectors, words};
use crate::context::{ContentHash, Context, ContextId, ContextLevel, EmbeddingState, Metadata};
use crate::store::{Record, StoreError};

/// The columns that [`read`] expects, in its order.
pub(super) const COLUMNS: &str = "id, text, level, agent, session, created_ms, updated_ms, \
     accessed_ms, access_count, token_count, content_hash, metadata, source, expires_ms, \
     deleted_ms, pending, position, source_key, seq";

/// A context from a row of [`COLUMNS`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Context> {
    let level: u8 = row.get(2)?;
    let metadata: String = row.get(11)?;
    Ok(Context {
        id: ContextId::from_bytes(row.get(0)?),
        text: row.get(1)?,
        level: level_of(2, level)?,
        agent: row.get(3)?,
        session: row.get(4)?,
        created_at: time(row.get(5)?),
        updated_at: time(row.get(6)?),
        accessed_at: time(row.get(7)?),
        access_count: row.get::<_, i64>(8)?.unsigned_abs(),
        token_count: row.get(9)?,
        content_hash: ContentHash::from_bytes(row.get(10)?),
        metadata: serde_json::from_str::<Metadata>(&metadata)
            .map_err(|e| conversion(11, rusqlite::types::Type::Text, e))?,
        source: row.get(12)?,
        expires_at: row.get::<_, Option<i64>>(13)?.map(time),
        deleted_at: row.get::<_, Option<i64>>(14)?.map(time),
        embedding: if row.get(15)? {
            EmbeddingState::Pending
        } else {
            EmbeddingState::Ready
        },
        position: row.get(16)?,
        source_key: row.get(17)?,
    })
}

/// The level of a stored number.
pub(super) fn level_of(column: usize, number: u8) -> rusqlite::Result<ContextLevel> {
    ContextLevel::from_number(number).ok_or_else(|| {
        conversion(
            column,
            rusqlite::types::Type::Integer,
            format!("{number} is no level"),
        )
    })
}

fn conversion(
    column: usize,
    kind: rusqlite::types::Type,
    reason: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, reason.into())
}

/// A time from milliseconds since the epoch; out of range is the nearest end.
pub(super) fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// A count as SQLite holds one; above its largest number is that number.
pub(super) fn signed(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// Writes new contexts with their words, metadata fields and vectors.
pub(super) fn insert(
    connection: &Connection,
    collection: i64,
    set: &vectors::VectorSet,
    records: &[Record],
    now_ms: i64,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    for record in records {
        let position = match record.position {
            Some(position) => position,
            None => next_position(connection, record)?,
        };
        let created_ms = record.created_at.as_millisecond();
        let hash = ContentHash::of(&record.text);
        let metadata = serde_json::to_string(&record.metadata)
            .map_err(|e| StoreError::Internal(e.to_string()))?;
        let mut statement = connection.prepare_cached(
            "INSERT INTO contexts (id, collection, text, level, agent, session, created_ms,
                 updated_ms, accessed_ms, access_count, token_count, word_count, content_hash,
                 metadata, source, source_key, position, expires_ms, level_expiry, priority, pending)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                 ?18, ?19, ?20, ?21)",
        )?;
        let inserted = statement.insert(params![
            record.id.as_bytes(),
            collection,
            record.text,
            record.level.number(),
            record.agent,
            record.session,
            created_ms,
            // What is imported with an old time stamp is as old as that says.
            record
                .updated_at
                .map_or(created_ms, |at| at.as_millisecond())
                .min(now_ms),
            record
                .accessed_at
                .map_or(created_ms, |at| at.as_millisecond()),
            signed(record.access_count),
            record.token_count,
            words::count(&record.text),
            hash.as_bytes(),
            metadata,
            record.source,
            record.source_key,
            position,
            record.expires_at.map(|at| at.as_millisecond()),
            record.level_expiry,
            record.priority.number(),
            record.vector.is_none(),
        ]);
        let seq = inserted.map_err(|error| taken(&error, record).unwrap_or(error.into()))?;
        words::insert(connection, seq, &record.text, changes)?;
        fields::insert(connection, seq, &record.metadata)?;
        if let Some(vector) = &record.vector {
            vectors::insert(connection, set, seq, vector)?;
        }
        changes.rows.insert(seq);
    }
    Ok(())
}

/// What keeps a record out of which there can be only one; `None` for any other fault.
fn taken(error: &rusqlite::Error, record: &Record) -> Option<StoreError> {
    let rusqlite::Error::SqliteFailure(failure, Some(message)) = error else {
        return None;
    };
    if failure.extended_code != rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE {
        return None;
    }
    if message.ends_with("contexts.id") {
        return Some(StoreError::IdTaken(record.id));
    }
    let (from, key) = (record.source.clone()?, record.source_key.clone()?);
    Some(StoreError::SourceTaken { from, key })
}

fn next_position(connection: &Connection, record: &Record) -> Result<i64, StoreError> {
    if record.session.is_none() {
        return Ok(0);
    }
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(max(position), -1) + 1 FROM contexts
         WHERE session = ?1 AND agent IS ?2 AND source IS ?3",
    )?;
    Ok(statement.query_row(
        params![record.session, record.agent, record.source],
        |row| row.get(0),
    )?)
}

/// The rows of these ids, in their order; unknown ids are left out.
pub(super) fn get(
    connection: &Connection,
    collection: i64,
    ids: &[ContextId],
) -> Result<Vec<Context>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM contexts WHERE id = ?1 AND collection = ?2"
    ))?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(
            statement
                .query_row(params![id.as_bytes(), collection], read)
                .optional()?,
        );
    }
    Ok(found)
}

/// The row number of an id.
pub(super) fn seq_of(
    connection: &Connection,
    collection: i64,
    id: ContextId,
) -> Result<Option<i64>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT seq FROM contexts WHERE id = ?1 AND collection = ?2")?;
    Ok(statement
        .query_row(params![id.as_bytes(), collection], |row| row.get(0))
        .optional()?)
}

/// Removes a row for good, with its words, fields and vectors of every set.
pub(super) fn remove(
    connection: &Connection,
    sets: &[vectors::VectorSet],
    seq: i64,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    words::remove(connection, seq, changes)?;
    fields::remove(connection, seq)?;
    for set in sets {
        vectors::remove(connection, set, seq)?;
    }
    connection
        .prepare_cached("DELETE FROM contexts WHERE seq = ?1")?
        .execute([seq])?;
    changes.rows.insert(seq);
    Ok(())
}
