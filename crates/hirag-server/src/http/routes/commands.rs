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

pub(super) async fn run(
    State(api): State<Api>,
    Path(name): Path<String>,
    request: Option<Json<Map<String, Value>>>,
) -> Result<Response, Problem> {
    let request = request.map(|Json(request)| request).unwrap_or_default();
    let answer = call(api.studio(), &name, Value::Object(request)).await?;
    Ok(([(CONTENT_TYPE, "application/json")], Body::from(answer)).into_response())
}
