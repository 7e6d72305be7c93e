//! Opening, closing, opening again.

use std::sync::Arc;
use std::time::Duration;

use hirag::config::Config;
use hirag::manager::{DATABASE_FILE, OpenOptions, StoreAccess};
use hirag::metrics::MemoryStrain;
use hirag::resilience::{BreakerEvent, CircuitBreaker};
use hirag::sources::{Source, SourceRun};
use hirag::{HiragManager, error};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::{ActivityKind, Claims, Configured, Studio, StudioEvent, raised};
use crate::commands::studio::note_run;
use crate::commands::{Error, Failure, Host, Result};
use crate::secrets::KeyringState;
use crate::settings_file::{SettingChange, restart_needed};

/// How many processes are asked for the store at most. Those that had joined one that gives it up
/// may be quicker to open it, once each.
const CLAIMS: u32 = 8;
/// How often a database is looked for that another process is making.
const LOOK: Duration = Duration::from_millis(20);

/// How far the start has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum StartupPhase {
    /// The database is being opened; other commands wait for it.
    Opening,
    /// Everything works.
    Ready,
    /// The database cannot be opened.
    Failed,
}

/// How far the start has come, and what went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct StartupState {
    /// How far it has come.
    pub state: StartupPhase,
    /// Why the database cannot be opened.
    pub problem: Option<Failure>,
    /// What is wrong with the settings file; the defaults, or the settings from before, are in
    /// force then.
    pub settings_problem: Option<Failure>,
    /// The database's file.
    pub database_file: String,
    /// Where the settings file is, or would be.
    pub config_file: String,
    /// The folder of the database and the cache.
    pub data_dir: String,
    /// This program's version.
    pub version: String,
    /// Whether a keyring answers.
    pub keyring: KeyringState,
}

/// The memory, as far as it is there.
#[derive(Debug, Clone)]
pub(super) enum Phase {
    Opening,
    Ready(Host),
    Failed(Failure),
    Closed,
}

impl Studio {
    /// How far the start has come.
    #[must_use]
    pub fn startup(&self) -> StartupState {
        let (state, problem) = match &*self.inner.phase.borrow() {
            Phase::Opening => (StartupPhase::Opening, None),
            Phase::Ready(_) => (StartupPhase::Ready, None),
            Phase::Failed(failure) => (StartupPhase::Failed, Some(failure.clone())),
            Phase::Closed => {
                let closed = Error::NotOpen("it was closed".to_owned());
                (StartupPhase::Failed, Some(Failure::from(&closed)))
            }
        };
        let data_dir = &self.inner.data_dir;
        StartupState {
            state,
            problem,
            settings_problem: self.inner.configured.read().problem.clone(),
            database_file: data_dir.join(DATABASE_FILE).display().to_string(),
            config_file: self.inner.settings.path().display().to_string(),
            data_dir: data_dir.display().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            keyring: self.keyring_state(),
        }
    }

    pub(super) async fn open(&self) {
        {
            let _turn = self.inner.turn.lock().await;
            self.open_in_turn().await;
        }
        self.tell_startup();
    }

    async fn open_in_turn(&self) {
        if *self.inner.closing.borrow() {
            return;
        }
        let config = self.config();
        // Asked while the database is being opened.
        let tokens = self.ask_for_tokens(&config);
        let phase = match self.open_first(&config).await {
            Ok(manager) => {
                tokens.give_to(&manager).await;
                self.ready(manager, config)
            }
            Err(error) => {
                tracing::error!(%error, "the memory cannot be opened");
                Phase::Failed(Failure::from(&error.into()))
            }
        };
        self.inner.phase.send_replace(phase);
    }

    /// Opens the store, and asks for it first where another process has it for an agent. If a third
    /// one was quicker, that is asked, too. One that another process is only just making is waited
    /// for, as a writer waits for the other.
    async fn open_first(&self, config: &Config) -> error::Result<HiragManager> {
        let until = Instant::now() + Duration::from_secs(config.store.lock_wait_secs);
        let (mut tries, mut last) = (CLAIMS, false);
        loop {
            let given = tries > 0 && self.claim_store().await;
            // A command line that writes must not keep the window from showing what there is.
            match self.try_open(config, StoreAccess::WriteIfFree).await {
                Ok(manager) if !given || manager.is_writable() => return Ok(manager),
                Ok(manager) => {
                    manager.shut_down().await?;
                    tries -= 1;
                }
                Err(error) if last || !may_be_made(&error) => return Err(error),
                Err(_) => {
                    sleep(LOOK).await;
                    // Whoever made it may just have ended: one more look tells.
                    last = Instant::now() >= until || self.is_free().await;
                }
            }
        }
    }

