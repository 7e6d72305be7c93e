//! One thread writes. Jobs that wait together share a commit; each has a savepoint of its own,
//! so one that fails takes no other with it. A job is answered after its commit is on disk. Patient
//! jobs, for whose answer nobody waits, wait for company: each commit costs a write to the disk, and
//! the readers what they hold of the pages before it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::oneshot;
use tracing::{Span, trace_span};

use super::slow;
use crate::metrics::SlowStatements;
use crate::store::StoreError;

/// Jobs that share a commit at most, so that the first does not wait for ever.
const GROUP: usize = 256;

/// How long patient jobs wait for another one.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long they wait after others were written. What they write makes other answers of those that are
/// kept: a memory that is asked all the time would search anew each time.
const REST: Duration = Duration::from_secs(5);

/// What a committed job changed, for what is derived from the database.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Rows whose facts, vector or existence changed.
    pub(super) rows: BTreeSet<i64>,
    /// Rows that were merely returned by a retrieval, with their access counts now.
    pub(super) accesses: BTreeMap<i64, u64>,
    /// Whether any text came, changed or went.
    pub(super) words: bool,
    /// Set when more changed than can be listed, e.g. the active vector set.
    pub(super) everything: bool,
}

impl Changes {
    fn absorb(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.accesses.extend(other.accesses);
        self.words |= other.words;
        self.everything |= other.everything;
    }
}

/// What is told of every commit, on the writer's thread, before the jobs are answered.
pub(super) type OnCommit = Box<dyn FnMut(&Connection, &Changes) -> Result<(), StoreError> + Send>;

trait Job: Send {
    /// Whether it may wait for company.
    fn is_patient(&self) -> bool;
    /// Runs inside the transaction. `Err(())` rolls back to before it.
    fn run(
        &mut self,
        connection: &Connection,
        changes: &mut Changes,
        statements: &SlowStatements,
    ) -> Result<(), ()>;
    /// Answers, with the error of the whole group if there was one.
    fn answer(self: Box<Self>, group: Option<StoreError>);
}

struct TypedJob<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
    patient: bool,
    /// Where it was asked for.
    span: Span,
}

impl<T, F> Job for TypedJob<T, F>
where
    T: Send,
    F: FnOnce(&Connection, &mut Changes) -> Result<T, StoreError> + Send,
{
    fn is_patient(&self) -> bool {
        self.patient
    }

    fn run(
        &mut self,
        connection: &Connection,
        changes: &mut Changes,
        statements: &SlowStatements,
    ) -> Result<(), ()> {
        let Some(work) = self.work.take() else {
            return Err(());
        };
        let operation = slow::operation::<F>();
        let _span = trace_span!(parent: &self.span, "change", operation).entered();
        let work = || work(connection, changes);
        let watched = || slow::watch(statements, operation, connection, work);
        let outcome = catch_unwind(AssertUnwindSafe(watched))
            .unwrap_or_else(|_| Err(StoreError::Internal("a write panicked".to_owned())));
        let result = outcome.as_ref().map(|_| ()).map_err(|_| ());
        self.outcome = Some(outcome);
        result
    }

    fn answer(self: Box<Self>, group: Option<StoreError>) {
        let outcome = match (self.outcome, group) {
            (Some(Err(own)), _) => Err(own),
            (_, Some(group)) => Err(group),
            (Some(ok), None) => ok,
            (None, None) => Err(StoreError::Closed),
        };
        // A caller that went away does not need the answer; the write stands.
        let _ = self.reply.send(outcome);
    }
}

