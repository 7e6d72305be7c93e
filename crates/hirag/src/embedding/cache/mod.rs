//! Vectors kept for later: in memory, over a SQLite file that outlives the program.
//!
//! A cache never fails its caller. A disk layer that cannot be used is left out and said so once
//! in the log; a damaged entry is a miss.

mod disk;
mod file;
mod key;
mod memory;
mod table;
mod writer;

#[cfg(test)]
mod tests;

pub use key::CacheKey;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use self::disk::Disk;
use self::memory::{Looked, Memory};
use super::EmbeddingError;
use crate::clock::SharedClock;
use crate::config::EmbeddingSettings;
use crate::metrics::{CacheCounters, CacheStats};

/// The cache's file in the data folder.
pub const CACHE_FILE: &str = "cache.db";

/// Sizes and life-times of a cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheSettings {
    /// Vectors kept in memory at most; 0 keeps none.
    pub memory_entries: u64,
    /// How long a vector may be used after it was computed; `None` is for ever.
    pub ttl: Option<Duration>,
    /// The disk layer; `None` goes without.
    pub disk: Option<DiskSettings>,
}

impl CacheSettings {
    /// The settings `[embedding]`, with the file in `data_dir`; `None` when caching is off.
    #[must_use]
    pub fn new(settings: &EmbeddingSettings, data_dir: &Path) -> Option<Self> {
        let positive = |number: u64| Some(number).filter(|number| *number > 0);
        settings.cache_enabled.then(|| Self {
            memory_entries: settings.cache_size as u64,
            ttl: positive(settings.cache_ttl_secs).map(Duration::from_secs),
            disk: positive(settings.cache_disk_mb).map(|megabytes| DiskSettings {
                path: data_dir.join(CACHE_FILE),
                max_bytes: megabytes.saturating_mul(1_000_000),
            }),
        })
    }
}

/// Where and how large the disk layer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskSettings {
    /// The file, usually [`CACHE_FILE`] in the data folder. Its folder is made when absent.
    pub path: PathBuf,
    /// Bytes of the file at most (its write-ahead log, some megabytes, not counted); what was
    /// used longest ago goes first.
    pub max_bytes: u64,
}

/// Which layer had a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheLayer {
    /// In memory.
    Memory,
    /// In the file.
    Disk,
}

/// Vectors by model and text. A cheap handle; all clones are one cache.
///
/// Entries of the disk layer are written in groups by a thread of their own; [`flush`] waits for
/// it, and dropping the last handle does too.
///
/// [`flush`]: Self::flush
#[derive(Debug, Clone)]
pub struct EmbeddingCache {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    memory: Memory,
    memory_tally: CacheCounters,
    disk: Option<Disk>,
    /// Counts removals, so that a reader who fetched an entry just before its removal does not
    /// bring it back into memory.
    removals: AtomicU64,
    clock: SharedClock,
}

impl EmbeddingCache {
    /// Opens the cache. A disk layer that cannot be opened is left out, with a warning in the log;
    /// a corrupt file is replaced by an empty one.
    #[must_use]
    pub fn open(settings: &CacheSettings, clock: SharedClock) -> Self {
        let disk = settings.disk.as_ref().and_then(|disk| {
            Disk::open(disk, settings.ttl, clock.clone())
                .inspect_err(|reason| {
                    tracing::warn!(
                        path = %disk.path.display(),
                        %reason,
                        "the embedding cache works without its file"
                    );
                })
                .ok()
        });
        Self {
            shared: Arc::new(Shared {
                memory: Memory::new(settings.memory_entries, settings.ttl),
                memory_tally: CacheCounters::default(),
                disk,
                removals: AtomicU64::new(0),
                clock,
            }),
        }
    }

    /// The vector of `text` by `model`, and the layer that had it. May read the file; where that
    /// must not happen see [`get_memory`](Self::get_memory).
    #[must_use]
    pub fn get(&self, model: &str, text: &str) -> Option<(Arc<[f32]>, CacheLayer)> {
        let key = CacheKey::of(model, text);
        if let Some(vector) = self.get_memory(&key) {
            return Some((vector, CacheLayer::Memory));
        }
        self.get_disk(&key).map(|vector| (vector, CacheLayer::Disk))
    }

    /// What memory has of `key`: microseconds, never waits.
    #[must_use]
    pub fn get_memory(&self, key: &CacheKey) -> Option<Arc<[f32]>> {
        let shared = &*self.shared;
        let found = shared.memory.get(key, shared.clock.elapsed());
        shared.memory_tally.count(matches!(found, Looked::Found(_)));
        match found {
            Looked::Found(vector) => Some(vector),
            Looked::Expired => {
                shared.memory_tally.count_invalidations(1);
                None
            }
            Looked::Absent => None,
        }
    }

    /// What the file has of `key`, which then stays in memory. Blocks for a read of the file.
    #[must_use]
    pub fn get_disk(&self, key: &CacheKey) -> Option<Arc<[f32]>> {
        let shared = &*self.shared;
        let disk = shared.disk.as_ref()?;
        let removals = shared.removals.load(Ordering::SeqCst);
        let found = disk.get(key)?;
        let stored = shared.clock.elapsed();
        shared
            .memory
            .insert(*key, found.vector.clone(), stored, found.age);
        if shared.removals.load(Ordering::SeqCst) != removals {
            shared.memory.remove(key);
        }
        Some(found.vector)
    }

    /// Whether there is a file to ask.
    #[must_use]
    pub fn has_disk(&self) -> bool {
        self.shared.disk.as_ref().is_some_and(Disk::is_usable)
    }

    /// Keeps `vector`. The file is written later, by another thread.
    pub fn insert(&self, key: CacheKey, vector: Arc<[f32]>) {
        let now = self.shared.clock.elapsed();
        self.shared
            .memory
            .insert(key, vector.clone(), now, Duration::ZERO);
        if let Some(disk) = &self.shared.disk {
            disk.put(key, vector);
        }
    }

    /// Forgets the vector of `text` by `model`, also where it still waits to be written. Nobody
    /// gets it any more once this returns; it is out of the file after [`flush`](Self::flush).
    pub fn remove(&self, model: &str, text: &str) {
        let key = CacheKey::of(model, text);
        if let Some(disk) = &self.shared.disk {
            disk.remove(key);
        }
        self.shared.removals.fetch_add(1, Ordering::SeqCst);
        let removed = self.shared.memory.remove(&key);
        self.shared
            .memory_tally
            .count_invalidations(u64::from(removed));
    }

    /// Drops the less used half of what is in memory, which the file still has; how many vectors that
    /// were.
    pub fn shrink(&self) -> u64 {
        self.shared.memory.shrink()
    }

    /// Waits until everything inserted and removed so far is in the file. Blocks.
    ///
    /// # Errors
    ///
    /// [`EmbeddingError::Cache`] when the file could not be written: removals then stay queued,
    /// insertions are dropped.
    pub fn flush(&self) -> Result<(), EmbeddingError> {
        match &self.shared.disk {
            Some(disk) => disk.flush(),
            None => Ok(()),
        }
    }

    /// How the layers fare. Counts the file's rows, so it takes milliseconds.
    #[must_use]
    pub fn counters(&self) -> CacheStats {
        let shared = &*self.shared;
        let (entries, bytes) = shared.memory.size();
        CacheStats::of(
            shared.memory_tally.stats(entries, bytes),
            shared.disk.as_ref().map(Disk::stats).unwrap_or_default(),
        )
    }
}
