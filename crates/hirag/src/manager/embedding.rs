//! Vectors for texts, by the model whose vectors serve.

use std::sync::Arc;

use super::HiragManager;
use super::models::spec_of;
use crate::context::{NewContext, Priority};
use crate::embedding::{Embedder, EmbeddingError};
use crate::error::Result;
use crate::store::{StoreError, VectorSpec};

/// Texts as vectors of the configured model.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedTexts {
    /// The model's id.
    pub model: String,
    /// One a text, in their order.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens of all texts together, by the configured estimator.
    pub tokens: u64,
}

impl HiragManager {
    /// The vectors of texts by the configured model, by way of its cache; nothing is stored.
    ///
    /// # Errors
    /// [`ContextError`](crate::context::ContextError) for a text that may not be stored either,
    /// [`EmbeddingError`] for the first that cannot be embedded.
    pub async fn embed_texts(&self, texts: Vec<String>) -> Result<EmbeddedTexts> {
        let (limits, now) = (self.config().limits.clone(), self.inner.clock.now());
        let mut tokens = 0;
        for text in &texts {
            NewContext::new(text.clone()).validate(&limits, now)?;
            tokens += u64::from(self.count_tokens(text).await?);
        }
        let embedder = self.inner.models.configured(None).await?;
        let vectors = embedder.embed_passages(&texts, Priority::Normal).await;
        Ok(EmbeddedTexts {
            model: embedder.model_id().to_owned(),
            vectors: vectors.into_iter().collect::<Result<_, _>>()?,
            tokens,
        })
    }

    /// Embeds texts by the model whose vectors serve. The outer error is the store's; one that
    /// concerns the model stands in the place of each vector.
    pub(super) async fn embed(
        &self,
        texts: Vec<String>,
        priority: Priority,
    ) -> Result<Vec<Result<Vec<f32>, EmbeddingError>>> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let stored = self.inner.store.vector_spec(&self.inner.collection).await?;
        let count = texts.len();
        let embedder = match self.serving(&stored).await {
            Ok(embedder) => embedder,
            Err(e) => return Ok(vec![Err(e); count]),
        };
        let mut vectors = embedder.embed_passages(&texts, priority).await;
        let length = vectors.iter().flatten().map(Vec::len).next();
        if let Some(length) = length
            && !self.fits(&embedder, length).await?
        {
            let other = EmbeddingError::OtherModel {
                stored: stored.to_string(),
                configured: format!("{} ({length} dimensions)", embedder.model_id()),
            };
            vectors.fill(Err(other));
        }
        Ok(vectors)
    }

    /// Whether vectors of this length belong to those that serve. A set without vectors takes
    /// them: the endpoint may have been down when it was made.
    pub(super) async fn fits(&self, embedder: &Embedder, length: usize) -> Result<bool> {
        let store = &self.inner.store;
        let serving = store.vector_spec(&self.inner.collection).await?;
        if serving.dimension == length {
            return Ok(true);
        }
        let spec = VectorSpec {
            model: embedder.model_id().to_owned(),
            dimension: length,
        };
        Ok(self.is_writable() && self.adopt(&spec).await?)
    }

    /// The model that stored vectors belong to. A set without vectors takes the configured one.
    pub(super) async fn serving(
        &self,
        stored: &VectorSpec,
    ) -> Result<Arc<Embedder>, EmbeddingError> {
        let models = &self.inner.models;
        let configured = models.configured(Some(stored.dimension)).await?;
        let spec = spec_of(&configured);
        if spec != *stored && self.is_writable() {
            let adopted = self.adopt(&spec).await.unwrap_or(false);
            if adopted {
                return Ok(configured);
            }
        }
        models.serving(stored).await
    }

    /// Lets `spec` serve if there are no vectors yet. `false` when there are.
    async fn adopt(&self, spec: &VectorSpec) -> Result<bool, StoreError> {
        let store = &self.inner.store;
        store.adopt(&self.inner.collection, spec).await
    }
}
