//! What comes in, refused in our words where it is not what was asked for.

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{
    FromRequest, FromRequestParts, OptionalFromRequest, Path as AxumPath, Request,
};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use hirag::context::ContextId;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{Api, Problem};

/// A body of JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json<T>(pub(super) T);

/// What stands after the question mark.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<T>(pub(super) T);

/// The context that the path names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Id(pub(super) ContextId);

impl<T: DeserializeOwned> FromRequest<Api> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        check_type(request.headers())?;
        let bytes = bytes(request, api).await?;
        parse(&bytes).map(Self)
    }
}

/// Without a body, `None`.
impl<T: DeserializeOwned> OptionalFromRequest<Api> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Option<Self>, Problem> {
        let typed = check_type(request.headers());
        let bytes = bytes(request, api).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        typed?;
        parse(&bytes).map(|json| Some(Self(json)))
    }
}

/// The body as [`super::intake`] has read it, within its limit.
async fn bytes(request: Request, api: &Api) -> Result<Bytes, Problem> {
    Bytes::from_request(request, api).await.map_err(|refused| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "unreadable_body",
            refused.body_text(),
        )
    })
}

fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(CONTENT_TYPE).map(|value| value.to_str());
    let essence = match given {
        Some(Ok(given)) => given.split(';').next().unwrap_or_default().trim(),
        _ => "",
    };
    let (kind, sub) = essence.split_once('/').unwrap_or_default();
    let sub = sub.to_ascii_lowercase();
    if kind.eq_ignore_ascii_case("application") && (sub == "json" || sub.ends_with("+json")) {
        return Ok(());
    }
    let detail =
        format!("the body is {essence:?}; send JSON, with `Content-Type: application/json`");
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        detail,
    ))
}

/// A value from JSON text; what nests deeper than serde_json's 128 levels is refused as malformed.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let result = serde_json::from_slice(bytes);
    let value = result.map_err(|error| match error.classify() {
        Category::Data => invalid(format!("the request is not understood: {error}")),
        _ => {
            let detail = format!("the body is not JSON: {error}");
            Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail)
        }
    })?;
    // Serde reads a list as the fields of an object in their order; nobody means that.
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return Err(invalid("the body must be a JSON object"));
    }
    Ok(value)
}

/// A request that is well-formed and not what was asked for.
pub(super) fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", detail)
}

impl<T: DeserializeOwned> FromRequestParts<Api> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let query = axum::extract::Query::from_request_parts(parts, api).await;
        let query = query.map_err(|refused: QueryRejection| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_parameter",
                refused.body_text(),
            )
        })?;
        Ok(Self(query.0))
    }
}

impl FromRequestParts<Api> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let refused = |detail| Problem::new(StatusCode::BAD_REQUEST, "invalid_id", detail);
        let path = AxumPath::<String>::from_request_parts(parts, api).await;
        let AxumPath(text) = path.map_err(|e| refused(e.body_text()))?;
        text.parse()
            .map(Self)
            .map_err(|e: hirag::context::ContextError| refused(e.to_string()))
    }
}
