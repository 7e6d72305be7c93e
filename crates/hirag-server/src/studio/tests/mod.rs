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
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use hirag::clock::FakeClock;
use hirag::context::{ContextId, ContextLevel, NewContext};
use hirag::embedding::EmbeddingProvider;
use tempfile::TempDir;

pub(crate) use self::words::{Held, Words};

use super::{Claims, Studio, StudioEvent, StudioOptions};
use crate::commands::studio as ask;
use crate::secrets::{MemoryVault, Vault};

/// Settings that count quickly and cache nothing.
pub(crate) const SETTINGS: &str = "[embedding]\ncache_enabled = false\nbatch_window_ms = 1\nmax_retries = 0\n\
    [hirag.token_estimator]\nkind = \"chars\"\n";

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
