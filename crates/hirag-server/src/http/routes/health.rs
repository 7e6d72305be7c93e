//! Whether it lives, whether it can serve, and how each component is.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hirag::manager::{Health, HealthState};
use serde::Serialize;

use crate::commands::studio::{self as ask, Nothing};
use crate::http::{Api, Problem};
use crate::studio::StartupPhase;

/// That it lives, or can serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(super) struct Alive {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether it lives
///
/// The answer of a server that runs; it waits for nothing, and needs no token.
#[utoipa::path(
    get,
    path = "/health/live",
    tag = "status",
    security(()),
    responses((status = 200, description = "It lives", body = Alive)),
)]
pub(super) async fn live() -> Answer<Alive> {
    Answer(Alive { status: "ok" })
}

/// Whether it can serve
#[utoipa::path(
    get,
    path = "/health/ready",
    tag = "status",
    responses((status = 200, description = "It can serve", body = Alive)),
)]
pub(super) async fn ready(State(api): State<Api>) -> Result<Answer<Alive>, Problem> {
    let startup = api.studio().startup();
    let unready =
        |detail: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail);
    match startup.state {
        StartupPhase::Ready => Ok(Answer(Alive { status: "ok" })),
        StartupPhase::Opening => Err(unready("the memory is being opened".to_owned())),
        StartupPhase::Failed => {
            let why = startup
                .problem
                .map(|problem| problem.message)
                .unwrap_or_default();
            Err(unready(format!("the memory is not open: {why}")))
        }
    }
}

/// How each component is
#[utoipa::path(
    get,
    path = "/health",
    tag = "status",
    responses(
        (status = 200, description = "It works, perhaps with something missing", body = Health),
        (status = 503, description = "Something does not work", body = Health),
    ),
)]
pub(super) async fn health(State(api): State<Api>) -> Result<Response, Problem> {
    let health: Health = ask::recent_health(api.studio(), Nothing {}).await?;
    let status = match health.state {
        HealthState::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    };
    Ok((status, Answer(health)).into_response())
}
