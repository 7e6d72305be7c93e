//! Which source is run next.

use std::collections::BTreeSet;
use std::ops::Bound::{Excluded, Unbounded};

use crate::sources::SourceId;

/// Sources that have to be run, in turn: one that changes all the time keeps no other waiting.
#[derive(Debug, Default)]
pub(super) struct Turns {
    due: BTreeSet<SourceId>,
    /// Whose turn it was.
    last: Option<SourceId>,
}

impl Turns {
    pub(super) fn are_over(&self) -> bool {
        self.due.is_empty()
    }

    pub(super) fn add(&mut self, sources: impl IntoIterator<Item = SourceId>) {
        self.due.extend(sources);
    }

    pub(super) fn forget(&mut self, source: SourceId) {
        self.due.remove(&source);
    }

    /// The source whose turn it is; it is due no longer.
    pub(super) fn next(&mut self) -> Option<SourceId> {
        let after = |last| self.due.range((Excluded(last), Unbounded)).next();
        let next = self.last.and_then(after).or_else(|| self.due.first());
        let next = *next?;
        self.due.remove(&next);
        self.last = Some(next);
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_is_always_due_keeps_no_other_waiting() {
        let ids = |ids: &[i64]| ids.iter().copied().map(SourceId).collect::<Vec<_>>();
        let mut turns = Turns::default();
        turns.add(ids(&[1, 2, 3]));
        let mut ran = Vec::new();
        while let Some(id) = turns.next() {
            ran.push(id);
            if ran.len() < 5 {
                turns.add(ids(&[1]));
            }
        }
        assert_eq!(ran, ids(&[1, 2, 3, 1, 1]));
        assert!(turns.are_over());
    }

    #[test]
    fn what_is_forgotten_has_no_turn() {
        let (one, two) = (SourceId(1), SourceId(2));
        let mut turns = Turns::default();
        turns.add([one, two]);
        turns.forget(one);
        assert_eq!((turns.next(), turns.next()), (Some(two), None));
    }
}
