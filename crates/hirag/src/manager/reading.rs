//! Looking at what is stored.

use serde::Deserialize;

use super::HiragManager;
use crate::context::{Context, ContextError, ContextId, Filter};
use crate::error::Result;
use crate::store::{Order, Page, ScrollRequest, VectorStore};

/// A page of contexts to list.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields = nullable))]
#[serde(default, deny_unknown_fields)]
pub struct ListRequest {
    /// Which contexts.
    #[cfg_attr(feature = "ts", ts(as = "Option<Filter>", optional))]
    pub filter: Filter,
    /// In which order.
    #[cfg_attr(feature = "ts", ts(as = "Option<Order>", optional))]
    pub order: Order,
    /// Where the page before ended; that page must have been of the same order.
    pub cursor: Option<String>,
    /// Contexts to pass over after the cursor, or from the start.
    #[cfg_attr(feature = "ts", ts(as = "Option<u32>", optional))]
    pub skip: usize,
    /// Contexts at most; 0 is 100.
    #[cfg_attr(feature = "ts", ts(as = "Option<u32>", optional))]
    pub limit: usize,
    /// Whether to list what is marked as deleted, instead of what is not.
    #[cfg_attr(feature = "ts", ts(as = "Option<bool>", optional))]
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

    /// A page of contexts; following the cursors shows each once. One whose place in the order
    /// changes meanwhile may be shown again or not at all.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`](crate::store::StoreError::BadCursor);
    /// [`ContextError::MalformedFilter`] for one that asks too much.
    pub async fn list(&self, request: ListRequest) -> Result<Page> {
        request.filter.check_size()?;
        let limit = match request.limit {
            0 => 100,
            limit => limit,
        };
        let scroll = ScrollRequest {
            filter: request.filter,
            order: request.order,
            cursor: request.cursor,
            skip: request.skip,
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
    /// [`ContextError::MalformedFilter`] for one that asks too much;
    /// [`StoreError`](crate::store::StoreError) when the database fails.
    pub async fn count(&self, filter: &Filter) -> Result<u64> {
        filter.check_size()?;
        Ok(self
            .inner
            .store
            .count(&self.inner.collection, filter)
            .await?)
    }
}
