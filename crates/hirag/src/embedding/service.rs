//! What the rest of the core embeds with: normal form, cache, limiter and breaker before a
//! provider.

mod gate;
mod guard;
mod in_flight;
mod settings;

#[cfg(test)]
mod tests;

pub use settings::EmbedderSettings;

use std::collections::HashMap;
use std::sync::Arc;

use futures::{FutureExt, StreamExt, stream};
use tracing::{Instrument, trace_span};

use self::gate::Gate;
use self::guard::Guard;
use self::in_flight::InFlight;
use super::{
    Batcher, CacheKey, CacheLayer, EmbeddingCache, EmbeddingError, EmbeddingProvider,
    SINGLES_AT_ONCE, Vector, normalise,
};
use crate::context::Priority;
use crate::metrics::CacheStats;
use crate::resilience::{BreakerState, CircuitBreaker, RateLimiter};

/// Where a vector came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CacheOutcome {
    /// The cache in memory.
    Memory,
    /// The cache's file.
    Disk,
    /// The provider.
    Miss,
}

/// A text's vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// The vector.
    pub vector: Vector,
    /// Where it came from.
    pub cache: CacheOutcome,
}

/// Whether texts can be embedded.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbedderHealth {
    /// The model.
    pub model_id: String,
    /// Components of its vectors; 0 while unknown.
    pub dimension: usize,
    /// The breaker before the provider.
    pub breaker: BreakerState,
    /// What the provider said just now.
    pub provider: Result<(), EmbeddingError>,
}

/// Turns queries and passages into vectors. A cheap handle.
///
/// Each text is brought into its normal form and prefixed as the model wants; the caches are
/// asked; equal texts are embedded once; limiter and breaker are asked; and what comes back is
/// checked and cached. Work waits by [`Priority`].
#[derive(Debug, Clone)]
pub struct Embedder {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    guard: Arc<Guard>,
    singles: Singles,
    /// Before calls with many passages.
    bulk: Gate,
    cache: Option<EmbeddingCache>,
    in_flight: InFlight,
    settings: EmbedderSettings,
}

/// The way of single texts. It never stands behind calls with many passages, so that a query does
/// not wait for an import.
#[derive(Debug)]
enum Singles {
    /// Over the network, several in one request.
    Batched(Batcher),
    /// To this machine's model, which has a few share a run.
    InTurn(Gate),
}

impl Embedder {
    /// An embedder before `provider`.
    #[must_use]
    pub fn new(
        provider: Arc<dyn EmbeddingProvider>,
        cache: Option<EmbeddingCache>,
        breaker: CircuitBreaker,
        limiter: Arc<RateLimiter>,
        settings: EmbedderSettings,
    ) -> Self {
        let guard = Arc::new(Guard {
            provider,
            breaker,
            limiter: settings.batching.map(|_| limiter),
        });
        Self {
            shared: Arc::new(Shared {
                singles: match settings.batching {
                    Some(batching) => Singles::Batched(Batcher::new(guard.clone(), batching)),
                    None => Singles::InTurn(Gate::new(SINGLES_AT_ONCE)),
                },
                bulk: Gate::new(settings.concurrency),
                guard,
                cache,
                in_flight: InFlight::default(),
                settings,
            }),
        }
    }

    /// Identifies the model: vectors of different ids are never compared.
    #[must_use]
    pub fn model_id(&self) -> &str {
        self.shared.guard.model_id()
    }

    /// Whether it makes no difference if the letters A to Z of a text are capitals.
    #[must_use]
    pub fn ignores_case(&self) -> bool {
        self.shared.guard.ignores_case()
    }

    /// Components of each vector; 0 while a remote provider has not told.
    #[must_use]
    pub fn dimension(&self) -> usize {
        self.shared.guard.dimension()
    }

    /// The vector of a query.
    ///
    /// # Errors
    ///
    /// [`EmbeddingError`]: limiter, breaker, or what the provider says.
    pub async fn embed_query(
        &self,
        text: &str,
        priority: Priority,
    ) -> Result<Embedded, EmbeddingError> {
        let guard = &self.shared.guard;
        let text = prepare(guard.query_prefix(), text, guard.ignores_case());
        self.embed(text, priority).await
    }

    /// The vector of one passage.
    ///
    /// # Errors
    ///
    /// As [`embed_query`](Self::embed_query).
    pub async fn embed_passage(
        &self,
        text: &str,
        priority: Priority,
    ) -> Result<Embedded, EmbeddingError> {
        let guard = &self.shared.guard;
        let text = prepare(guard.passage_prefix(), text, guard.ignores_case());
        self.embed(text, priority).await
    }

