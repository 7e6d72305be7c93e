//! Which model embeds: the configured one, loaded at first use, if the stored vectors are its.

mod standing;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use secrecy::SecretString;
use tokio::sync::{Mutex, OnceCell};
use tracing::{Instrument, trace_span};

pub(super) use self::standing::Standing;
use crate::clock::SharedClock;
use crate::config::{Config, EmbeddingSettings, ProviderKind};
use crate::embedding::{
    CacheSettings, Drilled, Drills, Embedder, EmbedderSettings, EmbeddingCache, EmbeddingError,
    EmbeddingProvider, HttpProvider, HttpSettings, LocalModel, ModelDescription,
};
use crate::endpoint::same_token;
use crate::resilience::{CircuitBreaker, RateLimiter};
use crate::store::VectorSpec;
use crate::tasks::broken_off;

/// The dimension of vectors of a model that has not answered yet. A set without vectors takes
/// the model's own as soon as it is known.
pub(super) const UNKNOWN_DIMENSION: usize = 1;

#[derive(Debug)]
pub(super) struct Models {
    given: Option<Arc<dyn EmbeddingProvider>>,
    cache: Option<EmbeddingCache>,
    breaker: CircuitBreaker,
    limiter: Arc<RateLimiter>,
    drills: Drills,
    clock: SharedClock,
    /// Replaced as a whole by other settings or another token; who embeds goes on with what it has.
    current: RwLock<Arc<Configured>>,
}

/// What the settings and the token ask for, and what was loaded of it.
#[derive(Debug)]
struct Configured {
    settings: EmbeddingSettings,
    token: Option<SecretString>,
    embedder: OnceCell<Arc<Embedder>>,
    /// Whether the last attempt to load it failed.
    failed: AtomicBool,
    /// What the local model's folder says of it.
    description: OnceCell<ModelDescription>,
    /// The built-in model, where it has to serve vectors that another model will replace.
    built_in: Mutex<Option<Arc<Embedder>>>,
}

impl Configured {
    fn new(settings: EmbeddingSettings, token: Option<SecretString>) -> Arc<Self> {
        Arc::new(Self {
            settings,
            token,
            embedder: OnceCell::new(),
            failed: AtomicBool::new(false),
            description: OnceCell::new(),
            built_in: Mutex::new(None),
        })
    }
}

impl Models {
    pub(super) fn new(
        config: &Config,
        data_dir: &Path,
        token: Option<SecretString>,
        given: Option<Arc<dyn EmbeddingProvider>>,
        breaker: CircuitBreaker,
        limiter: Arc<RateLimiter>,
        clock: SharedClock,
    ) -> Self {
        let settings = config.embedding.clone();
        let cache = CacheSettings::new(&settings, data_dir)
            .map(|layers| EmbeddingCache::open(&layers, clock.clone()));
        Self {
            given,
            cache,
            breaker,
            limiter,
            drills: Drills::new(clock.clone()),
            clock,
            current: RwLock::new(Configured::new(settings, token)),
        }
    }

    fn current(&self) -> Arc<Configured> {
        Arc::clone(&self.current.read())
    }

    /// Embeds by other settings from now on; nothing is loaded again where they are the same.
    pub(super) fn set_settings(&self, settings: &EmbeddingSettings) {
        let mut current = self.current.write();
        if current.settings != *settings {
            *current = Configured::new(settings.clone(), current.token.clone());
        }
    }

    /// Goes to the endpoint with another token from now on.
    pub(super) fn set_token(&self, token: Option<SecretString>) {
        let mut current = self.current.write();
        if !same_token(current.token.as_ref(), token.as_ref()) {
            *current = Configured::new(current.settings.clone(), token);
        }
    }

    /// Injected faults.
    pub(super) fn drills(&self) -> &Drills {
        &self.drills
    }

    /// Model and dimension of the settings, as far as they are known without asking anyone.
    pub(super) fn configured_spec(&self) -> VectorSpec {
        let current = self.current();
        if let Some(embedder) = current.embedder.get() {
            return spec_of(embedder);
        }
        if let Some(given) = &self.given {
            return VectorSpec {
                model: given.model_id().to_owned(),
                dimension: given.dimension().max(UNKNOWN_DIMENSION),
            };
        }
        let settings = &current.settings;
        VectorSpec {
            model: match settings.provider {
                ProviderKind::Http => format!("http:{}", settings.model),
                ProviderKind::Local => "local".to_owned(),
            },
            dimension: settings.dimension.max(UNKNOWN_DIMENSION),
        }
    }

