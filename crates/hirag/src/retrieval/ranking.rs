//! The final score and the order that follows from it.

use std::sync::Arc;

use super::budget::Item;
use super::facts::Facts;
use super::fusion::Fusion;
use super::order::{Key, Ranked, best_first, best_to_front};
use super::{Candidates, RetrievalSettings, ScoreParts, SelectionRequest};
use crate::context::{ContextId, ContextLevel};

const MS_PER_DAY: f64 = 86_400_000.0;

/// The access count from which frequency is 1: `ln(1 + 100) / ln(101)`.
const FULL_FREQUENCY: u32 = 100;

/// `exp(-age/τ)` with the age since the last change, 1 (now) down to 0. A time stamp in the future
/// (the clock was set back) is as good as now. Being returned does not make a context recent: it
/// would then keep itself at the top.
fn recency(changed_ms: i64, now_ms: i64, per_ms: f32) -> f32 {
    let age_ms = now_ms.saturating_sub(changed_ms).max(0);
    (age_ms as f32 * per_ms).exp()
}

fn decay_per_ms(tau_days: f64) -> f32 {
    (-1.0 / (tau_days * MS_PER_DAY)) as f32
}

/// How near the level is: the working set counts most.
fn nearness(level: ContextLevel) -> f32 {
    match level {
        ContextLevel::Immediate => 1.0,
        ContextLevel::ShortTerm => 0.7,
        ContextLevel::LongTerm => 0.5,
    }
}

/// `ln(1+n)/ln(101)`, at most 1.
fn frequency(access_count: u32) -> f32 {
    match access_count {
        0 => 0.0,
        n if n >= FULL_FREQUENCY => 1.0,
        n => (n as f32 + 1.0).ln() / (FULL_FREQUENCY as f32 + 1.0).ln(),
    }
}

/// The final score of a candidate, and the parts of it that do not depend on the query.
#[derive(Debug)]
pub(super) struct Scorer {
    similarity: f32,
    recency: f32,
    level: f32,
    frequency: f32,
    now_ms: i64,
    /// `-1/τ`, in milliseconds.
    decay_per_ms: f32,
    /// By access count, up to the one from which it is 1.
    frequencies: [f32; FULL_FREQUENCY as usize + 1],
}

impl Scorer {
    pub(super) fn new(settings: &RetrievalSettings, now_ms: i64) -> Self {
        let weights = &settings.weights;
        Self {
            similarity: weights.similarity as f32,
            recency: weights.recency as f32,
            level: weights.level as f32,
            frequency: weights.frequency as f32,
            now_ms,
            decay_per_ms: decay_per_ms(settings.strategy.recency_tau_days),
            frequencies: std::array::from_fn(|count| frequency(count as u32)),
        }
    }

    /// Recency, level and frequency, each 0 to 1.
    fn facts(&self, facts: &Facts, index: usize) -> [f32; 3] {
        let changed_ms = facts.updated_ms[index].max(facts.created_ms[index]);
        [
            recency(changed_ms, self.now_ms, self.decay_per_ms),
            nearness(facts.levels[index]),
            self.frequencies[facts.access_counts[index].min(FULL_FREQUENCY) as usize],
        ]
    }

    /// The weighted sum, 0 to 1.
    pub(super) fn score(&self, facts: &Facts, index: usize, similarity: f32) -> f32 {
        self.weigh(self.facts(facts, index), similarity)
    }

    /// The most that it is, whatever the facts are.
    pub(super) fn most(&self, similarity: f32) -> f32 {
        self.weigh([1.0; 3], similarity)
    }

    fn weigh(&self, [recency, level, frequency]: [f32; 3], similarity: f32) -> f32 {
        let sum = self.similarity * similarity
            + self.recency * recency
            + self.level * level
            + self.frequency * frequency;
        sum.clamp(0.0, 1.0)
    }
}

