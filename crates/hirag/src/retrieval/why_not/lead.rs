//! Who stands before a context at every value of a ranking weight, and where that leaves no room.
//!
//! With one weight varied and the others scaled alike to a sum of 1, every score is a line over that
//! weight. Two lines cross once at most: so another context stands before this one up to a value
//! that can be computed, or from one on, and nowhere else.

use std::ops::Range;

use super::super::{Ranking, RankingWeight, RankingWeights, ScoreParts};
use super::case::Case;
use super::weight::STEPS;

/// Scores nearer than this may stand in either order: they are computed in single precision.
const CLOSE: f64 = 1e-6;

/// A score over a weight: its values where the weight is 0 and where it is 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) at_zero: f64,
    pub(super) at_one: f64,
}

impl Line {
    pub(super) fn of(parts: &ScoreParts, weights: &RankingWeights, varied: RankingWeight) -> Self {
        let at = |value| {
            let weights = weights.with(varied, value);
            weights.similarity * f64::from(parts.similarity)
                + weights.recency * f64::from(parts.recency)
                + weights.level * f64::from(parts.level)
                + weights.frequency * f64::from(parts.frequency)
        };
        Self {
            at_zero: at(0.0),
            at_one: at(1.0),
        }
    }

    /// The steps of the weight at which this score is surely better than another.
    pub(super) fn leads(self, other: Self) -> Range<usize> {
        let at_zero = self.at_zero - other.at_zero - CLOSE;
        let at_one = self.at_one - other.at_one - CLOSE;
        match (at_zero > 0.0, at_one > 0.0) {
            (true, true) => 0..STEPS + 1,
            (false, false) => 0..0,
            (falls, _) => {
                let crossing = at_zero / (at_zero - at_one) * STEPS as f64;
                if falls {
                    0..crossing.floor() as usize
                } else {
                    crossing.ceil() as usize + 1..STEPS + 1
                }
            }
        }
    }
}

/// What surely stands before a context at each step of a weight. Only what packing can never prefer
/// the context to is counted: what is no larger than it. What shares its text with others is left
/// out: which of them stands for all depends on the weight.
pub(super) struct Lead {
    /// Contexts.
    number: Vec<i64>,
    /// Those of its own level.
    of_level: Vec<i64>,
    /// Tokens of all of them.
    tokens: Vec<i64>,
    /// Tokens of those of its own level.
    level_tokens: Vec<i64>,
    /// Contexts with its own text, which then stand for it.
    twins: Vec<i64>,
}

impl Lead {
    pub(super) fn over(case: &Case, ranking: &Ranking, varied: RankingWeight) -> Self {
        let candidates = &case.candidates;
        let weights = &case.settings.weights;
        let line = |index: usize| Line::of(&ranking.parts(index), weights, varied);
        let own = candidates.get(case.index);
        let own_line = line(case.index);
        let mut texts: Vec<u64> = passed(ranking)
            .map(|at| candidates.facts.text_keys[at])
            .collect();
        texts.sort_unstable();
        let is_single = |key: u64| {
            let first = texts.partition_point(|other| *other < key);
            texts.get(first + 1) != Some(&key)
        };
        let mut lead = Self {
            number: vec![0; STEPS + 2],
            of_level: vec![0; STEPS + 2],
            tokens: vec![0; STEPS + 2],
            level_tokens: vec![0; STEPS + 2],
            twins: vec![0; STEPS + 2],
        };
        for index in passed(ranking).filter(|index| *index != case.index) {
            let other = candidates.get(index);
            let steps = line(index).leads(own_line);
            if other.text_key == own.text_key {
                add(&mut lead.twins, &steps, 1);
            } else if other.tokens <= own.tokens && is_single(other.text_key) {
                add(&mut lead.number, &steps, 1);
                add(&mut lead.tokens, &steps, other.tokens.into());
                if other.level == own.level {
                    add(&mut lead.of_level, &steps, 1);
                    add(&mut lead.level_tokens, &steps, other.tokens.into());
                }
            }
        }
        for counts in [
            &mut lead.number,
            &mut lead.of_level,
            &mut lead.tokens,
            &mut lead.level_tokens,
            &mut lead.twins,
        ] {
            let mut sum = 0;
            for count in counts {
                sum += *count;
                *count = sum;
            }
        }
        lead
    }

    /// Whether the context cannot be packed at a step, in whichever order the others stand: better
    /// ones that are no larger are taken before it, be it from its level's share or from all of the
    /// budget, and only its level's minimum can prefer it to those of other levels.
    pub(super) fn leaves_no_room(&self, case: &Case, step: usize) -> bool {
        let own = case.candidates.get(case.index);
        let budget = case.request.max_tokens;
        if self.twins[step] > 0 || own.tokens > budget {
            return true;
        }
        let strategy = &case.settings.strategy;
        if self.of_level[step] < i64::from(strategy.min_contexts_per_level) {
            return false;
        }
        let limited = case.request.limit;
        if limited.is_some_and(|limit| self.number[step] as usize >= limit) {
            return true;
        }
        // One more than a share that is rounded in any way.
        let share = f64::from(budget) * strategy.allocation(own.level) + 1.0;
        let own = i64::from(own.tokens);
        own + self.tokens[step] > budget.into() && (own + self.level_tokens[step]) as f64 > share
    }
}

/// The candidates that are ranked at all: no ranking weight changes that.
fn passed(ranking: &Ranking) -> impl Iterator<Item = usize> {
    ranking.passed.iter().map(|key| key.index() as usize)
}

/// Notes `count` more from the start of some steps on, and as many less from their end on.
fn add(changes: &mut [i64], steps: &Range<usize>, count: i64) {
    if !steps.is_empty() {
        changes[steps.start] += count;
        changes[steps.end] -= count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_line_leads_where_it_is_higher_and_nowhere_else(
            one in (0.0..1.0, 0.0..1.0), other in (0.0..1.0, 0.0..1.0), step in 0..=STEPS,
        ) {
            let line = |(at_zero, at_one)| Line { at_zero, at_one };
            let at = |(zero, one): (f64, f64)| zero + (one - zero) * step as f64 / STEPS as f64;
            let ahead = at(one) - at(other);
            let leads = line(one).leads(line(other)).contains(&step);
            // Within a step of the crossing it is left open.
            let slope = ((one.1 - one.0) - (other.1 - other.0)).abs() / STEPS as f64;
            if leads {
                prop_assert!(ahead > 0.0);
            } else {
                prop_assert!(ahead <= CLOSE + 2.0 * slope);
            }
        }
    }

    #[test]
    fn equal_lines_lead_nowhere() {
        let line = Line {
            at_zero: 0.3,
            at_one: 0.7,
        };
        assert!(line.leads(line).is_empty());
    }
}
