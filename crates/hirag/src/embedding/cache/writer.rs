//! What waits to be written, and the thread that writes it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use super::file::{self, is_corrupt};
use super::table;
use super::{CacheKey, DiskSettings};
use crate::clock::SharedClock;
use crate::metrics::CacheCounters;

/// How long changes gather before they are written.
const GATHER: Duration = Duration::from_millis(200);
/// Changes that are written without gathering more.
const FULL: usize = 256;
/// Changes that may wait; beyond, insertions are dropped. About 6 MB of 384 dimensions.
const QUEUE_LIMIT: usize = 4_096;
/// How long a file that could not be written is left alone.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(30);

/// A change of one entry.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// Keep a vector; `created` in milliseconds of Unix time.
    Put { vector: Arc<[f32]>, created: i64 },
    /// It was used at this time, in milliseconds of Unix time.
    Touch { used: i64 },
    /// Delete it.
    Remove,
}

type Ops = HashMap<CacheKey, Op>;

/// What callers and the writer's thread share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: DiskSettings,
    pub(super) ttl: Option<Duration>,
    pub(super) clock: SharedClock,
    /// `None` while the file is replaced, and for good once it cannot be.
    pub(super) reader: Mutex<Option<Connection>>,
    /// False for good once the file is given up.
    pub(super) usable: AtomicBool,
    pub(super) tally: CacheCounters,
    queue: Mutex<Queue>,
    /// The writer has something to do.
    work: Condvar,
    /// The writer finished a group.
    done: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Ops,
    /// The group that is being written: readers must still see it.
    writing: Arc<Ops>,
    /// Changes ever queued, and those of them that were carried out or given up.
    queued: u64,
    finished: u64,
    flushers: usize,
    rebuild: bool,
    closing: bool,
    /// Why the last group was not written.
    failure: Option<String>,
}

impl Queue {
    /// Whether someone waits for the writer.
    fn is_urgent(&self) -> bool {
        self.rebuild || self.closing || (self.flushers > 0 && self.finished < self.queued)
    }
}

impl Shared {
    pub(super) fn new(
        settings: DiskSettings,
        ttl: Option<Duration>,
        clock: SharedClock,
        reader: Connection,
    ) -> Self {
        Self {
            settings,
            ttl,
            clock,
            reader: Mutex::new(Some(reader)),
            usable: AtomicBool::new(true),
            tally: CacheCounters::default(),
            queue: Mutex::default(),
            work: Condvar::new(),
            done: Condvar::new(),
        }
    }

    /// The change of `key` that is not in the file yet.
    pub(super) fn queued(&self, key: &CacheKey) -> Option<Op> {
        let queue = self.queue.lock();
        let op = queue.waiting.get(key).or_else(|| queue.writing.get(key));
        op.cloned()
    }

    /// Queues a change; a later one of the same key replaces an earlier one.
    pub(super) fn push(&self, key: CacheKey, op: Op) {
        if !self.usable.load(Ordering::Relaxed) {
            return;
        }
        let mut queue = self.queue.lock();
        let may_wait = match op {
            Op::Remove => true,
            Op::Put { .. } => queue.waiting.len() < QUEUE_LIMIT,
            // It must not replace a change that matters more.
            Op::Touch { .. } => {
                queue.waiting.len() < QUEUE_LIMIT && !queue.waiting.contains_key(&key)
            }
        };
        if !may_wait {
            return;
        }
        queue.waiting.insert(key, op);
        queue.queued += 1;
        if queue.waiting.len() == 1 || queue.waiting.len() == FULL {
            self.work.notify_one();
        }
    }

    /// Asks for the file to be replaced.
    pub(super) fn ask_rebuild(&self) {
        self.queue.lock().rebuild = true;
        self.work.notify_one();
    }

    pub(super) fn flush(&self) -> Result<(), String> {
        let mut queue = self.queue.lock();
        if queue.failure.is_some() {
            // Has the writer try again what it could not remove.
            queue.queued += 1;
        }
        let goal = queue.queued;
        queue.flushers += 1;
        self.work.notify_one();
        self.done.wait_while(&mut queue, |queue| {
            queue.finished < goal && self.usable.load(Ordering::Relaxed)
        });
        queue.flushers -= 1;
        queue.failure.clone().map_or(Ok(()), Err)
    }

