//! The store on local SQLite: sqlite-vec for the vectors, FTS5 for the words.
//!
//! One file, in WAL mode with `synchronous=FULL`. One process writes it at a time, through one
//! thread; any number of readers stand beside it.

mod accesses;
mod adopt;
mod around;
mod backup;
mod classify;
mod codes;
mod collections;
mod contexts;
mod conversations;
mod deletion;
mod directions;
mod each;
mod edit;
mod fields;
mod filters;
mod fixed_point;
mod generation;
mod kept;
mod lifecycle;
mod lock;
mod open;
mod queue;
mod readers;
mod renames;
mod resident;
mod restore;
mod schema;
mod scroll;
mod search;
mod slot_index;
mod slow;
mod sorting;
mod sources;
#[cfg(test)]
mod tests;
mod traces;
mod trait_impl;
mod upkeep;
mod vectors;
mod words;
mod writer;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rusqlite::Connection;
use tokio::sync::Semaphore;
use tracing::{Instrument, Span, trace_span};

pub use around::Around;
pub use backup::BackupProgress;
pub use conversations::NewAnswer;
pub use deletion::{Deletion, Restored};
pub use edit::{Edit, LiveEdit, Merge};
pub(crate) use kept::KeptFile;
pub use kept::NewKept;
pub use lifecycle::{CleanUp, CleanUpItem, CleanUpRules, Purged, Standing};
pub use lock::while_nobody_writes;
pub use open::{Access, StoreOptions};
pub use queue::{Building, PendingText};
pub use restore::restore;
pub use search::{CandidateQuery, SearchCheck, SearchLimits};
pub use sources::{Known, SourceState, WriteBatch, Written};
pub use traces::{KeptTrace, TraceBounds};
pub use upkeep::{DatabaseParts, DatabaseSize, Finding, Inspection, StoreCounts, inspect_file};

use self::accesses::Accesses;
use self::generation::Generation;
use self::readers::Readers;
use self::resident::Resident;
use self::search::Residents;
use self::traces::TraceTally;
use self::upkeep::Counted;
use self::words::Lexicon;
use self::writer::{Changes, Writer};
use super::{StoreError, VectorSpec};
use crate::clock::SharedClock;
use crate::context::{Context, ContextId};
use crate::metrics::SlowStatements;
use crate::retrieval::Candidates;
use crate::tasks::broken_off;

#[cfg(test)]
use open::register_vector_functions;

/// A database of contexts. A cheap handle: clones share everything.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    readers: Arc<Readers>,
    /// As many as there are readers: who waits for one holds no thread meanwhile.
    reading: Arc<Semaphore>,
    /// Absent where the database may only be read. Before `lock`: it must finish first.
    writer: Option<Writer>,
    /// Held for its drop, which lets the next writer in.
    lock: Mutex<Option<lock::WriterLock>>,
    /// Filled by each collection's first search, then kept by the writer.
    residents: Arc<RwLock<Residents>>,
    /// How contexts are searched, by their number.
    limits: SearchLimits,
    lexicon: Arc<Lexicon>,
    accesses: Arc<Accesses>,
    trace_tally: Arc<TraceTally>,
    generation: Arc<Generation>,
    counted: Counted,
    statements: SlowStatements,
    /// Where another process writes: tells whether it has.
    watch: Mutex<Option<Watch>>,
    clock: SharedClock,
}

/// A connection whose `data_version` changes with every commit of others.
#[derive(Debug)]
struct Watch {
    connection: Connection,
    version: i64,
}

impl SqliteStore {
    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// The statements that took long.
    #[must_use]
    pub fn slow_statements(&self) -> &SlowStatements {
        &self.shared.statements
    }

