//! What is done when the system lost count of changes.

/// All sources are looked at then. That look may itself be more than the system can count, so the
/// next one waits for the poll, unless something was told in between.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Whether all was looked at for a loss, and nothing was told since.
    looked: bool,
    /// Whether the next poll looks at all.
    waiting: bool,
}

impl Losses {
    /// Some changes were lost: whether to look at all now.
    pub(super) fn lost(&mut self) -> bool {
        let now = !self.looked;
        self.waiting |= !now;
        self.looked = true;
        now
    }

    /// A change was told.
    pub(super) fn told(&mut self) {
        self.looked = false;
    }

    /// It is time for a poll: whether to look at all.
    pub(super) fn polled(&mut self) -> bool {
        self.looked = self.waiting;
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_is_lost_count_of_is_not_followed_by_another_at_once() {
        let mut losses = Losses::default();
        assert!(losses.lost());
        assert!(!losses.lost(), "that may have been the look");
        assert!(losses.polled());
        assert!(!losses.lost());
        assert!(losses.polled());
        assert!(!losses.polled(), "all was looked at");
        assert!(losses.lost());
        losses.told();
        assert!(losses.lost(), "it may be of what was told");
    }
}
