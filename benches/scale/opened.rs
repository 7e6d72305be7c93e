//! A memory that gets its vectors from files.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hirag::config::Config;
use hirag::embedding::{EmbeddingError, EmbeddingProvider, Vector, normalise};
use hirag::manager::{DATABASE_FILE, StoreAccess};
use hirag::store::sqlite::{SqliteStore, StoreOptions};
use hirag::{HiragManager, OpenOptions};
use hirag_benches::{DIMENSION, clock};

/// Gives the vectors of known texts, and takes no time for it.
#[derive(Debug, Default)]
pub(crate) struct Given(HashMap<String, Vector>);

impl Given {
    pub(crate) fn new(queries: &[(String, Vec<f32>)]) -> Arc<Self> {
        let known = queries
            .iter()
            .map(|(text, vector)| (normalise(text).into_owned(), vector.clone()));
        Arc::new(Self(known.collect()))
    }
}

#[async_trait]
impl EmbeddingProvider for Given {
    fn model_id(&self) -> &str {
        "given"
    }

    fn dimension(&self) -> usize {
        DIMENSION
    }

    fn max_input_tokens(&self) -> usize {
        10_000
    }

    async fn embed_single(&self, text: &str) -> Result<Vector, EmbeddingError> {
        let known = self.0.get(text).cloned();
        known.ok_or_else(|| EmbeddingError::Model(format!("no vector was given for {text:?}")))
    }

    async fn embed_batch(&self, texts: &[String]) -> Vec<Result<Vector, EmbeddingError>> {
        futures::future::join_all(texts.iter().map(|text| self.embed_single(text))).await
    }

    async fn check(&self) -> Result<(), EmbeddingError> {
        Ok(())
    }
}

/// The memory in a folder, whose time stands still.
pub(crate) async fn memory(folder: &Path, provider: Arc<dyn EmbeddingProvider>) -> HiragManager {
    let mut options = OpenOptions::new(Config::default(), folder);
    options.clock = clock();
    options.provider = Some(provider);
    HiragManager::open(options).await.expect("the memory opens")
}

/// Its store alone, and the name of its contexts' collection.
pub(crate) fn store(folder: &Path) -> (SqliteStore, String) {
    let store = SqliteStore::open(StoreOptions {
        path: folder.join(DATABASE_FILE),
        access: StoreAccess::Write,
        lock_wait: Duration::from_secs(10),
        clock: clock(),
    });
    let prefix = Config::default().store.collection_prefix;
    (
        store.expect("the store opens"),
        format!("{prefix}_contexts"),
    )
}
