//! Recall, reciprocal rank and nDCG of one ranking.

use std::collections::HashSet;

use super::Judgements;

/// What one ranking scored; each is 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueryScores {
    /// Recall in the first k.
    pub recall: f64,
    /// Reciprocal rank of the first relevant document in the first k.
    pub mrr: f64,
    /// nDCG in the first k.
    pub ndcg: f64,
}

/// All measures of a ranking, best first; `None` if nothing is relevant to the query. A document
/// that is ranked more than once (by several of its chunks) counts where it comes first, and
/// the others move up.
#[must_use]
pub fn score(ranking: &[impl AsRef<str>], judged: &Judgements, k: usize) -> Option<QueryScores> {
    let gains = gains(ranking, judged, k);
    Some(QueryScores {
        recall: recall_of(&gains, judged)?,
        mrr: mrr_of(&gains),
        ndcg: ndcg_of(&gains, judged, k)?,
    })
}

/// Relevant documents in the first `k`, out of all relevant ones; `None` if there are none.
#[must_use]
pub fn recall(ranking: &[impl AsRef<str>], judged: &Judgements, k: usize) -> Option<f64> {
    score(ranking, judged, k).map(|scores| scores.recall)
}

/// 1 / rank of the first relevant document in the first `k`, 0 without one; `None` if nothing is
/// relevant. Its mean over the queries is the mean reciprocal rank.
#[must_use]
pub fn mrr(ranking: &[impl AsRef<str>], judged: &Judgements, k: usize) -> Option<f64> {
    score(ranking, judged, k).map(|scores| scores.mrr)
}

/// Normalised discounted cumulative gain in the first `k`, as `ndcg_cut` of trec_eval: the gain is
/// the judgement itself, discounted by log2(rank + 1), over the same sum for the best order
/// (Järvelin and Kekäläinen, *Cumulated Gain-Based Evaluation of IR Techniques*, 2002); `None` if
/// nothing is relevant.
#[must_use]
pub fn ndcg(ranking: &[impl AsRef<str>], judged: &Judgements, k: usize) -> Option<f64> {
    score(ranking, judged, k).map(|scores| scores.ndcg)
}

/// The gains of the first `k` different documents.
fn gains(ranking: &[impl AsRef<str>], judged: &Judgements, k: usize) -> Vec<f64> {
    let mut seen = HashSet::new();
    ranking
        .iter()
        .map(AsRef::as_ref)
        .filter(|id| seen.insert(*id))
        .take(k)
        .map(|id| judged.get(id).copied().unwrap_or(0.0).max(0.0))
        .collect()
}

fn recall_of(gains: &[f64], judged: &Judgements) -> Option<f64> {
    let relevant = judged.values().filter(|gain| **gain > 0.0).count();
    let found = gains.iter().filter(|gain| **gain > 0.0).count();
    (relevant > 0).then(|| found as f64 / relevant as f64)
}

fn mrr_of(gains: &[f64]) -> f64 {
    gains
        .iter()
        .position(|gain| *gain > 0.0)
        .map_or(0.0, |rank| 1.0 / (rank + 1) as f64)
}

fn ndcg_of(gains: &[f64], judged: &Judgements, k: usize) -> Option<f64> {
    let mut best: Vec<f64> = judged
        .values()
        .copied()
        .filter(|gain| *gain > 0.0)
        .collect();
    best.sort_by(|a, b| b.total_cmp(a));
    best.truncate(k);
    let ideal = discounted(&best);
    (ideal > 0.0).then(|| discounted(gains) / ideal)
}

fn discounted(gains: &[f64]) -> f64 {
    gains
        .iter()
        .zip(2_u32..)
        .map(|(gain, place)| gain / f64::from(place).log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judged(pairs: &[(&str, f64)]) -> Judgements {
        pairs
            .iter()
            .map(|(id, gain)| ((*id).to_owned(), *gain))
            .collect()
    }

    fn near(value: Option<f64>, expected: f64) {
        let value = value.unwrap();
        assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
    }

    #[test]
    fn the_measures_agree_with_hand_computed_values() {
        let relevant = judged(&[("a", 1.0), ("b", 1.0), ("c", 1.0), ("n", 0.0)]);
        let ranking = ["x", "b", "n", "a", "c"];
        near(recall(&ranking, &relevant, 4), 2.0 / 3.0);
        near(mrr(&ranking, &relevant, 4), 0.5);
        // (1/log2(3) + 1/log2(5)) / (1/log2(2) + 1/log2(3) + 1/log2(4))
        near(
            ndcg(&ranking, &relevant, 4),
            (0.630_929_753_571_457 + 0.430_676_558_073_393) / 2.130_929_753_571_457,
        );
    }

    #[test]
    fn grades_are_linear_gains() {
        let graded = judged(&[("a", 3.0), ("b", 2.0), ("c", 1.0)]);
        // (1/1 + 3/log2(3)) / (3/1 + 2/log2(3)), cut at 2
        near(
            ndcg(&["c", "a", "b"], &graded, 2),
            (1.0 + 3.0 * 0.630_929_753_571_457) / (3.0 + 2.0 * 0.630_929_753_571_457),
        );
    }

    #[test]
    fn a_query_that_nothing_answers_has_no_score_and_a_miss_scores_zero() {
        assert_eq!(score(&["a"], &judged(&[("a", 0.0), ("b", -1.0)]), 10), None);
        assert_eq!(score(&["a"], &judged(&[]), 10), None);
        let zero = QueryScores {
            recall: 0.0,
            mrr: 0.0,
            ndcg: 0.0,
        };
        let relevant = judged(&[("a", 1.0)]);
        assert_eq!(score(&["x", "y", "a"], &relevant, 2), Some(zero));
        let nothing: [&str; 0] = [];
        assert_eq!(score(&nothing, &relevant, 2), Some(zero));
    }

    #[test]
    fn a_document_ranked_twice_counts_once_and_the_next_moves_up() {
        let relevant = judged(&[("a", 1.0), ("b", 1.0)]);
        near(recall(&["a", "a", "b"], &relevant, 2), 1.0);
        near(ndcg(&["a", "a", "b"], &relevant, 2), 1.0);
        near(mrr(&["x", "x", "b"], &relevant, 3), 0.5);
    }

    proptest! {
        #[test]
        fn every_score_lies_between_zero_and_one(
            ranking in prop::collection::vec("[a-e]", 0..12),
            pairs in prop::collection::hash_map("[a-e]", -1_i8..4, 0..5),
            k in 1_usize..12,
        ) {
            let judged = pairs.into_iter().map(|(id, gain)| (id, f64::from(gain))).collect();
            if let Some(scores) = score(&ranking, &judged, k) {
                for value in [scores.recall, scores.mrr, scores.ndcg] {
                    prop_assert!((0.0..=1.0 + 1e-12).contains(&value));
                }
            }
        }

        #[test]
        fn the_best_order_has_ndcg_one(pairs in prop::collection::hash_map("[a-e]", 1_i8..4, 1..5), k in 1_usize..8) {
            let judged: Judgements = pairs.into_iter().map(|(id, gain)| (id, f64::from(gain))).collect();
            let mut ranking: Vec<_> = judged.keys().cloned().collect();
            ranking.sort_by(|a, b| judged[b].total_cmp(&judged[a]));
            prop_assert!((ndcg(&ranking, &judged, k).unwrap() - 1.0).abs() < 1e-9);
        }
    }
}
