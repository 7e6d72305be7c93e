//! What the tests of the manager share.

use std::sync::Arc;

use async_trait::async_trait;

use crate::embedding::{EmbeddingError, EmbeddingProvider, Vector};

/// A provider to which every text means the same.
pub(super) fn one_thought() -> Option<Arc<dyn EmbeddingProvider>> {
    Some(Arc::new(OneThought))
}

#[derive(Debug)]
struct OneThought;

#[async_trait]
impl EmbeddingProvider for OneThought {
    fn model_id(&self) -> &str {
        "one"
    }

    fn dimension(&self) -> usize {
        2
    }

    fn max_input_tokens(&self) -> usize {
        256
    }

    async fn embed_single(&self, _: &str) -> Result<Vector, EmbeddingError> {
        Ok(vec![1.0, 0.0])
    }

    async fn check(&self) -> Result<(), EmbeddingError> {
        Ok(())
    }
}
