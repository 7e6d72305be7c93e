//! Packing ranked contexts into the budget.
//!
//! Four passes, each in rank order; an item that does not fit is skipped, not the end:
//! 1. the minimum of every level, as far as all of them fit together;
//! 2. within each level's share, among as many of the best as the limit allows;
//! 3. what those shares left, among the same, whatever the level;
//! 4. below them, where some of those did not fit and the limit is not reached.
//!
//! A budget is usually full after a few hundred of the best. So the order of those alone, the front,
//! is enough to begin with; a packing says when it would have had to look below them.

mod bag;
mod share;
#[cfg(test)]
mod tests;

use self::bag::Bag;
use self::share::{budget_for_share, share};
use super::{LevelLedger, RetrievalStrategy};
use crate::context::ContextLevel;

/// What packing needs to know of one context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) level: ContextLevel,
    pub(super) tokens: u32,
}

/// Ranked items, ready to be packed into any budget.
#[derive(Debug, Clone)]
pub(super) struct Stock {
    /// The best, in rank order.
    front: Vec<Item>,
    /// All that rank below them, in no order.
    rest: Vec<Item>,
    /// The smallest tokens from each item of the front on, the rest included: where packing can stop.
    smallest_from: Vec<u32>,
    /// The same for the rest alone.
    smallest_of_rest: u32,
    /// The smallest tokens of each level: where its share is exhausted.
    smallest_in: [u32; 3],
    /// The tokens of each level's smallest items, ascending, as many as its minimum.
    smallest_of: [Vec<u32>; 3],
    /// Levels that have items, by their best item.
    levels: Vec<ContextLevel>,
    /// Whether a level has all its items in the rest, so that its best one is not known.
    unseen_level: bool,
    allocations: [f64; 3],
}

/// What was taken, by place in the stock.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Packing {
    /// Taken places, best first.
    pub(super) taken: Vec<usize>,
    /// Tokens taken, by level.
    pub(super) used: [u32; 3],
    /// Places from here on were not looked at, because the limit was reached.
    pub(super) considered: usize,
    /// The next larger budget that may pack otherwise; none below it does. `None`: no larger
    /// budget does.
    pub(super) next_budget: Option<u32>,
    /// What it would have had to look at below the front, to be what all come to.
    pub(super) lacks: Lacks,
    budget: u32,
}

/// What of the rest a packing would have had to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lacks {
    /// Nothing: the front is enough.
    Nothing,
    /// Items of so many tokens at most: no larger one fits.
    Small(u32),
    /// More of the best.
    Better,
}

/// Why an item was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// It did not fit.
    NoRoom,
    /// The limit was reached with better ones.
    Outranked,
}

impl Packing {
    pub(super) fn budget(&self) -> u32 {
        self.budget
    }

    pub(super) fn total(&self) -> u32 {
        self.used.iter().sum()
    }

    /// Tokens of the budget that stayed free.
    pub(super) fn left(&self) -> u32 {
        self.budget - self.total()
    }

    pub(super) fn takes(&self, place: usize) -> bool {
        self.taken.binary_search(&place).is_ok()
    }

    /// Why the item at `place`, which was not taken, was left out.
    pub(super) fn left_out(&self, place: usize, item: Item) -> LeftOut {
        if place < self.considered || item.tokens > self.budget {
            LeftOut::NoRoom
        } else {
            LeftOut::Outranked
        }
    }
}

