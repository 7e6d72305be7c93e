//! The studio as a window uses it, with a provider of words and a clock that stands still.

mod asking;
pub(crate) mod chat;
mod checkup;
#[cfg(unix)]
mod giving;
mod jobs;
mod load;
mod memory;
mod provider;
mod settings;
mod startup;
mod watching;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use hirag::clock::FakeClock;
use hirag::context::{ContextId, ContextLevel, NewContext};
use hirag::embedding::{EmbeddingError, EmbeddingProvider, Vector};
use tempfile::TempDir;

use super::{Claims, Studio, StudioEvent, StudioOptions};
use crate::commands::studio as ask;
use crate::secrets::{MemoryVault, Vault};

/// Settings that count quickly and cache nothing.
pub(crate) const SETTINGS: &str = "[embedding]\ncache_enabled = false\nbatch_window_ms = 1\nmax_retries = 0\n\
    [hirag.token_estimator]\nkind = \"chars\"\n";

/// Vectors from words: texts that share a word are similar.
#[derive(Debug, Default)]
pub(crate) struct Words;

#[async_trait]
impl EmbeddingProvider for Words {
    fn model_id(&self) -> &str {
        "words"
    }

    fn dimension(&self) -> usize {
        32
    }

    fn max_input_tokens(&self) -> usize {
        usize::MAX
    }

    async fn embed_single(&self, text: &str) -> Result<Vector, EmbeddingError> {
        let mut vector = vec![0.01_f32; 32];
        for word in text.split_whitespace() {
            let place = word.bytes().fold(7_usize, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(usize::from(byte))
            });
            vector[place % 32] += 1.0;
        }
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        Ok(vector.into_iter().map(|x| x / norm).collect())
    }

    async fn embed_batch(&self, texts: &[String]) -> Vec<Result<Vector, EmbeddingError>> {
        let mut vectors = Vec::new();
        for text in texts {
            vectors.push(self.embed_single(text).await);
        }
        vectors
    }

    async fn check(&self) -> Result<(), EmbeddingError> {
        Ok(())
    }
}

/// A folder, a clock and a keyring of their own.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) vault: Arc<dyn Vault>,
    /// Without one, the settings say which.
    pub(crate) provider: Option<Arc<dyn EmbeddingProvider>>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(SETTINGS)
    }

    pub(crate) fn with(settings: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("config.toml"), settings).unwrap();
        Self {
            folder,
            clock: FakeClock::at("2026-01-01T00:00:00Z".parse().unwrap()),
            vault: Arc::new(MemoryVault::default()),
            provider: Some(Arc::new(Words)),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn start(&self) -> Studio {
        self.start_as(Claims::Never)
    }

    fn start_as(&self, claims: Claims) -> Studio {
        Studio::start(StudioOptions {
            config_file: self.path("config.toml"),
            data_dir: self.path("data"),
            environment: Vec::new(),
            clock: self.clock.clone(),
            vault: self.vault.clone(),
            provider: self.provider.clone(),
            claims,
        })
    }
}

async fn store(studio: &Studio, text: &str, level: ContextLevel) -> ContextId {
    let new = NewContext::new(text).at_level(level);
    ask::store(studio, new).await.unwrap().id
}

/// The next event that `wanted` takes something from.
pub(crate) async fn next<T>(
    events: &mut tokio::sync::broadcast::Receiver<StudioEvent>,
    mut wanted: impl FnMut(StudioEvent) -> Option<T>,
) -> T {
    let search = async {
        loop {
            if let Some(found) = wanted(events.recv().await.unwrap()) {
                return found;
            }
        }
    };
    let limit = std::time::Duration::from_secs(20);
    tokio::time::timeout(limit, search).await.unwrap()
}
