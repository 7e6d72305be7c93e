//! Long work: its progress, its end, and the way to stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hirag::clock::SharedClock;
use jiff::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{broadcast, watch};

use super::pace::Pace;
use super::{StudioEvent, raised};
use crate::commands::{Error, Failure, Result};

/// Jobs that are listed; the oldest that have ended go first.
const KEPT: usize = 50;
/// Time between two events of a job.
const EVENT_STEP: Duration = Duration::from_millis(100);

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum JobKind {
    Import,
    Reembed,
    Export,
    Backup,
    CleanUp,
    Doctor,
    Load,
    Sources,
}

impl JobKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Reembed => "reembed",
            Self::Export => "export",
            Self::Backup => "backup",
            Self::CleanUp => "clean_up",
            Self::Doctor => "doctor",
            Self::Load => "load",
            Self::Sources => "sources",
        }
    }
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It works.
    Running,
    /// It came to its end.
    Done,
    /// It failed; what it had finished before stays.
    Failed,
    /// It was stopped; what it had finished before stays.
    Cancelled,
}

/// How far a job has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ts_rs::TS)]
pub struct JobProgress {
    /// What is done, in units.
    #[ts(type = "number")]
    pub done: u64,
    /// What there is to do, where that is known.
    #[ts(type = "number | null")]
    pub total: Option<u64>,
    /// The unit: `bytes`, `contexts` or `seconds`.
    pub unit: String,
    /// Units a second, over the last seconds; 0 until it is known.
    pub rate_per_s: f64,
    /// Seconds that are left at this rate, where total and rate are known.
    pub seconds_left: Option<f64>,
    /// The same for people.
    pub text: String,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct Job {
    /// Its id in this run.
    pub id: String,
    /// What it does.
    pub kind: JobKind,
    /// How it stands.
    pub state: JobState,
    /// How far it has come.
    pub progress: JobProgress,
    /// What came of it: what the command of its kind answers.
    #[ts(type = "unknown")]
    pub result: Option<serde_json::Value>,
    /// Why it failed.
    pub problem: Option<Failure>,
    /// When it began.
    #[ts(type = "string")]
    pub started: Timestamp,
    /// When it ended.
    #[ts(type = "string | null")]
    pub ended: Option<Timestamp>,
}

#[derive(Debug)]
struct Entry {
    job: Job,
    pace: Pace,
    told: Duration,
    cancel: Arc<AtomicBool>,
    cancelled: watch::Sender<bool>,
}

/// The jobs of this run. A cheap handle.
#[derive(Debug, Clone)]
pub(crate) struct Jobs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    events: broadcast::Sender<StudioEvent>,
    entries: Mutex<Entries>,
    /// How many run.
    running: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Entries {
    /// Newest first.
    list: Vec<Entry>,
    last: u64,
}

/// What a job's work gets: where it tells its progress, and hears that it is to stop.
#[derive(Debug, Clone)]
pub struct JobHandle {
    jobs: Jobs,
    id: String,
    cancel: Arc<AtomicBool>,
    cancelled: watch::Receiver<bool>,
}

impl JobHandle {
    /// Tells how far it has come.
    pub fn progress(&self, done: u64, total: Option<u64>, unit: &str, text: String) {
        let shared = &self.jobs.shared;
        let now = shared.clock.elapsed();
        let mut entries = shared.entries.lock();
        let Some(entry) = entries.find(&self.id) else {
            return;
        };
        // The first says how much there is to do.
        let first = entry.job.progress.unit.is_empty();
        let rate = entry.pace.mark(now, done);
        let left = total.map(|total| total.saturating_sub(done) as f64);
        entry.job.progress = JobProgress {
            done,
            total,
            unit: unit.to_owned(),
            rate_per_s: rate,
            seconds_left: left.filter(|_| rate > 0.0).map(|left| left / rate),
            text,
        };
        if first || now.saturating_sub(entry.told) >= EVENT_STEP {
            entry.told = now;
            shared.tell(&entry.job);
        }
    }

    /// Set when it is to stop soon.
    #[must_use]
    pub fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancel)
    }

    /// Waits until it is to stop.
    pub async fn cancelled(&self) {
        raised(&mut self.cancelled.clone()).await;
    }

    /// Runs work that may be dropped at any moment, until it ends or is to stop.
    ///
    /// # Errors
    /// [`hirag::Error::Cancelled`], or what the work says.
    pub async fn until_cancelled<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            outcome = work => outcome,
            () = self.cancelled() => Err(hirag::Error::Cancelled.into()),
        }
    }
}

impl Entries {
    fn find(&mut self, id: &str) -> Option<&mut Entry> {
        self.list.iter_mut().find(|entry| entry.job.id == id)
    }
}

impl Shared {
    fn tell(&self, job: &Job) {
        let _ = self.events.send(StudioEvent::Job(Box::new(job.clone())));
    }
}

impl Jobs {
    pub(super) fn new(clock: SharedClock, events: broadcast::Sender<StudioEvent>) -> Self {
        Self {
            shared: Arc::new(Shared {
                clock,
                events,
                entries: Mutex::default(),
                running: watch::Sender::new(0),
            }),
        }
    }

