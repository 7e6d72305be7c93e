//! Storing, changing, moving.

use jiff::Timestamp;
use serde::Serialize;
use tracing::{Instrument, trace_span};

use super::{HiragManager, check_level, off_the_async_threads};
use crate::config::Config;
use crate::context::{
    Context, ContextError, ContextId, ContextLevel, ContextPatch, EmbeddingState, MetadataLimits,
    NewContext, Priority, StateTag,
};
use crate::embedding::EmbeddingError;
use crate::error::Result;
use crate::levels;
use crate::store::Record;
use crate::store::sqlite::{Edit, LiveEdit, Merge, WriteBatch, Written};

/// Texts above this many bytes are counted off the async threads.
const LONG_TEXT: usize = 16_384;

/// What storing a context came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stored {
    /// Its id.
    pub id: ContextId,
    /// Its level.
    pub level: ContextLevel,
    /// Its tokens.
    pub token_count: u32,
    /// Whether it has its vector already.
    pub embedding: EmbeddingState,
    /// Why it has to wait for its vector, if it does; full text finds it meanwhile.
    pub pending_because: Option<String>,
}

impl Stored {
    fn of(record: &Record, because: Option<EmbeddingError>) -> Self {
        Self {
            id: record.id,
            level: record.level,
            token_count: record.token_count,
            embedding: match record.vector {
                Some(_) => EmbeddingState::Ready,
                None => EmbeddingState::Pending,
            },
            pending_because: because.map(|e| e.to_string()),
        }
    }
}

/// Whether a context may be stored.
pub(super) fn check(
    context: &NewContext,
    config: &Config,
    now: Timestamp,
) -> Result<(), ContextError> {
    context.validate(&config.limits, now)?;
    context
        .level
        .map_or(Ok(()), |level| check_level(config, level))
}

impl HiragManager {
    /// Stores a context: durable, and found by the next search, when this returns.
    ///
    /// Where its vector cannot be had now, it is stored all the same and embedded later.
    ///
    /// # Errors
    /// [`ContextError`] for what may not be stored, [`StoreError`](crate::store::StoreError) for what the disk refuses;
    /// nothing was stored then.
    pub async fn store(&self, new: NewContext) -> Result<Stored> {
        let mut stored = self.store_all(vec![new]).await?;
        stored
            .pop()
            .ok_or_else(|| crate::Error::Internal("nothing was stored".to_owned()))
    }

    /// Stores contexts in one transaction: all of them, in their order, or none.
    ///
    /// # Errors
    /// As [`Self::store`], for the first that may not be stored.
    pub async fn store_all(&self, new: Vec<NewContext>) -> Result<Vec<Stored>> {
        let mut timer = self.inner.profiler.timer("store");
        let prepared = self.prepare(new).await?;
        timer.part("embed");
        let batch = WriteBatch {
            insert: prepared.iter().map(|(record, _)| record.clone()).collect(),
            ..WriteBatch::default()
        };
        self.apply(batch).await?;
        timer.part("write");
        let stored = prepared.into_iter();
        Ok(stored
            .map(|(record, because)| Stored::of(&record, because))
            .collect())
    }

