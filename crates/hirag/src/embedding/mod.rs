//! Text to vectors: the local model, any OpenAI-compatible endpoint, and what stands before them.

mod cache;
mod error;
mod provider;

pub use cache::{
    CacheCounters, CacheKey, CacheLayer, CacheSettings, DiskSettings, EmbeddingCache, LayerCounters,
};
pub use error::EmbeddingError;
pub use provider::{EmbeddingProvider, Vector};
