//! Text to vectors: the local model, any OpenAI-compatible endpoint, and what stands before them.

mod error;
mod local;
mod normalise;
mod provider;

pub use error::EmbeddingError;
pub use local::LocalModel;
pub use normalise::{MAX_BYTES as MAX_NORMALISED_BYTES, normalise};
pub use provider::{EmbeddingProvider, Vector};
