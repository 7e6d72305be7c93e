//! The façade: one handle that stores, retrieves and keeps the memory in order.

mod afterwards;
mod asking;
mod background;
mod conversations;
mod deleting;
mod details;
mod embedding;
mod evaluating;
mod health;
mod importing;
mod models;
mod reading;
mod reembedding;
mod retrieving;
mod sources;
mod status;
#[cfg(test)]
mod testing;
mod upkeep;
mod writing;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use secrecy::SecretString;
use tokio::sync::{broadcast, watch};

pub use asking::AskStream;
pub use details::{ContextDetails, Near, SessionNeighbours, VectorFacts};
pub use embedding::EmbeddedTexts;
pub use evaluating::EvalOptions;
pub use health::{ComponentHealth, Health, HealthState};
pub use importing::ImportOptions;
pub use reading::ListRequest;
pub use reembedding::{EmbeddingProgress, Reembedded};
pub use retrieving::SearchRecall;
pub use sources::RunOptions;
pub use status::Stats;
pub use upkeep::Purge;
pub use writing::Stored;

use self::afterwards::Afterwards;
use self::asking::{Chats, WordedAnswers};
use self::models::Models;
use self::retrieving::Answers;
use self::sources::Keeping;
use crate::clock::{SharedClock, SystemClock};
use crate::config::Config;
use crate::context::{Condition, ContextError, ContextId, ContextLevel, Filter};
use crate::embedding::{Drills, EmbeddingProvider};
use crate::error::{Error, Result};
use crate::levels::WorkingSet;
use crate::metrics::{MemoryStrain, PerformanceProfiler, ResourceMonitor};
use crate::resilience::{CircuitBreaker, RateLimiter};
use crate::store::sqlite::{Access, SqliteStore, StoreOptions};
use crate::store::{ScrollRequest, VectorStore};
use crate::tasks::broken_off;
use crate::tokens::TokenEstimator;

pub use crate::store::sqlite::Access as StoreAccess;

/// The database's file in the data folder.
pub const DATABASE_FILE: &str = "hirag.db";

/// How to open a memory.
#[derive(Debug)]
pub struct OpenOptions {
    /// The settings.
    pub config: Config,
    /// The folder of the database and the cache; made when absent.
    pub data_dir: PathBuf,
    /// Who writes.
    pub access: Access,
    /// The time.
    pub clock: SharedClock,
    /// The token of the embedding endpoint.
    pub token: Option<SecretString>,
    /// A provider to use instead of the configured one.
    pub provider: Option<Arc<dyn EmbeddingProvider>>,
}

impl OpenOptions {
    /// Opens `data_dir` for writing, by the machine's clock.
    #[must_use]
    pub fn new(config: Config, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            config,
            data_dir: data_dir.into(),
            access: Access::Write,
            clock: SystemClock::shared(),
            token: None,
            provider: None,
        }
    }
}

/// A memory of three levels. A cheap handle: clones share everything.
#[derive(Debug, Clone)]
pub struct HiragManager {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: RwLock<Arc<Config>>,
    /// How often other settings were taken.
    settings_version: AtomicU64,
    data_dir: PathBuf,
    store: SqliteStore,
    collection: String,
    models: Models,
    working_set: WorkingSet,
    tokens: TokenEstimator,
    profiler: PerformanceProfiler,
    resources: ResourceMonitor,
    breaker: CircuitBreaker,
    limiter: Arc<RateLimiter>,
    clock: SharedClock,
    /// Whether the queue rests.
    paused: watch::Sender<bool>,
    afterwards: Afterwards,
    answers: Answers,
    keeping: Keeping,
    chats: Chats,
    worded_answers: WordedAnswers,
}

/// The name of the contexts' collection.
fn collection_of(config: &Config) -> String {
    format!("{}_contexts", config.store.collection_prefix)
}

