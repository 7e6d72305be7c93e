//! Any command by its name, for fronts that know them all: the interface in a browser, and a
//! process that joins this one.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::commands::studio::call;
use crate::http::extract::Json;
use crate::http::{Api, Problem};

/// Run a command of the window
///
/// Every command by its name, as the interface in a browser runs them. Their types change with the
/// program; the other paths are for clients that shall last.
#[utoipa::path(
    post,
    path = "/api/v1/commands/{name}",
    tag = "commands",
    params(("name" = String, Path, description = "The command; `x-commands` names them all")),
    request_body(content = Object, description = "What the command takes"),
    responses(
        (status = 200, description = "What the command gives", body = Object),
        (status = 404, description = "There is no such command, or not what it asks for"),
        (status = 409, description = "It cannot be done now"),
    ),
)]
pub(super) async fn run(
    State(api): State<Api>,
    Path(name): Path<String>,
    request: Option<Json<Map<String, Value>>>,
) -> Result<Response, Problem> {
    let request = request.map(|Json(request)| request).unwrap_or_default();
    let answer = call(api.studio(), &name, Value::Object(request)).await?;
    Ok(([(CONTENT_TYPE, "application/json")], Body::from(answer)).into_response())
}
