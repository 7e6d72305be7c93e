//! Looking at what is stored.

use super::HiragManager;
use crate::context::{Context, ContextError, ContextId, Filter};
use crate::error::Result;
use crate::store::{Order, Page, ScrollRequest, VectorStore};

/// A page of contexts to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListRequest {
    /// Which contexts.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Contexts at most; 0 is 100.
    pub limit: usize,
    /// Whether to list what is marked as deleted, instead of what is not.
    pub deleted: bool,
}

impl HiragManager {
    /// A context, those marked as deleted too.
    ///
    /// # Errors
    /// [`ContextError::UnknownId`].
    pub async fn get(&self, id: ContextId) -> Result<Context> {
        if let Some(context) = self.inner.working_set.get(id) {
            return Ok((*context).clone());
        }
        let mut found = self.inner.store.get(&self.inner.collection, &[id]).await?;
        found
            .pop()
            .ok_or_else(|| ContextError::UnknownId(id).into())
    }

    /// A page of contexts; following the cursors shows each once.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`](crate::store::StoreError::BadCursor).
    pub async fn list(&self, request: ListRequest) -> Result<Page> {
        let limit = match request.limit {
            0 => 100,
            limit => limit,
        };
        let scroll = ScrollRequest {
            filter: request.filter,
            order: request.order,
            cursor: request.cursor,
            limit,
            deleted: request.deleted,
        };
        Ok(self
            .inner
            .store
            .scroll(&self.inner.collection, scroll)
            .await?)
    }

    /// How many contexts pass a filter.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when the database fails.
    pub async fn count(&self, filter: &Filter) -> Result<u64> {
        Ok(self
            .inner
            .store
            .count(&self.inner.collection, filter)
            .await?)
    }
}
