//! What a window works with: it exists before the database is open, and outlives a restore.
//!
//! A [`Studio`] opens the memory in the background, runs what goes on beside its callers (the
//! embedding queue, the clean-up, a look at the settings file, samples for the charts), keeps
//! bounded lists of jobs, activity and searches, and tells what happens as [`StudioEvent`]s.

mod activity;
mod asks;
mod checkup;
mod events;
mod giving;
mod history;
mod jobs;
mod keyring;
mod pace;
mod searches;
mod startup;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use etcetera::BaseStrategy;
use etcetera::base_strategy::choose_native_strategy;
use hirag::clock::{SharedClock, SystemClock};
use hirag::config::Config;
use hirag::embedding::EmbeddingProvider;
use hirag::metrics::RequestTally;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

pub use activity::{Activity, ActivityKind};
pub use events::StudioEvent;
pub use giving::Claims;
pub use history::{CacheCourse, History, OperationCourse};
pub use jobs::{Job, JobHandle, JobKind, JobProgress, JobState};
pub use startup::{StartupPhase, StartupState};

pub(crate) use giving::Claim;
pub(crate) use keyring::{Endpoint, ask};

use self::activity::ActivityLog;
use self::asks::Asks;
use self::checkup::Checkup;
use self::history::Recorder;
use self::jobs::Jobs;
use self::keyring::Keyring;
use self::searches::Searches;
use self::startup::Phase;
use crate::commands::{Error, Failure, Host, Result};
use crate::http::Door;
use crate::secrets::{Secrets, Vault, system_vault};
use crate::settings_file::{SettingsFile, Watch};

/// Time between two points of the charts.
pub const SAMPLE_INTERVAL: Duration = Duration::from_secs(5);
/// Time between two looks at the settings file.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Events that a slow receiver may fall behind before it misses some.
const EVENT_BACKLOG: usize = 1_024;

/// How to start a [`Studio`].
pub struct StudioOptions {
    /// The settings file, which need not be there.
    pub config_file: PathBuf,
    /// The folder of the database and the cache.
    pub data_dir: PathBuf,
    /// The environment's variables: they override the settings file, and give tokens.
    pub environment: Vec<(String, String)>,
    /// The time.
    pub clock: SharedClock,
    /// Where tokens are kept.
    pub vault: Arc<dyn Vault>,
    /// A provider to use instead of the configured one.
    pub provider: Option<Arc<dyn EmbeddingProvider>>,
    /// Whether a store is asked for that another process has open for an agent.
    pub claims: Claims,
}

impl fmt::Debug for StudioOptions {
    /// Without the environment, which has tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StudioOptions")
            .field("config_file", &self.config_file)
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}

impl StudioOptions {
    /// The memory in these places, with the process's environment and the system's clock and
    /// keyring.
    #[must_use]
    pub fn at(config_file: PathBuf, data_dir: PathBuf) -> Self {
        Self {
            config_file,
            data_dir,
            environment: hirag::config::environment().collect(),
            clock: SystemClock::shared(),
            vault: system_vault(),
            provider: None,
            claims: Claims::Never,
        }
    }
}

/// The settings file and the data folder: as given, otherwise in the system's places.
///
/// # Errors
/// [`Error::NoHome`] where the system names none.
pub fn places(config: Option<PathBuf>, data: Option<PathBuf>) -> Result<(PathBuf, PathBuf)> {
    const FOLDER: &str = "hirag";
    if let (Some(config), Some(data)) = (&config, &data) {
        return Ok((config.clone(), data.clone()));
    }
    let system = choose_native_strategy().map_err(|e| Error::NoHome(e.to_string()))?;
    Ok((
        config.unwrap_or_else(|| system.config_dir().join(FOLDER).join("config.toml")),
        data.unwrap_or_else(|| system.data_dir().join(FOLDER)),
    ))
}