    /// Stores contexts in one transaction, but for those that may not be stored: each of them is
    /// told in its place, and keeps none of the others out.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) for what the disk refuses; nothing was stored then.
    pub async fn store_each(&self, new: Vec<NewContext>) -> Result<Vec<Result<Stored>>> {
        let mut timer = self.inner.profiler.timer("store");
        let (config, now) = (self.config(), self.inner.clock.now());
        let mut refused: Vec<Option<crate::Error>> = Vec::with_capacity(new.len());
        let mut allowed = Vec::with_capacity(new.len());
        for context in new {
            match check(&context, &config, now) {
                Ok(()) => {
                    refused.push(None);
                    allowed.push(context);
                }
                Err(error) => refused.push(Some(error.into())),
            }
        }
        let prepared = self.prepare(allowed).await?;
        timer.part("embed");
        let records: Vec<Record> = prepared.iter().map(|(record, _)| record.clone()).collect();
        let rules = levels::clean_up_rules(&config, now);
        let store = &self.inner.store;
        let each = store.insert_each(&self.inner.collection, records, rules);
        let each = each.await?;
        timer.part("write");
        self.inner.working_set.forget(each.evicted);
        let mut stored = prepared.into_iter().zip(each.outcomes).map(
            |((record, because), outcome)| match outcome {
                Ok(()) => Ok(Stored::of(&record, because)),
                Err(error) => Err(error.into()),
            },
        );
        let outcomes: Vec<Result<Stored>> = refused
            .into_iter()
            .filter_map(|error| match error {
                Some(error) => Some(Err(error)),
                None => stored.next(),
            })
            .collect();
        let in_l1 = |one: &&Stored| one.level == ContextLevel::Immediate;
        let new_in_l1: Vec<ContextId> = outcomes
            .iter()
            .flatten()
            .filter(in_l1)
            .map(|one| one.id)
            .collect();
        if !new_in_l1.is_empty() {
            self.refresh_working_set(&new_in_l1).await?;
        }
        Ok(outcomes)
    }

    /// Validates and embeds; what could not be embedded comes with the reason.
    pub(super) async fn prepare(
        &self,
        new: Vec<NewContext>,
    ) -> Result<Vec<(Record, Option<EmbeddingError>)>> {
        let (config, now) = (self.config(), self.inner.clock.now());
        new.iter()
            .try_for_each(|context| check(context, &config, now))?;
        self.prepare_checked(new).await
    }

    /// The same for what was found allowed already: an expiry that has passed since is seen to by
    /// the clean-up.
    pub(super) async fn prepare_checked(
        &self,
        new: Vec<NewContext>,
    ) -> Result<Vec<(Record, Option<EmbeddingError>)>> {
        let (config, now) = (self.config(), self.inner.clock.now());
        let waiting: Vec<String> = new
            .iter()
            .filter(|context| context.vector.is_none())
            .map(|context| context.text.clone())
            .collect();
        let priority = new.iter().map(|c| c.priority).max().unwrap_or_default();
        let vectors = self.embed(waiting, priority);
        let vectors = vectors.instrument(trace_span!("embed")).await?;
        let mut vectors = vectors.into_iter();
        let mut prepared = Vec::with_capacity(new.len());
        for context in new {
            let token_count = self.count_tokens(&context.text).await?;
            let level = context.level.unwrap_or(ContextLevel::Immediate);
            let by_level = levels::expiry(&config, level, now);
            let (vector, because) = match context.vector {
                Some(vector) => (Some(vector), None),
                None => match vectors.next() {
                    Some(Ok(vector)) => (Some(vector), None),
                    Some(Err(e)) => (None, Some(e)),
                    None => (None, None),
                },
            };
            let record = Record {
                id: context.id.unwrap_or_else(|| ContextId::new(now)),
                text: context.text,
                level,
                agent: context.agent,
                session: context.session,
                created_at: context.created_at.unwrap_or(now),
                updated_at: context.updated_at,
                accessed_at: context.accessed_at,
                access_count: context.access_count,
                token_count,
                metadata: context.metadata,
                source: context.source,
                source_key: context.source_key,
                position: context.position,
                level_expiry: context.expires_at.is_none(),
                expires_at: context.expires_at.or(by_level),
                priority: context.priority,
                vector,
            };
            prepared.push((record, because));
        }
        Ok(prepared)
    }

    pub(super) async fn apply(&self, batch: WriteBatch) -> Result<Written> {
        let rules = levels::clean_up_rules(&self.config(), self.inner.clock.now());
        let new_in_l1: Vec<ContextId> = batch
            .insert
            .iter()
            .filter(|record| record.level == ContextLevel::Immediate)
            .map(|record| record.id)
            .collect();
        let changed: Vec<ContextId> = batch
            .remove
            .iter()
            .copied()
            .chain(batch.edit.iter().map(|(id, _)| *id))
            .collect();
        let written = self
            .inner
            .store
            .apply(&self.inner.collection, batch, rules)
            .await?;
        let left = written.evicted.iter().copied().chain(changed);
        self.inner.working_set.forget(left);
        if !new_in_l1.is_empty() {
            self.refresh_working_set(&new_in_l1).await?;
        }
        Ok(written)
    }