    async fn try_open(&self, config: &Config, access: StoreAccess) -> error::Result<HiragManager> {
        let mut options = OpenOptions::new(config.clone(), &self.inner.data_dir);
        options.access = access;
        options.clock = self.inner.clock.clone();
        options.provider = self.inner.provider.clone();
        options.token = self.token_at_hand(config);
        HiragManager::open(options).await
    }

    /// Lets an open memory be used.
    fn ready(&self, manager: HiragManager, config: Arc<Config>) -> Phase {
        self.inner.configured.write().opened_with = config;
        self.run_beside(&manager);
        let config_file = self.inner.settings.path().to_owned();
        Phase::Ready(Host::new(manager, config_file))
    }

    /// Writes where this process has only read beside another one, once that has ended or gives the
    /// store up. What is open serves meanwhile, and who uses it then comes to the end.
    pub(super) async fn write_when_free(&self) {
        let reads = self
            .host_now()
            .is_some_and(|host| !host.manager().is_writable());
        if !reads || self.inner.claims == Claims::Never {
            return;
        }
        let turn = self.inner.turn.lock().await;
        if *self.inner.closing.borrow() || !(self.claim_store().await || self.is_free().await) {
            return;
        }
        let config = self.config();
        // Where the disk allows no writing, or a third process was quicker, all stays as it is.
        let Ok(manager) = self.try_open(&config, StoreAccess::Write).await else {
            return;
        };
        self.ask_for_tokens(&config).give_to(&manager).await;
        self.stop_beside().await;
        let phase = self.ready(manager, config);
        let before = self.inner.phase.send_replace(phase);
        drop(turn);
        if let Phase::Ready(host) = before {
            host.manager().settle().await;
        }
        self.tell_startup();
    }