    async fn embed(&self, text: String, priority: Priority) -> Result<Embedded, EmbeddingError> {
        let key = CacheKey::of(self.model_id(), &text);
        let found = self.shared.look_up(vec![key]).await.pop().flatten();
        if let Some((vector, layer)) = found {
            return Ok(Embedded {
                vector: vector.to_vec(),
                cache: layer.into(),
            });
        }
        let vector = self
            .shared
            .in_flight
            .join(key, priority, || {
                let shared = self.shared.clone();
                async move { shared.ask(key, text, priority).await }.boxed()
            })
            .instrument(trace_span!("ask the model"))
            .await?;
        Ok(Embedded {
            vector: vector.to_vec(),
            cache: CacheOutcome::Miss,
        })
    }

    /// The vectors of many passages, each with its own outcome, in the order given.
    pub async fn embed_passages<T: AsRef<str>>(
        &self,
        texts: &[T],
        priority: Priority,
    ) -> Vec<Result<Vector, EmbeddingError>> {
        let guard = &self.shared.guard;
        let (prefix, ignores_case) = (guard.passage_prefix(), guard.ignores_case());
        let texts: Vec<String> = texts
            .iter()
            .map(|text| prepare(prefix, text.as_ref(), ignores_case))
            .collect();
        let keys: Vec<CacheKey> = texts
            .iter()
            .map(|text| CacheKey::of(self.model_id(), text))
            .collect();
        let found = self.shared.look_up(keys.clone()).await;

        let mut known: HashMap<CacheKey, Result<Arc<[f32]>, EmbeddingError>> = HashMap::new();
        let mut missing: HashMap<CacheKey, String> = HashMap::new();
        for ((key, text), found) in keys.iter().zip(texts).zip(found) {
            match found {
                Some((vector, _)) => {
                    known.insert(*key, Ok(vector));
                }
                None => {
                    missing.insert(*key, text);
                }
            }
        }
        let asked = self.shared.ask_many(missing, priority);
        known.extend(asked.instrument(trace_span!("ask the model")).await);
        keys.iter()
            .map(|key| match known.get(key) {
                Some(outcome) => outcome.clone().map(|vector| vector.to_vec()),
                None => Err(no_vector()),
            })
            .collect()
    }

    /// Removes the vectors of `text` from the cache, as query and as passage; for texts that are
    /// purged. They have left the disk once [`flush`](Self::flush) returned.
    pub fn forget(&self, text: &str) {
        if let Some(cache) = &self.shared.cache {
            let guard = &self.shared.guard;
            let prefixes = [guard.query_prefix(), guard.passage_prefix()];
            forget(cache, guard.model_id(), prefixes, text);
        }
    }

    /// Waits until the cache's file is up to date. Blocks.
    ///
    /// # Errors
    ///
    /// [`EmbeddingError::Cache`] when it could not be written.
    pub fn flush(&self) -> Result<(), EmbeddingError> {
        match &self.shared.cache {
            Some(cache) => cache.flush(),
            None => Ok(()),
        }
    }

    /// How the caches fare; all zero without a cache.
    #[must_use]
    pub fn counters(&self) -> CacheStats {
        self.shared
            .cache
            .as_ref()
            .map_or_else(CacheStats::default, EmbeddingCache::counters)
    }

    /// Has the provider embed a word, past caches, limiter and breaker: for a person who wants to
    /// know whether it works. Returns the length of its vectors.
    ///
    /// # Errors
    ///
    /// What the provider says.
    pub async fn probe(&self) -> Result<usize, EmbeddingError> {
        let vector = self.shared.guard.provider.embed_single("probe").await?;
        self.shared.check(&vector)?;
        Ok(vector.len())
    }

    /// Asks the provider how it is, without embedding anything.
    pub async fn health(&self) -> EmbedderHealth {
        EmbedderHealth {
            provider: self.shared.guard.check().await,
            model_id: self.model_id().to_owned(),
            dimension: self.dimension(),
            breaker: self.shared.guard.breaker.state(),
        }
    }
}

impl From<CacheLayer> for CacheOutcome {
    fn from(layer: CacheLayer) -> Self {
        match layer {
            CacheLayer::Memory => Self::Memory,
            CacheLayer::Disk => Self::Disk,
        }
    }
}

type Found = Option<(Arc<[f32]>, CacheLayer)>;

impl Shared {
    /// What the cache has of each key. The file is read on a thread that may block.
    async fn look_up(&self, keys: Vec<CacheKey>) -> Vec<Found> {
        let looking = self.look_up_in_layers(keys);
        looking.instrument(trace_span!("look in the caches")).await
    }

