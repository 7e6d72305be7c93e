//! Asking the memory, and for its reasons.

use axum::Json as Answer;
use axum::extract::{Path, State};
use hirag::context::ContextRequest;
use hirag::retrieval::{RetrievalError, Trace};

use crate::commands::SearchResponse;
use crate::commands::studio::{self as ask, TraceRequest};
use crate::http::extract::Json;
use crate::http::{Api, Problem};

pub(super) async fn search(
    State(api): State<Api>,
    Json(request): Json<ContextRequest>,
) -> Result<Answer<SearchResponse>, Problem> {
    Ok(Answer(ask::recall(api.studio(), request).await?))
}

pub(super) async fn explain(
    State(api): State<Api>,
    Json(mut request): Json<ContextRequest>,
) -> Result<Answer<SearchResponse>, Problem> {
    request.explain = true;
    Ok(Answer(ask::recall(api.studio(), request).await?))
}

pub(super) async fn trace(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Answer<Trace>, Problem> {
    let id = id
        .parse()
        .map_err(|e: RetrievalError| Problem::from(hirag::Error::from(e)))?;
    Ok(Answer(ask::trace(api.studio(), TraceRequest { id }).await?))
}