    /// Changes contexts that must be there, all or none.
    pub(super) async fn edit(&self, edits: Vec<LiveEdit>) -> Result<()> {
        let rules = levels::clean_up_rules(&self.config(), self.inner.clock.now());
        let changed: Vec<ContextId> = edits.iter().map(|change| change.id).collect();
        let store = &self.inner.store;
        let evicted = store
            .edit_all(&self.inner.collection, edits, rules)
            .await??;
        let left = evicted.into_iter().chain(changed);
        self.inner.working_set.forget(left);
        Ok(())
    }

    /// Changes a context and returns it as it is now. A new text is embedded anew.
    ///
    /// # Errors
    /// [`ContextError::UnknownId`] or [`ContextError::Deleted`], or as [`Self::store`]; nothing was
    /// changed then.
    pub async fn update(&self, id: ContextId, patch: ContextPatch) -> Result<Context> {
        self.update_in(id, patch, None).await
    }

    /// The same, but only if the context is in one of these states: nobody else has changed it.
    ///
    /// # Errors
    /// [`ContextError::ChangedMeanwhile`]; as [`Self::update`].
    pub async fn update_in(
        &self,
        id: ContextId,
        patch: ContextPatch,
        only_in: Option<Vec<StateTag>>,
    ) -> Result<Context> {
        let config = self.config();
        let now = self.inner.clock.now();
        patch.validate(&config.limits, now)?;
        // Nothing is embedded for what is not there; whether it still is, the write sees to.
        let now_there = self.get(id).await?;
        if now_there.deleted_at.is_some() {
            return Err(ContextError::Deleted(id).into());
        }
        let is_in = |states: &Vec<StateTag>| states.contains(&now_there.state_tag());
        if !only_in.as_ref().is_none_or(is_in) {
            return Err(ContextError::ChangedMeanwhile(id).into());
        }
        let mut edit = Edit::default();
        if let Some(text) = patch.text {
            let tokens = self.count_tokens(&text).await?;
            let vector = self
                .embed(vec![text.clone()], Priority::Normal)
                .await?
                .pop()
                .and_then(std::result::Result::ok);
            edit.text = Some((text, tokens, vector));
        }
        edit.metadata = patch.metadata;
        let limits = MetadataLimits {
            max_bytes: config.limits.max_metadata_bytes,
        };
        let merge = patch
            .merge_metadata
            .map(|changes| Merge { changes, limits });
        if let Some(level) = patch.level {
            check_level(&config, level)?;
            edit.level = Some(level);
            let by_level = levels::expiry(&config, level, now).map(|at| at.as_millisecond());
            edit.expiry = Some((by_level, true));
        }
        if let Some(expires_at) = patch.expires_at {
            edit.expiry = Some((expires_at.map(|at| at.as_millisecond()), false));
        }
        let change = LiveEdit {
            id,
            edit,
            merge,
            only_in,
        };
        self.edit(vec![change]).await?;
        let context = self.get(id).await?;
        if context.level == ContextLevel::Immediate {
            self.refresh_working_set(&[id]).await?;
        }
        Ok(context)
    }

    /// Moves a context to a level; its expiry follows that level's rules.
    ///
    /// # Errors
    /// As [`Self::update`].
    pub async fn move_to(&self, id: ContextId, level: ContextLevel) -> Result<Context> {
        let patch = ContextPatch {
            level: Some(level),
            ..ContextPatch::default()
        };
        self.update(id, patch).await
    }

    pub(super) async fn count_tokens(&self, text: &str) -> Result<u32> {
        if text.len() < LONG_TEXT {
            return Ok(self.inner.tokens.count(text));
        }
        let (tokens, text) = (self.inner.tokens, text.to_owned());
        off_the_async_threads(move || tokens.count(&text)).await
    }
}
