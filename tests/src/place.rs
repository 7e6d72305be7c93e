//! A data folder that goes away with the test, a clock that stands still, and a provider.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hirag::clock::FakeClock;
use hirag::config::Config;
use hirag::context::{ContextId, ContextRequest, NewContext};
use hirag::manager::{ListRequest, OpenOptions, StoreAccess};
use hirag::{HiragManager, Result};
use tempfile::TempDir;

use crate::provider::FakeProvider;

/// Settings for tests: no cache that hides how often the provider is asked, and the quickest
/// count of tokens.
pub const SETTINGS: &str = "[embedding]\ncache_enabled = false\nbatch_window_ms = 1\n\
    [hirag.token_estimator]\nkind = \"chars\"\n";

/// Where a memory lives in a test.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    /// The time, which moves only when told.
    pub clock: Arc<FakeClock>,
    /// What embeds, where no endpoint is configured.
    pub provider: Arc<FakeProvider>,
    /// The settings.
    pub config: Config,
}

impl Place {
    /// A place with [`SETTINGS`].
    #[must_use]
    pub fn new() -> Self {
        Self::with("")
    }

    /// A place with [`SETTINGS`] and more; `more` must not repeat their sections.
    #[must_use]
    pub fn with(more: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: FakeClock::at("2026-01-01T00:00:00Z".parse().unwrap()),
            provider: FakeProvider::new("fake", 16),
            config: Config::from_toml(&format!("{SETTINGS}{more}")).unwrap(),
        }
    }

    /// The folder, with the data folder in it.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The database's file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data_dir().join(hirag::manager::DATABASE_FILE)
    }

    /// How it is opened: for writing, with the fake provider.
    #[must_use]
    pub fn options(&self) -> OpenOptions {
        OpenOptions {
            clock: self.clock.clone(),
            provider: Some(self.provider.clone()),
            ..OpenOptions::new(self.config.clone(), self.data_dir())
        }
    }

    /// Opens it for writing.
    pub async fn open(&self) -> HiragManager {
        HiragManager::open(self.options()).await.unwrap()
    }

    /// Opens it for reading.
    pub async fn open_to_read(&self) -> Result<HiragManager> {
        HiragManager::open(OpenOptions {
            access: StoreAccess::Read,
            ..self.options()
        })
        .await
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

/// Waits for everything that was queued for the writer before: accesses are written without
/// anyone waiting for them.
pub async fn settled(manager: &HiragManager) {
    manager.settle().await;
}

/// Waits until `condition` holds; fails after twenty seconds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let begin = std::time::Instant::now();
    while !condition().await {
        assert!(begin.elapsed().as_secs() < 20, "still waiting until {what}");
        tokio::task::yield_now().await;
    }
}

/// Stores texts at L3 and returns their ids.
pub async fn store_all(manager: &HiragManager, texts: &[&str]) -> Vec<ContextId> {
    let new = texts
        .iter()
        .map(|text| NewContext::new(*text).at_level(hirag::context::ContextLevel::LongTerm))
        .collect();
    let stored = manager.store_all(new).await.unwrap();
    stored.into_iter().map(|stored| stored.id).collect()
}

/// The texts that a request returns, best first.
pub async fn texts(manager: &HiragManager, request: ContextRequest) -> Vec<String> {
    let response = manager.retrieve(request).await.unwrap();
    let contexts = response.contexts.into_iter();
    contexts.map(|one| one.context.text).collect()
}

/// Every context that is not marked as deleted, oldest first.
pub async fn everything(manager: &HiragManager) -> Vec<hirag::context::Context> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let request = ListRequest {
            order: hirag::store::Order::OldestFirst,
            cursor,
            limit: 1_000,
            ..ListRequest::default()
        };
        let page = manager.list(request).await.unwrap();
        all.extend(page.contexts);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return all;
        }
    }
}

/// Checks that rows, words, fields and vectors agree.
pub async fn assert_sound(manager: &HiragManager) {
    let inspection = manager.inspect().await.unwrap();
    let wrong: Vec<_> = inspection.findings.iter().filter(|f| !f.ok).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