impl HiragManager {
    /// Opens a memory: the database is made or brought to the newest schema, L1 is restored. The
    /// model is loaded by the first operation that embeds.
    ///
    /// # Errors
    /// [`Error`] of the settings or the store; nothing was changed then.
    pub async fn open(options: OpenOptions) -> Result<Self> {
        let OpenOptions {
            config,
            data_dir,
            access,
            clock,
            token,
            provider,
        } = options;
        config.validate()?;
        let store_options = StoreOptions {
            path: data_dir.join(DATABASE_FILE),
            access,
            lock_wait: Duration::from_secs(config.store.lock_wait_secs),
            clock: clock.clone(),
        };
        let store = off_the_async_threads(move || SqliteStore::open(store_options)).await??;
        let breaker = CircuitBreaker::new(config.circuit_breaker.clone(), clock.clone())?;
        let limiter = Arc::new(RateLimiter::new(config.rate_limit.clone(), clock.clone())?);
        let chats = Chats::new(&config.chat, clock.clone())?;
        let models = Models::new(
            &config,
            &data_dir,
            token,
            provider,
            breaker.clone(),
            Arc::clone(&limiter),
            clock.clone(),
        );
        let resources = ResourceMonitor::new(config.metrics.clone(), clock.clone())?;
        let inner = Inner {
            collection: collection_of(&config),
            tokens: TokenEstimator::new(config.hirag.token_estimator)?,
            profiler: PerformanceProfiler::new(&config.metrics, clock.clone())?
                .watching(store.slow_statements())
                .gauged(resources.gauge().clone()),
            resources,
            config: RwLock::new(Arc::new(config)),
            settings_version: AtomicU64::new(0),
            data_dir,
            store,
            models,
            working_set: WorkingSet::default(),
            breaker,
            limiter,
            clock,
            paused: watch::Sender::new(false),
            afterwards: Afterwards::default(),
            answers: Answers::default(),
            keeping: Keeping::default(),
            chats,
            worded_answers: WordedAnswers::default(),
        };
        let manager = Self {
            inner: Arc::new(inner),
        };
        manager.ensure_collection().await?;
        manager.restore_working_set().await?;
        Ok(manager)
    }

