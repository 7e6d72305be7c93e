//! A budget that is being filled.

use super::{Item, Lacks};

/// A budget that is being filled.
pub(super) struct Bag {
    pub(super) budget: u32,
    pub(super) limit: usize,
    pub(super) left: u32,
    pub(super) used: [u32; 3],
    pub(super) taken: Vec<bool>,
    pub(super) count: usize,
    /// The smallest budget with which something that did not fit would have.
    pub(super) next: u64,
    /// What below the stock's front may have fitted.
    pub(super) lacks: Lacks,
}

impl Bag {
    /// An empty one, for a stock with a front of `front` items.
    pub(super) fn new(budget: u32, limit: usize, front: usize) -> Self {
        Self {
            budget,
            limit,
            left: budget,
            used: [0; 3],
            taken: vec![false; front],
            count: 0,
            next: u64::MAX,
            lacks: Lacks::Nothing,
        }
    }

    pub(super) fn fits(&mut self, tokens: u64) -> bool {
        if tokens <= u64::from(self.left) {
            return true;
        }
        self.next = self
            .next
            .min(u64::from(self.budget) + tokens - u64::from(self.left));
        false
    }

    /// Whether nothing that follows can fit, the smallest of it having `smallest` tokens.
    pub(super) fn stops_at(&mut self, smallest: u32) -> bool {
        !self.fits(u64::from(smallest))
    }

    pub(super) fn take(&mut self, place: usize, item: Item) {
        self.taken[place] = true;
        self.count += 1;
        self.left -= item.tokens;
        self.used[item.level.index()] += item.tokens;
    }
}
