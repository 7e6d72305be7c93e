use async_trait::async_trait;

use super::EmbeddingError;

/// A vector of one text; as long as the provider's dimension, finite, of length 1.
pub type Vector = Vec<f32>;

/// What turns text into vectors.
///
/// Implementations get text that is already normalised and prefixed (see
/// [`Embedder`](super::Embedder)). They return unit vectors of [`dimension`](Self::dimension)
/// finite components, the same for a text alone as in any batch (cosine at least 0.9999), and
/// never a placeholder: what cannot be embedded is an error.
#[async_trait]
pub trait EmbeddingProvider: Send + Sync + std::fmt::Debug {
    /// Identifies the model: vectors of different ids are never compared.
    fn model_id(&self) -> &str;

    /// Components of each vector.
    fn dimension(&self) -> usize;

    /// Tokens of a text at most; what is longer is cut by the model.
    fn max_input_tokens(&self) -> usize;

    /// What stands before a query, as the model was trained; usually empty.
    fn query_prefix(&self) -> &str {
        ""
    }

    /// What stands before a passage, as the model was trained; usually empty.
    fn passage_prefix(&self) -> &str {
        ""
    }

    /// Whether the vector of a text stays the same when its letters A to Z become small.
    fn ignores_case(&self) -> bool {
        false
    }

    /// The vector of one text.
    async fn embed_single(&self, text: &str) -> Result<Vector, EmbeddingError>;

    /// The vectors of several texts, each with its own outcome, in the order given. One bad text
    /// fails alone. Without more, one after the other; who can do several at once does.
    async fn embed_batch(&self, texts: &[String]) -> Vec<Result<Vector, EmbeddingError>> {
        let mut vectors = Vec::with_capacity(texts.len());
        for text in texts {
            vectors.push(self.embed_single(text).await);
        }
        vectors
    }

    /// Whether the provider answers at all; cheap, for health pages.
    async fn check(&self) -> Result<(), EmbeddingError>;
}