/// The host of a window. A cheap handle: clones share everything.
#[derive(Debug, Clone)]
pub struct Studio {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    data_dir: PathBuf,
    clock: SharedClock,
    provider: Option<Arc<dyn EmbeddingProvider>>,
    settings: SettingsFile,
    configured: RwLock<Configured>,
    watch: Mutex<Watch>,
    secrets: Secrets,
    keyring: Keyring,
    checkup: Checkup,
    phase: watch::Sender<Phase>,
    /// One opening, closing, restoring or change of settings at a time.
    turn: tokio::sync::Mutex<()>,
    closing: watch::Sender<bool>,
    /// What runs beside an open memory, and how to end it.
    background: Mutex<Vec<(watch::Sender<bool>, JoinHandle<()>)>>,
    events: broadcast::Sender<StudioEvent>,
    activity: ActivityLog,
    asks: Asks,
    jobs: Jobs,
    searches: Mutex<Searches>,
    recorder: Mutex<Recorder>,
    requests: RequestTally,
    door: Door,
    claims: Claims,
    /// The process that keeps the store, and is not asked again.
    kept_by: Mutex<Option<u32>>,
    /// Where others that want to write are heard; `None` keeps the store.
    giving: Mutex<Option<mpsc::Sender<Claim>>>,
}

/// The settings as they are in force, and as they were when the memory was opened.
#[derive(Debug, Clone)]
struct Configured {
    now: Arc<Config>,
    opened_with: Arc<Config>,
    /// What is wrong with the settings file; the settings are those from before then.
    problem: Option<Failure>,
}

impl Studio {
    /// Starts to open the memory, and returns at once. Call it where tokio runs.
    #[must_use]
    pub fn start(options: StudioOptions) -> Self {
        let StudioOptions {
            config_file,
            data_dir,
            environment,
            clock,
            vault,
            provider,
            claims,
        } = options;
        let secrets = Secrets::new(vault, environment.iter().cloned());
        // The settings' own: nothing else of the environment is kept.
        let environment = environment
            .into_iter()
            .filter(|(name, _)| name.starts_with("HIRAG_") && !name.ends_with("_TOKEN"))
            .collect();
        let watch = Watch::new(config_file.clone());
        let settings = SettingsFile::new(config_file, environment);
        let (config, problem) = match settings.load() {
            Ok(config) => (config, None),
            Err(error) => (settings.without_file(), Some(Failure::from(&error.into()))),
        };
        let config = Arc::new(config);
        let events = broadcast::Sender::new(EVENT_BACKLOG);
        let studio = Self {
            inner: Arc::new(Inner {
                data_dir,
                provider,
                settings,
                configured: RwLock::new(Configured {
                    now: Arc::clone(&config),
                    opened_with: config,
                    problem,
                }),
                watch: Mutex::new(watch),
                secrets,
                keyring: Keyring::default(),
                checkup: Checkup::default(),
                phase: watch::Sender::new(Phase::Opening),
                turn: tokio::sync::Mutex::default(),
                closing: watch::Sender::new(false),
                background: Mutex::default(),
                activity: ActivityLog::new(clock.clone(), events.clone()),
                asks: Asks::default(),
                jobs: Jobs::new(clock.clone(), events.clone()),
                searches: Mutex::default(),
                recorder: Mutex::new(Recorder::new()),
                requests: RequestTally::new(clock.clone()),
                door: Door::new(clock.clone()),
                claims,
                kept_by: Mutex::default(),
                giving: Mutex::default(),
                events,
                clock,
            }),
        };
        tokio::spawn({
            let studio = studio.clone();
            async move { studio.open().await }
        });
        tokio::spawn(studio.clone().look_after());
        studio
    }

