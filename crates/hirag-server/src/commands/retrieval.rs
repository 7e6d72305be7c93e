//! Asking the memory, and asking it for its reasons.

use hirag::context::{ContextId, ContextRequest, ContextResponse};
use hirag::retrieval::{Trace, TraceId, WhyNot};
use serde::{Deserialize, Serialize};

use super::{Host, Result};

/// The answer to a search.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS, utoipa::ToSchema)]
pub struct SearchResponse {
    /// The contexts and the facts of the retrieval.
    #[serde(flatten)]
    pub response: ContextResponse,
    /// What became of every candidate, where the request asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub trace: Option<Trace>,
}

/// Which context was missed, and by which retrieval.
#[derive(Debug, Clone, PartialEq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct WhyRequest {
    /// The context.
    pub id: ContextId,
    /// The retrieval.
    pub request: ContextRequest,
}

/// The best contexts for a query; with every reason if `explain` is set, and no access counted then.
///
/// # Errors
/// As [`hirag::HiragManager::retrieve`].
pub async fn search(host: &Host, request: ContextRequest) -> Result<SearchResponse> {
    if request.explain {
        let (response, trace) = host.manager().explain(request).await?;
        let trace = Some(trace);
        return Ok(SearchResponse { response, trace });
    }
    let response = host.manager().retrieve(request).await?;
    Ok(SearchResponse {
        response,
        trace: None,
    })
}

/// Why a context was not returned, and what would let it in.
///
/// # Errors
/// As [`hirag::HiragManager::why_not`].
pub async fn why(host: &Host, request: WhyRequest) -> Result<WhyNot> {
    Ok(host.manager().why_not(request.request, request.id).await?)
}

/// The record of an earlier retrieval.
///
/// # Errors
/// As [`hirag::HiragManager::trace`].
pub async fn trace(host: &Host, id: TraceId) -> Result<Trace> {
    Ok(host.manager().trace(id).await?)
}
