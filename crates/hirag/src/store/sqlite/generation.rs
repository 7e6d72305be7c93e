//! Whether anything changed that a search could notice.

use std::sync::atomic::{AtomicU64, Ordering};

use super::writer::Changes;

/// Counts the commits that searches can notice. It counts one after searches see it, and before
/// whoever asked for it is answered: what was found at a generation is true as long as that lasts.
#[derive(Debug, Default)]
pub(super) struct Generation(AtomicU64);

impl Generation {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Nothing that was found before is to be given any more.
    pub(super) fn end(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    /// Follows a commit.
    pub(super) fn follow(&self, changes: &Changes) {
        let Changes {
            rows,
            accesses,
            words,
            everything,
        } = changes;
        if *everything || *words || !rows.is_empty() || !accesses.is_empty() {
            self.end();
        }
    }
}
