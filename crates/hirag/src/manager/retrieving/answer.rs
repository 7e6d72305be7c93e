//! The answer of one retrieval.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::query::Asked;
use super::{Outcome, retrieval_settings};
use crate::context::{
    Context, ContextId, ContextRequest, ContextResponse, LevelCounts, RetrievalMetadata,
    RetrievedContext,
};
use crate::error::Result;
use crate::manager::HiragManager;
use crate::retrieval::{Selection, StageTiming, TraceId, select};

/// An answer, and what it was chosen from.
pub(super) struct Answered {
    pub(super) outcome: Outcome,
    pub(super) response: ContextResponse,
    pub(super) selection: Selection,
    /// When a context expires, and another answer is due; in milliseconds since the epoch.
    pub(super) until_ms: Option<i64>,
}

/// What the searching thread brings back.
struct Selected {
    selection: Selection,
    until_ms: Option<i64>,
    /// Chosen contexts that are held in memory.
    held: Vec<Context>,
    ranking_began: Instant,
    ranking_ended: Instant,
}

impl HiragManager {
    pub(super) async fn answer(&self, request: &ContextRequest) -> Result<Answered> {
        let before = self.inner.profiler.before();
        let start = Instant::now();
        let settings = retrieval_settings(&self.config());
        let manager = self.clone();
        let compared = self.compare(request, &[], move |candidates, asked| {
            let ranking_began = Instant::now();
            let selection = select(&candidates, &settings, asked);
            let working_set = &manager.inner.working_set;
            let (mut held, mut missing) = (Vec::new(), Vec::new());
            for one in selection.chosen() {
                match working_set.get(one.id) {
                    Some(context) => held.push((*context).clone()),
                    None => missing.push(one.id),
                }
            }
            let selected = Selected {
                selection,
                until_ms: candidates.until_ms,
                held,
                ranking_began,
                ranking_ended: Instant::now(),
            };
            (selected, missing)
        });
        let compared = compared.await?;
        let (asked, selected) = (compared.asked, compared.result);
        let end = Instant::now();
        let took = end - start;
        let embedding = asked.embedding.map(|took| ("embed", took));
        let search =
            (selected.ranking_began - start).saturating_sub(asked.embedding.unwrap_or_default());
        let timings: Vec<(&'static str, Duration)> = embedding
            .into_iter()
            .chain([
                ("search", search),
                ("rank", selected.ranking_ended - selected.ranking_began),
                ("fetch", end - selected.ranking_ended),
            ])
            .collect();
        let profiler = &self.inner.profiler;
        profiler.record_parts("retrieve", took, &timings, before);
        let contexts = selected
            .held
            .into_iter()
            .chain(compared.contexts)
            .map(|context| (context.id, context))
            .collect();
        let time = asked.time;
        let response = respond(
            request,
            asked,
            &selected.selection,
            contexts,
            &timings,
            took,
        );
        Ok(Answered {
            outcome: Outcome::of(time, &response),
            response,
            selection: selected.selection,
            until_ms: selected.until_ms,
        })
    }
}

fn respond(
    request: &ContextRequest,
    asked: Asked,
    selection: &Selection,
    mut contexts: HashMap<ContextId, Context>,
    timings: &[(&'static str, Duration)],
    took: Duration,
) -> ContextResponse {
    let mut distribution = LevelCounts::default();
    let mut total_tokens = 0;
    let mut similarity = 0.0;
    let mut returned = Vec::with_capacity(contexts.len());
    for one in selection.chosen() {
        // A context that was deleted while this ran is not returned.
        let Some(context) = contexts.remove(&one.id).filter(|c| c.deleted_at.is_none()) else {
            continue;
        };
        *distribution.get_mut(context.level) += 1;
        total_tokens += context.token_count;
        similarity += one.parts.similarity;
        returned.push(RetrievedContext {
            rank: returned.len() + 1,
            score: one.score,
            parts: one.parts,
            same_text: one.same_text.clone(),
            context,
        });
    }
    ContextResponse {
        total_tokens,
        retrieval_time_ms: milliseconds(took),
        metadata: RetrievalMetadata {
            trace_id: TraceId::new(asked.time),
            mode: request.mode,
            degraded: asked.degraded,
            level_distribution: distribution,
            average_relevance: similarity / returned.len().max(1) as f32,
            cache_hits: asked.cache_hits,
            total_searched: selection.searched() as u64,
            ledger: selection.ledger(),
            timings: told(timings),
        },
        contexts: returned,
    }
}

pub(super) fn told(timings: &[(&'static str, Duration)]) -> Vec<StageTiming> {
    let timings = timings.iter().map(|(stage, took)| StageTiming {
        stage: (*stage).to_owned(),
        ms: milliseconds(*took),
    });
    timings.collect()
}

pub(super) fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}
