//! A ranking weight, at every value that it can be given.
//!
//! At most values it is known without packing that the context gets no room; see [`Lead`]. The
//! others are packed: each of them, except between two of the same order, for lines that stand in
//! one order at two places stand in it everywhere between. So that none does is proven, to the
//! precision of the scores. Only where too many orders are possible among too many candidates is
//! the search given up, and values are sampled.

#[cfg(test)]
mod tests;

use super::super::RankingWeight;
use super::case::Case;
use super::lead::Lead;
use super::{Change, Suggestion};

/// Steps of a weight from 0 to 1: weights are given to four decimals.
pub(super) const STEPS: usize = 10_000;

/// What came of the search for a weight.
#[derive(Debug)]
pub(super) enum Sought {
    /// This value does, and no nearer one unless it says so.
    Found(Suggestion),
    /// No value does.
    RuledOut,
    /// No value was found that does.
    NotFound,
}

impl Case {
    /// The nearest value of a ranking weight that lets the context in.
    pub(super) fn ranking_weight(&self, name: RankingWeight) -> Sought {
        let from = self.settings.weights.get(name);
        let change = |to: f64| Change::Weight {
            name,
            from,
            to,
            weights: self.settings.weights.with(name, to),
        };
        let lead = Lead::over(self, &self.select().ranking, name);
        let here = from * STEPS as f64;
        let is_open = |step: &usize| !lead.leaves_no_room(self, *step);
        let upwards = (0..=STEPS)
            .filter(|step| *step as f64 >= here)
            .filter(is_open);
        let downwards = (0..=STEPS)
            .rev()
            .filter(|step| (*step as f64) < here)
            .filter(is_open);
        let mut trials = Trials {
            case: self,
            change: &change,
            left: self.attempts(),
        };
        let nearest = [upwards.collect(), downwards.collect()]
            .into_iter()
            .map(|steps: Vec<usize>| trials.first(&steps))
            .collect::<Result<Vec<_>, TooMany>>();
        let Ok(nearest) = nearest else {
            return self
                .sampled(from, change)
                .map_or(Sought::NotFound, Sought::Found);
        };
        let distance = |step: &usize| (*step as f64 - here).abs();
        let nearest = nearest
            .into_iter()
            .flatten()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)));
        match nearest.and_then(|step| self.with(&[change(value(step))], true)) {
            Some(suggestion) => Sought::Found(suggestion),
            None => Sought::RuledOut,
        }
    }
}

fn value(step: usize) -> f64 {
    step as f64 / STEPS as f64
}

/// More selections than one search may try.
struct TooMany;

/// One value that was tried.
struct Trial {
    takes: bool,
    /// The candidates as they stand then.
    order: Vec<u32>,
}

/// The values of a weight that are tried.
struct Trials<'a, F> {
    case: &'a Case,
    change: &'a F,
    left: usize,
}

impl<F: Fn(f64) -> Change> Trials<'_, F> {
    /// The first of some steps in one direction that lets the context in.
    fn first(&mut self, steps: &[usize]) -> Result<Option<usize>, TooMany> {
        for run in steps.chunk_by(|a, b| a.abs_diff(*b) == 1) {
            let near = self.trial(run[0])?;
            if near.takes {
                return Ok(Some(run[0]));
            }
            if run.len() == 1 {
                continue;
            }
            let far = self.trial(run[run.len() - 1])?;
            if let Some(found) = self.first_between(run, &near, &far)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first of the steps after the first, which does not do. `near` and `far` are what came of
    /// the first and of the last.
    fn first_between(
        &mut self,
        run: &[usize],
        near: &Trial,
        far: &Trial,
    ) -> Result<Option<usize>, TooMany> {
        if near.order == far.order {
            return Ok(None);
        }
        if run.len() == 2 {
            return Ok(far.takes.then_some(run[1]));
        }
        let at = run.len() / 2;
        let middle = self.trial(run[at])?;
        let found = self.first_between(&run[..=at], near, &middle)?;
        if found.is_some() || middle.takes {
            return Ok(found.or(Some(run[at])));
        }
        self.first_between(&run[at..], &middle, far)
    }

    fn trial(&mut self, step: usize) -> Result<Trial, TooMany> {
        self.left = self.left.checked_sub(1).ok_or(TooMany)?;
        let selection = self.case.select_with(&[(self.change)(value(step))]);
        let order = selection.whole().order.iter();
        Ok(Trial {
            takes: selection.rank_of(self.case.index).is_some(),
            order: order.map(|ranked| ranked.index).collect(),
        })
    }
}
