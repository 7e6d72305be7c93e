//! Folders and files that are kept up to date.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hirag::sources::{Leave, NewSource, RemovedSource, SourceId, SourcePatch, SourceStatus};
use serde::{Deserialize, Serialize};

use crate::commands::studio::{self as ask, Nothing};
use crate::commands::{
    SourceChange, SourceRemoval, SourceRequest, SourceRunRequest, SourcesResponse,
};
use crate::http::extract::{Json, Query};
use crate::http::{Api, Problem};

/// What is left of a source.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RemovalQuery {
    /// What is left of it: its `contexts`, or `nothing`.
    #[param(inline)]
    leave: Leave,
}

/// How to run a source.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RunRequest {
    /// Takes a folder without anything in it for what it is, and not for a disk that is not
    /// connected, and what stood on another disk for gone: all that they gave is marked as deleted.
    emptied: bool,
}

/// A run that has begun.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct RunStarted {
    /// The job; the source tells how far it is, and what came of it.
    job: String,
}

/// List the sources
#[utoipa::path(
    get,
    path = "/api/v1/sources",
    tag = "sources",
    responses((status = 200, description = "All sources", body = SourcesResponse)),
)]
pub(super) async fn list_sources(
    State(api): State<Api>,
) -> Result<Answer<SourcesResponse>, Problem> {
    Ok(Answer(ask::sources(api.studio(), Nothing {}).await?))
}

/// Add a source
///
/// A folder or a file of the server's machine, to be kept up to date. It is read at once if it is
/// watched; otherwise when it is run.
#[utoipa::path(
    post,
    path = "/api/v1/sources",
    tag = "sources",
    request_body = NewSource,
    responses(
        (status = 201, description = "It is kept", body = SourceStatus,
            headers(("Location" = String, description = "The path of the source"))),
        (status = 409, description = "It overlaps with another source, or its name is taken"),
    ),
)]
pub(super) async fn add_source(
    State(api): State<Api>,
    Json(new): Json<NewSource>,
) -> Result<Response, Problem> {
    let added = ask::source_add(api.studio(), new).await?;
    let place = format!("/api/v1/sources/{}", added.source.id);
    let place = HeaderValue::try_from(place).map_err(|_| Problem::internal())?;
    Ok((StatusCode::CREATED, [(LOCATION, place)], Answer(added)).into_response())
}

/// Read a source
#[utoipa::path(
    get,
    path = "/api/v1/sources/{id}",
    tag = "sources",
    params(("id" = SourceId, Path, description = "The source")),
    responses(
        (status = 200, description = "The source with its last run", body = SourceStatus),
        (status = 404, description = "There is none"),
    ),
)]
pub(super) async fn get_source(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Answer<SourceStatus>, Problem> {
    let request = SourceRequest { id: number(&id)? };
    Ok(Answer(ask::source(api.studio(), request).await?))
}

/// Change a source
///
/// What is not named stays as it is; rules are replaced as a whole.
#[utoipa::path(
    patch,
    path = "/api/v1/sources/{id}",
    tag = "sources",
    params(("id" = SourceId, Path, description = "The source")),
    request_body = SourcePatch,
    responses(
        (status = 200, description = "The source as it is now", body = SourceStatus),
        (status = 404, description = "There is none"),
        (status = 409, description = "Its new name is taken"),
    ),
)]
pub(super) async fn change_source(
    State(api): State<Api>,
    Path(id): Path<String>,
    Json(patch): Json<SourcePatch>,
) -> Result<Answer<SourceStatus>, Problem> {
    let id = number(&id)?;
    let change = SourceChange { id, patch };
    Ok(Answer(ask::source_change(api.studio(), change).await?))
}

/// Remove a source
#[utoipa::path(
    delete,
    path = "/api/v1/sources/{id}",
    tag = "sources",
    params(("id" = SourceId, Path, description = "The source"), RemovalQuery),
    responses(
        (status = 200, description = "It is kept up to date no longer; the command `undo` brings \
            its contexts back where they were deleted", body = RemovedSource),
        (status = 404, description = "There is none"),
    ),
)]
pub(super) async fn remove_source(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(query): Query<RemovalQuery>,
) -> Result<Answer<RemovedSource>, Problem> {
    let removal = SourceRemoval {
        id: number(&id)?,
        leave: query.leave,
    };
    Ok(Answer(ask::source_remove(api.studio(), removal).await?))
}

/// Run a source
///
/// Begins to bring its contexts in line with its files.
#[utoipa::path(
    post,
    path = "/api/v1/sources/{id}/run",
    tag = "sources",
    params(("id" = SourceId, Path, description = "The source")),
    request_body = Option<RunRequest>,
    responses(
        (status = 202, description = "It has begun", body = RunStarted),
        (status = 404, description = "There is none"),
        (status = 409, description = "Another run that was asked for is under way"),
    ),
)]
pub(super) async fn run_source(
    State(api): State<Api>,
    Path(id): Path<String>,
    request: Option<Json<RunRequest>>,
) -> Result<Response, Problem> {
    let request = SourceRunRequest {
        id: Some(number(&id)?),
        emptied: request.is_some_and(|Json(request)| request.emptied),
    };
    let job = ask::source_run(api.studio(), request).await?.job;
    Ok((StatusCode::ACCEPTED, Answer(RunStarted { job })).into_response())
}

/// What is no number is no source.
fn number(id: &str) -> Result<SourceId, Problem> {
    let id = id.parse::<SourceId>();
    id.map_err(|error| hirag::Error::from(error).into())
}
