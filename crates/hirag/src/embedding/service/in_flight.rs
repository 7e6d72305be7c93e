use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use parking_lot::Mutex;

use crate::context::Priority;
use crate::embedding::{CacheKey, EmbeddingError};

pub(super) type Answer = Result<Arc<[f32]>, EmbeddingError>;
type Work = BoxFuture<'static, Answer>;

/// Entries above which those that nobody waits for any more are cleared away.
const TIDY_ABOVE: usize = 64;

/// Texts that are just being embedded, so that a second request for one joins the first.
///
/// The work lives as long as anybody waits for it.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    running: Mutex<HashMap<CacheKey, (Priority, WeakShared<Work>)>>,
}

impl InFlight {
    /// The work for `key` that is under way, or `work`. What waits at a lower priority is not
    /// joined: it would hold the caller up.
    pub(super) fn join(
        &self,
        key: CacheKey,
        priority: Priority,
        work: impl FnOnce() -> Work,
    ) -> Shared<Work> {
        let mut running = self.running.lock();
        if let Some((theirs, shared)) = running.get(&key)
            && *theirs >= priority
            && let Some(shared) = shared.upgrade()
            && shared.peek().is_none()
        {
            return shared;
        }
        if running.len() >= TIDY_ABOVE {
            running.retain(|_, (_, shared)| shared.upgrade().is_some());
        }
        let shared = work().shared();
        if let Some(weak) = shared.downgrade() {
            running.insert(key, (priority, weak));
        }
        shared
    }
}