    /// Whether the configured model makes no difference between A and a; `None` while it is not loaded.
    pub(super) fn ignores_case(&self) -> Option<bool> {
        self.current()
            .embedder
            .get()
            .map(|embedder| embedder.ignores_case())
    }

    /// The configured model, loaded when it is first needed; `hint` is the dimension of the
    /// stored vectors.
    pub(super) async fn configured(
        &self,
        hint: Option<usize>,
    ) -> Result<Arc<Embedder>, EmbeddingError> {
        self.load(&self.current(), hint).await
    }

    async fn load(
        &self,
        current: &Configured,
        hint: Option<usize>,
    ) -> Result<Arc<Embedder>, EmbeddingError> {
        let settings = &current.settings;
        let loaded = current
            .embedder
            .get_or_try_init(|| {
                let loading = async {
                    let provider: Arc<dyn EmbeddingProvider> = match &self.given {
                        Some(given) => Arc::clone(given),
                        None if settings.provider == ProviderKind::Http => {
                            Arc::new(self.connect(current, hint).await?)
                        }
                        None => {
                            load_local(settings.model_dir().map(Path::to_owned), settings.threads)
                                .await?
                        }
                    };
                    Ok(Arc::new(self.embedder(settings, provider)))
                };
                loading.instrument(trace_span!("load the model"))
            })
            .await
            .map(Arc::clone);
        current.failed.store(loaded.is_err(), Ordering::Relaxed);
        loaded
    }

    /// The model that the stored vectors belong to, if it can be had: the configured one, or the
    /// built-in one while its vectors still serve.
    pub(super) async fn serving(
        &self,
        stored: &VectorSpec,
    ) -> Result<Arc<Embedder>, EmbeddingError> {
        let current = self.current();
        let configured = self.load(&current, Some(stored.dimension)).await?;
        if configured.model_id() == stored.model {
            return Ok(configured);
        }
        let settings = &current.settings;
        let mut built_in = current.built_in.lock().await;
        if built_in.is_none() && settings.provider == ProviderKind::Http {
            let local = load_local(None, settings.threads).await.ok();
            *built_in = local.map(|provider| Arc::new(self.embedder(settings, provider)));
        }
        match &*built_in {
            Some(local) if local.model_id() == stored.model => Ok(Arc::clone(local)),
            _ => Err(EmbeddingError::OtherModel {
                stored: stored.model.clone(),
                configured: configured.model_id().to_owned(),
            }),
        }
    }

    /// The cache, if there is one.
    pub(super) fn cache(&self) -> Option<&EmbeddingCache> {
        self.cache.as_ref()
    }

    /// Writes what the cache still holds back. Blocks.
    pub(super) fn flush(&self) {
        if let Some(cache) = &self.cache
            && let Err(error) = cache.flush()
        {
            tracing::warn!(%error, "the embedding cache lost its last entries");
        }
    }

    fn embedder(
        &self,
        settings: &EmbeddingSettings,
        provider: Arc<dyn EmbeddingProvider>,
    ) -> Embedder {
        // A given provider is asked directly, whatever the settings say of endpoints.
        let settings = match self.given {
            Some(_) => EmbedderSettings::local(),
            None => EmbedderSettings::from(settings),
        };
        Embedder::new(
            Arc::new(Drilled::new(provider, self.drills.clone())),
            self.cache.clone(),
            self.breaker.clone(),
            Arc::clone(&self.limiter),
            settings,
        )
    }

    async fn connect(
        &self,
        current: &Configured,
        hint: Option<usize>,
    ) -> Result<HttpProvider, EmbeddingError> {
        HttpProvider::connect(
            HttpSettings::new(&current.settings, current.token.clone()),
            hint.filter(|dimension| *dimension > UNKNOWN_DIMENSION),
            self.clock.clone(),
        )
        .await
    }
}

/// Model and dimension of an embedder.
pub(super) fn spec_of(embedder: &Embedder) -> VectorSpec {
    VectorSpec {
        model: embedder.model_id().to_owned(),
        dimension: embedder.dimension().max(UNKNOWN_DIMENSION),
    }
}

async fn load_local(
    folder: Option<PathBuf>,
    threads: usize,
) -> Result<Arc<dyn EmbeddingProvider>, EmbeddingError> {
    tokio::task::spawn_blocking(move || {
        let folder = LocalModel::find(folder.as_deref())?;
        let model = LocalModel::load(&folder, threads)?;
        Ok(Arc::new(model) as Arc<dyn EmbeddingProvider>)
    })
    .await
    .map_err(|e| EmbeddingError::Model(broken_off(&e)))?
}
