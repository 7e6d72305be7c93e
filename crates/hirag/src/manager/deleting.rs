//! Deleting, and bringing back.

use super::{HiragManager, of_level};
use crate::context::{ContextId, ContextLevel};
use crate::error::Result;
use crate::levels;
use crate::store::sqlite::{Deletion, Restored, WriteBatch};

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

    /// Brings back what the last deletion marked, or the given contexts.
    ///
    /// # Errors
    /// [`StoreError::NothingToUndo`](crate::store::StoreError::NothingToUndo).
    pub async fn undo(&self, ids: Option<Vec<ContextId>>) -> Result<Restored> {
        let now = self.inner.clock.now();
        let expiry = levels::expiry(&self.config(), ContextLevel::ShortTerm, now);
        let restored = self
            .inner
            .store
            .undo(
                &self.inner.collection,
                ids,
                expiry.map(|at| at.as_millisecond()),
            )
            .await?;
        // What comes back may bring L1 over its size.
        self.apply(WriteBatch::default()).await?;
        self.restore_working_set().await?;
        Ok(restored)
    }
}
