//! The file: one table of vectors, least recently used out first.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::writer::{Op, Shared, run};
use super::{CacheKey, DiskSettings};
use crate::clock::SharedClock;
use crate::embedding::EmbeddingError;
use crate::files::beside;

/// "HiRC": tells our file from another program's, which must not be wiped.
const APPLICATION_ID: i32 = 0x4869_5243;
/// A file of another schema is wiped; it is only a cache.
const SCHEMA_VERSION: i32 = 1;
const SCHEMA: &str = "
    CREATE TABLE embedding (
        key BLOB PRIMARY KEY NOT NULL,
        vector BLOB NOT NULL,
        created INTEGER NOT NULL,
        used INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX embedding_used ON embedding (used);";
/// How long another process may hold the file before the writer gives up.
const WRITE_PATIENCE: Duration = Duration::from_secs(1);
/// The same for a reader, whose caller waits for it.
const READ_PATIENCE: Duration = Duration::from_millis(100);
/// A read refreshes `used` when it is older than this, so that hits do not all become writes.
const USED_STEP_MS: i64 = 60 * 60 * 1000;
const CHECKSUM_BYTES: usize = 8;

/// A vector from the file.
pub(super) struct Found {
    pub(super) vector: Arc<[f32]>,
    pub(super) age: Duration,
}

/// Handle of the file and of the thread that writes it.
#[derive(Debug)]
pub(super) struct Disk {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

impl Disk {
    /// Opens or makes the file; a corrupt one is replaced. The error is a sentence for the log.
    pub(super) fn open(
        settings: &DiskSettings,
        ttl: Option<Duration>,
        clock: SharedClock,
    ) -> Result<Self, String> {
        if let Some(folder) = settings.path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| e.to_string())?;
        }
        let (writer, reader) = open_pair(&settings.path)?;
        let shared = Arc::new(Shared::new(settings.clone(), ttl, clock, reader));
        let for_thread = shared.clone();
        let handle = std::thread::Builder::new()
            .name("embedding-cache".to_owned())
            .spawn(move || run(&for_thread, writer))
            .map_err(|e| e.to_string())?;
        Ok(Self {
            shared,
            writer: Some(handle),
        })
    }

    pub(super) fn is_usable(&self) -> bool {
        self.shared.usable.load(Ordering::Relaxed)
    }

    pub(super) fn get(&self, key: &CacheKey) -> Option<Found> {
        if !self.is_usable() {
            return None;
        }
        let now = self.shared.clock.now().as_millisecond();
        match self.shared.queued(key) {
            Some(Op::Put { vector, created }) => return self.fresh(key, vector, created, now),
            Some(Op::Remove) => return None,
            Some(Op::Touch { .. }) | None => {}
        }
        let row = {
            let reader = self.shared.reader.lock();
            read(reader.as_ref()?, key)
        };
        let row = match row {
            Ok(row) => row?,
            Err(error) if is_corrupt(&error) => {
                self.shared.ask_rebuild();
                return None;
            }
            Err(error) => {
                tracing::debug!(%error, "an embedding could not be read from the cache file");
                return None;
            }
        };
        let Some(vector) = decode(key, &row.bytes) else {
            self.shared.push(*key, Op::Remove);
            return None;
        };
        let found = self.fresh(key, vector, row.created, now)?;
        if now.saturating_sub(row.used) > USED_STEP_MS {
            self.shared.push(*key, Op::Touch { used: now });
        }
        Some(found)
    }

    /// The entry unless it is over its time, in which case it is removed.
    fn fresh(&self, key: &CacheKey, vector: Arc<[f32]>, created: i64, now: i64) -> Option<Found> {
        let age = now.saturating_sub(created).max(0).unsigned_abs();
        let age = Duration::from_millis(age);
        if self.shared.ttl.is_some_and(|ttl| age >= ttl) {
            self.shared.push(*key, Op::Remove);
            return None;
        }
        Some(Found { vector, age })
    }

    pub(super) fn put(&self, key: CacheKey, vector: Arc<[f32]>) {
        let created = self.shared.clock.now().as_millisecond();
        self.shared.push(key, Op::Put { vector, created });
    }

    pub(super) fn remove(&self, key: CacheKey) {
        self.shared.push(key, Op::Remove);
    }

    pub(super) fn flush(&self) -> Result<(), EmbeddingError> {
        self.shared.flush().map_err(EmbeddingError::Cache)
    }

    /// Entries, and bytes of the pages in use.
    pub(super) fn size(&self) -> (u64, u64) {
        let reader = self.shared.reader.lock();
        let Some(reader) = reader.as_ref() else {
            return (0, 0);
        };
        (
            count(reader).unwrap_or_default(),
            used_bytes(reader).unwrap_or_default(),
        )
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the embedding cache's writer panicked");
        }
    }
}

