//! Packing, by examples and for any stock.

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
    Stock::new(items, Vec::new(), &strategy)
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

prop_compose! {
    fn any_stock()(
        minimum in 0u32..4,
        shares in (0u32..=10, 0u32..=10),
        items in prop::collection::vec((any_level(), 0u32..60), 1..16),
    ) -> (u32, Stock) {
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
        (minimum, Stock::new(items, Vec::new(), &strategy))
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
            let mut of_level: Vec<u32> = stock.front.iter()
                .filter(|item| item.level == level)
                .map(|item| item.tokens)
                .collect();
            of_level.sort_unstable();
            of_level.truncate(minimum as usize);
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
    fn a_front_that_suffices_packs_as_all_of_them_do(
        (minimum, whole) in any_stock(), budget in 0u32..400, limit in any_limit(),
        front in any::<prop::sample::Index>(),
    ) {
        let (front, rest) = whole.front.split_at(front.index(whole.len() + 1));
        let rest: Vec<Item> = rest.iter().rev().copied().collect();
        let strategy = RetrievalStrategy {
            min_contexts_per_level: minimum,
            l1_allocation: whole.allocations[0],
            l2_allocation: whole.allocations[1],
            l3_allocation: whole.allocations[2],
            ..settings().strategy
        };
        let parted = Stock::new(front.to_vec(), rest, &strategy);
        let (packing, wanted) = (parted.pack(budget, limit), whole.pack(budget, limit));
        if packing.lacks != Lacks::Nothing {
            prop_assert!(!parted.rest.is_empty());
        } else {
            prop_assert_eq!(parted.ledgers(&packing), whole.ledgers(&wanted));
            prop_assert_eq!(packing, wanted);
        }
    }
}
