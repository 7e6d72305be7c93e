use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::context::{Context, ContextId, ContextLevel};

/// L1 in memory: the contexts that are worked with, whole, over their stored rows.
///
/// The rows are the truth; what is here is a copy of some of them, dropped when in doubt. Which
/// contexts belong to L1 is decided in the transaction that stores them.
#[derive(Debug, Default)]
pub struct WorkingSet {
    contexts: RwLock<HashMap<ContextId, Arc<Context>>>,
}

impl WorkingSet {
    /// Takes in a context of L1; one of another level leaves.
    pub fn put(&self, context: Context) {
        let mut contexts = self.contexts.write();
        if context.level == ContextLevel::Immediate && context.deleted_at.is_none() {
            contexts.insert(context.id, Arc::new(context));
        } else {
            contexts.remove(&context.id);
        }
    }

    /// Replaces everything with the contexts of L1 among `contexts`.
    pub fn restore(&self, contexts: impl IntoIterator<Item = Context>) {
        let fresh = contexts
            .into_iter()
            .filter(|context| context.level == ContextLevel::Immediate)
            .map(|context| (context.id, Arc::new(context)))
            .collect();
        *self.contexts.write() = fresh;
    }

    /// The context, if it is here.
    #[must_use]
    pub fn get(&self, id: ContextId) -> Option<Arc<Context>> {
        self.contexts.read().get(&id).map(Arc::clone)
    }

    /// Drops contexts that changed, moved or went.
    pub fn forget(&self, ids: impl IntoIterator<Item = ContextId>) {
        let mut contexts = self.contexts.write();
        for id in ids {
            contexts.remove(&id);
        }
    }

    /// Drops everything.
    pub fn clear(&self) {
        self.contexts.write().clear();
    }

    /// How many contexts are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.contexts.read().len()
    }

    /// Whether nothing is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