    /// Begins a job and returns its id. `work` tells its progress by the handle; that it was
    /// cancelled it tells by [`hirag::Error::Cancelled`], or with a result if the flag was set.
    ///
    /// # Errors
    /// [`Error::Busy`] while a job of this kind runs.
    pub(crate) fn start<T, W, F>(&self, kind: JobKind, work: W) -> Result<String>
    where
        T: Serialize + Send + 'static,
        W: FnOnce(JobHandle) -> F,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let handle = self.enter(kind)?;
        let id = handle.id.clone();
        let (jobs, cancel) = (self.clone(), handle.cancel_flag());
        let ended = work(handle);
        let ending = id.clone();
        tokio::spawn(async move {
            // On a task of its own, so that a panic there is an end as well.
            let outcome = tokio::spawn(ended).await;
            let outcome = outcome.unwrap_or_else(|e| Err(e.into()));
            jobs.end(&ending, outcome, cancel.load(Ordering::Relaxed));
        });
        Ok(id)
    }

    fn enter(&self, kind: JobKind) -> Result<JobHandle> {
        let shared = &self.shared;
        let mut entries = shared.entries.lock();
        let running = |entry: &Entry| entry.job.state == JobState::Running;
        let same = |entry: &&Entry| running(entry) && entry.job.kind == kind;
        if let Some(other) = entries.list.iter().find(same) {
            return Err(Error::Busy(format!(
                "{} is under way ({})",
                kind.as_str(),
                other.job.id
            )));
        }
        entries.last += 1;
        let id = format!("{}-{}", kind.as_str(), entries.last);
        let cancelled = watch::Sender::new(false);
        let entry = Entry {
            job: Job {
                id: id.clone(),
                kind,
                state: JobState::Running,
                progress: JobProgress::default(),
                result: None,
                problem: None,
                started: shared.clock.now(),
                ended: None,
            },
            pace: Pace::default(),
            told: shared.clock.elapsed(),
            cancel: Arc::default(),
            cancelled,
        };
        let handle = JobHandle {
            jobs: self.clone(),
            id,
            cancel: Arc::clone(&entry.cancel),
            cancelled: entry.cancelled.subscribe(),
        };
        shared.running.send_modify(|running| *running += 1);
        shared.tell(&entry.job);
        entries.list.insert(0, entry);
        while entries.list.len() > KEPT {
            match entries.list.iter().rposition(|entry| !running(entry)) {
                Some(place) => drop(entries.list.remove(place)),
                None => break,
            }
        }
        Ok(handle)
    }

    fn end<T: Serialize>(&self, id: &str, outcome: Result<T>, cancelled: bool) {
        let shared = &self.shared;
        let outcome = outcome.and_then(|result| {
            serde_json::to_value(result).map_err(|e| Error::Internal(e.to_string()))
        });
        let mut entries = shared.entries.lock();
        if let Some(entry) = entries.find(id) {
            let job = &mut entry.job;
            job.ended = Some(shared.clock.now());
            job.progress.seconds_left = None;
            match outcome {
                Ok(result) => {
                    job.result = Some(result);
                    job.state = match cancelled {
                        true => JobState::Cancelled,
                        false => JobState::Done,
                    };
                }
                Err(Error::Core(hirag::Error::Cancelled)) => job.state = JobState::Cancelled,
                Err(error) => {
                    tracing::warn!(job = id, %error, "a job failed");
                    job.state = JobState::Failed;
                    job.problem = Some(Failure::from(&error));
                }
            }
            shared.tell(job);
        }
        drop(entries);
        shared.running.send_modify(|running| *running -= 1);
    }

    /// Whether none runs.
    pub(crate) fn are_idle(&self) -> bool {
        *self.shared.running.borrow() == 0
    }

    /// All jobs, newest first.
    pub(crate) fn list(&self) -> Vec<Job> {
        let entries = self.shared.entries.lock();
        entries.list.iter().map(|entry| entry.job.clone()).collect()
    }

    /// A job.
    ///
    /// # Errors
    /// [`Error::UnknownJob`].
    pub(crate) fn get(&self, id: &str) -> Result<Job> {
        let mut entries = self.shared.entries.lock();
        let entry = entries.find(id).map(|entry| entry.job.clone());
        entry.ok_or_else(|| Error::UnknownJob(id.to_owned()))
    }

    /// Asks a job to stop; one that has ended stays as it is.
    ///
    /// # Errors
    /// [`Error::UnknownJob`].
    pub(crate) fn cancel(&self, id: &str) -> Result<()> {
        let mut entries = self.shared.entries.lock();
        let entry = entries.find(id);
        let entry = entry.ok_or_else(|| Error::UnknownJob(id.to_owned()))?;
        if entry.job.state == JobState::Running {
            entry.stop();
        }
        Ok(())
    }

    /// Asks all jobs to stop, and waits until they have.
    pub(super) async fn end_all(&self) {
        for entry in &self.shared.entries.lock().list {
            entry.stop();
        }
        let mut running = self.shared.running.subscribe();
        // The sender lives as long as this.
        let _ = running.wait_for(|running| *running == 0).await;
    }
}

impl Entry {
    fn stop(&self) {
        if self.job.state == JobState::Running {
            self.cancel.store(true, Ordering::Relaxed);
            self.cancelled.send_replace(true);
        }
    }
}
