//! Text to vectors: the local model, any OpenAI-compatible endpoint, and what stands before them.

mod batcher;
mod cache;
mod drill;
mod error;
mod http;
mod local;
mod normalise;
mod provider;
mod service;

pub use batcher::{Batcher, BatcherSettings};
pub use cache::{CACHE_FILE, CacheKey, CacheLayer, CacheSettings, DiskSettings, EmbeddingCache};
pub use drill::{Drill, DrillFault, Drilled, Drills};
pub use error::EmbeddingError;
pub use http::{HttpProvider, HttpSettings};
pub(crate) use local::SINGLES_AT_ONCE;
pub use local::{LocalModel, ModelDescription};
pub use normalise::{MAX_BYTES as MAX_NORMALISED_BYTES, normalise};
pub use provider::{EmbeddingProvider, Vector};
pub(crate) use service::forget;
pub use service::{CacheOutcome, Embedded, Embedder, EmbedderHealth, EmbedderSettings};
