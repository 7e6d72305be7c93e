//! A context's situation, and what is tried to change it.

use std::sync::Arc;

use super::super::{
    Candidates, Exclusion, RankingWeight, RetrievalSettings, Selection, SelectionRequest, select,
};
use super::weight::Sought;
use super::{Change, SearchFacts, Suggestion};

/// Candidates that may be ranked while one weight or threshold is sought: some tenths of a second.
const RANKING_WORK: usize = 400_000;

/// A context's situation after some changes.
pub(super) struct Case {
    pub(super) candidates: Arc<Candidates>,
    pub(super) settings: RetrievalSettings,
    pub(super) request: SelectionRequest,
    pub(super) index: usize,
    changes: Vec<Change>,
}

impl Case {
    pub(super) fn new(
        candidates: &Arc<Candidates>,
        settings: &RetrievalSettings,
        request: &SelectionRequest,
        index: usize,
    ) -> Self {
        Self {
            candidates: Arc::clone(candidates),
            settings: *settings,
            request: *request,
            index,
            changes: Vec::new(),
        }
    }

    /// What lets the context in, and the ranking weights that do not.
    pub(super) fn answer(mut self, facts: &SearchFacts) -> (Vec<Suggestion>, Vec<RankingWeight>) {
        self.bring_into_search(facts);
        if let Some(rank) = self.rank() {
            return (vec![self.suggestion(rank, true)], Vec::new());
        }
        let mut found = Vec::new();
        if !self.over_threshold() {
            let Some(threshold) = self.lowered_threshold() else {
                return (found, Vec::new());
            };
            found.extend(self.vector_weight());
            self.apply(threshold);
            if let Some(rank) = self.rank() {
                found.push(self.suggestion(rank, true));
                return (found, Vec::new());
            }
        }
        found.extend(self.budget_and_limit(facts.max_tokens_limit));
        found.extend(self.raised_threshold());
        let mut ruled_out = Vec::new();
        for name in RankingWeight::ALL {
            match self.ranking_weight(name) {
                Sought::Found(suggestion) => found.push(suggestion),
                Sought::RuledOut => ruled_out.push(name),
                Sought::NotFound => {}
            }
        }
        let has_vector_weight = found
            .iter()
            .any(|s| matches!(s.changes.last(), Some(Change::VectorWeight { .. })));
        if !has_vector_weight {
            found.extend(self.vector_weight());
        }
        (found, ruled_out)
    }

    /// Level and filter keep a context out before anything is ranked.
    fn bring_into_search(&mut self, facts: &SearchFacts) {
        let candidate = self.candidates.get(self.index);
        let level = candidate.level;
        let Some(exclusion) = candidate.excluded else {
            return;
        };
        if exclusion == Exclusion::Filter {
            self.apply(Change::Filter {
                condition: facts.failed_condition.clone(),
            });
        }
        let outside = !facts.levels.is_empty() && !facts.levels.contains(&level);
        if exclusion == Exclusion::Level || outside {
            self.apply(Change::Level { level });
        }
    }

    pub(super) fn apply(&mut self, change: Change) {
        match &change {
            Change::Level { level } => {
                let candidates = Arc::make_mut(&mut self.candidates);
                let levels = &candidates.facts.levels;
                for (excluded, of) in candidates.excluded.iter_mut().zip(levels) {
                    if of == level && *excluded == Some(Exclusion::Level) {
                        *excluded = None;
                    }
                }
            }
            Change::Filter { .. } => {
                let excluded = &mut Arc::make_mut(&mut self.candidates).excluded;
                if let Some(own) = excluded.get_mut(self.index) {
                    *own = None;
                }
            }
            other => other.apply(&mut self.settings, &mut self.request),
        }
        self.changes.push(change);
    }

    pub(super) fn select(&self) -> Selection {
        select(&self.candidates, &self.settings, &self.request)
    }

    /// What it comes to with `more` changes of settings and request.
    pub(super) fn select_with(&self, more: &[Change]) -> Selection {
        let mut settings = self.settings;
        let mut request = self.request;
        for change in more {
            change.apply(&mut settings, &mut request);
        }
        select(&self.candidates, &settings, &request)
    }

    pub(super) fn rank(&self) -> Option<usize> {
        self.select().rank_of(self.index)
    }

    fn over_threshold(&self) -> bool {
        self.select().ranking.passes(self.index)
    }

    /// The suggestion of the changes so far and `more`, if they let it in.
    pub(super) fn with(&self, more: &[Change], smallest: bool) -> Option<Suggestion> {
        let rank = self.select_with(more).rank_of(self.index)?;
        Some(Suggestion {
            changes: self.changes.iter().chain(more).cloned().collect(),
            rank,
            smallest,
        })
    }

    fn suggestion(&self, rank: usize, smallest: bool) -> Suggestion {
        Suggestion {
            changes: self.changes.clone(),
            rank,
            smallest,
        }
    }

    /// How many whole selections one search for a change may try.
    pub(super) fn attempts(&self) -> usize {
        (RANKING_WORK / self.candidates.len().max(1)).max(8)
    }
}

/// The decimal with the fewest digits that is this number: what people can copy into settings.
pub(super) fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// A value in `missed + 1 ..= hit` that does while the one before it does not.
pub(super) fn first_hit(mut missed: u64, mut hit: u64, does: impl Fn(u64) -> bool) -> u64 {
    while hit - missed > 1 {
        let middle = missed + (hit - missed) / 2;
        if does(middle) {
            hit = middle;
        } else {
            missed = middle;
        }
    }
    hit
}
