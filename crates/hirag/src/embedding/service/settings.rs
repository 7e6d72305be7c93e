use std::time::Duration;

use crate::config::{EmbeddingSettings, ProviderKind};
use crate::embedding::BatcherSettings;

/// How an [`Embedder`](super::Embedder) treats its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbedderSettings {
    /// For a provider over the network: how single texts share requests. `None` is a provider on
    /// this machine, which must not wait for company and is not limited.
    pub batching: Option<BatcherSettings>,
    /// Passages of one call of the provider at most. More urgent passages wait for one such call
    /// at most, single texts for none.
    pub slice: usize,
    /// Calls with passages under way at once at most.
    pub concurrency: usize,
}

impl EmbedderSettings {
    /// For the model on this machine: it divides a call among all cores, and 32 texts keep them
    /// evenly busy for a second or two.
    #[must_use]
    pub const fn local() -> Self {
        Self {
            batching: None,
            slice: 32,
            concurrency: 1,
        }
    }

    /// For an endpoint that takes `batch_size` texts a request.
    #[must_use]
    pub const fn remote(batch_size: usize, batching: BatcherSettings) -> Self {
        Self {
            batching: Some(batching),
            slice: batch_size,
            concurrency: 4,
        }
    }
}

impl From<&EmbeddingSettings> for EmbedderSettings {
    fn from(settings: &EmbeddingSettings) -> Self {
        match settings.provider {
            ProviderKind::Local => Self::local(),
            ProviderKind::Http => Self::remote(
                settings.batch_size,
                BatcherSettings {
                    window: Duration::from_millis(settings.batch_window_ms),
                    max_requests: settings.batch_max_requests,
                    ..BatcherSettings::default()
                },
            ),
        }
    }
}
