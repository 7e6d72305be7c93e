//! Another process asks for the store.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::http::extract::Json;
use crate::http::{Api, Problem};

/// Who wants to write the store, or lets go of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Process {
    /// The number that the system gave it.
    #[schema(example = 4711, minimum = 0)]
    pid: u32,
}

/// Ask for the store
///
/// A process that has the store open for one agent closes it, once it has finished what it took, and
/// joins the server of the one that asks. It is for the programs of HiRAG Studio among themselves.
#[utoipa::path(
    post,
    path = "/api/v1/claim",
    tag = "status",
    request_body = Process,
    responses(
        (status = 202, description = "The process that closes the store now", body = Process),
        (status = 409, description = "It keeps the store, or has work to finish first"),
    ),
)]
pub(super) async fn claim(
    State(api): State<Api>,
    Json(Process { pid }): Json<Process>,
) -> Result<(StatusCode, Answer<Process>), Problem> {
    api.studio().claimed(pid).await?;
    let own = Process {
        pid: std::process::id(),
    };
    Ok((StatusCode::ACCEPTED, Answer(own)))
}