/// The handle of the writer thread.
pub(super) struct Writer {
    sender: Mutex<Option<Sender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    /// Starts the thread, which owns `connection` from now on.
    pub(super) fn start(
        connection: Connection,
        path: PathBuf,
        statements: SlowStatements,
        on_commit: OnCommit,
    ) -> Result<Self, StoreError> {
        let (sender, receiver) = channel();
        let named = path.clone();
        let thread = std::thread::Builder::new()
            .name("hirag-writer".to_owned())
            .spawn(move || run(&connection, &path, &receiver, &statements, on_commit))
            .map_err(|source| StoreError::Io {
                path: named,
                source,
            })?;
        Ok(Self {
            sender: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues a job and returns where its answer will come. It is durable when the answer is `Ok`.
    pub(super) fn submit<T, F>(&self, work: F) -> oneshot::Receiver<Result<T, StoreError>>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &mut Changes) -> Result<T, StoreError> + Send + 'static,
    {
        self.queue(work, false)
    }

    /// Queues a job for which nobody waits. It is written with the next one that somebody waits for,
    /// or half a second later, but no more often than every five seconds.
    pub(super) fn leave<T, F>(&self, work: F)
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &mut Changes) -> Result<T, StoreError> + Send + 'static,
    {
        drop(self.queue(work, true));
    }

    fn queue<T, F>(&self, work: F, patient: bool) -> oneshot::Receiver<Result<T, StoreError>>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &mut Changes) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(TypedJob {
            work: Some(work),
            outcome: None,
            reply,
            patient,
            span: Span::current(),
        });
        let unsent: Option<Box<dyn Job>> = match &*self.sender.lock() {
            Some(sender) => sender.send(job).err().map(|failed| failed.0),
            None => Some(job),
        };
        if let Some(job) = unsent {
            job.answer(Some(StoreError::Closed));
        }
        answer
    }

    /// Finishes what is queued and ends the thread. Blocks.
    pub(super) fn shut_down(&self) {
        drop(self.sender.lock().take());
        if let Some(thread) = self.thread.lock().take() {
            // Its panics are caught job by job; there is nothing to learn from the join.
            let _ = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shut_down();
    }
}

fn run(
    connection: &Connection,
    path: &std::path::Path,
    jobs: &Receiver<Box<dyn Job>>,
    statements: &SlowStatements,
    mut on_commit: OnCommit,
) {
    let mut rested_at = Instant::now();
    while let Ok(first) = jobs.recv() {
        let waits_until = rested_at.max(Instant::now() + PATIENCE);
        let mut group = with_company(first, jobs, waits_until);
        let room = GROUP.saturating_sub(group.len());
        group.extend(jobs.try_iter().take(room));
        let failure = run_group(connection, &mut group, statements, &mut on_commit)
            .err()
            .map(|e| e.at(path));
        if group.iter().any(|job| job.is_patient()) {
            rested_at = Instant::now() + REST;
        }
        for job in group {
            job.answer(failure.as_ref().map(StoreError::duplicate));
        }
    }
    // Leaves one tidy file behind; whatever fails here is done by the next start.
    let _ = connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
}

/// The first job; if it is patient, with those that come until one is not, or until it has waited
/// long enough.
fn with_company(
    first: Box<dyn Job>,
    jobs: &Receiver<Box<dyn Job>>,
    until: Instant,
) -> Vec<Box<dyn Job>> {
    let mut patient = first.is_patient();
    let mut group = vec![first];
    while patient && group.len() < GROUP {
        // It also ends when the writer is to end.
        let Ok(next) = jobs.recv_timeout(until.saturating_duration_since(Instant::now())) else {
            break;
        };
        patient = next.is_patient();
        group.push(next);
    }
    group
}

