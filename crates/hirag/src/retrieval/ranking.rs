//! The final score and the order that follows from it.

use std::sync::Arc;

use super::fold::Text;
use super::fusion::Fusion;
use super::{Candidate, Candidates, RetrievalSettings, ScoreParts, SelectionRequest};
use crate::context::{ContextId, ContextLevel};

const MS_PER_DAY: f64 = 86_400_000.0;

/// The access count from which frequency is 1: `ln(1 + 100) / ln(101)`.
const FULL_FREQUENCY: u64 = 100;

/// `exp(-age/τ)` with the age since the last change, 1 (now) down to 0. A time stamp in the future
/// (the clock was set back) is as good as now. Being returned does not make a context recent: it
/// would then keep itself at the top.
fn recency(candidate: &Candidate, now_ms: i64, per_ms: f32) -> f32 {
    let changed = candidate.updated_ms.max(candidate.created_ms);
    let age_ms = now_ms.saturating_sub(changed).max(0);
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
fn frequency(access_count: u64) -> f32 {
    match access_count {
        0 => 0.0,
        n if n >= FULL_FREQUENCY => 1.0,
        n => (n as f32 + 1.0).ln() / (FULL_FREQUENCY as f32 + 1.0).ln(),
    }
}

/// The final score of a candidate, and the parts of it that do not depend on the query.
#[derive(Debug, Clone, Copy)]
struct Scorer {
    similarity: f32,
    recency: f32,
    level: f32,
    frequency: f32,
    now_ms: i64,
    /// `-1/τ`, in milliseconds.
    decay_per_ms: f32,
}

impl Scorer {
    fn new(settings: &RetrievalSettings, now_ms: i64) -> Self {
        let weights = &settings.weights;
        Self {
            similarity: weights.similarity as f32,
            recency: weights.recency as f32,
            level: weights.level as f32,
            frequency: weights.frequency as f32,
            now_ms,
            decay_per_ms: decay_per_ms(settings.strategy.recency_tau_days),
        }
    }

    /// Recency, level and frequency, each 0 to 1.
    fn facts(&self, candidate: &Candidate) -> [f32; 3] {
        [
            recency(candidate, self.now_ms, self.decay_per_ms),
            nearness(candidate.level),
            frequency(candidate.access_count),
        ]
    }

    /// The weighted sum, 0 to 1.
    fn score(&self, candidate: &Candidate, similarity: f32) -> f32 {
        let [recency, level, frequency] = self.facts(candidate);
        let sum = self.similarity * similarity
            + self.recency * recency
            + self.level * level
            + self.frequency * frequency;
        sum.clamp(0.0, 1.0)
    }
}

/// The candidates of one query, scored and in their final order, before equal texts are folded and
/// before the budget.
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
    /// What folding asks, by candidate.
    pub(super) texts: Vec<Text>,
    /// Candidates that passed the threshold, best first, each with its score.
    pub(super) order: Vec<Ranked>,
}

/// A candidate's place in an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ranked {
    pub(super) index: u32,
    pub(super) value: f32,
}

impl Ranking {
    /// Scores and orders `candidates`. Ties: the later created first, then the smaller id.
    #[must_use]
    pub fn new(
        candidates: &Arc<Candidates>,
        settings: &RetrievalSettings,
        request: &SelectionRequest,
    ) -> Self {
        let items = &candidates.items;
        let mut ranking = Self {
            candidates: Arc::clone(candidates),
            settings: *settings,
            fusion: Fusion::new(candidates, &settings.strategy, request.mode),
            scorer: Scorer::new(settings, request.now_ms),
            searched: 0,
            similarity: Vec::with_capacity(items.len()),
            texts: Vec::with_capacity(items.len()),
            order: Vec::new(),
        };
        // One walk over the candidates, which are spread over more memory than is near.
        let threshold = ranking.threshold();
        let mut passed = Vec::with_capacity(items.len());
        for (index, candidate) in items.iter().enumerate() {
            let similarity = ranking.fusion.similarity(items, index);
            ranking.similarity.push(similarity);
            ranking.texts.push(Text::of(candidate));
            if candidate.excluded.is_none() {
                ranking.searched += 1;
                if let Some(similarity) = similarity.filter(|similarity| *similarity >= threshold) {
                    let score = ranking.scorer.score(candidate, similarity);
                    passed.push(sort_key(index, score));
                }
            }
        }
        ranking.order = sorted(items, passed);
        ranking
    }

