//! The memory over HTTP: a part of the server's routes.

use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use rmcp::model::ErrorCode;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use std::sync::Arc;

use super::door::Door;
use super::handler::Memory;
use super::sessions::{MOST, Sessions};
use crate::studio::Studio;

/// Bytes of a request: the largest text, all of it escaped.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The streamable HTTP transport at `/`. Who may call it is for the guard before it to say; pages of
/// other hosts are refused here once more, where the server listens for this machine alone. Streams
/// end when `stopped` does.
pub fn router(studio: Studio, stopped: impl Future<Output = ()> + Send + 'static) -> Router {
    let here = ["localhost", "127.0.0.1", "[::1]"];
    let origins = here
        .iter()
        .flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:*")));
    let mut config = StreamableHttpServerConfig::default()
        .with_max_request_body_bytes(MOST_BYTES)
        .with_allowed_origins(origins)
        .enforce_origin_validation();
    let host = &studio.config().server.host;
    let local = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if !local {
        // By which names others reach it, only the guard knows.
        config = config.disable_allowed_hosts().disable_allowed_origins();
    }
    let end = config.cancellation_token.clone();
    tokio::spawn(async move {
        stopped.await;
        end.cancel();
    });
    let memory = Memory::new(Door::Own(studio));
    let service = StreamableHttpService::new(
        move || Ok(memory.clone()),
        Arc::new(Sessions::new(MOST)),
        config,
    );
    Router::new()
        .route_service("/", service)
        .layer(from_fn(tell_the_end))
        .layer(from_fn(tell_what_is_no_message))
}

/// JSON that is no message gets JSON-RPC's answer to it, as over standard input and output. The
/// transport calls it a media type that it does not know, which it is not.
async fn tell_what_is_no_message(request: Request, next: Next) -> Response {
    let said_json = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"));
    let response = next.run(request).await;
    if !said_json || response.status() != StatusCode::UNSUPPORTED_MEDIA_TYPE {
        return response;
    }
    let answer = json!({
        "jsonrpc": "2.0",
        "id": null,
        "error": {
            "code": ErrorCode::PARSE_ERROR.0,
            "message": "The body is no JSON-RPC message; send one object with \"jsonrpc\": \"2.0\".",
        },
    });
    (StatusCode::BAD_REQUEST, Json(answer)).into_response()
}

/// A session that was ended has ended: 204. With 202, that it was taken and will end, the official
/// Python client warns that it did not.
async fn tell_the_end(request: Request, next: Next) -> Response {
    let ends = request.method() == Method::DELETE;
    let mut response = next.run(request).await;
    if ends && response.status() == StatusCode::ACCEPTED {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}
