//! The weight of the vectors against the words.
//!
//! A similarity is no line over this weight: neighbours lend the better of several scores, a phrase
//! is boosted up to 1, and the threshold lets in more or fewer. So values are sampled, and that
//! none was found proves nothing.

use super::case::{Case, first_hit};
use super::weight::STEPS;
use super::{Change, Suggestion};
use crate::context::SearchMode;

/// Values that are sampled in one direction at most.
const SAMPLES: usize = 100;

impl Case {
    pub(super) fn vector_weight(&self) -> Option<Suggestion> {
        if self.request.mode != SearchMode::Hybrid {
            return None;
        }
        let from = self.settings.strategy.vector_weight;
        self.sampled(from, |to| Change::VectorWeight { from, to })
    }

    /// Goes outwards from a weight in both directions in even strides, and back from the first
    /// that does to the nearest that does.
    pub(super) fn sampled(&self, from: f64, change: impl Fn(f64) -> Change) -> Option<Suggestion> {
        let steps_in_one = STEPS as f64;
        let at = |steps: u64, up: bool| {
            let by = steps as f64 / steps_in_one;
            let to = (if up { from + by } else { from - by }).clamp(0.0, 1.0);
            (to * steps_in_one).round() / steps_in_one
        };
        let attempt = |steps, up| self.with(&[change(at(steps, up))], false);
        let reach = |up: bool| {
            let room = if up { 1.0 - from } else { from };
            (room * steps_in_one).ceil() as u64
        };
        let stride = (STEPS / self.attempts().min(SAMPLES)).max(1) as u64;
        let mut missed = 0;
        while missed < reach(true).max(reach(false)) {
            let nearest = [true, false]
                .into_iter()
                .filter_map(|up| {
                    let tried = reach(up).min(missed + stride);
                    (missed < tried && attempt(tried, up).is_some()).then(|| {
                        let does = |steps| attempt(steps, up).is_some();
                        (first_hit(missed, tried, does), up)
                    })
                })
                .min_by_key(|(steps, _)| *steps);
            if let Some((steps, up)) = nearest {
                return attempt(steps, up);
            }
            missed += stride;
        }
        None
    }
}