    /// The ids of the `k` best.
    #[must_use]
    pub fn top(&self, k: usize) -> Vec<ContextId> {
        self.order
            .iter()
            .take(k)
            .map(|ranked| self.item(ranked.index).id)
            .collect()
    }

    /// The similarity that is needed.
    pub(super) fn threshold(&self) -> f32 {
        self.settings.relevance_threshold as f32
    }

    /// Whether a candidate is relevant enough.
    pub(super) fn passes(&self, index: usize) -> bool {
        self.similarity[index].is_some_and(|similarity| similarity >= self.threshold())
    }

    pub(super) fn item(&self, index: u32) -> &Candidate {
        &self.candidates.items[index as usize]
    }

    /// The final score, 0 to 1.
    pub(super) fn score(&self, index: usize) -> f32 {
        let similarity = self.similarity[index].unwrap_or(0.0);
        self.scorer.score(&self.candidates.items[index], similarity)
    }

    /// What the score is made of.
    pub(super) fn parts(&self, index: usize) -> ScoreParts {
        let items = &self.candidates.items;
        let candidate = &items[index];
        let [recency, level, frequency] = self.scorer.facts(candidate);
        ScoreParts {
            vector: self.fusion.vector(candidate),
            text: self.fusion.text(candidate),
            overlap: candidate.overlap,
            neighbour: self.fusion.lent(items, index),
            phrase: self.fusion.phrase(candidate),
            similarity: self.similarity[index].unwrap_or(0.0),
            recency,
            level,
            frequency,
        }
    }
}

/// Orders candidates by a value of at least 0, best first; ties by creation, then by id.
///
/// Value and index go into one integer, which sorts several times faster than a comparison that
/// follows the index to the candidate; only ties need that.
pub(super) fn best_first(
    items: &[Candidate],
    values: impl Iterator<Item = (usize, f32)>,
) -> Vec<Ranked> {
    let keys = values
        .map(|(index, value)| sort_key(index, value))
        .collect();
    sorted(items, keys)
}

/// Small for a large value. The bits of floats that are not negative order like the floats; `+ 0.0`
/// makes -0 one of them.
pub(super) fn key(value: f32) -> u32 {
    !(value.max(0.0) + 0.0).to_bits()
}

/// A value's key, with the index in the lower half.
fn sort_key(index: usize, value: f32) -> u64 {
    (u64::from(key(value)) << 32) | index as u64
}

fn sorted(items: &[Candidate], mut keys: Vec<u64>) -> Vec<Ranked> {
    keys.sort_unstable();
    let mut order: Vec<Ranked> = keys
        .into_iter()
        .map(|key| Ranked {
            index: key as u32,
            value: f32::from_bits(!((key >> 32) as u32)),
        })
        .collect();
    for ties in order.chunk_by_mut(|a, b| a.value == b.value) {
        if ties.len() > 1 {
            ties.sort_unstable_by_key(|ranked| {
                let candidate = &items[ranked.index as usize];
                (std::cmp::Reverse(candidate.created_ms), candidate.id)
            });
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let ahead = Candidate {
            created_ms: i64::MAX,
            ..candidate(1)
        };
        assert_eq!(recency(&ahead, NOW_MS, decay_per_ms(30.0)), 1.0);
        let ancient = Candidate {
            created_ms: i64::MIN,
            updated_ms: i64::MIN,
            ..candidate(1)
        };
        assert_eq!(recency(&ancient, NOW_MS, decay_per_ms(30.0)), 0.0);
    }

    #[test]
    fn frequency_grows_to_one_and_no_further() {
        assert_eq!(frequency(0), 0.0);
        assert!((frequency(1) - 0.150_19).abs() < 1e-5);
        assert!(frequency(99) < 1.0);
        assert_eq!(frequency(100), 1.0);
        assert_eq!(frequency(u64::MAX), 1.0);
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

    #[test]
    fn the_order_is_best_first_down_to_zero() {
        let items: Vec<Candidate> = (0..4).map(candidate).collect();
        let values = [0.25, 1.0, -0.0, 0.5].into_iter().enumerate();
        let order: Vec<u32> = best_first(&items, values).iter().map(|r| r.index).collect();
        assert_eq!(order, [1, 3, 0, 2]);
    }
}
