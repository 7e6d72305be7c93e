//! Fusion, ranking, fold and budget put together.

use std::sync::{Arc, OnceLock};

use super::budget::{Lacks, Packing, Stock};
use super::fold::{Folded, fold};
use super::order::{Key, Ranked, best_to_front};
use super::{Candidates, Ranking, RetrievalSettings, ScoreParts, TokenLedger};
use crate::context::{ContextId, LevelCounts, SearchMode};

/// What one selection is asked for, apart from the candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectionRequest {
    /// How candidates are scored. Hybrid falls back to words alone by itself where there is no
    /// vector.
    pub mode: SearchMode,
    /// The budget in tokens.
    pub max_tokens: u32,
    /// Contexts to choose at most; `None` is as many as fit.
    pub limit: Option<usize>,
    /// The time to reckon ages from, in milliseconds since the epoch.
    pub now_ms: i64,
}

/// A context that was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Its place among the candidates' items.
    pub index: usize,
    /// Its id.
    pub id: ContextId,
    /// Its place in the result, from 1.
    pub rank: usize,
    /// The final score, 0 to 1.
    pub score: f32,
    /// What the score is made of.
    pub parts: ScoreParts,
    /// Other contexts with the same text, folded into this one, better ones first.
    pub same_text: Vec<ContextId>,
}

/// What a query's candidates came to.
#[derive(Debug)]
pub struct Selection {
    pub(super) ranking: Ranking,
    pub(super) folded: Folded,
    pub(super) packing: Packing,
    pub(super) limit: usize,
    request: SelectionRequest,
    chosen: Vec<Chosen>,
    ledger: TokenLedger,
    whole: OnceLock<Whole>,
}

/// The order of all candidates, of which a selection needs the beginning only.
#[derive(Debug)]
pub(super) struct Whole {
    /// Those that passed the threshold, best first.
    pub(super) order: Vec<Ranked>,
    /// The same after equal texts were folded.
    pub(super) kept: Vec<Ranked>,
    /// The same for the budget, and what it took of them.
    pub(super) stock: Stock,
    pub(super) packing: Packing,
}

/// How many of the best are put in order at first. With more than that in a budget, or in its way,
/// so many times as many are.
/// The few candidates of a test must not all stand in front.
const FRONT: usize = if cfg!(test) { 2 } else { 1_024 };
const FURTHER: usize = 8;

/// Chooses among `candidates`: the same input always gives the same choice.
#[must_use]
pub fn select(
    candidates: &Arc<Candidates>,
    settings: &RetrievalSettings,
    request: &SelectionRequest,
) -> Selection {
    let ranking = Ranking::new(candidates, settings, request);
    let mut folded = fold(candidates, &ranking.passed);
    let limit = request.limit.unwrap_or(usize::MAX);
    let mut front = best_to_front(candidates, &mut folded.kept, FRONT);
    let (stock, packing) = loop {
        let (best, rest) = folded.kept.split_at(front);
        let wares = |keys: &[Key]| ranking.wares(keys.iter().map(|key| key.index()));
        let stock = Stock::new(wares(best), wares(rest), &settings.strategy);
        let packing = stock.pack(request.max_tokens, limit);
        front = match packing.lacks {
            Lacks::Nothing => break (stock, packing),
            Lacks::Small(tokens) => small_to_front(&ranking, &mut folded.kept, front, tokens),
            Lacks::Better => {
                let more = front.saturating_mul(FURTHER);
                best_to_front(candidates, &mut folded.kept, more)
            }
        };
    };
    let chosen = chosen(&ranking, &folded, &packing);
    let ledger = ledger(&stock, &packing);
    Selection {
        ranking,
        folded,
        packing,
        limit,
        request: *request,
        chosen,
        ledger,
        whole: OnceLock::new(),
    }
}

/// Brings those of `tokens` at most from below the front behind it, best first, and tells where they
/// end: nothing else fits, so that the others need no order.
fn small_to_front(ranking: &Ranking, keys: &mut [Key], front: usize, tokens: u32) -> usize {
    let mut end = front;
    for at in front..keys.len() {
        if ranking.tokens(keys[at].index()) <= tokens {
            keys.swap(at, end);
            end += 1;
        }
    }
    best_to_front(&ranking.candidates, &mut keys[front..end], usize::MAX);
    end
}