/// The candidates of one query, scored, before equal texts are folded and before the budget.
#[derive(Debug)]
pub struct Ranking {
    pub(super) candidates: Arc<Candidates>,
    pub(super) settings: RetrievalSettings,
    pub(super) fusion: Fusion,
    scorer: Scorer,
    /// Candidates inside of the search.
    pub(super) searched: usize,
    /// Relevance by candidate; `None` where nothing speaks for it.
    pub(super) similarity: Vec<Option<f32>>,
    /// Candidates that passed the threshold, each with its score, in no order.
    pub(super) passed: Vec<Key>,
}

impl Ranking {
    /// Scores `candidates`.
    #[must_use]
    pub fn new(
        candidates: &Arc<Candidates>,
        settings: &RetrievalSettings,
        request: &SelectionRequest,
    ) -> Self {
        let fusion = Fusion::new(candidates, &settings.strategy, request.mode);
        let scorer = Scorer::new(settings, request.now_ms);
        let all = 0..candidates.len();
        let similarity: Vec<Option<f32>> = all
            .clone()
            .map(|index| fusion.similarity(candidates, index))
            .collect();
        let searched = |index: &usize| candidates.excluded(*index).is_none();
        let threshold = settings.relevance_threshold as f32;
        let mut passed = Vec::with_capacity(similarity.len());
        for index in all.clone().filter(searched) {
            if let Some(similarity) = similarity[index]
                && similarity >= threshold
            {
                let score = scorer.score(&candidates.facts, index, similarity);
                passed.push(Key::new(index, score));
            }
        }
        Self {
            candidates: Arc::clone(candidates),
            settings: *settings,
            searched: all.filter(searched).count(),
            fusion,
            scorer,
            similarity,
            passed,
        }
    }

    /// The ids of the `k` best. Ties: the later created first, then the smaller id.
    #[must_use]
    pub fn top(&self, k: usize) -> Vec<ContextId> {
        let mut keys = self.passed.clone();
        best_to_front(&self.candidates, &mut keys, k);
        let best = keys.iter().take(k);
        best.map(|key| self.id(key.index())).collect()
    }

    /// The places among the candidates of the `k` best, in no order.
    pub(crate) fn best(&self, k: usize) -> Vec<u32> {
        let mut keys = self.passed.clone();
        if k < keys.len() {
            keys.select_nth_unstable(k);
            keys.truncate(k);
        }
        keys.into_iter().map(Key::index).collect()
    }

    /// The candidates that passed the threshold, best first.
    pub(super) fn order(&self) -> Vec<Ranked> {
        best_first(&self.candidates, self.passed.clone())
    }

    /// What the budget asks of some of them.
    pub(super) fn wares(&self, indices: impl Iterator<Item = u32>) -> Vec<Item> {
        let facts = &self.candidates.facts;
        let item = |index: u32| Item {
            level: facts.levels[index as usize],
            tokens: facts.tokens[index as usize],
        };
        indices.map(item).collect()
    }

    /// The similarity that is needed.
    pub(super) fn threshold(&self) -> f32 {
        self.settings.relevance_threshold as f32
    }

    /// Whether a candidate is relevant enough.
    pub(super) fn passes(&self, index: usize) -> bool {
        self.similarity[index].is_some_and(|similarity| similarity >= self.threshold())
    }

    pub(super) fn tokens(&self, index: u32) -> u32 {
        self.candidates.facts.tokens[index as usize]
    }

    pub(super) fn id(&self, index: u32) -> ContextId {
        self.candidates.facts.ids[index as usize]
    }

    /// The final score, 0 to 1.
    pub(super) fn score(&self, index: usize) -> f32 {
        let similarity = self.similarity[index].unwrap_or(0.0);
        self.scorer.score(&self.candidates.facts, index, similarity)
    }