    pub(super) fn close(&self) {
        self.queue.lock().closing = true;
        self.work.notify_one();
    }

    fn give_up(&self, reason: &str) {
        tracing::warn!(
            path = %self.settings.path.display(),
            %reason,
            "the embedding cache works without its file from now on"
        );
        *self.reader.lock() = None;
        let mut queue = self.queue.lock();
        self.usable.store(false, Ordering::Relaxed);
        queue.waiting.clear();
        queue.writing = Arc::default();
        queue.failure = Some(reason.to_owned());
        self.done.notify_all();
    }

    /// Replaces the file by an empty one. What waits stays waiting.
    fn rebuild(&self, writer: Connection) -> Result<Connection, String> {
        tracing::warn!(
            path = %self.settings.path.display(),
            "the embedding cache's file is corrupt; replacing it"
        );
        let mut reader = self.reader.lock();
        *reader = None;
        drop(writer);
        file::delete(&self.settings.path)?;
        let (writer, new_reader) = file::open_pair(&self.settings.path)?;
        *reader = Some(new_reader);
        Ok(writer)
    }

    fn write(&self, db: &mut Connection, ops: &Ops) -> rusqlite::Result<()> {
        let removed = table::write(db, ops.iter())?;
        self.tally.count_invalidations(removed);
        if let Some(ttl) = self.ttl {
            let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
            let now = self.clock.now().as_millisecond();
            let over = table::delete_unused_since(db, now.saturating_sub(ttl))?;
            self.tally.count_invalidations(over);
        }
        table::evict(db, self.settings.max_bytes)
    }
}

/// The writer's thread: until the cache is closed, and everything that waits is written.
pub(super) fn run(shared: &Shared, mut db: Connection) {
    let mut failed_before = false;
    loop {
        let (ops, ticket, rebuild) = {
            let mut queue = shared.queue.lock();
            let idle = |q: &mut Queue| q.waiting.is_empty() && !q.is_urgent();
            shared.work.wait_while(&mut queue, idle);
            let rest = if failed_before {
                REST_AFTER_FAILURE
            } else {
                GATHER
            };
            let gathering = |q: &mut Queue| {
                let full = q.waiting.len() >= FULL && !failed_before;
                !full && !q.is_urgent()
            };
            shared.work.wait_while_for(&mut queue, gathering, rest);
            if queue.closing && queue.waiting.is_empty() {
                return;
            }
            queue.writing = Arc::new(std::mem::take(&mut queue.waiting));
            let rebuild = std::mem::take(&mut queue.rebuild);
            (queue.writing.clone(), queue.queued, rebuild)
        };

        let mut outcome = if rebuild {
            Err(None)
        } else {
            shared.write(&mut db, &ops).map_err(|error| {
                if is_corrupt(&error) {
                    None
                } else {
                    Some(error.to_string())
                }
            })
        };
        if let Err(None) = outcome {
            db = match shared.rebuild(db) {
                Ok(db) => db,
                Err(reason) => return shared.give_up(&reason),
            };
            outcome = shared
                .write(&mut db, &ops)
                .map_err(|error| Some(error.to_string()));
        }
        let failure = outcome.err().flatten();
        if let Some(reason) = failure.as_ref().filter(|_| !failed_before) {
            tracing::warn!(
                path = %shared.settings.path.display(),
                %reason,
                "the embedding cache's file cannot be written for now"
            );
        }
        failed_before = failure.is_some();

        let mut queue = shared.queue.lock();
        if failed_before {
            // Insertions are worth no second try; what was purged must go in the end.
            for (key, op) in ops.iter().filter(|(_, op)| matches!(op, Op::Remove)) {
                queue.waiting.entry(*key).or_insert_with(|| op.clone());
            }
        }
        queue.writing = Arc::default();
        queue.finished = ticket;
        queue.failure = failure;
        let end = queue.closing && (failed_before || queue.waiting.is_empty());
        shared.done.notify_all();
        if end {
            return;
        }
    }
}
