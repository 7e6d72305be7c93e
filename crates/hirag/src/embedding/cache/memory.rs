use std::sync::Arc;
use std::time::Duration;

use super::CacheKey;
use crate::used::{Used, Uses, less_used_half};

/// The layer in memory. What is rarely asked for goes first, so that an import does not push the
/// usual queries out.
#[derive(Debug)]
pub(super) struct Memory {
    entries: moka::sync::Cache<CacheKey, Used<Entry>>,
    uses: Uses,
    ttl: Option<Duration>,
}

/// What is there of a key.
#[derive(Debug)]
pub(super) enum Looked {
    Found(Arc<[f32]>),
    Expired,
    Absent,
}

#[derive(Debug, Clone)]
struct Entry {
    vector: Arc<[f32]>,
    /// Elapsed time at which it may no longer be used. Moka could expire entries itself, but by a
    /// clock of its own.
    expires: Option<Duration>,
}

impl Memory {
    pub(super) fn new(max_entries: u64, ttl: Option<Duration>) -> Self {
        Self {
            entries: moka::sync::Cache::new(max_entries),
            uses: Uses::default(),
            ttl,
        }
    }

    /// An entry that is over its time is gone then.
    pub(super) fn get(&self, key: &CacheKey, now: Duration) -> Looked {
        match self.entries.get(key) {
            None => Looked::Absent,
            Some(entry) if entry.expires.is_some_and(|expires| now >= expires) => {
                self.entries.invalidate(key);
                Looked::Expired
            }
            Some(entry) => {
                self.uses.again(&entry);
                Looked::Found(Arc::clone(&entry.vector))
            }
        }
    }

    /// Keeps a vector that is `age` old at the elapsed time `now`.
    pub(super) fn insert(&self, key: CacheKey, vector: Arc<[f32]>, now: Duration, age: Duration) {
        let expires = self
            .ttl
            .map(|ttl| now.saturating_add(ttl.saturating_sub(age)));
        let entry = self.uses.begin(Entry { vector, expires });
        self.entries.insert(key, entry);
    }

    /// Drops the half that was used longest ago; how many that were.
    pub(super) fn shrink(&self) -> u64 {
        let entries = self.entries.iter().map(|(key, entry)| (*key, entry));
        let dropped = less_used_half(entries);
        for key in &dropped {
            self.entries.invalidate(key);
        }
        dropped.len() as u64
    }

    /// Whether it was there.
    pub(super) fn remove(&self, key: &CacheKey) -> bool {
        self.entries.remove(key).is_some()
    }

    /// Entries, and the bytes of their keys and vectors.
    pub(super) fn size(&self) -> (u64, u64) {
        self.entries.run_pending_tasks();
        let bytes = self
            .entries
            .iter()
            .map(|(key, entry)| size_of_val(key.as_bytes()) + size_of_val(&*entry.vector))
            .sum::<usize>();
        (self.entries.entry_count(), bytes as u64)
    }
}