    /// Whether this handle may write.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.shared.writer.is_some()
    }

    /// Everything that `query` is compared with in a collection.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn candidates(
        &self,
        collection: &str,
        query: CandidateQuery,
    ) -> Result<Candidates, StoreError> {
        let all = |candidates| (candidates, Vec::new());
        Ok(self.retrieve(collection, query, all).await?.0)
    }

    /// Gives everything that `query` is compared with to `choose`, and reads the contexts that it
    /// asks for: all on one thread, because each change of threads costs time under load.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn retrieve<T, F>(
        &self,
        collection: &str,
        query: CandidateQuery,
        choose: F,
    ) -> Result<(T, Vec<Context>), StoreError>
    where
        T: Send + 'static,
        F: FnOnce(Candidates) -> (T, Vec<ContextId>) + Send + 'static,
    {
        let now_ms = self.now_ms();
        let (shared, name) = (Arc::clone(&self.shared), collection.to_owned());
        self.read(move |connection| {
            let number = collections::number(connection, &name)?;
            let candidates = shared.with_resident(connection, &name, number, |resident| {
                if let Some(vector) = &query.vector {
                    check_dimension(resident, vector.len())?;
                    check_model(resident, query.model.as_deref())?;
                }
                let _span = trace_span!("compare").entered();
                let lexicon = &shared.lexicon;
                let limits = &shared.limits;
                search::candidates(
                    connection, resident, lexicon, number, limits, &query, now_ms,
                )
            })?;
            let (chosen, wanted) = trace_span!("rank").in_scope(|| choose(candidates));
            let _span = trace_span!("fetch the texts").entered();
            Ok((chosen, contexts::get(connection, number, &wanted)?))
        })
        .await
    }

    /// What every change that a search could notice makes another. `None` where another process
    /// writes, of which nothing is heard.
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        self.is_writable().then(|| self.shared.generation.get())
    }

    /// The model whose vectors serve in a collection.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn vector_spec(&self, collection: &str) -> Result<VectorSpec, StoreError> {
        // Every search asks. What the writer keeps in memory is as true as the database; where
        // another process writes, or while it is being filled, the database is asked.
        if self.is_writable()
            && let Some(residents) = self.shared.residents.try_read()
            && let Some(known) = residents.values().find(|known| known.name == collection)
        {
            return Ok(known.spec.clone());
        }
        let name = collection.to_owned();
        self.read(move |c| Ok(vectors::active(c, collections::number(c, &name)?)?.spec))
            .await
    }

    /// Finishes what was begun and closes; what is asked for after that is refused. Blocks for the
    /// last commit. Where nobody else has the database open, its log is gone then.
    pub fn shut_down(&self) {
        // A connection that only reads cannot take the log away, so that it must not be the last.
        self.shared.readers.close();
        self.shared.generation.end();
        self.shared.watch.lock().take();
        match &self.shared.writer {
            Some(writer) => writer.shut_down(),
            None => open::remove_idle_log(&self.shared.path),
        }
        self.shared.lock.lock().take();
    }

    fn now_ms(&self) -> i64 {
        self.shared.clock.now().as_millisecond()
    }

    /// Runs `work` on a reading connection, off the async threads.
    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let operation = slow::operation::<F>();
        let span = trace_span!("database", operation);
        let reading = async move {
            // The semaphore is never closed.
            let wait = trace_span!("wait for a connection");
            let turn = Arc::clone(&shared.reading).acquire_owned();
            let turn = turn.instrument(wait).await;
            let here = Span::current();
            tokio::task::spawn_blocking(move || {
                let _turn = turn;
                let _here = here.enter();
                let reader = shared.readers.take()?;
                let work = || work(&reader);
                let done = slow::watch(&shared.statements, operation, &reader, work);
                done.map_err(|e| e.at(&shared.path))
            })
            .await
            .map_err(|e| StoreError::Internal(broken_off(&e)))?
        };
        reading.instrument(span).await
    }

    /// Why this store only reads: another process writes, or nobody can.
    pub(crate) fn no_writer(&self) -> StoreError {
        let path = &self.shared.path;
        match lock::while_nobody_writes(path, || ()) {
            Err(error @ StoreError::Locked { .. }) => error,
            _ => StoreError::ReadOnly { path: path.clone() },
        }
    }

    /// Runs `work` in the writer's next commit; it is on disk when this returns `Ok`.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &mut Changes) -> Result<T, StoreError> + Send + 'static,
    {
        let Some(writer) = &self.shared.writer else {
            return Err(self.no_writer());
        };
        let answer = writer.submit(work);
        let answer = answer
            .instrument(trace_span!("write to the database"))
            .await;
        answer
            .unwrap_or(Err(StoreError::Closed))
            .map_err(|e| e.at(&self.shared.path))
    }

    /// Runs `work` with what is held in memory of a collection, filling it first if need be.
    async fn with_resident<T, F>(&self, collection: &str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &Resident, i64) -> Result<T, StoreError> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        let name = collection.to_owned();
        self.read(move |connection| {
            let number = collections::number(connection, &name)?;
            shared.with_resident(connection, &name, number, |resident| {
                work(connection, resident, number)
            })
        })
        .await
    }
}

