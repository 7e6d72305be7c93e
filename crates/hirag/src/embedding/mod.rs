//! Text to vectors: the local model, any OpenAI-compatible endpoint, and what stands before them.

mod batcher;
mod cache;
mod error;
mod http;
mod provider;
mod service;

pub use batcher::{Batcher, BatcherSettings};
pub use cache::{
    CacheCounters, CacheKey, CacheLayer, CacheSettings, DiskSettings, EmbeddingCache, LayerCounters,
};
pub use error::EmbeddingError;
pub use http::{HttpProvider, HttpSettings};
pub use provider::{EmbeddingProvider, Vector};
pub use service::{CacheOutcome, Embedded, Embedder, EmbedderHealth, EmbedderSettings};