fn ledger(stock: &Stock, packing: &Packing) -> TokenLedger {
    let mut chosen = LevelCounts::default();
    for &place in &packing.taken {
        *chosen.get_mut(stock.item(place).level) += 1;
    }
    let [immediate, short_term, long_term] = stock.ledgers(packing);
    TokenLedger {
        budget: packing.budget(),
        used: packing.total(),
        immediate,
        short_term,
        long_term,
        chosen,
    }
}

fn chosen(ranking: &Ranking, folded: &Folded, packing: &Packing) -> Vec<Chosen> {
    let mut chosen: Vec<Chosen> = packing
        .taken
        .iter()
        .zip(1..)
        .map(|(&place, rank)| {
            let ranked = folded.kept[place].ranked();
            let index = ranked.index as usize;
            Chosen {
                index,
                id: ranking.id(ranked.index),
                rank,
                score: ranked.value,
                parts: ranking.parts(index),
                same_text: Vec::new(),
            }
        })
        .collect();
    if folded.duplicates.is_empty() {
        return chosen;
    }
    let mut by_index: Vec<(u32, usize)> = packing
        .taken
        .iter()
        .enumerate()
        .map(|(at, &place)| (folded.kept[place].index(), at))
        .collect();
    by_index.sort_unstable();
    for duplicate in &folded.duplicates {
        if let Ok(found) = by_index.binary_search_by_key(&duplicate.of, |(index, _)| *index) {
            let id = ranking.id(duplicate.index());
            chosen[by_index[found].1].same_text.push(id);
        }
    }
    chosen
}

impl Selection {
    /// How the candidates were scored.
    #[must_use]
    pub fn mode(&self) -> SearchMode {
        self.request.mode
    }

    /// What it was asked for.
    #[must_use]
    pub fn request(&self) -> &SelectionRequest {
        &self.request
    }

    /// The settings that it was made with.
    #[must_use]
    pub fn settings(&self) -> &RetrievalSettings {
        &self.ranking.settings
    }

    /// How many contexts were searched: those outside of levels and filter are not.
    #[must_use]
    pub fn searched(&self) -> usize {
        self.ranking.searched + self.distant()
    }

    /// How many of them were too far from the query, by estimates, to become candidates.
    #[must_use]
    pub fn distant(&self) -> usize {
        self.ranking.candidates.distant
    }

    /// How many candidates there are, those outside of levels and filter included.
    #[must_use]
    pub fn compared(&self) -> usize {
        self.ranking.candidates.len()
    }

    /// The chosen contexts, best first.
    #[must_use]
    pub fn chosen(&self) -> &[Chosen] {
        &self.chosen
    }

    /// Tokens of the chosen contexts; never over the budget.
    #[must_use]
    pub fn total_tokens(&self) -> u32 {
        self.packing.total()
    }

    /// Mean similarity of the chosen contexts; 0 when there are none.
    #[must_use]
    pub fn average_relevance(&self) -> f32 {
        if self.chosen.is_empty() {
            return 0.0;
        }
        let sum: f32 = self.chosen.iter().map(|c| c.parts.similarity).sum();
        sum / self.chosen.len() as f32
    }

    /// Where the budget went.
    #[must_use]
    pub fn ledger(&self) -> TokenLedger {
        self.ledger
    }

    /// The order of all candidates; made when it is asked for first.
    pub(super) fn whole(&self) -> &Whole {
        self.whole.get_or_init(|| {
            let order = self.ranking.order();
            let mut stands_alone = vec![true; self.compared()];
            for duplicate in &self.folded.duplicates {
                stands_alone[duplicate.index() as usize] = false;
            }
            let mut kept = order.clone();
            kept.retain(|ranked| stands_alone[ranked.index as usize]);
            let wares = self.ranking.wares(kept.iter().map(|ranked| ranked.index));
            let strategy = &self.ranking.settings.strategy;
            let stock = Stock::new(wares, Vec::new(), strategy);
            Whole {
                order,
                packing: stock.pack(self.request.max_tokens, self.limit),
                stock,
                kept,
            }
        })
    }

