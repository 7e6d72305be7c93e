//! How much is stored, how fast it is, and whether everything works.

use std::time::Instant;

use serde::Serialize;

use super::HiragManager;
use super::models::UNKNOWN_DIMENSION;
use crate::error::Result;
use crate::metrics::{CacheStats, PerformanceMetrics, ProcessResources};
use crate::resilience::{BreakerSnapshot, LimiterSnapshot};
use crate::store::VectorSpec;
use crate::store::sqlite::{DatabaseSize, StoreCounts};

/// Everything that is counted.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
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
}

/// How a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// It works.
    Healthy,
    /// It works with something missing.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// The health of one component.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ComponentHealth {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: HealthState,
    /// What there is to say.
    pub detail: String,
    /// Milliseconds that the check took.
    pub latency_ms: f64,
}

/// The health of everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Health {
    /// The worst of the components.
    pub state: HealthState,
    /// One entry a component.
    pub components: Vec<ComponentHealth>,
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
            working_set: self.inner.working_set.len() as u64,
            performance: self.inner.profiler.metrics(),
            process: self.inner.resources.sample(),
            circuit_breaker: self.inner.breaker.snapshot(),
            rate_limiter: self.inner.limiter.snapshot(),
        })
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

    /// Asks every component whether it works.
    pub async fn health(&self) -> Health {
        let components = vec![
            self.store_health().await,
            self.provider_health().await,
            self.model_health().await,
            self.queue_health().await,
        ];
        let worst = components.iter().map(|c| c.state).max_by_key(|s| *s as u8);
        Health {
            state: worst.unwrap_or(HealthState::Healthy),
            components,
        }
    }

    async fn store_health(&self) -> ComponentHealth {
        component("store", async {
            match self.inner.store.counts(&self.inner.collection).await {
                Ok(counts) if self.is_writable() => (
                    HealthState::Healthy,
                    format!("{} contexts", counts.total_contexts),
                ),
                Ok(counts) => (
                    HealthState::Degraded,
                    format!(
                        "{} contexts; another process writes, this one reads",
                        counts.total_contexts
                    ),
                ),
                Err(e) => (HealthState::Unhealthy, e.to_string()),
            }
        })
        .await
    }

    async fn provider_health(&self) -> ComponentHealth {
        component("embedding", async {
            let checked = match self.inner.models.configured(None).await {
                Ok(embedder) => embedder.health().await.provider.map(|()| embedder),
                Err(e) => Err(e),
            };
            match checked {
                Ok(embedder) => (HealthState::Healthy, embedder.model_id().to_owned()),
                Err(e) => (
                    HealthState::Degraded,
                    format!("{e}; words alone are searched meanwhile"),
                ),
            }
        })
        .await
    }

    async fn model_health(&self) -> ComponentHealth {
        component("model", async {
            let stored = match self.inner.store.vector_spec(&self.inner.collection).await {
                Ok(stored) => stored,
                Err(e) => return (HealthState::Unhealthy, e.to_string()),
            };
            // The first vector brings its model along.
            if stored.dimension <= UNKNOWN_DIMENSION {
                return (HealthState::Healthy, "nothing is embedded yet".to_owned());
            }
            match self.inner.models.configured(None).await {
                Ok(embedder) if embedder.model_id() != stored.model => {
                    let building = self.inner.store.building(&self.inner.collection).await;
                    let progress = match building {
                        Ok(Some(b)) => format!(" ({} of {} done)", b.done, b.total),
                        _ => String::new(),
                    };
                    (
                        HealthState::Degraded,
                        format!(
                            "the stored vectors are of {stored}, the settings say {}; \
                             run `hirag reembed`{progress}",
                            embedder.model_id()
                        ),
                    )
                }
                _ => (HealthState::Healthy, stored.to_string()),
            }
        })
        .await
    }

    async fn queue_health(&self) -> ComponentHealth {
        component("queue", async {
            match self.inner.store.counts(&self.inner.collection).await {
                Ok(counts) if counts.pending == 0 => {
                    (HealthState::Healthy, "nothing waits".to_owned())
                }
                Ok(counts) => (
                    HealthState::Degraded,
                    format!("{} contexts wait for their vector", counts.pending),
                ),
                Err(e) => (HealthState::Unhealthy, e.to_string()),
            }
        })
        .await
    }
}

async fn component(
    name: &str,
    check: impl Future<Output = (HealthState, String)>,
) -> ComponentHealth {
    let start = Instant::now();
    let (state, detail) = check.await;
    ComponentHealth {
        name: name.to_owned(),
        state,
        detail,
        latency_ms: start.elapsed().as_secs_f64() * 1_000.0,
    }
}