impl Stock {
    /// `front` in rank order, and the `rest`, which rank below them, in any.
    pub(super) fn new(front: Vec<Item>, rest: Vec<Item>, strategy: &RetrievalStrategy) -> Self {
        let minimum = strategy.min_contexts_per_level as usize;
        let smallest_of_rest = rest
            .iter()
            .map(|item| item.tokens)
            .min()
            .unwrap_or(u32::MAX);
        let mut smallest_from = vec![0; front.len()];
        let mut smallest = smallest_of_rest;
        for (place, item) in front.iter().enumerate().rev() {
            smallest = smallest.min(item.tokens);
            smallest_from[place] = smallest;
        }
        let mut levels: Vec<ContextLevel> = Vec::new();
        let mut smallest_in = [u32::MAX; 3];
        let mut by_level: [Vec<u32>; 3] = Default::default();
        let mut counts = [0_u32; 3];
        let mut seen = 0;
        for (place, item) in front.iter().chain(&rest).enumerate() {
            let level = item.level.index();
            if counts[level] == 0 {
                levels.push(item.level);
                seen += usize::from(place < front.len());
            }
            counts[level] += 1;
            smallest_in[level] = item.tokens.min(smallest_in[level]);
            // A few of each, in order: most items are larger than all of them.
            let smallest = &mut by_level[level];
            if smallest.len() < minimum || smallest.last().is_some_and(|last| item.tokens < *last) {
                let at = smallest.partition_point(|tokens| *tokens <= item.tokens);
                smallest.insert(at, item.tokens);
                smallest.truncate(minimum);
            }
        }
        Self {
            front,
            rest,
            smallest_from,
            smallest_of_rest,
            smallest_in,
            smallest_of: by_level,
            unseen_level: seen < levels.len(),
            levels,
            allocations: strategy.allocations(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.front.len() + self.rest.len()
    }

    /// The item at a place of the front.
    pub(super) fn item(&self, place: usize) -> Item {
        self.front[place]
    }

    /// Packs into `budget` tokens and at most `limit` items.
    pub(super) fn pack(&self, budget: u32, limit: usize) -> Packing {
        let mut bag = Bag::new(budget, limit, self.front.len());
        self.pack_minimum(&mut bag);
        let window = self.window(&bag);
        self.pack_shares(&mut bag, window);
        let considered = self.pack_rest(&mut bag, window);
        Packing {
            taken: (0..self.front.len())
                .filter(|&place| bag.taken[place])
                .collect(),
            used: bag.used,
            considered,
            next_budget: u32::try_from(bag.next).ok(),
            lacks: bag.lacks,
            budget,
        }
    }

    /// Takes each level's best items up to its minimum, a better one only if the smallest of what
    /// is still owed to all levels fits beside it.
    fn pack_minimum(&self, bag: &mut Bag) {
        let mut owed = self.owed(bag);
        let mut reserved: u32 = owed.iter().flatten().sum();
        let mut open: usize = owed.iter().map(Vec::len).sum();
        if open > 0 && self.unseen_level {
            bag.lacks = Lacks::Better;
            return;
        }
        for (place, item) in self.front.iter().enumerate() {
            if open == 0 {
                break;
            }
            let level = &mut owed[item.level.index()];
            // Taking one of the smallest frees what was reserved for it; taking a larger one frees
            // what was reserved for the largest of them.
            let found = level.binary_search(&item.tokens).ok();
            let Some(freed) = found.or(level.len().checked_sub(1)) else {
                continue;
            };
            if bag.fits(u64::from(item.tokens) + u64::from(reserved - level[freed])) {
                reserved -= level.remove(freed);
                open -= 1;
                bag.take(place, *item);
            }
        }
        if open > 0 && !self.rest.is_empty() {
            bag.lacks = Lacks::Better;
        }
    }

    /// For every level the tokens of its smallest items, as many as can be promised: one more for
    /// each level in turn, while all that is promised fits.
    fn owed(&self, bag: &mut Bag) -> [Vec<u32>; 3] {
        let mut promised = [0; 3];
        let mut tokens = 0_u64;
        let mut count = 0;
        let rounds = self.smallest_of.iter().map(Vec::len).max().unwrap_or(0);
        for round in 0..rounds {
            for level in self.levels.iter().map(|level| level.index()) {
                let Some(&more) = self.smallest_of[level].get(round) else {
                    continue;
                };
                if promised[level] == round
                    && count < bag.limit
                    && bag.fits(tokens + u64::from(more))
                {
                    promised[level] += 1;
                    tokens += u64::from(more);
                    count += 1;
                }
            }
        }
        std::array::from_fn(|level| self.smallest_of[level][..promised[level]].to_vec())
    }

    /// The place after the best items that the limit has room for.
    fn window(&self, bag: &Bag) -> usize {
        let room = bag.limit.saturating_sub(bag.count);
        if room >= self.len() {
            return self.len();
        }
        let mut free = 0;
        let in_front = bag.taken.iter().position(|taken| {
            free += usize::from(!taken);
            free > room
        });
        // Nothing of the rest is taken.
        in_front.unwrap_or_else(|| self.len().min(self.front.len() + room - free))
    }

    fn pack_shares(&self, bag: &mut Bag, window: usize) {
        let shares = self.allocations.map(|part| share(bag.budget, part));
        // The least share with which each level would have taken more.
        let mut lacking = [u64::MAX; 3];
        let least = |bag: &Bag, level: usize| {
            u64::from(bag.used[level]) + u64::from(self.smallest_in[level])
        };
        let levels = || self.levels.iter().map(|level| level.index());
        let exhausted = |bag: &Bag| levels().all(|level| least(bag, level) > shares[level].into());
        let mut done = exhausted(bag);
        let mut stopped = false;
        for (place, item) in self.front.iter().take(window).enumerate() {
            stopped = done || bag.stops_at(self.smallest_from[place]);
            if stopped {
                break;
            }
            if bag.taken[place] || !bag.fits(u64::from(item.tokens)) {
                continue;
            }
            let level = item.level.index();
            let needed = u64::from(bag.used[level]) + u64::from(item.tokens);
            if needed <= u64::from(shares[level]) {
                bag.take(place, *item);
                done = exhausted(bag);
            } else {
                lacking[level] = lacking[level].min(needed);
            }
        }
        if window > self.front.len() && !stopped && !done {
            self.look_below(bag, window);
        }
        if done {
            for level in levels() {
                lacking[level] = lacking[level].min(least(bag, level));
            }
        }
        for (part, needed) in self.allocations.into_iter().zip(lacking) {
            if let Some(budget) = budget_for_share(needed, part) {
                bag.next = bag.next.min(budget);
            }
        }
    }

    /// Returns the place from which on nothing was looked at.
    fn pack_rest(&self, bag: &mut Bag, window: usize) -> usize {
        let rest = (!self.rest.is_empty()).then_some((self.smallest_of_rest, None));
        let front = self.smallest_from.iter().zip(&self.front);
        let front = front.map(|(smallest, item)| (*smallest, Some(item)));
        for (place, (smallest, item)) in front.chain(rest).enumerate() {
            if place >= window && bag.count >= bag.limit {
                return place;
            }
            if bag.stops_at(smallest) {
                return if bag.count >= bag.limit {
                    window
                } else {
                    self.len()
                };
            }
            let Some(item) = item else {
                self.look_below(bag, window);
                break;
            };
            if !bag.taken[place] && bag.fits(u64::from(item.tokens)) {
                bag.take(place, *item);
            }
        }
        self.len()
    }

    /// Notes what of the rest may fit. With a limit, places count too, and those of the rest are not
    /// known.
    fn look_below(&self, bag: &mut Bag, window: usize) {
        if !bag.stops_at(self.smallest_of_rest) {
            let lacks = match window < self.len() {
                true => Lacks::Better,
                false => Lacks::Small(bag.left),
            };
            bag.lacks = bag.lacks.max(lacks);
        }
    }

    /// A budget below which the item at `place`, where the front is all, cannot be taken: better items that are not larger
    /// are always taken before it, be it from its level's share or from all of the budget. Only
    /// its level's minimum can take it for its own tokens.
    pub(super) fn least_budget(&self, place: usize) -> u32 {
        let item = self.front[place];
        let mut all = u64::from(item.tokens);
        let mut level = all;
        let mut better_of_level = 0;
        for better in &self.front[..place] {
            if better.tokens <= item.tokens {
                all += u64::from(better.tokens);
                if better.level == item.level {
                    level += u64::from(better.tokens);
                    better_of_level += 1;
                }
            }
        }
        if better_of_level < self.smallest_of[item.level.index()].len() {
            return item.tokens;
        }
        let of_share = budget_for_share(level, self.allocations[item.level.index()]);
        let least = of_share.map_or(all, |budget| budget.min(all));
        u32::try_from(least).unwrap_or(u32::MAX)
    }

    /// What became of each level's share.
    pub(super) fn ledgers(&self, packing: &Packing) -> [LevelLedger; 3] {
        let mut ledgers: [LevelLedger; 3] = std::array::from_fn(|level| LevelLedger {
            allotted: share(packing.budget, self.allocations[level]),
            used: packing.used[level],
            ..LevelLedger::default()
        });
        let mut taken = packing.taken.iter().peekable();
        let items = self.front.iter().chain(&self.rest);
        for (place, item) in items.enumerate() {
            if taken.next_if(|&&next| next == place).is_some() {
                continue;
            }
            if packing.left_out(place, *item) == LeftOut::NoRoom {
                let ledger = &mut ledgers[item.level.index()];
                ledger.skipped += 1;
                ledger.skipped_tokens += u64::from(item.tokens);
            }
        }
        ledgers
    }
}
