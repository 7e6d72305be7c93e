use std::collections::VecDeque;
use std::sync::Arc;

use hirag::retrieval::{Rerankable, TraceId};

/// Searches that can be ranked again.
const KEPT: usize = 8;
/// Candidates of all of them at most, beside those of the last: each takes about a hundred bytes.
const CANDIDATES: usize = 400_000;

/// The candidates of the last searches.
#[derive(Debug, Default)]
pub(crate) struct Searches {
    kept: VecDeque<(TraceId, Arc<Rerankable>)>,
}

impl Searches {
    /// Keeps a search, and drops the oldest beyond the bounds.
    pub(crate) fn keep(&mut self, id: TraceId, search: Rerankable) {
        self.kept.push_front((id, Arc::new(search)));
        self.kept.truncate(KEPT);
        let mut candidates = 0;
        let fitting = self.kept.iter().take_while(|(_, search)| {
            candidates += search.candidates();
            candidates <= CANDIDATES
        });
        let fitting = fitting.count().max(1);
        self.kept.truncate(fitting);
    }

    /// The candidates of a search, while they are kept.
    pub(crate) fn get(&self, id: TraceId) -> Option<Arc<Rerankable>> {
        let found = self.kept.iter().find(|(kept, _)| *kept == id)?;
        Some(Arc::clone(&found.1))
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }
}