    /// What the score is made of.
    pub(super) fn parts(&self, index: usize) -> ScoreParts {
        let candidates = &*self.candidates;
        let [recency, level, frequency] = self.scorer.facts(&candidates.facts, index);
        ScoreParts {
            vector: self.fusion.vector(candidates, index),
            text: self.fusion.text(candidates, index),
            overlap: candidates.overlap(index),
            neighbour: self.fusion.lent(candidates, index),
            phrase: self.fusion.phrase(candidates, index),
            similarity: self.similarity[index].unwrap_or(0.0),
            recency,
            level,
            frequency,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retrieval::Candidate;
    use crate::retrieval::fixture::{DAY_MS, NOW_MS, candidate, candidates, id, request, settings};

    fn similar(number: u64) -> Candidate {
        Candidate {
            cosine: Some(0.8),
            ..candidate(number)
        }
    }

    #[test]
    fn the_final_score_is_the_weighted_sum_of_its_parts() {
        let item = Candidate {
            level: ContextLevel::ShortTerm,
            created_ms: NOW_MS - 60 * DAY_MS,
            updated_ms: NOW_MS - 30 * DAY_MS,
            access_count: 9,
            bm25: Some(4.0),
            ..similar(1)
        };
        let candidates = candidates(vec![item]);
        let ranking = Ranking::new(&candidates, &settings(), &request(100));
        let parts = ranking.parts(0);
        // exp(-1), 0.7 and ln 10 / ln 101
        assert!((parts.recency - 0.367_879).abs() < 1e-5);
        assert!((parts.level - 0.7).abs() < 1e-6);
        assert!((parts.frequency - 0.498_922).abs() < 1e-5);
        // 0.7·0.6 + 0.1·(0.367879 + 0.7 + 0.498922)
        assert!((ranking.score(0) - 0.576_680).abs() < 1e-5);
    }

    #[test]
    fn a_time_stamp_in_the_future_is_as_good_as_now() {
        assert_eq!(recency(i64::MAX, NOW_MS, decay_per_ms(30.0)), 1.0);
        assert_eq!(recency(i64::MIN, NOW_MS, decay_per_ms(30.0)), 0.0);
    }

    #[test]
    fn frequency_grows_to_one_and_no_further() {
        assert_eq!(frequency(0), 0.0);
        assert!((frequency(1) - 0.150_19).abs() < 1e-5);
        assert!(frequency(99) < 1.0);
        assert_eq!(frequency(100), 1.0);
        assert_eq!(frequency(u32::MAX), 1.0);
    }

    #[test]
    fn equal_scores_go_to_the_later_created_and_then_to_the_smaller_id() {
        let earlier = Candidate {
            created_ms: NOW_MS - 1,
            ..similar(1)
        };
        let candidates = candidates(vec![similar(3), earlier, similar(2)]);
        let ranking = Ranking::new(&candidates, &settings(), &request(100));
        assert_eq!(ranking.top(3), [id(2), id(3), id(1)]);
        assert_eq!(ranking.top(1), [id(2)]);
    }

    #[test]
    fn the_working_set_gets_no_similarity_for_free() {
        let newest = Candidate {
            level: ContextLevel::Immediate,
            cosine: Some(0.2),
            ..candidate(1)
        };
        let relevant = Candidate {
            created_ms: NOW_MS - 365 * DAY_MS,
            updated_ms: NOW_MS - 365 * DAY_MS,
            cosine: Some(0.9),
            ..candidate(2)
        };
        let candidates = candidates(vec![newest, relevant]);
        let ranking = Ranking::new(&candidates, &settings(), &request(100));
        assert_eq!(ranking.top(2), [id(2), id(1)]);
    }

    #[test]
    fn the_threshold_drops_what_is_below_and_keeps_what_is_equal() {
        let mut settings = settings();
        settings.relevance_threshold = 0.4;
        let below = Candidate {
            cosine: Some(0.79),
            ..candidate(2)
        };
        let candidates = candidates(vec![similar(1), below, candidate(3)]);
        let ranking = Ranking::new(&candidates, &settings, &request(100));
        assert_eq!(ranking.top(9), [id(1)]);
    }
}
