//! How the configured model is, without loading it for that.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Configured, Models};
use crate::config::ProviderKind;
use crate::embedding::{Embedder, EmbeddingError, LocalModel, ModelDescription, forget};
use crate::store::VectorSpec;
use crate::tasks::broken_off;

/// How the configured model is.
#[derive(Debug)]
pub(in crate::manager) enum Standing {
    /// It can be asked.
    Loaded(Arc<Embedder>),
    /// Its files are there and whole. It is loaded when it is first needed, since it takes more
    /// memory than everything else together.
    Ready(ModelDescription),
}

impl Standing {
    /// Whether vectors of `stored` are its own, as far as it is known.
    pub(in crate::manager) fn is_of(&self, stored: &VectorSpec) -> bool {
        let told = self.dimension();
        self.model_id() == stored.model && told.is_none_or(|told| told == stored.dimension)
    }

    fn model_id(&self) -> &str {
        match self {
            Self::Loaded(embedder) => embedder.model_id(),
            Self::Ready(description) => &description.id,
        }
    }

    fn dimension(&self) -> Option<usize> {
        match self {
            Self::Loaded(embedder) => Some(embedder.dimension()).filter(|told| *told > 0),
            Self::Ready(description) => description.dimension,
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.model_id();
        match self.dimension() {
            Some(dimension) => write!(f, "{model} ({dimension} dimensions)"),
            None => f.write_str(model),
        }
    }
}

impl Models {
    /// The configured model where it can be had. A local one is judged by its files until
    /// something needs it, and again by loading it once that has failed.
    pub(in crate::manager) async fn standing(&self) -> Result<Standing, EmbeddingError> {
        let current = self.current();
        let on_this_machine =
            self.given.is_none() && current.settings.provider == ProviderKind::Local;
        let tried = current.embedder.initialized() || current.failed.load(Ordering::Relaxed);
        if !on_this_machine || tried {
            return self.load(&current, None).await.map(Standing::Loaded);
        }
        Ok(Standing::Ready(current.describe().await?))
    }

    /// Drops texts from the cache, as the model `stored` had them embedded.
    ///
    /// # Errors
    /// What keeps that model from being known; nothing was dropped then.
    pub(in crate::manager) async fn forget<'a>(
        &self,
        stored: &VectorSpec,
        texts: impl Iterator<Item = &'a String>,
    ) -> Result<(), EmbeddingError> {
        let Some(cache) = &self.cache else {
            return Ok(());
        };
        match self.standing().await? {
            Standing::Ready(model) if model.id == stored.model => {
                let prefixes = [model.query_prefix.as_str(), &model.passage_prefix];
                texts.for_each(|text| forget(cache, &model.id, prefixes, text));
            }
            Standing::Ready(model) => {
                return Err(EmbeddingError::OtherModel {
                    stored: stored.model.clone(),
                    configured: model.id,
                });
            }
            Standing::Loaded(_) => {
                let embedder = self.serving(stored).await?;
                texts.for_each(|text| embedder.forget(text));
            }
        }
        Ok(())
    }
}

impl Configured {
    /// What the local model's folder says, if its files are whole at this moment.
    async fn describe(&self) -> Result<ModelDescription, EmbeddingError> {
        let setting = self.settings.model_dir().map(PathBuf::from);
        let folder = off_the_async_threads(move || {
            let folder = LocalModel::find(setting.as_deref())?;
            LocalModel::check_files(&folder)?;
            Ok(folder)
        })
        .await?;
        // Kept, since it may be a fingerprint of the weights.
        let described = self
            .description
            .get_or_try_init(|| off_the_async_threads(move || LocalModel::describe(&folder)));
        described.await.cloned()
    }
}

async fn off_the_async_threads<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EmbeddingError> + Send + 'static,
) -> Result<T, EmbeddingError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| EmbeddingError::Model(broken_off(&error)))?
}