    /// The settings as they are now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.inner.config.read())
    }

    /// Takes new settings without a restart: breakers, limiters, providers, weights, budgets, levels
    /// and metrics apply at once; store, caches and token estimator with the next start, and the
    /// intervals of [`Self::run_background`] when that is called again.
    ///
    /// # Errors
    /// [`ConfigError`](crate::config::ConfigError) for the first value that is not allowed; the
    /// old settings stay then.
    pub fn update_config(&self, config: Config) -> Result<()> {
        config.validate()?;
        self.inner.breaker.update(config.circuit_breaker.clone())?;
        self.inner.limiter.update(config.rate_limit.clone())?;
        self.inner.profiler.update(&config.metrics)?;
        self.inner.resources.update(config.metrics.clone())?;
        self.inner.chats.set_settings(&config.chat)?;
        self.inner.models.set_settings(&config.embedding);
        *self.inner.config.write() = Arc::new(config);
        // After them: answers that they did not have a part in are not taken for theirs.
        let version = &self.inner.settings_version;
        version.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Goes to the embedding endpoint with another token from now on.
    pub fn set_embedding_token(&self, token: Option<SecretString>) {
        self.inner.models.set_token(token);
    }

    /// Faults that can be injected before the provider, to see what happens then.
    #[must_use]
    pub fn drills(&self) -> &Drills {
        self.inner.models.drills()
    }

    /// Lets the queue rest, or work again. What is stored meanwhile is embedded by its caller as
    /// ever. Forgotten when the program ends.
    pub fn pause_embedding(&self, paused: bool) {
        self.inner.paused.send_replace(paused);
    }

    /// Whether the queue rests.
    #[must_use]
    pub fn is_embedding_paused(&self) -> bool {
        *self.inner.paused.borrow()
    }

    /// What is told from now on when the process comes near the limit of its memory.
    #[must_use]
    pub fn memory_strains(&self) -> broadcast::Receiver<MemoryStrain> {
        self.inner.resources.subscribe()
    }

    /// How long operations take.
    #[must_use]
    pub fn profiler(&self) -> &PerformanceProfiler {
        &self.inner.profiler
    }

    /// What the time is told by.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.inner.clock
    }

    /// The folder of the database and the cache.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.inner.data_dir
    }

    /// Whether this handle may write; if not, another process does.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.inner.store.is_writable()
    }

    /// Why this handle only reads, if it does: another process writes, or nobody can.
    #[must_use]
    pub fn only_reads_because(&self) -> Option<Error> {
        (!self.is_writable()).then(|| self.inner.store.no_writer().into())
    }

    /// The breaker before the embedding provider.
    #[must_use]
    pub fn circuit_breaker(&self) -> &CircuitBreaker {
        &self.inner.breaker
    }

    /// The limiter before the embedding provider.
    #[must_use]
    pub fn rate_limiter(&self) -> &RateLimiter {
        &self.inner.limiter
    }

    /// Waits until accesses and traces of the retrievals so far are on the disk, or could not be
    /// written.
    pub async fn settle(&self) {
        self.inner.afterwards.end().await;
        self.inner.store.written().await;
    }

    /// Finishes what was begun, writes what waits, and closes.
    ///
    /// # Errors
    /// [`Error::Internal`] if the last commit could not be waited for.
    pub async fn shut_down(&self) -> Result<()> {
        let inner = Arc::clone(&self.inner);
        inner.afterwards.end().await;
        off_the_async_threads(move || {
            inner.store.shut_down();
            inner.models.flush();
        })
        .await
    }

    /// Makes the collection at the first start; without a model yet, it takes the model that
    /// comes.
    async fn ensure_collection(&self) -> Result<()> {
        let known = self.inner.store.collections().await?;
        if !self.is_writable() || known.iter().any(|c| c.name == self.inner.collection) {
            return Ok(());
        }
        let spec = self.inner.models.configured_spec();
        self.inner
            .store
            .create_collection(&self.inner.collection, &spec)
            .await?;
        Ok(())
    }

    /// Fills L1 in memory from its rows.
    async fn restore_working_set(&self) -> Result<()> {
        if !self.is_writable() {
            // Another process changes the rows without telling: a copy of them would grow old.
            return Ok(());
        }
        let request = ScrollRequest {
            filter: of_level(ContextLevel::Immediate)?,
            limit: self.config().hirag.l1_size.max(1),
            ..ScrollRequest::default()
        };
        let set = &self.inner.working_set;
        set.clear();
        let version = set.version();
        match self
            .inner
            .store
            .scroll(&self.inner.collection, request)
            .await
        {
            // Rows that changed meanwhile stay out; they are read from the store when needed.
            Ok(page) => set.put(version, page.contexts),
            // A reader that comes before the first writer has nothing to restore.
            Err(crate::store::StoreError::UnknownCollection(_)) => true,
            Err(e) => return Err(e.into()),
        };
        Ok(())
    }

    /// Takes contexts that were just stored in L1 into memory.
    async fn refresh_working_set(&self, ids: &[ContextId]) -> Result<()> {
        let version = self.inner.working_set.version();
        let fresh = self.inner.store.get(&self.inner.collection, ids).await?;
        self.inner.working_set.put(version, fresh);
        Ok(())
    }
}

/// The contexts of a level.
fn of_level(level: ContextLevel) -> Result<Filter, ContextError> {
    Ok(Filter {
        must: vec![Condition::equals("level", level.to_string().as_str())?],
        ..Filter::default()
    })
}

/// Refuses L3 where it is switched off.
fn check_level(config: &Config, level: ContextLevel) -> Result<(), ContextError> {
    match level {
        ContextLevel::LongTerm if !config.hirag.l3_enabled => {
            Err(ContextError::LevelDisabled { level })
        }
        _ => Ok(()),
    }
}

/// Runs work that blocks.
async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| crate::Error::Internal(broken_off(&e)))
}
