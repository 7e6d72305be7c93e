//! Another relevance threshold.

use super::case::{Case, first_hit, shortest};
use super::{Change, Suggestion};

/// Thresholds that are tried one by one at most.
const STEPS: u64 = 100;

impl Case {
    /// The threshold that a context below it passes: its own similarity. `None` where nothing speaks
    /// for it, so that no threshold lets it in.
    pub(super) fn lowered_threshold(&self) -> Option<Change> {
        let similarity = self.select().ranking.similarity[self.index]?;
        Some(Change::Threshold {
            from: self.settings.relevance_threshold,
            to: shortest(similarity),
        })
    }

    /// A higher threshold, which drops less relevant ones that other facts put before this one.
    pub(super) fn raised_threshold(&self) -> Option<Suggestion> {
        let selection = self.select();
        let ranking = &selection.ranking;
        let own = ranking.similarity[self.index]?;
        let mut values: Vec<f32> = ranking
            .passed
            .iter()
            .filter_map(|key| ranking.similarity[key.index() as usize])
            .filter(|&value| value <= own && f64::from(value) > self.settings.relevance_threshold)
            .collect();
        values.sort_unstable_by(f32::total_cmp);
        values.dedup();
        let change = |at: u64| {
            let to = values.get(at as usize).copied().unwrap_or(own);
            Change::Threshold {
                from: self.settings.relevance_threshold,
                to: shortest(to),
            }
        };
        let last = (values.len() as u64).checked_sub(1)?;
        let tried = (self.attempts() as u64).min(STEPS).min(last + 1);
        let takes = |at: u64| self.with(&[change(at)], true);
        if let Some(found) = (0..tried).find_map(takes) {
            return Some(found);
        }
        if tried > last || takes(last).is_none() {
            return None;
        }
        let at = first_hit(tried - 1, last, |at| takes(at).is_some());
        self.with(&[change(at)], false)
    }
}
