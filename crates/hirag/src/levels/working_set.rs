use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::RwLock;

use crate::context::{Context, ContextId, ContextLevel};

/// L1 in memory: the contexts that are worked with, whole, over their stored rows.
///
/// The rows are the truth; what is here is a copy of some of them, dropped when in doubt. Which
/// contexts belong to L1 is decided in the transaction that stores them.
///
/// A copy is taken in two steps, so that a change in between is not missed: note the
/// [`version`](Self::version), read the rows, [`put`](Self::put) them under that version. Whoever
/// changes rows commits first and then calls [`forget`](Self::forget).
#[derive(Debug, Default)]
pub struct WorkingSet {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    version: u64,
    contexts: HashMap<ContextId, Arc<Context>>,
}

impl WorkingSet {
    /// Changes whenever something is forgotten.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.state.read().version
    }

    /// Takes in those contexts that stand in L1, if nothing was forgotten since `version`; they
    /// may be out of date otherwise, and `false` is returned.
    pub fn put(&self, version: u64, contexts: impl IntoIterator<Item = Context>) -> bool {
        let mut state = self.state.write();
        if state.version != version {
            return false;
        }
        for context in contexts {
            if context.level == ContextLevel::Immediate && context.deleted_at.is_none() {
                state.contexts.insert(context.id, Arc::new(context));
            }
        }
        true
    }

    /// The context, if it is here.
    #[must_use]
    pub fn get(&self, id: ContextId) -> Option<Arc<Context>> {
        self.state.read().contexts.get(&id).map(Arc::clone)
    }

    /// Counts that contexts were returned at `now`, for those that are here.
    pub fn touch(&self, ids: &[ContextId], now: Timestamp) {
        let mut state = self.state.write();
        for id in ids {
            if let Some(context) = state.contexts.get_mut(id) {
                let context = Arc::make_mut(context);
                context.access_count += 1;
                context.accessed_at = context.accessed_at.max(now);
            }
        }
    }

    /// Drops contexts that changed, moved or went.
    pub fn forget(&self, ids: impl IntoIterator<Item = ContextId>) {
        let mut state = self.state.write();
        state.version += 1;
        for id in ids {
            state.contexts.remove(&id);
        }
    }

    /// Drops everything.
    pub fn clear(&self) {
        let mut state = self.state.write();
        state.version += 1;
        state.contexts.clear();
    }

    /// How many contexts are here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.read().contexts.len()
    }

    /// Whether nothing is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{ContentHash, EmbeddingState, Metadata};

    fn context(level: ContextLevel) -> Context {
        let now = Timestamp::UNIX_EPOCH;
        Context {
            id: ContextId::new(now),
            text: "text".into(),
            level,
            agent: None,
            session: None,
            created_at: now,
            updated_at: now,
            accessed_at: now,
            access_count: 0,
            token_count: 1,
            content_hash: ContentHash::of("text"),
            metadata: Metadata::new(),
            source: None,
            source_key: None,
            expires_at: None,
            deleted_at: None,
            embedding: EmbeddingState::Ready,
            position: 0,
        }
    }

    #[test]
    fn it_holds_l1_and_nothing_else() {
        let set = WorkingSet::default();
        let (near, far) = (
            context(ContextLevel::Immediate),
            context(ContextLevel::LongTerm),
        );
        assert!(set.put(set.version(), [near.clone(), far.clone()]));
        assert!(set.get(near.id).is_some() && set.get(far.id).is_none());
        set.forget([near.id]);
        assert!(set.is_empty());
    }

    #[test]
    fn rows_read_before_a_change_are_not_taken_in() {
        let set = WorkingSet::default();
        let version = set.version();
        let old = context(ContextLevel::Immediate);
        set.forget([old.id]);
        assert!(!set.put(version, [old]));
        assert!(set.is_empty());
    }

    #[test]
    fn an_access_is_counted_on_the_copy_too() {
        let set = WorkingSet::default();
        let one = context(ContextLevel::Immediate);
        set.put(set.version(), [one.clone()]);
        set.touch(&[one.id], Timestamp::from_second(9).unwrap());
        let copy = set.get(one.id).unwrap();
        assert_eq!((copy.access_count, copy.accessed_at.as_second()), (1, 9));
    }
}
