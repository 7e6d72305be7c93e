//! Packing ranked contexts into the budget.
//!
//! Four passes, each in rank order; an item that does not fit is skipped, not the end:
//! 1. the minimum of every level, as far as all of them fit together;
//! 2. within each level's share, among as many of the best as the limit allows;
//! 3. what those shares left, among the same, whatever the level;
//! 4. below them, where some of those did not fit and the limit is not reached.

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
    items: Vec<Item>,
    /// The smallest tokens from each item on: where packing can stop.
    smallest_from: Vec<u32>,
    /// The smallest tokens of each level: where its share is exhausted.
    smallest_in: [u32; 3],
    /// The tokens of each level's smallest items, ascending, as many as its minimum.
    smallest_of: [Vec<u32>; 3],
    /// Levels that have items, by their best item.
    levels: Vec<ContextLevel>,
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
    budget: u32,
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
    /// `items` in rank order.
    pub(super) fn new(items: Vec<Item>, strategy: &RetrievalStrategy) -> Self {
        let minimum = strategy.min_contexts_per_level as usize;
        let mut smallest_from = vec![0; items.len()];
        let mut smallest = u32::MAX;
        for (place, item) in items.iter().enumerate().rev() {
            smallest = smallest.min(item.tokens);
            smallest_from[place] = smallest;
        }
        let mut levels: Vec<ContextLevel> = Vec::new();
        let mut smallest_in = [u32::MAX; 3];
        let mut by_level: [Vec<u32>; 3] = Default::default();
        for item in &items {
            let tokens = &mut by_level[item.level.index()];
            if tokens.is_empty() {
                levels.push(item.level);
            }
            tokens.push(item.tokens);
            let smallest = &mut smallest_in[item.level.index()];
            *smallest = item.tokens.min(*smallest);
        }
        for tokens in &mut by_level {
            if minimum > 0 && minimum < tokens.len() {
                tokens.select_nth_unstable(minimum - 1);
            }
            tokens.truncate(minimum);
            tokens.sort_unstable();
        }
        Self {
            items,
            smallest_from,
            smallest_in,
            smallest_of: by_level,
            levels,
            allocations: strategy.allocations(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn item(&self, place: usize) -> Item {
        self.items[place]
    }

    /// Packs into `budget` tokens and at most `limit` items.
    pub(super) fn pack(&self, budget: u32, limit: usize) -> Packing {
        let mut bag = Bag {
            budget,
            limit,
            left: budget,
            used: [0; 3],
            taken: vec![false; self.items.len()],
            count: 0,
            next: u64::MAX,
        };
        self.pack_minimum(&mut bag);
        let window = self.window(&bag);
        self.pack_shares(&mut bag, window);
        let considered = self.pack_rest(&mut bag, window);
        Packing {
            taken: (0..self.items.len())
                .filter(|&place| bag.taken[place])
                .collect(),
            used: bag.used,
            considered,
            next_budget: u32::try_from(bag.next).ok(),
            budget,
        }
    }

    /// Takes each level's best items up to its minimum, a better one only if the smallest of what
    /// is still owed to all levels fits beside it.
    fn pack_minimum(&self, bag: &mut Bag) {
        let mut owed = self.owed(bag);
        let mut reserved: u32 = owed.iter().flatten().sum();
        let mut open: usize = owed.iter().map(Vec::len).sum();
        for (place, item) in self.items.iter().enumerate() {
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
        if room >= self.items.len() {
            return self.items.len();
        }
        let mut free = 0;
        bag.taken
            .iter()
            .position(|taken| {
                free += usize::from(!taken);
                free > room
            })
            .unwrap_or(self.items.len())
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
        for (place, item) in self.items[..window].iter().enumerate() {
            if done || bag.stops_at(self.smallest_from[place]) {
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
        for (place, item) in self.items.iter().enumerate() {
            if place >= window && bag.count >= bag.limit {
                return place;
            }
            if bag.stops_at(self.smallest_from[place]) {
                return if bag.count >= bag.limit {
                    window
                } else {
                    self.items.len()
                };
            }
            if !bag.taken[place] && bag.fits(u64::from(item.tokens)) {
                bag.take(place, *item);
            }
        }
        self.items.len()
    }

    /// A budget below which the item at `place` cannot be taken: better items that are not larger
    /// are always taken before it, be it from its level's share or from all of the budget. Only
    /// its level's minimum can take it for its own tokens.
    pub(super) fn least_budget(&self, place: usize) -> u32 {
        let item = self.items[place];
        let mut all = u64::from(item.tokens);
        let mut level = all;
        let mut better_of_level = 0;
        for better in &self.items[..place] {
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
        for (place, item) in self.items.iter().enumerate() {
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

/// A budget that is being filled.
struct Bag {
    budget: u32,
    limit: usize,
    left: u32,
    used: [u32; 3],
    taken: Vec<bool>,
    count: usize,
    /// The smallest budget with which something that did not fit would have.
    next: u64,
}

impl Bag {
    fn fits(&mut self, tokens: u64) -> bool {
        if tokens <= u64::from(self.left) {
            return true;
        }
        self.next = self
            .next
            .min(u64::from(self.budget) + tokens - u64::from(self.left));
        false
    }

    /// Whether nothing that follows can fit, the smallest of it having `smallest` tokens.
    fn stops_at(&mut self, smallest: u32) -> bool {
        !self.fits(u64::from(smallest))
    }

    fn take(&mut self, place: usize, item: Item) {
        self.taken[place] = true;
        self.count += 1;
        self.left -= item.tokens;
        self.used[item.level.index()] += item.tokens;
    }
}

/// Keeps what is whole in decimals whole in binary: 0.29 of 100 is 29.
const SHARE_ROUNDING: f64 = 1e-6;

/// A level's part of the budget in whole tokens.
fn share(budget: u32, part: f64) -> u32 {
    (f64::from(budget) * part + SHARE_ROUNDING) as u32
}

/// The smallest budget whose `part` is at least `needed` tokens, if there is one.
fn budget_for_share(needed: u64, part: f64) -> Option<u64> {
    if part <= 0.0 || needed > u64::from(u32::MAX) {
        return None;
    }
    let enough = |budget: u64| {
        u32::try_from(budget).is_ok_and(|budget| u64::from(share(budget, part)) >= needed)
    };
    let near = ((needed as f64 - SHARE_ROUNDING) / part) as u64;
    (near.saturating_sub(2)..=near.saturating_add(2)).find(|&budget| enough(budget))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::fixture::{any_level, settings};
    use ContextLevel::{Immediate as L1, LongTerm as L3, ShortTerm as L2};
    use proptest::prelude::*;

    fn stock(minimum: u32, items: &[(ContextLevel, u32)]) -> Stock {
        let strategy = RetrievalStrategy {
            min_contexts_per_level: minimum,
            ..settings().strategy
        };
        let items = items
            .iter()
            .map(|&(level, tokens)| Item { level, tokens })
            .collect();
        Stock::new(items, &strategy)
    }

    const ANY: usize = usize::MAX;

    #[test]
    fn each_level_gets_its_share_where_all_want_more() {
        // 0.3, 0.4 and 0.3 of 1000 tokens.
        let items: Vec<_> = [L3, L1, L2]
            .into_iter()
            .flat_map(|level| vec![(level, 100); 20])
            .collect();
        let packing = stock(0, &items).pack(1000, ANY);
        assert_eq!(packing.used, [300, 400, 300]);
    }

    #[test]
    fn shares_that_nobody_wants_go_to_the_best_of_the_others() {
        let mut items = vec![(L3, 100); 20];
        items.push((L1, 100));
        let packing = stock(0, &items).pack(1000, ANY);
        assert_eq!(packing.used, [100, 0, 900]);
        assert_eq!(packing.taken, [0, 1, 2, 3, 4, 5, 6, 7, 8, 20]);
    }

    #[test]
    fn what_does_not_fit_is_skipped_and_not_the_end() {
        let packing = stock(1, &[(L3, 80), (L3, 50), (L3, 20)]).pack(100, ANY);
        assert_eq!(packing.taken, [0, 2]);
        assert_eq!(packing.next_budget, Some(130));
    }

    #[test]
    fn every_level_keeps_its_minimum_against_larger_better_ones() {
        let items = [(L3, 95), (L3, 50), (L1, 40), (L2, 5)];
        assert_eq!(stock(1, &items).pack(100, ANY).taken, [1, 2, 3]);
        assert_eq!(stock(0, &items).pack(100, ANY).taken, [0, 3]);
    }

    #[test]
    fn a_minimum_that_cannot_be_had_for_all_goes_to_the_better_levels() {
        let packing = stock(1, &[(L2, 60), (L3, 60), (L1, 40)]).pack(100, ANY);
        assert_eq!(packing.taken, [0, 2]);
        assert_eq!(stock(1, &[(L2, 60), (L1, 50)]).pack(100, ANY).taken, [0]);
    }

    #[test]
    fn a_limit_takes_the_best_whatever_the_shares() {
        let mut items = vec![(L3, 100); 10];
        items.extend([(L1, 100); 10]);
        let packing = stock(0, &items).pack(2000, 10);
        assert_eq!(packing.taken, (0..10).collect::<Vec<_>>());
        assert_eq!(
            packing.left_out(12, stock(0, &items).item(12)),
            LeftOut::Outranked
        );
    }

    #[test]
    fn below_the_limits_best_others_replace_what_does_not_fit() {
        let items = [(L3, 50), (L3, 500), (L3, 50), (L3, 50)];
        let packing = stock(0, &items).pack(200, 2);
        assert_eq!(packing.taken, [0, 2]);
        assert_eq!(
            packing.left_out(1, stock(0, &items).item(1)),
            LeftOut::NoRoom
        );
        assert_eq!(
            packing.left_out(3, stock(0, &items).item(3)),
            LeftOut::Outranked
        );
    }

    #[test]
    fn the_ledger_tells_shares_used_and_skipped() {
        let stock = stock(1, &[(L3, 80), (L3, 50), (L1, 15)]);
        let ledgers = stock.ledgers(&stock.pack(100, ANY));
        assert_eq!(ledgers[0].allotted, 30);
        assert_eq!(ledgers[0].used, 15);
        assert_eq!(ledgers[1].allotted, 40);
        assert_eq!(ledgers[2].used, 80);
        assert_eq!((ledgers[2].skipped, ledgers[2].skipped_tokens), (1, 50));
    }

    #[test]
    fn whole_shares_stay_whole() {
        assert_eq!(share(100, 0.29), 29);
        assert_eq!(budget_for_share(29, 0.29), Some(100));
        assert_eq!(budget_for_share(1, 0.0), None);
    }

    prop_compose! {
        fn any_stock()(
            minimum in 0u32..4,
            shares in (0u32..=10, 0u32..=10),
            items in prop::collection::vec((any_level(), 0u32..60), 1..16),
        ) -> (usize, Stock) {
            let l1_allocation = f64::from(shares.0) / 10.0;
            let l2_allocation = (1.0 - l1_allocation) * f64::from(shares.1) / 10.0;
            let strategy = RetrievalStrategy {
                min_contexts_per_level: minimum,
                l1_allocation,
                l2_allocation,
                l3_allocation: 1.0 - l1_allocation - l2_allocation,
                ..settings().strategy
            };
            let items = items.into_iter().map(|(level, tokens)| Item { level, tokens }).collect();
            (minimum as usize, Stock::new(items, &strategy))
        }
    }

    fn any_limit() -> impl Strategy<Value = usize> {
        prop_oneof![Just(ANY), 0usize..10]
    }

    proptest! {
        #[test]
        fn budget_and_limit_hold_and_no_room_is_wasted(
            (_, stock) in any_stock(), budget in 0u32..400, limit in any_limit(),
        ) {
            let packing = stock.pack(budget, limit);
            let tokens: u32 = packing.taken.iter().map(|&place| stock.item(place).tokens).sum();
            prop_assert_eq!(tokens, packing.total());
            prop_assert!(tokens <= budget);
            prop_assert!(packing.taken.len() <= limit);
            prop_assert!(packing.taken.is_sorted_by(|a, b| a < b));
            for place in (0..stock.len()).filter(|&place| !packing.takes(place)) {
                let item = stock.item(place);
                if packing.taken.len() < limit {
                    prop_assert!(item.tokens > packing.left(), "{place} still fits");
                }
                match packing.left_out(place, item) {
                    LeftOut::NoRoom => prop_assert!(item.tokens > packing.left()),
                    LeftOut::Outranked => prop_assert_eq!(packing.taken.len(), limit),
                }
            }
        }

        #[test]
        fn levels_get_their_minimum_where_all_minimums_fit(
            (minimum, stock) in any_stock(), budget in 0u32..400, limit in any_limit(),
        ) {
            let mut wanted = [0; 3];
            let mut tokens = 0;
            for level in ContextLevel::ALL {
                let mut of_level: Vec<u32> = stock.items.iter()
                    .filter(|item| item.level == level)
                    .map(|item| item.tokens)
                    .collect();
                of_level.sort_unstable();
                of_level.truncate(minimum);
                wanted[level.index()] = of_level.len();
                tokens += of_level.iter().sum::<u32>();
            }
            prop_assume!(tokens <= budget && wanted.iter().sum::<usize>() <= limit);
            let packing = stock.pack(budget, limit);
            for level in ContextLevel::ALL {
                let taken = packing.taken.iter().filter(|&&p| stock.item(p).level == level).count();
                prop_assert!(taken >= wanted[level.index()]);
            }
        }

        #[test]
        fn nothing_changes_before_the_next_budget(
            (_, stock) in any_stock(), budget in 0u32..300, limit in any_limit(),
        ) {
            let packing = stock.pack(budget, limit);
            let next = packing.next_budget.unwrap_or(1000);
            prop_assert!(next > budget);
            for larger in budget..next {
                prop_assert_eq!(&stock.pack(larger, limit).taken, &packing.taken);
            }
        }

        #[test]
        fn no_budget_below_the_least_takes_an_item(
            (_, stock) in any_stock(), limit in any_limit(), pick in any::<prop::sample::Index>(),
        ) {
            let place = pick.index(stock.len());
            for budget in 0..stock.least_budget(place).min(1000) {
                prop_assert!(!stock.pack(budget, limit).takes(place), "at {budget}");
            }
        }

        #[test]
        fn the_budget_for_a_share_is_the_smallest(needed in 1u64..5000, part in 0.001..=1.0) {
            let budget = u32::try_from(budget_for_share(needed, part).unwrap()).unwrap();
            prop_assert!(u64::from(share(budget, part)) >= needed);
            prop_assert!(u64::from(share(budget - 1, part)) < needed);
        }
    }
}
