//! How much is stored, and how fast it is.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::prometheus_text;

use crate::commands::StatsResponse;
use crate::commands::studio::{self as ask, Nothing, RequestsResponse};
use crate::http::{Api, Problem};

/// Counts, sizes, rates and latencies
#[utoipa::path(
    get,
    path = "/api/v1/stats",
    tag = "status",
    responses((status = 200, description = "The counts", body = StatsResponse)),
)]
pub(super) async fn stats(State(api): State<Api>) -> Result<Answer<StatsResponse>, Problem> {
    Ok(Answer(ask::stats(api.studio(), Nothing {}).await?))
}

/// What was asked over the last hour
///
/// By endpoint, tool and command; those that nobody asked for are left out.
#[utoipa::path(
    get,
    path = "/api/v1/requests",
    tag = "status",
    responses((status = 200, description = "The requests", body = RequestsResponse)),
)]
pub(super) async fn requests(State(api): State<Api>) -> Result<Answer<RequestsResponse>, Problem> {
    Ok(Answer(ask::requests(api.studio(), Nothing {}).await?))
}

/// Everything that is counted, for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "status",
    responses((status = 200, description = "Prometheus text, version 0.0.4", body = String,
        content_type = "text/plain")),
)]
pub(super) async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    let page = api.metrics().page(api.studio()).await?;
    Ok(([(CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], page).into_response())
}
