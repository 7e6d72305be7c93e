//! Searching, ranking again, and asking why not.

use std::collections::HashMap;
use std::sync::Arc;

use hirag::context::{ContextId, ContextRequest, RetrievedContext};
use hirag::retrieval::{
    Explanation, OtherSettings, Outcome, RankingWeights, RetrievalStrategy, ScoreParts, TraceId,
    WhyNot,
};
use serde::{Deserialize, Serialize};

use super::{TraceRequest, preview};
use crate::commands::{self, Error, Result, SearchResponse, WhyRequest};
use crate::studio::{ActivityKind, Studio};

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

/// Candidates of a trace that a window gets: a hundred thousand would be fifty megabytes, and seconds.
/// The counts are of all, and [`why`] answers for any.
pub(super) const LISTED: usize = 250;

/// The best contexts for a query; its candidates can be ranked by other settings afterwards. The
/// trace comes without candidates: [`reasons`] tells of them.
///
/// # Errors
/// As [`commands::search`].
pub async fn search(studio: &Studio, request: ContextRequest) -> Result<SearchResponse> {
    let host = studio.host().await?;
    let query = preview(&request.query);
    let (response, trace, kept) = if request.explain {
        let (response, trace, kept) = host.manager().explain_kept(request, LISTED).await?;
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

/// The same for programs: nothing is kept to rank again, and with `explain` the best candidates
/// come along, and all that were returned.
///
/// # Errors
/// As [`commands::search`].
pub async fn recall(studio: &Studio, request: ContextRequest) -> Result<SearchResponse> {
    let host = studio.host().await?;
    let query = preview(&request.query);
    let mut found = commands::search(&host, request).await?;
    if let Some(trace) = &mut found.trace
        && trace.candidates.len() > LISTED
    {
        let mut place = 0;
        trace.candidates.retain(|candidate| {
            place += 1;
            place <= LISTED || matches!(candidate.outcome, Outcome::Chosen { .. })
        });
        trace.complete = false;
    }
    let contexts = &found.response.contexts;
    let ids: Vec<ContextId> = contexts.iter().map(|found| found.context.id).collect();
    let summary = format!("Searched: {query} ({} found)", ids.len());
    let id = found.response.metadata.trace_id;
    studio
        .activity()
        .note_search(ActivityKind::Searched, summary, &ids, Some(id));
    Ok(found)
}

/// What became of a search.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct Reasons {
    /// The best candidates, and all that were returned.
    pub candidates: Vec<Explanation>,
    /// Whether these are all there were.
    pub complete: bool,
}

/// What became of the candidates of a search.
///
/// # Errors
/// As [`commands::trace`], for one whose candidates are not held any more.
pub async fn reasons(studio: &Studio, request: TraceRequest) -> Result<Reasons> {
    let held = studio.searches().lock().get(request.id);
    let Some(search) = held else {
        let trace = super::trace(studio, request).await?;
        return Ok(Reasons {
            candidates: trace.candidates,
            complete: trace.complete,
        });
    };
    let all = search.candidates();
    let candidates = tokio::task::spawn_blocking(move || search.reasons(LISTED)).await?;
    let complete = candidates.len() == all;
    Ok(Reasons {
        candidates,
        complete,
    })
}

/// What was looked up.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct LookUpResponse {
    /// The contexts, best first.
    pub contexts: Vec<RetrievedContext>,
}

/// The best contexts for a query, to find one of them again. It stands in no history, and counts
/// as no use.
///
/// # Errors
/// As [`hirag::HiragManager::look_up`].
pub async fn look_up(studio: &Studio, request: ContextRequest) -> Result<LookUpResponse> {
    let host = studio.host().await?;
    let contexts = host.manager().look_up(request).await?;
    Ok(LookUpResponse { contexts })
}

/// Why a context was not returned, and what would let it in.
///
/// # Errors
/// As [`commands::why`].
pub async fn why(studio: &Studio, request: WhyRequest) -> Result<WhyNot> {
    commands::why(&studio.host().await?, request).await
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
    let kept = Arc::clone(&search);
    let now = tokio::task::spawn_blocking(move || kept.rank(&other)).await??;
    let previous: HashMap<ContextId, (usize, f32)> = search
        .before()
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
    let gone = search.before().iter().map(|chosen| chosen.id);
    Ok(Reranked {
        dropped: gone.filter(|id| !stays(*id)).collect(),
        total_tokens: now.total_tokens(),
        contexts,
    })
}