    /// Queue and clean-up, and the breakers' events, until [`Self::stop_beside`].
    fn run_beside(&self, manager: &HiragManager) {
        let (stop, mut stopped) = watch::channel(false);
        // Before the first look at the memory, which may find it short.
        let mut strains = manager.memory_strains();
        let working = manager.clone();
        let work = tokio::spawn(async move {
            working.run_background(raised(&mut stopped)).await;
        });
        let (embedding, chat) = (manager.circuit_breaker(), manager.chat_breaker());
        let tell = [
            self.tell_of(embedding, StudioEvent::Breaker, &stop),
            self.tell_of(chat, StudioEvent::ChatBreaker, &stop),
        ];
        let (studio, mut closed) = (self.clone(), stop.subscribe());
        let watched = manager.clone();
        let keep = tokio::spawn(async move {
            let tell = |source: &Source, run: &SourceRun| note_run(&studio, &source.name, run);
            watched.watch_sources(raised(&mut closed), tell).await;
        });
        let (studio, mut over) = (self.clone(), stop.subscribe());
        let warn = tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = raised(&mut over) => return,
                    strain = strains.recv() => match strain {
                        Ok(strain) => studio.note_strain(strain),
                        Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return,
                    }
                }
            }
        });
        let mut background = self.inner.background.lock();
        background.push((stop.clone(), work));
        background.push((stop.clone(), warn));
        background.push((stop.clone(), keep));
        background.extend(tell.map(|tell| (stop.clone(), tell)));
    }

    /// Tells each change of a breaker.
    fn tell_of(
        &self,
        breaker: &CircuitBreaker,
        event: fn(BreakerEvent) -> StudioEvent,
        stop: &watch::Sender<bool>,
    ) -> JoinHandle<()> {
        let mut changes = breaker.subscribe();
        let (events, mut ended) = (self.inner.events.clone(), stop.subscribe());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = raised(&mut ended) => return,
                    change = changes.recv() => match change {
                        Ok(change) => drop(events.send(event(change))),
                        Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return,
                    }
                }
            }
        })
    }

    fn note_strain(&self, strain: MemoryStrain) {
        let mb = |bytes: u64| bytes >> 20;
        let summary = format!(
            "Memory is short: {} MB of the {} MB that `metrics.memory_limit_mb` allows; {} entries were \
             dropped from the caches",
            mb(strain.resident_bytes),
            mb(strain.limit_bytes),
            strain.dropped
        );
        self.activity().note(ActivityKind::Memory, summary, &[]);
    }

    async fn stop_beside(&self) {
        let background = std::mem::take(&mut *self.inner.background.lock());
        for (stop, task) in background {
            stop.send_replace(true);
            // A task that panicked has ended as well.
            let _ = task.await;
        }
    }

    /// Ends jobs and everything else that uses the memory, and closes it.
    pub(super) async fn close(&self, next: Phase) -> Result<()> {
        let _turn = self.inner.turn.lock().await;
        self.close_in_turn(next).await
    }

    async fn close_in_turn(&self, next: Phase) -> Result<()> {
        self.inner.jobs.end_all().await;
        self.stop_beside().await;
        let before = self.inner.phase.send_replace(next);
        // Whoever waits for an answer is told that none comes; what is asked from here on waits.
        self.inner.asks.stop_all();
        if let Phase::Ready(host) = before {
            host.manager().shut_down().await?;
        }
        self.inner.searches.lock().clear();
        Ok(())
    }

    /// Closes the memory, lets `work` do something to its files, and opens it again, whatever came
    /// of it.
    ///
    /// # Errors
    /// What `work` says, or the closing.
    pub(crate) async fn while_closed<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let turn = self.inner.turn.lock().await;
        // Whoever asks meanwhile waits for the new one.
        let closed = self.close_in_turn(Phase::Opening).await;
        self.tell_startup();
        let outcome = match closed {
            Ok(()) => work.await,
            Err(error) => Err(error),
        };
        self.open_in_turn().await;
        drop(turn);
        self.tell_startup();
        outcome
    }

    pub(super) fn tell_startup(&self) {
        let _ = self.inner.events.send(StudioEvent::Startup(self.startup()));
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.inner.configured.read().now)
    }

    /// Changes the settings file, and lets into force what can be without a new start. One change
    /// at a time: two that read the same file would lose one of them.
    ///
    /// # Errors
    /// As [`SettingsFile::change`](crate::settings_file::SettingsFile::change).
    pub(crate) async fn change_settings(&self, changes: Vec<SettingChange>) -> Result<()> {
        let turn = self.inner.turn.lock().await;
        let file = self.inner.settings.clone();
        let changed = tokio::task::spawn_blocking(move || file.change(&changes)).await;
        let config = changed??;
        self.inner.watch.lock().known_now();
        self.use_config(config).await?;
        drop(turn);
        self.bring_tokens().await;
        Ok(())
    }

    /// Lets other settings come into force, as far as they can without a new start; in turn.
    async fn use_config(&self, config: Config) -> Result<()> {
        let before = self.config();
        if let Some(host) = self.host_now() {
            let manager = host.manager();
            if before.embedding.provider != config.embedding.provider {
                manager.set_embedding_token(self.token_at_hand(&config));
            }
            manager.update_config(config.clone())?;
            let rhythm = |config: &Config| {
                let sources = config.sources.clone();
                (
                    config.levels.gc_interval,
                    config.metrics.watch_interval,
                    sources,
                )
            };
            if rhythm(&before) != rhythm(&config) {
                self.stop_beside().await;
                self.run_beside(manager);
            }
        }
        let mut configured = self.inner.configured.write();
        configured.now = Arc::new(config);
        configured.problem = None;
        drop(configured);
        self.door().look_again();
        Ok(())
    }

    /// The settings that wait for a new start.
    pub(crate) fn restart_needed(&self) -> Vec<String> {
        let Configured {
            now, opened_with, ..
        } = &*self.inner.configured.read();
        restart_needed(opened_with, now)
    }

    /// What is wrong with the settings file.
    pub(crate) fn settings_problem(&self) -> Option<Failure> {
        self.inner.configured.read().problem.clone()
    }

    /// Reads the settings again if somebody else changed them; a fault leaves those in force.
    pub(super) async fn look_at_settings(&self) {
        if !self.inner.watch.lock().changed() {
            return;
        }
        let turn = self.inner.turn.lock().await;
        let outcome = match self.inner.settings.load() {
            Ok(config) => self.use_config(config).await,
            Err(error) => Err(error.into()),
        };
        drop(turn);
        self.bring_tokens().await;
        if let Err(error) = outcome {
            tracing::warn!(%error, "the settings file was changed and is not allowed");
            self.inner.configured.write().problem = Some(Failure::from(&error));
        }
        let _ = self
            .inner
            .events
            .send(StudioEvent::Settings(Box::new(self.settings_now())));
        // It says, too, whether the file can be read.
        self.tell_startup();
    }
}

/// Whether a reader may have come before the writer had made the database.
fn may_be_made(error: &hirag::Error) -> bool {
    use hirag::store::StoreError::{CannotOpen, Locked};
    matches!(
        error,
        hirag::Error::Store(CannotOpen { .. } | Locked { .. })
    )
}
