//! Asking the memory, and for its reasons.

use axum::Json as Answer;
use axum::extract::{Path, State};
use hirag::context::ContextRequest;
use hirag::retrieval::{RetrievalError, Trace, TraceId};

use crate::commands::SearchResponse;
use crate::commands::studio::{self as ask, TraceRequest};
use crate::http::extract::Json;
use crate::http::{Api, Problem};

/// Search
///
/// The best contexts of all levels within a budget of tokens.
#[utoipa::path(
    post,
    path = "/api/v1/contexts/search",
    tag = "search",
    request_body = ContextRequest,
    responses((status = 200, description = "The contexts, best first, and the facts of the \
        retrieval", body = SearchResponse)),
)]
pub(super) async fn search(
    State(api): State<Api>,
    Json(request): Json<ContextRequest>,
) -> Result<Answer<SearchResponse>, Problem> {
    let search = ask::recall(api.studio(), request);
    Ok(Answer(api.searches().take(search).await?))
}

/// Search and explain
///
/// The same search with its reasons. It counts as no use of what is found.
#[utoipa::path(
    post,
    path = "/api/v1/contexts/explain",
    tag = "search",
    request_body = ContextRequest,
    responses((status = 200, description = "The same with its trace: the best candidates and all \
        that were returned, each with its scores and the stage that kept or dropped it",
        body = SearchResponse)),
)]
pub(super) async fn explain(
    State(api): State<Api>,
    Json(mut request): Json<ContextRequest>,
) -> Result<Answer<SearchResponse>, Problem> {
    request.explain = true;
    let search = ask::recall(api.studio(), request);
    Ok(Answer(api.searches().take(search).await?))
}

/// Read the record of an earlier search
#[utoipa::path(
    get,
    path = "/api/v1/traces/{id}",
    tag = "search",
    params(("id" = TraceId, Path, description = "The `trace_id` of a search")),
    responses(
        (status = 200, description = "The record", body = Trace),
        (status = 404, description = "There is none, or not any more"),
    ),
)]
pub(super) async fn trace(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Answer<Trace>, Problem> {
    let id = id
        .parse()
        .map_err(|e: RetrievalError| Problem::from(hirag::Error::from(e)))?;
    Ok(Answer(ask::trace(api.studio(), TraceRequest { id }).await?))
}
