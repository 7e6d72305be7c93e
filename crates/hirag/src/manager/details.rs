//! Everything about one context.

use serde::Serialize;

use super::models::UNKNOWN_DIMENSION;
use super::{HiragManager, check_level};
use crate::context::{Context, ContextId, ContextLevel, EmbeddingState, Filter};
use crate::error::Result;
use crate::import::LinkedNote;
use crate::levels::{Fate, clean_up_rules, fates};
use crate::store::VectorStore;
use crate::store::sqlite::{Edit, LiveEdit};

/// Nearest contexts that are shown.
const NEAREST: usize = 5;
/// Targets of links that are told: a note has a few spellings and headings.
const TARGETS: usize = 1_000;
/// Characters of their texts.
const PREVIEW_CHARS: usize = 240;

/// About a context's vector.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct VectorFacts {
    /// The model that it comes from.
    pub model: String,
    /// Its components.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub dimension: usize,
    /// Its length: 1 within the precision of its numbers.
    pub norm: f32,
}

/// A context near another one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Near {
    /// The context.
    pub id: ContextId,
    /// Its level.
    pub level: ContextLevel,
    /// Cosine, -1 to 1.
    pub score: f32,
    /// The first characters of its text.
    pub text: String,
}

/// What stands beside a context in its session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SessionNeighbours {
    /// The one before.
    pub before: Option<ContextId>,
    /// The one after.
    pub after: Option<ContextId>,
}

/// Everything about one context.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ContextDetails {
    /// The context.
    pub context: Context,
    /// Its vector; `None` while it waits for one, and when it is marked as deleted.
    pub vector: Option<VectorFacts>,
    /// Whether it waits for its vector.
    pub pending: bool,
    /// The nearest others by cosine, best first; five at most.
    pub neighbours: Vec<Near>,
    /// What stands beside it in its session.
    pub session_neighbours: SessionNeighbours,
    /// What will become of it, and when.
    pub fate: Vec<Fate>,
    /// Where it is of a note: the `links` in the memory that mean the note, as they are written.
    pub link_targets: Vec<String>,
}

impl HiragManager {
    /// A context with its vector, its neighbours and its fate.
    ///
    /// # Errors
    /// [`ContextError::UnknownId`](crate::context::ContextError::UnknownId).
    pub async fn details(&self, id: ContextId) -> Result<ContextDetails> {
        let store = &self.inner.store;
        let context = self.get(id).await?;
        let around = store.around(&self.inner.collection, id, NEAREST).await?;
        let fate = self.fate(&context).await?;
        let link_targets = self.link_targets(&context).await?;
        let mut details = ContextDetails {
            pending: context.embedding == EmbeddingState::Pending,
            context,
            vector: None,
            neighbours: Vec::new(),
            session_neighbours: SessionNeighbours::default(),
            fate,
            link_targets,
        };
        let Some(around) = around else {
            return Ok(details);
        };
        details.vector = around
            .norm
            .filter(|_| around.spec.dimension > UNKNOWN_DIMENSION)
            .map(|norm| VectorFacts {
                model: around.spec.model,
                dimension: around.spec.dimension,
                norm,
            });
        let [before, after] = around.neighbours;
        details.session_neighbours = SessionNeighbours { before, after };
        let ids: Vec<ContextId> = around.nearest.iter().map(|hit| hit.id).collect();
        let near = self.get_many(&ids).await?.into_iter();
        details.neighbours = near
            .filter_map(|context| {
                let hit = around.nearest.iter().find(|hit| hit.id == context.id)?;
                Some(Near {
                    id: context.id,
                    level: context.level,
                    score: hit.score,
                    text: context.text.chars().take(PREVIEW_CHARS).collect(),
                })
            })
            .collect();
        Ok(details)
    }

    async fn link_targets(&self, context: &Context) -> Result<Vec<String>> {
        let note = LinkedNote::of(context.source.as_deref(), &context.metadata);
        let Some(note) = note else {
            return Ok(Vec::new());
        };
        let all = self.inner.store.texts_of_field("links").await?;
        let meant = all.into_iter().filter(|target| note.is_meant_by(target));
        Ok(meant.take(TARGETS).collect())
    }

    /// The contexts of these ids that exist, in the order of the ids.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when the database fails.
    pub async fn get_many(&self, ids: &[ContextId]) -> Result<Vec<Context>> {
        Ok(self.inner.store.get(&self.inner.collection, ids).await?)
    }

    /// Moves contexts to a level in one transaction, all or none; returns how many.
    ///
    /// # Errors
    /// [`ContextError::UnknownId`](crate::context::ContextError::UnknownId) or
    /// [`Deleted`](crate::context::ContextError::Deleted) for the first that is not there,
    /// [`LevelDisabled`](crate::context::ContextError::LevelDisabled); nothing was moved then.
    pub async fn move_all(&self, ids: &[ContextId], level: ContextLevel) -> Result<u64> {
        let config = self.config();
        check_level(&config, level)?;
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let expiry = crate::levels::expiry(&config, level, self.inner.clock.now());
        let edit = Edit {
            level: Some(level),
            expiry: Some((expiry.map(|at| at.as_millisecond()), true)),
            ..Edit::default()
        };
        let change = |id: &ContextId| LiveEdit {
            only_in: None,
            id: *id,
            edit: edit.clone(),
            merge: None,
        };
        self.edit(ids.iter().map(change).collect()).await?;
        if level == ContextLevel::Immediate {
            self.refresh_working_set(&ids).await?;
        }
        Ok(ids.len() as u64)
    }

    /// How many contexts pass a filter, of those that are marked as deleted or of the others.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when the database fails.
    pub async fn count_all(&self, filter: &Filter, deleted: bool) -> Result<u64> {
        if !deleted {
            return self.count(filter).await;
        }
        filter.check_size()?;
        let store = &self.inner.store;
        Ok(store.count_deleted(&self.inner.collection, filter).await?)
    }

    async fn fate(&self, context: &Context) -> Result<Vec<Fate>> {
        let (config, now) = (self.config(), self.inner.clock.now());
        let rules = clean_up_rules(&config, now);
        let store = &self.inner.store;
        let standing = store
            .standing(&self.inner.collection, context.id, rules)
            .await?;
        Ok(fates(context, standing, &config, now))
    }
}
