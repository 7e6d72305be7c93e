//! Which model embeds: the configured one, loaded at first use, if the stored vectors are its.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::{Mutex, OnceCell};

use crate::clock::SharedClock;
use crate::config::{Config, EmbeddingSettings, ProviderKind};
use crate::embedding::{
    CacheSettings, Embedder, EmbedderSettings, EmbeddingCache, EmbeddingError, EmbeddingProvider,
    HttpProvider, HttpSettings, LocalModel,
};
use crate::resilience::{CircuitBreaker, RateLimiter};
use crate::store::VectorSpec;

/// The dimension of vectors of a model that has not answered yet. A set without vectors takes
/// the model's own as soon as it is known.
pub(super) const UNKNOWN_DIMENSION: usize = 1;

#[derive(Debug)]
pub(super) struct Models {
    settings: EmbeddingSettings,
    token: Option<SecretString>,
    given: Option<Arc<dyn EmbeddingProvider>>,
    cache: Option<EmbeddingCache>,
    breaker: CircuitBreaker,
    limiter: Arc<RateLimiter>,
    clock: SharedClock,
    configured: OnceCell<Arc<Embedder>>,
    /// The built-in model, where it has to serve vectors that another model will replace.
    built_in: Mutex<Option<Arc<Embedder>>>,
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
            settings,
            token,
            given,
            cache,
            breaker,
            limiter,
            clock,
            configured: OnceCell::new(),
            built_in: Mutex::new(None),
        }
    }

    /// Model and dimension of the settings, as far as they are known without asking anyone.
    pub(super) fn configured_spec(&self) -> VectorSpec {
        if let Some(embedder) = self.configured.get() {
            return spec_of(embedder);
        }
        if let Some(given) = &self.given {
            return VectorSpec {
                model: given.model_id().to_owned(),
                dimension: given.dimension().max(UNKNOWN_DIMENSION),
            };
        }
        VectorSpec {
            model: match self.settings.provider {
                ProviderKind::Http => format!("http:{}", self.settings.model),
                ProviderKind::Local => "local".to_owned(),
            },
            dimension: self.settings.dimension.max(UNKNOWN_DIMENSION),
        }
    }

    /// The configured model, loaded when it is first needed; `hint` is the dimension of the
    /// stored vectors.
    pub(super) async fn configured(
        &self,
        hint: Option<usize>,
    ) -> Result<Arc<Embedder>, EmbeddingError> {
        self.configured
            .get_or_try_init(|| async {
                let provider: Arc<dyn EmbeddingProvider> = match (&self.given, &self.settings) {
                    (Some(given), _) => Arc::clone(given),
                    (None, settings) if settings.provider == ProviderKind::Http => {
                        Arc::new(self.connect(hint).await?)
                    }
                    (None, settings) => {
                        load_local(settings.model_dir().map(Path::to_owned), settings.threads)
                            .await?
                    }
                };
                Ok(Arc::new(self.embedder(provider)))
            })
            .await
            .map(Arc::clone)
    }

    /// The model that the stored vectors belong to, if it can be had: the configured one, or the
    /// built-in one while its vectors still serve.
    pub(super) async fn serving(
        &self,
        stored: &VectorSpec,
    ) -> Result<Arc<Embedder>, EmbeddingError> {
        let configured = self.configured(Some(stored.dimension)).await?;
        if configured.model_id() == stored.model {
            return Ok(configured);
        }
        let mut built_in = self.built_in.lock().await;
        if built_in.is_none() && self.settings.provider == ProviderKind::Http {
            let local = load_local(None, self.settings.threads).await.ok();
            *built_in = local.map(|provider| Arc::new(self.embedder(provider)));
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

    fn embedder(&self, provider: Arc<dyn EmbeddingProvider>) -> Embedder {
        // A given provider is asked directly, whatever the settings say of endpoints.
        let settings = match self.given {
            Some(_) => EmbedderSettings::local(),
            None => EmbedderSettings::from(&self.settings),
        };
        Embedder::new(
            provider,
            self.cache.clone(),
            self.breaker.clone(),
            Arc::clone(&self.limiter),
            settings,
        )
    }

    async fn connect(&self, hint: Option<usize>) -> Result<HttpProvider, EmbeddingError> {
        HttpProvider::connect(
            HttpSettings::new(&self.settings, self.token.clone()),
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
    .map_err(|e| EmbeddingError::Model(e.to_string()))?
}
