//! Vectors without a model: the same text always gives the same one, and texts that share words
//! give similar ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use hirag::embedding::{EmbeddingError, EmbeddingProvider, Vector};
use parking_lot::Mutex;
use tokio::sync::watch;

/// A text with this in it is refused.
pub const POISON: &str = "poison";

/// A provider that answers at once and keeps what it was asked.
#[derive(Debug)]
pub struct FakeProvider {
    model: String,
    dimension: usize,
    calls: AtomicU64,
    away: AtomicBool,
    /// Whether calls wait.
    held: watch::Sender<bool>,
    asked: Mutex<Vec<String>>,
}

impl FakeProvider {
    /// A provider of the model `model` with vectors of `dimension` components.
    #[must_use]
    pub fn new(model: &str, dimension: usize) -> Arc<Self> {
        Arc::new(Self {
            model: model.to_owned(),
            dimension,
            calls: AtomicU64::new(0),
            away: AtomicBool::new(false),
            held: watch::Sender::new(false),
            asked: Mutex::default(),
        })
    }

    /// Lets it fail from now on, or answer again.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// Lets calls wait from now on, or lets all of them go on.
    pub fn set_held(&self, held: bool) {
        self.held.send_replace(held);
    }

    async fn turn(&self) {
        let mut held = self.held.subscribe();
        // Who holds it lives as long as it does.
        let _ = held.wait_for(|held| !held).await;
    }

    fn answer(&self, text: &str) -> Result<Vector, EmbeddingError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(EmbeddingError::Unreachable {
                url: "nowhere".to_owned(),
                reason: "the test says so".to_owned(),
            });
        }
        if text.contains(POISON) {
            return Err(EmbeddingError::Model(
                "it does not like the text".to_owned(),
            ));
        }
        Ok(vector_of(&self.model, text, self.dimension))
    }

    /// How often it was called.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// The texts it was asked for since the last time, in order.
    pub fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock())
    }
}

#[async_trait]
impl EmbeddingProvider for FakeProvider {
    fn model_id(&self) -> &str {
        &self.model
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    fn max_input_tokens(&self) -> usize {
        usize::MAX
    }

    async fn embed_single(&self, text: &str) -> Result<Vector, EmbeddingError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.asked.lock().push(text.to_owned());
        self.turn().await;
        self.answer(text)
    }

    async fn embed_batch(&self, texts: &[String]) -> Vec<Result<Vector, EmbeddingError>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.asked.lock().extend_from_slice(texts);
        self.turn().await;
        texts.iter().map(|text| self.answer(text)).collect()
    }

    async fn check(&self) -> Result<(), EmbeddingError> {
        Ok(())
    }
}

/// The unit vector of a text: the sum of a direction for each of its words.
#[must_use]
pub fn vector_of(model: &str, text: &str, dimension: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f64; dimension];
    // The first component keeps the sum away from zero whatever the words are.
    vector[0] = 0.1;
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        let mut state = hash(model) ^ hash(&word.to_lowercase());
        for component in &mut vector {
            *component += uniform(&mut state);
        }
    }
    let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    vector.iter().map(|x| (x / norm) as f32).collect()
}

/// FNV-1a, 64 bits.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The next number of splitmix64, between -1 and 1.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}