    async fn look_up_in_layers(&self, keys: Vec<CacheKey>) -> Vec<Found> {
        let Some(cache) = &self.cache else {
            return vec![None; keys.len()];
        };
        let mut found: Vec<Found> = keys
            .iter()
            .map(|key| Some((cache.get_memory(key)?, CacheLayer::Memory)))
            .collect();
        if cache.has_disk() && found.iter().any(Option::is_none) {
            let cache = cache.clone();
            let memory = found.clone();
            let read = tokio::task::spawn_blocking(move || {
                let disk = |key| Some((cache.get_disk(key)?, CacheLayer::Disk));
                keys.iter()
                    .zip(memory)
                    .map(|(key, found)| found.or_else(|| disk(key)))
                    .collect()
            });
            // A reader that died had nothing.
            found = read.await.unwrap_or(found);
        }
        for entry in &mut found {
            entry.take_if(|(vector, _)| self.check(vector).is_err());
        }
        found
    }

    /// Has one text embedded.
    async fn ask(
        &self,
        key: CacheKey,
        text: String,
        priority: Priority,
    ) -> Result<Arc<[f32]>, EmbeddingError> {
        let vector = match &self.singles {
            Singles::Batched(batcher) => batcher.embed(text, priority).await?,
            Singles::InTurn(gate) => {
                let _pass = gate.enter(priority).await;
                self.guard.embed_single(&text).await?
            }
        };
        self.keep(key, vector)
    }

    /// Has texts embedded, a slice a call, so that what is more urgent gets in between. Texts of
    /// like length share a slice: the model pads all to the longest.
    async fn ask_many(
        &self,
        texts: HashMap<CacheKey, String>,
        priority: Priority,
    ) -> Vec<(CacheKey, Result<Arc<[f32]>, EmbeddingError>)> {
        let mut texts: Vec<(CacheKey, String)> = texts.into_iter().collect();
        texts.sort_by(|(_, a), (_, b)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        let slices = texts.chunks(self.settings.slice.max(1)).map(|slice| async {
            let (keys, texts): (Vec<CacheKey>, Vec<String>) = slice.iter().cloned().unzip();
            let mut outcomes = {
                let _pass = self.bulk.enter(priority).await;
                self.guard.embed_batch(&texts).await
            };
            outcomes.resize(keys.len(), Err(no_vector()));
            keys.into_iter()
                .zip(outcomes)
                .map(|(key, outcome)| (key, outcome.and_then(|vector| self.keep(key, vector))))
                .collect::<Vec<_>>()
        });
        let slices: Vec<_> = slices.collect();
        stream::iter(slices)
            .buffer_unordered(self.settings.concurrency.max(1))
            .concat()
            .await
    }

    /// Checks and caches a vector from the provider.
    fn keep(&self, key: CacheKey, vector: Vector) -> Result<Arc<[f32]>, EmbeddingError> {
        self.check(&vector)?;
        let vector: Arc<[f32]> = vector.into();
        if let Some(cache) = &self.cache {
            cache.insert(key, vector.clone());
        }
        Ok(vector)
    }

    fn check(&self, vector: &[f32]) -> Result<(), EmbeddingError> {
        let dimension = self.guard.dimension();
        if vector.is_empty() || (dimension > 0 && vector.len() != dimension) {
            return Err(EmbeddingError::Model(format!(
                "it gave a vector of dimension {} instead of {dimension}",
                vector.len()
            )));
        }
        if vector.iter().any(|c| !c.is_finite()) || vector.iter().all(|c| *c == 0.0) {
            return Err(EmbeddingError::Model(
                "it gave a vector that is zero or not finite".to_owned(),
            ));
        }
        Ok(())
    }
}

/// Removes the vectors of `text` from the cache, whatever stood before it for `model`: see
/// [`Embedder::forget`], which wants that model loaded.
pub(crate) fn forget(cache: &EmbeddingCache, model: &str, prefixes: [&str; 2], text: &str) {
    for prefix in prefixes {
        // It may not be known here whether the model ignores case.
        for ignores_case in [false, true] {
            cache.remove(model, &prepare(prefix, text, ignores_case));
        }
    }
}

/// The form in which a text is embedded and cached.
fn prepare(prefix: &str, text: &str, ignores_case: bool) -> String {
    let mut text = normalise(text).into_owned();
    if ignores_case {
        text.make_ascii_lowercase();
    }
    if prefix.is_empty() {
        text
    } else {
        format!("{prefix}{text}")
    }
}

fn no_vector() -> EmbeddingError {
    EmbeddingError::Model("it gave no vector for the text".to_owned())
}
