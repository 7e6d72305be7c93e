//! The provider of the tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hirag::embedding::{EmbeddingError, EmbeddingProvider, Vector};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Longer than anything here takes; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

const MODEL: &str = "words";
const DIMENSION: usize = 32;

/// Vectors from words: texts that share a word are similar.
#[derive(Debug, Default)]
pub(crate) struct Words;

/// The same, which the test can hold back.
#[derive(Debug)]
pub(crate) struct Held {
    holds: AtomicBool,
    asked: Semaphore,
    let_go: Semaphore,
}

impl Held {
    /// Nothing is embedded until the test lets it [go on](Self::go_on).
    pub(crate) fn new() -> Arc<Self> {
        let held = Self::free();
        held.hold();
        held
    }

    /// Everything is embedded until the test [holds](Self::hold) it.
    pub(crate) fn free() -> Arc<Self> {
        Arc::new(Self {
            holds: AtomicBool::new(false),
            asked: Semaphore::new(0),
            let_go: Semaphore::new(0),
        })
    }

    pub(crate) fn hold(&self) {
        self.holds.store(true, Ordering::Release);
    }

    /// Waits until a text is held back.
    pub(crate) async fn is_asked(&self) {
        let asked = timeout(PATIENCE, self.asked.acquire()).await;
        asked.unwrap().unwrap().forget();
    }

    pub(crate) fn go_on(&self) {
        self.let_go.add_permits(1_000);
    }
}

#[async_trait]
impl EmbeddingProvider for Words {
    fn model_id(&self) -> &str {
        MODEL
    }

    fn dimension(&self) -> usize {
        DIMENSION
    }

    fn max_input_tokens(&self) -> usize {
        usize::MAX
    }

    async fn embed_single(&self, text: &str) -> Result<Vector, EmbeddingError> {
        let mut vector = vec![0.01_f32; DIMENSION];
        for word in text.split_whitespace() {
            let place = word.bytes().fold(7_usize, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(usize::from(byte))
            });
            vector[place % DIMENSION] += 1.0;
        }
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        Ok(vector.into_iter().map(|x| x / norm).collect())
    }

    async fn check(&self) -> Result<(), EmbeddingError> {
        Ok(())
    }
}

#[async_trait]
impl EmbeddingProvider for Held {
    fn model_id(&self) -> &str {
        MODEL
    }

    fn dimension(&self) -> usize {
        DIMENSION
    }

    fn max_input_tokens(&self) -> usize {
        usize::MAX
    }

    async fn embed_single(&self, text: &str) -> Result<Vector, EmbeddingError> {
        if self.holds.load(Ordering::Acquire) {
            self.asked.add_permits(1);
            self.let_go.acquire().await.unwrap().forget();
        }
        Words.embed_single(text).await
    }

    async fn check(&self) -> Result<(), EmbeddingError> {
        Ok(())
    }
}
