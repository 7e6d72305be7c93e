//! How much of an exact search the fast one finds, for one query.

use crate::context::{ContextId, ContextRequest};
use crate::error::Result;
use crate::manager::HiragManager;

/// A query answered both ways.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchRecall {
    /// Contexts that the exact search returns.
    pub exact: usize,
    /// Those of them that the fast search returns too.
    pub found: usize,
    /// Milliseconds of the fast search, without the model.
    pub fast_ms: f64,
    /// Milliseconds of the exact search, without the model.
    pub exact_ms: f64,
}

impl SearchRecall {
    /// The share that is found, 0 to 1; 1 where there is nothing to find.
    #[must_use]
    pub fn share(&self) -> f64 {
        match self.exact {
            0 => 1.0,
            exact => self.found as f64 / exact as f64,
        }
    }
}

impl HiragManager {
    /// Answers a request both ways and compares the contexts. Nothing is kept of it: no access is
    /// counted, and there is no trace.
    ///
    /// # Errors
    /// As [`Self::retrieve`].
    pub async fn search_recall(&self, request: &ContextRequest) -> Result<SearchRecall> {
        let fast = self.found(request, false).await?;
        let exact = self.found(request, true).await?;
        let found = exact.0.iter().filter(|id| fast.0.contains(id)).count();
        Ok(SearchRecall {
            exact: exact.0.len(),
            found,
            fast_ms: fast.1,
            exact_ms: exact.1,
        })
    }

    /// What is found, and how long it took without the model.
    async fn found(&self, request: &ContextRequest, exact: bool) -> Result<(Vec<ContextId>, f64)> {
        let request = ContextRequest {
            explain: false,
            exact,
            ..request.clone()
        };
        let response = self.answer(&request).await?.response;
        let stages = response.metadata.timings.iter();
        let took = stages
            .filter(|timing| timing.stage != "embed")
            .map(|timing| timing.ms);
        let ids = response.contexts.iter().map(|one| one.context.id);
        Ok((ids.collect(), took.sum()))
    }
}
