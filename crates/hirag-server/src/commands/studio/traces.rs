//! What searches came to: their records, whom they returned, and how they would end today.

use hirag::context::{ContextId, SearchMode};
use hirag::retrieval::{Outcome, Trace, TraceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::retrieval::{LISTED, reasons};
use crate::commands::{self, Result};
use crate::studio::Studio;

/// Traces of one answer at most.
const TRACES: usize = 1_000;
/// Traces that are looked through for the searches that returned a context.
const LOOKED_THROUGH: usize = 200;

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

/// Of which context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct UsesRequest {
    /// The context.
    pub id: ContextId,
    /// The latest so many.
    #[ts(type = "number")]
    pub limit: usize,
}

/// A search that returned a context.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct Use {
    /// Its trace.
    pub trace_id: TraceId,
    /// When.
    #[ts(type = "string")]
    pub time: Timestamp,
    /// The query.
    pub query: String,
    /// The context's place in the answer, from 1.
    pub rank: u32,
    /// Its score there.
    pub score: f32,
}

/// Searches that returned a context.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct UsesResponse {
    /// Newest first.
    pub uses: Vec<Use>,
    /// How many of the latest searches were looked through.
    #[ts(type = "number")]
    pub looked_at: u64,
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

/// The latest searches that returned a context, those that only looked included.
///
/// # Errors
/// As [`hirag::HiragManager::recent_traces_of`].
pub async fn uses(studio: &Studio, request: UsesRequest) -> Result<UsesResponse> {
    let host = studio.host().await?;
    let manager = host.manager();
    let (traces, looked_at) = manager.recent_traces_of(request.id, LOOKED_THROUGH).await?;
    let uses = traces.into_iter().filter_map(|trace| {
        let candidate = trace.candidates.iter().find(|c| c.id == request.id)?;
        let Outcome::Chosen { rank } = candidate.outcome else {
            return None;
        };
        Some(Use {
            trace_id: trace.id,
            time: trace.time,
            rank,
            score: candidate.score,
            query: trace.request.query,
        })
    });
    Ok(UsesResponse {
        uses: uses.take(request.limit).collect(),
        looked_at,
    })
}

/// Runs the request of a trace again on today's store, and compares. No access is counted.
///
/// # Errors
/// As [`commands::trace`] and [`commands::search`].
pub async fn replay(studio: &Studio, request: TraceRequest) -> Result<Replay> {
    let host = studio.host().await?;
    let then = host.manager().trace(request.id).await?;
    let again = host.manager().explain_kept(then.request.clone(), LISTED);
    let (_, mut trace, kept) = again.await?;
    studio.searches().lock().keep(trace.id, kept);
    let told = reasons(studio, TraceRequest { id: trace.id }).await?;
    trace.candidates = told.candidates;
    trace.complete = told.complete;
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
