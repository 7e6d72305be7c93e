//! A larger budget, a higher limit.

use super::super::Selection;
use super::case::{Case, first_hit};
use super::{Change, Suggestion};

/// Candidates that may be looked at while one budget or limit is sought: some tenths of a second.
const PACKING_WORK: usize = 100_000_000;

impl Case {
    /// The smallest budget and the smallest limit, each alone; both together if neither does.
    pub(super) fn budget_and_limit(&self, max_tokens: u32) -> Vec<Suggestion> {
        let selection = self.select();
        let Some(place) = selection.place_of(self.index) else {
            return Vec::new();
        };
        let now = selection.limit;
        let tokens = self
            .least_tokens(&selection, place, now, max_tokens)
            .and_then(|(to, smallest)| self.with(&[self.tokens(to)], smallest));
        let limit = self
            .least_limit(&selection, place, self.request.max_tokens)
            .and_then(|(to, smallest)| self.with(&[self.limit(to)], smallest));
        if tokens.is_some() || limit.is_some() || self.request.limit.is_none() {
            return tokens.into_iter().chain(limit).collect();
        }
        self.least_tokens(&selection, place, selection.whole().stock.len(), max_tokens)
            .and_then(|(tokens, _)| {
                let (limit, _) = self.least_limit(&selection, place, tokens)?;
                self.with(&[self.tokens(tokens), self.limit(limit)], false)
            })
            .into_iter()
            .collect()
    }

    fn tokens(&self, to: u32) -> Change {
        Change::Tokens {
            from: self.request.max_tokens,
            to,
        }
    }

    fn limit(&self, to: usize) -> Change {
        Change::Limit {
            from: self.request.limit.unwrap_or(usize::MAX),
            to,
        }
    }

    /// The smallest budget over the present one that takes the item at `place`, and whether none
    /// smaller does. Goes from each budget to the next that packs otherwise; only when that takes
    /// too long, in growing strides.
    fn least_tokens(
        &self,
        selection: &Selection,
        place: usize,
        limit: usize,
        max_tokens: u32,
    ) -> Option<(u32, bool)> {
        let stock = &selection.whole().stock;
        let takes = |budget: u32| stock.pack(budget, limit).takes(place);
        let mut budget = self
            .request
            .max_tokens
            .checked_add(1)?
            .max(stock.least_budget(place));
        for _ in 0..PACKING_WORK / stock.len().max(1) {
            if budget > max_tokens {
                return None;
            }
            let packing = stock.pack(budget, limit);
            if packing.takes(place) {
                return Some((budget, true));
            }
            budget = packing.next_budget?;
        }
        let mut missed = budget - 1;
        let mut stride = 1;
        while missed < max_tokens {
            let tried = missed.saturating_add(stride).min(max_tokens);
            if takes(tried) {
                let found = first_hit(missed.into(), tried.into(), |budget| {
                    u32::try_from(budget).is_ok_and(takes)
                });
                return u32::try_from(found).ok().map(|budget| (budget, false));
            }
            missed = tried;
            stride = stride.saturating_mul(2);
        }
        None
    }

    /// The smallest limit over the present one that takes the item at `place`, and whether none
    /// smaller does.
    fn least_limit(
        &self,
        selection: &Selection,
        place: usize,
        budget: u32,
    ) -> Option<(usize, bool)> {
        let stock = &selection.whole().stock;
        let takes = |limit: usize| stock.pack(budget, limit).takes(place);
        let from = self.request.limit?;
        let tried = (from + 1).saturating_add(PACKING_WORK / stock.len().max(1));
        if let Some(limit) = (from + 1..=stock.len().min(tried)).find(|&limit| takes(limit)) {
            return Some((limit, true));
        }
        (tried < stock.len() && takes(stock.len())).then(|| {
            let found = first_hit(tried as u64, stock.len() as u64, |limit| {
                takes(limit as usize)
            });
            (found as usize, false)
        })
    }
}
