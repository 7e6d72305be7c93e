//! Text to vectors: the local model, any OpenAI-compatible endpoint, and what stands before them.

mod error;
mod provider;

pub use error::EmbeddingError;
pub use provider::{EmbeddingProvider, Vector};
