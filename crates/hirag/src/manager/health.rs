//! Whether everything works.

use std::time::Instant;

use serde::Serialize;

use super::HiragManager;
use super::models::{Standing, UNKNOWN_DIMENSION};
use crate::embedding::EmbeddingError;
use crate::error::Error;
use crate::store::StoreError;

/// How a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// The worst of the components.
    pub state: HealthState,
    /// One entry a component.
    pub components: Vec<ComponentHealth>,
}

impl HiragManager {
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
                Ok(counts) => {
                    let contexts = contexts(counts.total_contexts);
                    match self.only_reads_because() {
                        None => (HealthState::Healthy, contexts),
                        Some(Error::Store(StoreError::Locked { .. })) => (
                            HealthState::Degraded,
                            format!("{contexts}; another process writes, this one reads"),
                        ),
                        Some(_) => (
                            HealthState::Degraded,
                            format!("{contexts}; the folder can only be read, and so can they"),
                        ),
                    }
                }
                Err(e) => (HealthState::Unhealthy, e.to_string()),
            }
        })
        .await
    }

    async fn provider_health(&self) -> ComponentHealth {
        component("embedding", async {
            match self.check_provider().await {
                Ok(detail) => (HealthState::Healthy, detail),
                Err(e) => (
                    HealthState::Degraded,
                    format!("{e}; words alone are searched meanwhile"),
                ),
            }
        })
        .await
    }

    /// What there is to say of a provider that works.
    async fn check_provider(&self) -> Result<String, EmbeddingError> {
        let models = &self.inner.models;
        match models.standing().await? {
            Standing::Loaded(embedder) => {
                let health = embedder.health().await;
                health.provider.map(|()| health.model_id)
            }
            Standing::Ready(model) => {
                models.drills().strike().await?;
                Ok(format!("{}, not loaded before it is needed", model.id))
            }
        }
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
            match self.inner.models.standing().await {
                Ok(standing) if !standing.is_of(&stored) => {
                    let building = self.inner.store.building(&self.inner.collection).await;
                    let progress = match building {
                        Ok(Some(b)) => format!(" ({} of {} done)", b.done, b.total),
                        _ => String::new(),
                    };
                    (
                        HealthState::Degraded,
                        format!(
                            "the stored vectors are of {stored}, the settings say {standing}; \
                             run `hirag reembed`{progress}"
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
                Ok(counts) => {
                    let wait = match counts.pending {
                        1 => "waits for its vector",
                        _ => "wait for their vectors",
                    };
                    let detail = format!("{} {wait}", contexts(counts.pending));
                    (HealthState::Degraded, detail)
                }
                Err(e) => (HealthState::Unhealthy, e.to_string()),
            }
        })
        .await
    }
}

/// `1 context`, `2 contexts`.
fn contexts(number: u64) -> String {
    match number {
        1 => "1 context".to_owned(),
        _ => format!("{number} contexts"),
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