impl Shared {
    /// Runs `work` with what is held in memory of a collection, filling it first if need be.
    fn with_resident<T>(
        &self,
        connection: &Connection,
        name: &str,
        number: i64,
        work: impl FnOnce(&Resident) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.forget_if_others_wrote()?;
        loop {
            if let Some(resident) = self.residents.read().get(&number) {
                return work(resident);
            }
            // The writer cannot publish a commit while this lock is held, and reads each row
            // again when it does: nothing is missed between the two.
            let mut residents = self.residents.write();
            if let std::collections::hash_map::Entry::Vacant(place) = residents.entry(number) {
                let _span = trace_span!("load the vectors").entered();
                place.insert(Resident::load(connection, name, number, &self.limits)?);
            }
        }
    }

    fn forget_if_others_wrote(&self) -> Result<(), StoreError> {
        let mut watch = self.watch.lock();
        let Some(watch) = watch.as_mut() else {
            return Ok(());
        };
        let version = data_version(&watch.connection)?;
        if version != watch.version {
            watch.version = version;
            self.residents.write().clear();
            self.lexicon.invalidate();
        }
        Ok(())
    }
}

fn data_version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
}

/// The model may have been switched since the query was embedded.
fn check_model(resident: &Resident, model: Option<&str>) -> Result<(), StoreError> {
    match model {
        Some(model) if model != resident.spec.model => Err(StoreError::BadVector {
            collection: "the query".to_owned(),
            reason: format!("it is of the model {model}, not {}", resident.spec.model),
        }),
        _ => Ok(()),
    }
}

fn check_dimension(resident: &Resident, got: usize) -> Result<(), StoreError> {
    if got == resident.dimension() {
        return Ok(());
    }
    Err(StoreError::BadVector {
        collection: "the query".to_owned(),
        reason: format!("it has {got} dimensions, not {}", resident.dimension()),
    })
}

/// Brings what is held in memory in line with a commit. Runs on the writer's thread.
fn follow(
    connection: &Connection,
    residents: &RwLock<Residents>,
    lexicon: &Lexicon,
    changes: &Changes,
) -> Result<(), StoreError> {
    if changes.everything {
        residents.write().clear();
        lexicon.invalidate();
        return Ok(());
    }
    if changes.rows.is_empty() && changes.accesses.is_empty() {
        return Ok(());
    }
    // The rows are read before the searches are locked out. A collection that another thread
    // loads meanwhile has seen the commit.
    let known: Vec<i64> = residents.read().keys().copied().collect();
    let fresh: Result<Vec<_>, StoreError> = known
        .into_iter()
        .map(|number| Ok((number, resident::fresh(connection, number, &changes.rows)?)))
        .collect();
    let mut residents = residents.write();
    if changes.words {
        lexicon.invalidate();
    }
    match fresh {
        Ok(fresh) => {
            for (number, rows) in fresh {
                if let Some(resident) = residents.get_mut(&number) {
                    resident.refresh(rows);
                    resident.count_accesses(&changes.accesses);
                }
            }
            Ok(())
        }
        Err(e) => {
            // What could not follow is built again by the next search.
            residents.clear();
            Err(e)
        }
    }
}

type RowMap<T> = HashMap<String, T>;
