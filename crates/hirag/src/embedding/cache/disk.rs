//! The disk layer: what is read from the file, and what is left to its writer.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use super::file::{is_corrupt, open_pair};
use super::table;
use super::writer::{Op, Shared, run};
use super::{CacheKey, DiskSettings};
use crate::clock::SharedClock;
use crate::embedding::EmbeddingError;
use crate::files::create_private_folder;
use crate::metrics::CacheLayerStats;

/// A read refreshes `used` when it is older than this, so that hits do not all become writes.
const USED_STEP_MS: i64 = 60 * 60 * 1000;

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
            create_private_folder(folder).map_err(|e| e.to_string())?;
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
        let found = self.read(key);
        self.shared.tally.count(found.is_some());
        found
    }

    fn read(&self, key: &CacheKey) -> Option<Found> {
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
            table::read(reader.as_ref()?, key)
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
        let Some(vector) = table::decode(key, &row.bytes) else {
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

    /// How it fares; its bytes are those of the pages in use.
    pub(super) fn stats(&self) -> CacheLayerStats {
        let reader = self.shared.reader.lock();
        let (entries, bytes) = reader.as_ref().map_or((0, 0), |reader| {
            (
                table::count(reader).unwrap_or_default(),
                table::used_bytes(reader).unwrap_or_default(),
            )
        });
        self.shared.tally.stats(entries, bytes)
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
