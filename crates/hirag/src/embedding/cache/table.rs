//! The table of vectors, least recently used out first.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::CacheKey;
use super::writer::Op;

/// A file of another schema is wiped; it is only a cache.
pub(super) const SCHEMA_VERSION: i32 = 1;
pub(super) const SCHEMA: &str = "
    CREATE TABLE embedding (
        key BLOB PRIMARY KEY NOT NULL,
        vector BLOB NOT NULL,
        created INTEGER NOT NULL,
        used INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX embedding_used ON embedding (used);";
const CHECKSUM_BYTES: usize = 8;

/// An entry; times in milliseconds of Unix time.
pub(super) struct Row {
    /// For [`decode`].
    pub(super) bytes: Vec<u8>,
    pub(super) created: i64,
    pub(super) used: i64,
}

pub(super) fn read(db: &Connection, key: &CacheKey) -> rusqlite::Result<Option<Row>> {
    db.prepare_cached("SELECT vector, created, used FROM embedding WHERE key = ?1")?
        .query_row(params![key.as_bytes()], |row| {
            Ok(Row {
                bytes: row.get(0)?,
                created: row.get(1)?,
                used: row.get(2)?,
            })
        })
        .optional()
}

/// Carries out `ops` in one transaction. How many rows it removed.
pub(super) fn write<'a>(
    db: &mut Connection,
    ops: impl Iterator<Item = (&'a CacheKey, &'a Op)>,
) -> rusqlite::Result<u64> {
    let mut removed = 0;
    let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    {
        let mut put = change.prepare_cached(
            "INSERT INTO embedding (key, vector, created, used) VALUES (?1, ?2, ?3, ?3)
             ON CONFLICT (key) DO UPDATE SET vector = ?2, created = ?3, used = ?3",
        )?;
        let mut touch = change.prepare_cached("UPDATE embedding SET used = ?2 WHERE key = ?1")?;
        let mut remove = change.prepare_cached("DELETE FROM embedding WHERE key = ?1")?;
        for (key, op) in ops {
            match op {
                Op::Put { vector, created } => {
                    put.execute(params![key.as_bytes(), encode(key, vector), created])?;
                }
                Op::Touch { used } => {
                    touch.execute(params![key.as_bytes(), used])?;
                }
                Op::Remove => removed += remove.execute(params![key.as_bytes()])? as u64,
            }
        }
    }
    change.commit()?;
    Ok(removed)
}

/// Deletes what was last used before `before` (milliseconds of Unix time): it was computed before
/// it was used, so it is over its time. How many rows that were.
pub(super) fn delete_unused_since(db: &Connection, before: i64) -> rusqlite::Result<u64> {
    db.execute("DELETE FROM embedding WHERE used < ?1", params![before])
        .map(|rows| rows as u64)
}

/// Brings the file under `max_bytes` by deleting what was used longest ago; some more than
/// needed, so that not every write has to.
pub(super) fn evict(db: &Connection, max_bytes: u64) -> rusqlite::Result<()> {
    loop {
        let bytes = used_bytes(db)?;
        let rows = count(db)?;
        if bytes <= max_bytes || rows == 0 {
            break;
        }
        let goal = max_bytes / 10 * 9;
        let excess = u128::from(rows) * u128::from(bytes - goal) / u128::from(bytes);
        let excess = i64::try_from(excess.max(1)).unwrap_or(i64::MAX);
        db.execute(
            "DELETE FROM embedding WHERE rowid IN
             (SELECT rowid FROM embedding ORDER BY used LIMIT ?1)",
            params![excess],
        )?;
    }
    // Also where what was over its time made the room: the file has grown all the same.
    if file_bytes(db)? > max_bytes {
        db.execute_batch("PRAGMA incremental_vacuum")?;
    }
    Ok(())
}

pub(super) fn count(db: &Connection) -> rusqlite::Result<u64> {
    let rows: i64 = db.query_row("SELECT count(*) FROM embedding", [], |row| row.get(0))?;
    Ok(rows.max(0).unsigned_abs())
}

/// Bytes of all pages, those that are free too.
fn file_bytes(db: &Connection) -> rusqlite::Result<u64> {
    bytes_of(db, pragma(db, "page_count")?)
}

/// Bytes of the pages in use.
pub(super) fn used_bytes(db: &Connection) -> rusqlite::Result<u64> {
    let free = pragma(db, "freelist_count")?;
    bytes_of(db, pragma(db, "page_count")? - free)
}

fn bytes_of(db: &Connection, pages: i64) -> rusqlite::Result<u64> {
    let bytes = pages.saturating_mul(pragma(db, "page_size")?);
    Ok(bytes.max(0).unsigned_abs())
}

fn pragma(db: &Connection, name: &str) -> rusqlite::Result<i64> {
    db.pragma_query_value(None, name, |row| row.get(0))
}

/// A checksum over the key and the components, then the components, each little-endian.
fn encode(key: &CacheKey, vector: &[f32]) -> Vec<u8> {
    let components: Vec<u8> = vector.iter().flat_map(|c| c.to_le_bytes()).collect();
    let mut bytes = checksum(key, &components).to_vec();
    bytes.extend_from_slice(&components);
    bytes
}

/// The vector, unless a bit of it changed or it belongs to another key.
pub(super) fn decode(key: &CacheKey, bytes: &[u8]) -> Option<Arc<[f32]>> {
    let (sum, components) = bytes.split_first_chunk::<CHECKSUM_BYTES>()?;
    if *sum != checksum(key, components) || components.is_empty() {
        return None;
    }
    let (components, rest) = components.as_chunks::<4>();
    rest.is_empty()
        .then(|| components.iter().map(|c| f32::from_le_bytes(*c)).collect())
}

fn checksum(key: &CacheKey, components: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest: [u8; 32] = Sha256::new()
        .chain_update(key.as_bytes())
        .chain_update(components)
        .finalize()
        .into();
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&digest[..CHECKSUM_BYTES]);
    sum
}
