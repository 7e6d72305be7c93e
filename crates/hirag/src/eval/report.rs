use serde::{Deserialize, Serialize};

use super::{EvalError, QueryScores};

/// How long retrievals took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LatencyMs {
    /// Half were as fast.
    pub p50: f64,
    /// 95 of 100 were as fast.
    pub p95: f64,
    /// 99 of 100 were as fast.
    pub p99: f64,
}

/// Retrieval quality over a golden set: means over the queries that have a relevant document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct EvalReport {
    /// Queries averaged over.
    pub queries: usize,
    /// Queries left out, as nothing is relevant to them.
    pub unjudged: usize,
    /// Results looked at for each.
    pub k: usize,
    /// Mean recall, 0 to 1.
    pub recall: f64,
    /// Mean reciprocal rank, 0 to 1.
    pub mrr: f64,
    /// Mean nDCG, 0 to 1.
    pub ndcg: f64,
    /// Percentiles of the retrieval times.
    pub latency_ms: LatencyMs,
}

/// Gathers the scores of single queries to an [`EvalReport`].
#[derive(Debug, Clone)]
pub struct EvalRun {
    k: usize,
    unjudged: usize,
    scores: Vec<QueryScores>,
    times: Vec<f64>,
}

impl EvalRun {
    /// A run that looks at the first `k` results, over a set in which `unjudged` queries have no
    /// relevant document and are not asked.
    ///
    /// # Errors
    /// [`EvalError::ZeroK`].
    pub fn new(k: usize, unjudged: usize) -> Result<Self, EvalError> {
        if k == 0 {
            return Err(EvalError::ZeroK);
        }
        Ok(Self {
            k,
            unjudged,
            scores: Vec::new(),
            times: Vec::new(),
        })
    }

    /// Adds one query that took `took` from question to answer.
    pub fn add(&mut self, scores: QueryScores, took: std::time::Duration) {
        self.scores.push(scores);
        self.times.push(took.as_secs_f64() * 1_000.0);
    }

    /// The means and percentiles (nearest rank) of what was added; zeros if nothing was.
    #[must_use]
    pub fn report(mut self) -> EvalReport {
        self.times.sort_by(f64::total_cmp);
        let percentile = |percent: usize| {
            let rank = (self.times.len() * percent).div_ceil(100);
            self.times
                .get(rank.saturating_sub(1))
                .copied()
                .unwrap_or(0.0)
        };
        let mean = |part: fn(&QueryScores) -> f64| {
            let sum: f64 = self.scores.iter().map(part).sum();
            sum / self.scores.len().max(1) as f64
        };
        EvalReport {
            queries: self.scores.len(),
            unjudged: self.unjudged,
            k: self.k,
            recall: mean(|scores| scores.recall),
            mrr: mean(|scores| scores.mrr),
            ndcg: mean(|scores| scores.ndcg),
            latency_ms: LatencyMs {
                p50: percentile(50),
                p95: percentile(95),
                p99: percentile(99),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_report_has_means_and_percentiles_by_nearest_rank() {
        let mut run = EvalRun::new(10, 3).unwrap();
        for n in (1..=100_u32).rev() {
            let value = f64::from(n % 2);
            let scores = QueryScores {
                recall: value,
                mrr: value / 2.0,
                ndcg: 1.0,
            };
            run.add(scores, Duration::from_millis(n.into()));
        }
        let json = serde_json::to_value(run.report()).unwrap();
        let expected = serde_json::json!({
            "queries": 100, "unjudged": 3, "k": 10, "recall": 0.5, "mrr": 0.25, "ndcg": 1.0,
            "latency_ms": {"p50": 50.0, "p95": 95.0, "p99": 99.0},
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn an_empty_run_reports_zeros_and_k_must_not_be_zero() {
        let report = EvalRun::new(1, 0).unwrap().report();
        assert_eq!(
            (report.queries, report.recall, report.latency_ms.p99),
            (0, 0.0, 0.0)
        );
        assert_eq!(EvalRun::new(0, 0).unwrap_err().code(), "invalid_k");
    }
}
