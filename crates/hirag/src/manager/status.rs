//! How much is stored, and how fast it is.

use serde::Serialize;

use super::HiragManager;
use super::models::UNKNOWN_DIMENSION;
use crate::error::Result;
use crate::metrics::{CacheLayerStats, CacheStats, PerformanceMetrics, ProcessResources};
use crate::resilience::{BreakerSnapshot, LimiterSnapshot};
use crate::store::VectorSpec;
use crate::store::sqlite::{DatabaseParts, DatabaseSize, StoreCounts};

/// Everything that is counted.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stats {
    /// Contexts, in all and by level.
    #[serde(flatten)]
    pub counts: StoreCounts,
    /// The model whose vectors serve; `None` before the first one is known.
    pub model: Option<VectorSpec>,
    /// The database on the disk.
    pub database: DatabaseSize,
    /// The embedding cache, by layer; `None` when it is switched off.
    pub embedding_cache: Option<CacheStats>,
    /// Answers that are given again while nothing has changed.
    pub answer_cache: CacheLayerStats,
    /// Worded answers that are given again while their sources are the same.
    pub worded_cache: CacheLayerStats,
    /// Contexts of L1 held in memory.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub working_set: u64,
    /// Latencies by operation.
    pub performance: PerformanceMetrics,
    /// The process; `None` where the system does not tell.
    pub process: Option<ProcessResources>,
    /// The breaker before the provider.
    pub circuit_breaker: BreakerSnapshot,
    /// The limiter before the provider.
    pub rate_limiter: LimiterSnapshot,
    /// The breaker before the chat endpoint.
    pub chat_breaker: BreakerSnapshot,
    /// The limiter before the chat endpoint.
    pub chat_limiter: LimiterSnapshot,
}

impl HiragManager {
    /// Counts, sizes, rates and latencies.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when the database fails.
    pub async fn stats(&self) -> Result<Stats> {
        let store = &self.inner.store;
        let name = &self.inner.collection;
        let spec = store.vector_spec(name).await?;
        Ok(Stats {
            counts: store.counts(name).await?,
            model: (spec.dimension > UNKNOWN_DIMENSION).then_some(spec),
            database: store.size().await?,
            embedding_cache: self.inner.models.cache().map(|cache| cache.counters()),
            answer_cache: self.inner.answers.stats().await,
            worded_cache: self.inner.worded_answers.stats(),
            working_set: self.inner.working_set.len() as u64,
            performance: self.inner.profiler.metrics(),
            process: self.inner.resources.sample(),
            circuit_breaker: self.inner.breaker.snapshot(),
            rate_limiter: self.inner.limiter.snapshot(),
            chat_breaker: self.chat_breaker().snapshot(),
            chat_limiter: self.chat_limiter().snapshot(),
        })
    }

    /// What takes the database's room; not for every few seconds.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when the database fails.
    pub async fn database_parts(&self) -> Result<DatabaseParts> {
        Ok(self.inner.store.parts().await?)
    }

    /// How many contexts wait for their vector.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when the database fails.
    pub async fn pending(&self) -> Result<u64> {
        let store = &self.inner.store;
        Ok(store.counts(&self.inner.collection).await?.pending)
    }

    /// The caches' counters and the bytes of the process in the machine's memory (0 where the
    /// system does not tell): what is sampled every few seconds, without asking the database.
    #[must_use]
    pub fn vitals(&self) -> (Option<CacheStats>, u64) {
        let cache = self.inner.models.cache().map(|cache| cache.counters());
        let process = self.inner.resources.sample();
        (cache, process.map_or(0, |process| process.resident_bytes))
    }

    /// Loads the configured model now; otherwise the first text does. Where that has failed,
    /// [`Self::health`] tries again and says why.
    ///
    /// # Errors
    /// What keeps it from being loaded.
    pub async fn load_model(&self) -> Result<()> {
        self.inner.models.configured(None).await?;
        Ok(())
    }

    /// Has the configured provider embed a word, past caches, limiter and breaker. Returns its
    /// model and the length of its vectors.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn probe_provider(&self) -> Result<VectorSpec> {
        let embedder = self.inner.models.configured(None).await?;
        Ok(VectorSpec {
            dimension: embedder.probe().await?,
            model: embedder.model_id().to_owned(),
        })
    }
}