    /// The place in the result of the candidate at `index`, from 1.
    pub(super) fn rank_of(&self, index: usize) -> Option<usize> {
        self.chosen
            .iter()
            .find(|chosen| chosen.index == index)
            .map(|chosen| chosen.rank)
    }

    /// The place after folding of the candidate at `index`, from 0.
    pub(super) fn place_of(&self, index: usize) -> Option<usize> {
        self.whole()
            .kept
            .iter()
            .position(|ranked| ranked.index as usize == index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::Candidate;
    use crate::retrieval::fixture::{any_candidates, any_request, any_settings, request, settings};
    use proptest::prelude::*;

    /// The candidates in another order, without those that `keep` refuses.
    fn rearranged(
        candidates: &Candidates,
        order: impl Iterator<Item = usize>,
        keep: impl Fn(&Candidate) -> bool,
    ) -> Arc<Candidates> {
        let order: Vec<usize> = order
            .filter(|&index| keep(&candidates.get(index)))
            .collect();
        let moved = |old: u32| {
            let place = order.iter().position(|&index| index == old as usize);
            place.and_then(|place| u32::try_from(place).ok())
        };
        let items = order.iter().map(|&index| {
            let candidate = candidates.get(index);
            let neighbours = candidate.neighbours.map(|near| near.and_then(moved));
            Candidate {
                neighbours,
                ..candidate
            }
        });
        Arc::new(Candidates {
            bm25_bound: candidates.bm25_bound,
            ..items.collect()
        })
    }

    fn without_index(selection: &Selection) -> Vec<Chosen> {
        let chosen = selection.chosen().iter().cloned();
        chosen.map(|chosen| Chosen { index: 0, ..chosen }).collect()
    }

    #[test]
    fn no_candidates_is_an_empty_selection() {
        let candidates = Arc::default();
        let selection = select(&candidates, &settings(), &request(100));
        assert!(selection.chosen().is_empty());
        assert_eq!(selection.total_tokens(), 0);
        assert_eq!(selection.average_relevance(), 0.0);
        assert!(selection.explain_best(1).is_empty());
    }

    proptest! {
        #[test]
        fn results_stand_in_rank_order_within_budget_and_limit(
            candidates in any_candidates(), settings in any_settings(), request in any_request(),
        ) {
            let selection = select(&candidates, &settings, &request);
            let chosen = selection.chosen();
            prop_assert!(chosen.is_sorted_by(|a, b| a.score >= b.score && a.rank + 1 == b.rank));
            prop_assert!(selection.total_tokens() <= request.max_tokens);
            prop_assert!(request.limit.is_none_or(|limit| chosen.len() <= limit));
            // The order of all of them comes to the same.
            let whole = selection.whole();
            let packed = whole.packing.taken.iter().map(|&place| whole.kept[place].index as usize);
            prop_assert_eq!(packed.collect::<Vec<_>>(), chosen.iter().map(|one| one.index).collect::<Vec<_>>());
            prop_assert_eq!(ledger(&whole.stock, &whole.packing), selection.ledger());
            for one in chosen {
                let item = candidates.get(one.index);
                prop_assert_eq!(item.id, one.id);
                prop_assert!(item.excluded.is_none());
            }
        }

        #[test]
        fn contexts_outside_of_the_search_change_nothing(
            candidates in any_candidates(), settings in any_settings(), request in any_request(),
        ) {
            let count = candidates.len();
            let inside = rearranged(&candidates, 0..count, |c| c.excluded.is_none());
            let explained = select(&candidates, &settings, &request);
            let plain = select(&inside, &settings, &request);
            prop_assert_eq!(without_index(&explained), without_index(&plain));
            prop_assert_eq!(explained.ledger(), plain.ledger());
        }

        #[test]
        fn the_order_of_the_candidates_changes_nothing(
            candidates in any_candidates(), settings in any_settings(), request in any_request(),
        ) {
            let count = candidates.len();
            let reversed = rearranged(&candidates, (0..count).rev(), |_| true);
            let one = select(&candidates, &settings, &request);
            let other = select(&reversed, &settings, &request);
            prop_assert_eq!(without_index(&one), without_index(&other));
            prop_assert_eq!(one.explain_best(usize::MAX), other.explain_best(usize::MAX));
        }
    }
}