/// A connection to write and one to read.
pub(super) fn open_pair(path: &Path) -> Result<(Connection, Connection), String> {
    let writer = match open_writer(path) {
        Err(OpenError::Replaceable(reason)) => {
            tracing::warn!(path = %path.display(), %reason, "replacing the embedding cache's file");
            delete(path)?;
            open_writer(path)
        }
        other => other,
    };
    let writer = writer.map_err(|e| match e {
        OpenError::Replaceable(reason) | OpenError::Final(reason) => reason,
    })?;
    let reader = open_reader(path).map_err(|e| e.to_string())?;
    Ok((writer, reader))
}

enum OpenError {
    /// Our file, but of no use.
    Replaceable(String),
    /// Locked, read-only, someone else's.
    Final(String),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        if is_corrupt(&error) {
            Self::Replaceable(error.to_string())
        } else {
            Self::Final(error.to_string())
        }
    }
}

fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let mut db = Connection::open(path)?;
    db.busy_timeout(WRITE_PATIENCE)?;
    if db.is_readonly("main")? {
        return Err(OpenError::Final("the file is read-only".to_owned()));
    }
    // Takes effect only before the first table; lets the file shrink when the limit does.
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "NORMAL")?;
    // A purged text must not live on in a free page.
    db.pragma_update(None, "secure_delete", "ON")?;

    let change = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let tables: i64 = change.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))?;
    let owner: i32 = change.pragma_query_value(None, "application_id", |r| r.get(0))?;
    let version: i32 = change.pragma_query_value(None, "user_version", |r| r.get(0))?;
    match (tables, owner) {
        (0, _) => {
            change.execute_batch(SCHEMA)?;
            change.pragma_update(None, "application_id", APPLICATION_ID)?;
            change.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        (_, APPLICATION_ID) if version == SCHEMA_VERSION => {}
        (_, APPLICATION_ID) => {
            return Err(OpenError::Replaceable(format!("schema version {version}")));
        }
        _ => {
            return Err(OpenError::Final(
                "the file is a database of something else".to_owned(),
            ));
        }
    }
    change.commit()?;
    Ok(db)
}

fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.busy_timeout(READ_PATIENCE)?;
    db.pragma_update(None, "query_only", "ON")?;
    Ok(db)
}

/// Deletes the file and what belongs to it.
pub(super) fn delete(path: &Path) -> Result<(), String> {
    for suffix in ["-wal", "-shm", ""] {
        match std::fs::remove_file(beside(path, suffix)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.to_string()),
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn is_corrupt(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

struct Row {
    bytes: Vec<u8>,
    created: i64,
    used: i64,
}

fn read(db: &Connection, key: &CacheKey) -> rusqlite::Result<Option<Row>> {
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

/// Carries out `ops` in one transaction.
pub(super) fn write<'a>(
    db: &mut Connection,
    ops: impl Iterator<Item = (&'a CacheKey, &'a Op)>,
) -> rusqlite::Result<()> {
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
                    put.execute(params![key.as_bytes(), encode(key, vector), created])?
                }
                Op::Touch { used } => touch.execute(params![key.as_bytes(), used])?,
                Op::Remove => remove.execute(params![key.as_bytes()])?,
            };
        }
    }
    change.commit()
}

/// Deletes what was last used before `before` (milliseconds of Unix time): it was computed before
/// it was used, so it is over its time.
pub(super) fn delete_unused_since(db: &Connection, before: i64) -> rusqlite::Result<()> {
    db.execute("DELETE FROM embedding WHERE used < ?1", params![before])
        .map(drop)
}

/// Brings the file under `max_bytes` by deleting what was used longest ago; some more than
/// needed, so that not every write has to.
pub(super) fn evict(db: &Connection, max_bytes: u64) -> rusqlite::Result<()> {
    let mut evicted = false;
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
        evicted = true;
    }
    if evicted {
        db.execute_batch("PRAGMA incremental_vacuum")?;
    }
    Ok(())
}

fn count(db: &Connection) -> rusqlite::Result<u64> {
    let rows: i64 = db.query_row("SELECT count(*) FROM embedding", [], |row| row.get(0))?;
    Ok(rows.max(0).unsigned_abs())
}

fn used_bytes(db: &Connection) -> rusqlite::Result<u64> {
    let number = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = number("page_count")? - number("freelist_count")?;
    let bytes = pages.saturating_mul(number("page_size")?);
    Ok(bytes.max(0).unsigned_abs())
}

/// A checksum over the key and the components, then the components, each little-endian.
fn encode(key: &CacheKey, vector: &[f32]) -> Vec<u8> {
    let components: Vec<u8> = vector.iter().flat_map(|c| c.to_le_bytes()).collect();
    let mut bytes = checksum(key, &components).to_vec();
    bytes.extend_from_slice(&components);
    bytes
}

/// The vector, unless a bit of it changed or it belongs to another key.
fn decode(key: &CacheKey, bytes: &[u8]) -> Option<Arc<[f32]>> {
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