fn run_group(
    connection: &Connection,
    group: &mut [Box<dyn Job>],
    statements: &SlowStatements,
    on_commit: &mut OnCommit,
) -> Result<(), StoreError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut all = Changes::default();
    for job in group.iter_mut() {
        let outcome = run_one(connection, job.as_mut(), &mut all, statements);
        if connection.is_autocommit() {
            // SQLite has rolled back the whole transaction by itself, as it does on a full disk.
            return Err(match outcome {
                Err(e) => e,
                Ok(()) => StoreError::Internal("the transaction ended early".to_owned()),
            });
        }
        if let Err(e) = outcome {
            let _ = connection.execute_batch("ROLLBACK");
            return Err(e);
        }
    }
    let commit = || connection.execute_batch("COMMIT");
    if let Err(e) = slow::watch(statements, "commit", connection, commit) {
        let _ = connection.execute_batch("ROLLBACK");
        return Err(e.into());
    }
    if let Err(e) = on_commit(connection, &all) {
        tracing::error!(error = %e, "what is derived from the database could not follow it");
    }
    Ok(())
}

/// `Err` when the transaction itself is no longer usable; a job's own failure is `Ok` here.
fn run_one(
    connection: &Connection,
    job: &mut dyn Job,
    all: &mut Changes,
    statements: &SlowStatements,
) -> Result<(), StoreError> {
    connection.execute_batch("SAVEPOINT job")?;
    let mut changes = Changes::default();
    match job.run(connection, &mut changes, statements) {
        Ok(()) => {
            connection.execute_batch("RELEASE job")?;
            all.absorb(changes);
        }
        Err(()) if connection.is_autocommit() => {
            return Err(StoreError::DiskFull {
                path: PathBuf::new(),
            });
        }
        Err(()) => connection.execute_batch("ROLLBACK TO job; RELEASE job")?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> (Writer, tempfile::TempDir) {
        let (writer, folder, _) = counting();
        (writer, folder)
    }

    fn insert(writer: &Writer, x: i64) -> oneshot::Receiver<Result<usize, StoreError>> {
        writer.submit(move |c, _| Ok(c.execute("INSERT INTO t VALUES (?1)", [x])?))
    }

    /// The same, with the number of its commits.
    fn counting() -> (Writer, tempfile::TempDir, std::sync::Arc<Mutex<usize>>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute("CREATE TABLE t (x UNIQUE)", []).unwrap();
        let commits = std::sync::Arc::new(Mutex::new(0));
        let clock = crate::clock::SystemClock::shared();
        let counted = std::sync::Arc::clone(&commits);
        let count: OnCommit = Box::new(move |_, _| {
            *counted.lock() += 1;
            Ok(())
        });
        (
            Writer::start(connection, path, SlowStatements::new(clock), count).unwrap(),
            folder,
            commits,
        )
    }

    #[tokio::test]
    async fn patient_jobs_are_written_with_the_next_one_and_at_the_end() {
        let (writer, folder, commits) = counting();
        let patient = |x: i64| {
            writer.leave(move |c, _| Ok(c.execute("INSERT INTO t VALUES (?1)", [x])?));
        };
        patient(1);
        patient(2);
        insert(&writer, 3).await.unwrap().unwrap();
        assert_eq!(*commits.lock(), 1, "they shared a commit");
        patient(4);
        writer.shut_down();
        let count: i64 = Connection::open(folder.path().join("w.db"))
            .unwrap()
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .unwrap();
        assert_eq!(count, 4);
    }

    #[tokio::test]
    async fn a_failing_job_takes_no_other_with_it() {
        let (writer, folder) = writer();
        let answers = [1, 2, 1, 3].map(|x| insert(&writer, x));
        let mut outcomes = Vec::new();
        for answer in answers {
            outcomes.push(answer.await.unwrap().is_ok());
        }
        assert_eq!(outcomes, [true, true, false, true]);
        let panicking = writer.submit(|_, _| -> Result<(), StoreError> { panic!("boom") });
        assert_eq!(panicking.await.unwrap().unwrap_err().code(), "internal");
        insert(&writer, 4).await.unwrap().unwrap();
        writer.shut_down();
        assert_eq!(
            insert(&writer, 5).await.unwrap().unwrap_err().code(),
            "store_closed"
        );
        let count: i64 = Connection::open(folder.path().join("w.db"))
            .unwrap()
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .unwrap();
        assert_eq!(count, 4);
    }
}
