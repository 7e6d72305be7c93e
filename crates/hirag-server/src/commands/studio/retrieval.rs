//! Searching, ranking again, and looking at what searches came to.

use std::collections::HashMap;

use hirag::context::{ContextId, ContextRequest, SearchMode};
use hirag::retrieval::{
    OtherSettings, Outcome, RankingWeights, RetrievalStrategy, ScoreParts, Trace, TraceId, WhyNot,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::preview;
use crate::commands::{self, Error, Result, SearchResponse, WhyRequest};
use crate::studio::{ActivityKind, Studio};

/// Traces of one answer at most.
const TRACES: usize = 1_000;

/// Which trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct TraceRequest {
    /// The trace.
    pub id: TraceId,
}

/// How many traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct TracesRequest {
    /// The latest so many.
    #[ts(type = "number")]
    pub limit: usize,
}

/// A search in short.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct TraceSummary {
    /// Its trace.
    pub id: TraceId,
    /// When.
    #[ts(type = "string")]
    pub time: Timestamp,
    /// The query.
    pub query: String,
    /// How candidates were scored in the end.
    pub mode: SearchMode,
    /// Contexts returned.
    #[ts(type = "number")]
    pub returned: u64,
    /// Their tokens.
    pub total_tokens: u32,
    /// Milliseconds.
    pub ms: f64,
}

/// The latest searches.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct TracesResponse {
    /// Newest first.
    pub traces: Vec<TraceSummary>,
}

/// A search to rank by other settings.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct RerankRequest {
    /// The search.
    pub trace_id: TraceId,
    /// The weights.
    pub weights: RankingWeights,
    /// Fusion, recency and shares; as they were where there are none.
    #[serde(default)]
    pub strategy: Option<RetrievalStrategy>,
    /// The relevance that is needed; as it was where there is none.
    #[serde(default)]
    pub relevance_threshold: Option<f64>,
    /// The budget; as it was where there is none.
    #[serde(default)]
    pub max_tokens: Option<u32>,
}

/// A context in its new place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ts_rs::TS)]
pub struct RerankedContext {
    /// The context.
    pub id: ContextId,
    /// Its place, from 1.
    #[ts(type = "number")]
    pub rank: usize,
    /// Its place in the search's answer; `None` if it was not in it.
    #[ts(type = "number | null")]
    pub previous_rank: Option<usize>,
    /// Its score.
    pub score: f32,
    /// Its score in the search; `None` if it was not in the answer.
    pub previous_score: Option<f32>,
    /// What the score is made of.
    pub parts: ScoreParts,
}

/// What a search would have come to.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct Reranked {
    /// The contexts, best first.
    pub contexts: Vec<RerankedContext>,
    /// What the search returned and this does not, in its order.
    pub dropped: Vec<ContextId>,
    /// Tokens of the contexts.
    pub total_tokens: u32,
}

/// A context that stands elsewhere now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct Moves {
    /// The context.
    pub id: ContextId,
    /// Its place then, from 1.
    pub from: u32,
    /// Its place now.
    pub to: u32,
}

/// A search run again on today's store.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct Replay {
    /// Today's trace.
    pub trace: Trace,
    /// Contexts that are returned now and were not then.
    pub entered: Vec<ContextId>,
    /// Contexts that were returned then and are not now.
    pub left: Vec<ContextId>,
    /// Contexts that are returned at another place.
    pub moved: Vec<Moves>,
}

/// The best contexts for a query; its candidates can be ranked by other settings afterwards.
///
/// # Errors
/// As [`commands::search`].
pub async fn search(studio: &Studio, request: ContextRequest) -> Result<SearchResponse> {
    let host = studio.host().await?;
    let query = preview(&request.query);
    let (response, trace, kept) = if request.explain {
        let (response, trace, kept) = host.manager().explain_kept(request).await?;
        (response, Some(trace), kept)
    } else {
        let (response, kept) = host.manager().retrieve_kept(request).await?;
        (response, None, kept)
    };
    let id = response.metadata.trace_id;
    studio.searches().lock().keep(id, kept);
    let ids: Vec<ContextId> = response.contexts.iter().map(|c| c.context.id).collect();
    let summary = format!("Searched: {query} ({} found)", ids.len());
    let activity = studio.activity();
    activity.note_search(ActivityKind::Searched, summary, &ids, Some(id));
    Ok(SearchResponse { response, trace })
}

