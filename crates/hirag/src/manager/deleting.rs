//! Deleting, and bringing back.

use super::{HiragManager, of_level};
use crate::context::{ContextId, ContextLevel};
use crate::error::Result;
use crate::levels;
use crate::store::sqlite::{Deletion, Restored};

impl HiragManager {
    /// Marks contexts as deleted; [`Self::undo`] brings them back until they are purged.
    ///
    /// # Errors
    /// [`ContextError::UnknownId`](crate::context::ContextError::UnknownId) for the first id that is
    /// not there, [`Deleted`](crate::context::ContextError::Deleted) for one that is marked already;
    /// nothing was marked then.
    pub async fn delete(&self, ids: Vec<ContextId>) -> Result<Deletion> {
        let store = &self.inner.store;
        let deletion = store.mark_deleted(&self.inner.collection, ids).await??;
        self.inner.working_set.forget(deletion.ids.iter().copied());
        Ok(deletion)
    }

    /// Marks everything in a level as deleted; one [`Self::undo`] brings it back.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError); nothing was marked then.
    pub async fn clear(&self, level: ContextLevel) -> Result<Deletion> {
        let store = &self.inner.store;
        let deletion = store
            .mark_matching(&self.inner.collection, of_level(level)?)
            .await?;
        self.inner.working_set.forget(deletion.ids.iter().copied());
        Ok(deletion)
    }

    /// Brings back what the last deletion marked, or those of the given contexts that are marked.
    ///
    /// # Errors
    /// [`StoreError::NothingToUndo`](crate::store::StoreError::NothingToUndo),
    /// [`ContextError::UnknownId`](crate::context::ContextError::UnknownId) for the first given one
    /// that is not there; nothing was brought back then.
    pub async fn undo(&self, ids: Option<Vec<ContextId>>) -> Result<Restored> {
        let rules = levels::clean_up_rules(&self.config(), self.inner.clock.now());
        let store = &self.inner.store;
        let restored = store.undo(&self.inner.collection, ids, rules).await??;
        self.restore_working_set().await?;
        Ok(restored)
    }
}
