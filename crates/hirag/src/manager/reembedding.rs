//! Vectors for what waits, and vectors of another model beside the old ones.

use serde::Serialize;

use super::HiragManager;
use super::models::{UNKNOWN_DIMENSION, spec_of};
use crate::context::Priority;
use crate::embedding::{Embedder, EmbeddingError};
use crate::error::{Error, Result};
use crate::store::VectorSpec;
use crate::store::sqlite::PendingText;

/// Texts that are embedded between two commits.
const BATCH: usize = 128;

/// How far embedding has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct EmbeddingProgress {
    /// Contexts that have their vector.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub done: u64,
    /// Contexts in all.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub total: u64,
}

/// What re-embedding came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Reembedded {
    /// The model that served before.
    pub from: VectorSpec,
    /// The model that serves now.
    pub to: VectorSpec,
    /// Contexts that have a vector of it.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub embedded: u64,
    /// Contexts whose text the model refused; they wait, and words find them.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub refused: u64,
    /// Whether the vectors were of the configured model already.
    pub up_to_date: bool,
}

impl HiragManager {
    /// Embeds what waits for its vector, by priority; returns how many got one. Stops at the
    /// first fault of the provider that concerns more than one text.
    ///
    /// # Errors
    /// The provider's fault; what was embedded before it is stored.
    pub async fn embed_pending(
        &self,
        mut progress: impl FnMut(EmbeddingProgress) + Send,
    ) -> Result<u64> {
        let store = &self.inner.store;
        let name = &self.inner.collection;
        let total = store.counts(name).await?.pending;
        let mut done = 0;
        let mut skipped = std::collections::HashSet::new();
        loop {
            let waiting = store.pending(name, BATCH + skipped.len()).await?;
            let mut waiting: Vec<PendingText> = waiting
                .into_iter()
                .filter(|text| !skipped.contains(&text.ticket))
                .take(BATCH)
                .collect();
            let Some(priority) = waiting.first().map(|text| text.priority) else {
                return Ok(done);
            };
            // The texts of a batch are embedded in any order, so it is of one priority.
            waiting.retain(|text| text.priority == priority);
            let texts = waiting.iter().map(|w| w.text.clone()).collect();
            let vectors = self.embed(texts, priority).await?;
            let (made, fault) = sort_out(waiting, vectors, &mut skipped);
            done += store.fulfil(name, made).await?;
            progress(EmbeddingProgress { done, total });
            if let Some(fault) = fault {
                return Err(fault.into());
            }
        }
    }

    /// Builds vectors of the configured model beside those that serve, then switches in one
    /// transaction. A run that was broken off goes on where it stopped.
    ///
    /// # Errors
    /// The provider's fault or the store's; the old vectors go on serving then.
    pub async fn reembed(
        &self,
        mut progress: impl FnMut(EmbeddingProgress) + Send,
    ) -> Result<Reembedded> {
        let store = &self.inner.store;
        let name = &self.inner.collection;
        let from = store.vector_spec(name).await?;
        let embedder = self.inner.models.configured(None).await?;
        let to = self.spec_for_building(&embedder).await?;
        if from == to || store.adopt(name, &to).await? {
            let embedded = self.embed_pending(progress).await?;
            return Ok(Reembedded {
                from: to.clone(),
                to,
                embedded,
                refused: 0,
                up_to_date: true,
            });
        }
        store.begin_building(name, &to).await?;
        let mut refused = std::collections::HashSet::new();
        loop {
            let missing = store.missing(name, BATCH + refused.len()).await?;
            let missing: Vec<PendingText> = missing
                .into_iter()
                .filter(|text| !refused.contains(&text.ticket))
                .take(BATCH)
                .collect();
            if missing.is_empty() {
                break;
            }
            let texts: Vec<&str> = missing.iter().map(|m| m.text.as_str()).collect();
            let vectors = embedder.embed_passages(&texts, Priority::Low).await;
            let (made, fault) = sort_out(missing, vectors, &mut refused);
            store.build(name, made).await?;
            if let Some(building) = store.building(name).await? {
                progress(EmbeddingProgress {
                    done: building.done,
                    total: building.total,
                });
            }
            if let Some(fault) = fault {
                return Err(fault.into());
            }
        }
        let embedded = store.building(name).await?.map_or(0, |b| b.done);
        store.switch(name).await?;
        Ok(Reembedded {
            from,
            to,
            embedded,
            refused: refused.len() as u64,
            up_to_date: false,
        })
    }

    /// Model and dimension of the new vectors; asks the model where the dimension is not known.
    async fn spec_for_building(&self, embedder: &Embedder) -> Result<VectorSpec> {
        if spec_of(embedder).dimension == UNKNOWN_DIMENSION {
            embedder.embed_query("dimension", Priority::High).await?;
        }
        let spec = spec_of(embedder);
        if spec.dimension == UNKNOWN_DIMENSION {
            return Err(Error::Internal("the model tells no dimension".to_owned()));
        }
        Ok(spec)
    }
}

/// Texts with their vectors, and the fault that concerns more than one text, if there was one.
/// Texts that were refused for themselves go to `refused`.
fn sort_out(
    texts: Vec<PendingText>,
    vectors: Vec<Result<Vec<f32>, EmbeddingError>>,
    refused: &mut std::collections::HashSet<i64>,
) -> (Vec<(PendingText, Vec<f32>)>, Option<EmbeddingError>) {
    let mut made = Vec::with_capacity(texts.len());
    let mut fault = None;
    for (text, vector) in texts.into_iter().zip(vectors) {
        match vector {
            Ok(vector) => made.push((text, vector)),
            Err(
                EmbeddingError::Refused { .. }
                | EmbeddingError::BadAnswer { .. }
                | EmbeddingError::Model(_),
            ) => {
                refused.insert(text.ticket);
            }
            Err(e) => fault = Some(e),
        }
    }
    (made, fault)
}
