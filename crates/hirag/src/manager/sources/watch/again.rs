//! Looking again at sources with a file that was being written.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::sources::{SETTLED, SourceId};

/// When to look again: once the file may be known by its time, and ever later for one that is
/// written on and on, as a log is. Of its last change the system has told already.
#[derive(Debug)]
pub(super) struct Again {
    waiting: BTreeMap<SourceId, Wait>,
    longest: Duration,
}

#[derive(Debug)]
struct Wait {
    time: Duration,
    /// `None` while it is being looked at.
    end: Option<Instant>,
}

impl Again {
    /// Waits no longer than `longest`.
    pub(super) fn within(longest: Duration) -> Self {
        Self {
            waiting: BTreeMap::new(),
            longest,
        }
    }

    /// A run found a file that was being written.
    pub(super) fn wait(&mut self, source: SourceId, now: Instant) {
        let before = self.waiting.get(&source).map(|wait| wait.time * 2);
        let time = before.unwrap_or(SETTLED).min(self.longest);
        let end = Some(now + time);
        self.waiting.insert(source, Wait { time, end });
    }

    /// A run found none, or there is no such source any more.
    pub(super) fn forget(&mut self, source: SourceId) {
        self.waiting.remove(&source);
    }

    /// When the next wait ends.
    pub(super) fn next(&self) -> Option<Instant> {
        self.waiting.values().filter_map(|wait| wait.end).min()
    }

    /// The sources whose wait has ended, each once.
    pub(super) fn due(&mut self, now: Instant) -> Vec<SourceId> {
        let over = self.waiting.iter_mut();
        over.filter_map(|(id, wait)| {
            wait.end.take_if(|end| *end <= now)?;
            Some(*id)
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_on_and_on_is_looked_at_ever_later_and_within_a_poll() {
        let (one, two) = (SourceId(1), SourceId(2));
        let longest = SETTLED * 5;
        let mut again = Again::within(longest);
        let begun = Instant::now();
        let mut now = begun;
        assert_eq!(again.next(), None);
        for wait in [SETTLED, SETTLED * 2, SETTLED * 4, longest, longest] {
            again.wait(one, now);
            assert_eq!(again.next(), Some(now + wait));
            assert_eq!(again.due(now), []);
            now += wait;
            assert_eq!(again.due(now), [one]);
            assert_eq!((again.due(now), again.next()), (Vec::new(), None));
        }
        again.wait(two, now);
        assert_eq!(
            again.next(),
            Some(now + SETTLED),
            "each has a wait of its own"
        );
        again.forget(one);
        again.forget(two);
        assert_eq!(again.next(), None);
        again.wait(one, now);
        assert_eq!(again.next(), Some(now + SETTLED), "it had an end");
    }
}