    /// The open memory; waits while it is being opened.
    ///
    /// # Errors
    /// [`Error::NotOpen`] when it cannot be opened or was closed.
    pub async fn host(&self) -> Result<Host> {
        let mut phase = self.inner.phase.subscribe();
        let phase = phase.wait_for(|phase| !matches!(phase, Phase::Opening));
        match phase.await.as_deref() {
            Ok(Phase::Ready(host)) => Ok(host.clone()),
            Ok(Phase::Failed(failure)) => Err(Error::NotOpen(failure.message.clone())),
            _ => Err(Error::NotOpen("it was closed".to_owned())),
        }
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<StudioEvent> {
        self.inner.events.subscribe()
    }

    /// Tells something to those who listen.
    pub(crate) fn tell(&self, event: StudioEvent) {
        let _ = self.inner.events.send(event);
    }

    /// The tokens.
    #[must_use]
    pub fn secrets(&self) -> &Secrets {
        &self.inner.secrets
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.inner.clock
    }

    /// Ends what goes on, waits for it, writes what waits, and closes. Nothing that was answered
    /// is lost. A second call does nothing.
    ///
    /// # Errors
    /// As [`hirag::HiragManager::shut_down`].
    pub async fn shut_down(&self) -> Result<()> {
        self.inner.closing.send_replace(true);
        self.inner.asks.stop_all();
        // Who asked over HTTP still gets an answer.
        self.inner.door.close().await;
        self.close(Phase::Closed).await
    }

    /// Where the memory is served over HTTP.
    pub(crate) fn door(&self) -> &Door {
        &self.inner.door
    }

    pub(crate) fn settings_file(&self) -> &SettingsFile {
        &self.inner.settings
    }

    pub(crate) fn data_dir(&self) -> &std::path::Path {
        &self.inner.data_dir
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.inner.jobs
    }

    pub(crate) fn asks(&self) -> &Asks {
        &self.inner.asks
    }

    pub(crate) fn activity(&self) -> &ActivityLog {
        &self.inner.activity
    }

    pub(crate) fn searches(&self) -> &Mutex<Searches> {
        &self.inner.searches
    }

    /// What was asked over the last hour, whether or not a memory was open.
    pub(crate) fn requests(&self) -> &RequestTally {
        &self.inner.requests
    }

    pub(crate) fn recorder(&self) -> &Mutex<Recorder> {
        &self.inner.recorder
    }

    /// Looks at the settings file and for the right to write, and takes samples, until the end.
    async fn look_after(self) {
        let mut closing = self.inner.closing.subscribe();
        let mut look = interval(LOOK_INTERVAL);
        let mut sample = interval(SAMPLE_INTERVAL);
        for ticker in [&mut look, &mut sample] {
            ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            tokio::select! {
                () = raised(&mut closing) => return,
                _ = look.tick() => {
                    self.look_at_settings().await;
                    self.write_when_free().await;
                }
                _ = sample.tick() => self.sample(),
            }
        }
    }

    /// Takes a point for the charts; none while nothing is open.
    fn sample(&self) {
        let Some(host) = self.host_now() else { return };
        let now = self.inner.clock.now();
        self.inner.recorder.lock().sample(host.manager(), now);
    }

    /// Waits until this process writes the memory; `false` when it was closed before.
    pub(crate) async fn writes(&self) -> bool {
        let mut phase = self.inner.phase.subscribe();
        let ended = phase.wait_for(|phase| match phase {
            Phase::Ready(host) => host.manager().is_writable(),
            Phase::Closed => true,
            Phase::Opening | Phase::Failed(_) => false,
        });
        matches!(ended.await.as_deref(), Ok(Phase::Ready(_)))
    }

    /// The memory if it is open.
    pub(crate) fn host_now(&self) -> Option<Host> {
        match &*self.inner.phase.borrow() {
            Phase::Ready(host) => Some(host.clone()),
            _ => None,
        }
    }
}

/// Waits until a flag is raised, or nobody is left who could.
pub(crate) async fn raised(flag: &mut watch::Receiver<bool>) {
    let _ = flag.wait_for(|raised| *raised).await;
}