/// Why a context was not returned, and what would let it in.
///
/// # Errors
/// As [`commands::why`].
pub async fn why(studio: &Studio, request: WhyRequest) -> Result<WhyNot> {
    commands::why(&studio.host().await?, request).await
}

/// The record of an earlier search.
///
/// # Errors
/// As [`commands::trace`].
pub async fn trace(studio: &Studio, request: TraceRequest) -> Result<Trace> {
    commands::trace(&studio.host().await?, request.id).await
}

/// The latest searches in short.
///
/// # Errors
/// As [`hirag::HiragManager::recent_traces`].
pub async fn traces(studio: &Studio, request: TracesRequest) -> Result<TracesResponse> {
    let host = studio.host().await?;
    let limit = request.limit.min(TRACES);
    let traces = host.manager().recent_traces(limit).await?;
    let traces = traces.into_iter().map(|trace| TraceSummary {
        returned: trace.counts.chosen.into(),
        id: trace.id,
        time: trace.time,
        query: trace.request.query,
        mode: trace.mode,
        total_tokens: trace.total_tokens,
        ms: trace.retrieval_time_ms,
    });
    Ok(TracesResponse {
        traces: traces.collect(),
    })
}

/// Ranks the candidates of one of the last searches by other settings.
///
/// # Errors
/// [`Error::StaleSearch`] when they are not kept any more; as
/// [`hirag::retrieval::Rerankable::rank`].
pub async fn rerank(studio: &Studio, request: RerankRequest) -> Result<Reranked> {
    let search = studio.searches().lock().get(request.trace_id);
    let search = search.ok_or(Error::StaleSearch(request.trace_id))?;
    let other = OtherSettings {
        weights: Some(request.weights),
        strategy: request.strategy,
        relevance_threshold: request.relevance_threshold,
        max_tokens: request.max_tokens,
    };
    let work = move || Ok((search.before(), search.rank(&other)?));
    let ranked: Result<_> = tokio::task::spawn_blocking(work).await?;
    let (before, now) = ranked?;
    let previous: HashMap<ContextId, (usize, f32)> = before
        .chosen()
        .iter()
        .map(|chosen| (chosen.id, (chosen.rank, chosen.score)))
        .collect();
    let contexts: Vec<RerankedContext> = now
        .chosen()
        .iter()
        .map(|chosen| RerankedContext {
            id: chosen.id,
            rank: chosen.rank,
            previous_rank: previous.get(&chosen.id).map(|(rank, _)| *rank),
            score: chosen.score,
            previous_score: previous.get(&chosen.id).map(|(_, score)| *score),
            parts: chosen.parts,
        })
        .collect();
    let stays = |id| contexts.iter().any(|context| context.id == id);
    let gone = before.chosen().iter().map(|chosen| chosen.id);
    Ok(Reranked {
        dropped: gone.filter(|id| !stays(*id)).collect(),
        total_tokens: now.total_tokens(),
        contexts,
    })
}

/// Runs the request of a trace again on today's store, and compares. No access is counted.
///
/// # Errors
/// As [`commands::trace`] and [`commands::search`].
pub async fn replay(studio: &Studio, request: TraceRequest) -> Result<Replay> {
    let host = studio.host().await?;
    let then = host.manager().trace(request.id).await?;
    let again = host.manager().explain_kept(then.request.clone()).await?;
    let (response, trace, kept) = again;
    studio
        .searches()
        .lock()
        .keep(response.metadata.trace_id, kept);
    let (before, now) = (places(&then), places(&trace));
    let only_in = |one: &[(ContextId, u32)], other: &[(ContextId, u32)]| {
        let ids = one.iter().map(|(id, _)| *id);
        let missing = ids.filter(|id| !other.iter().any(|(there, _)| there == id));
        missing.collect()
    };
    let moved = now.iter().filter_map(|(id, to)| {
        let (_, from) = before.iter().find(|(there, _)| there == id)?;
        (from != to).then_some(Moves {
            id: *id,
            from: *from,
            to: *to,
        })
    });
    Ok(Replay {
        entered: only_in(&now, &before),
        left: only_in(&before, &now),
        moved: moved.collect(),
        trace,
    })
}

/// The contexts that a trace returned, with their places.
fn places(trace: &Trace) -> Vec<(ContextId, u32)> {
    let mut places: Vec<_> = trace
        .candidates
        .iter()
        .filter_map(|candidate| match candidate.outcome {
            Outcome::Chosen { rank } => Some((candidate.id, rank)),
            _ => None,
        })
        .collect();
    places.sort_unstable_by_key(|(_, rank)| *rank);
    places
}
