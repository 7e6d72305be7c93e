//! Which path calls which command body.

mod commands;
mod contexts;
mod events;
mod health;
mod search;
mod sign_in;
mod status;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{delete, get, post};

use super::{Api, Problem, pages};

/// Every path.
pub(super) fn all() -> Router<Api> {
    let contexts = || get(contexts::list).post(contexts::store);
    let one = || {
        get(contexts::get)
            .patch(contexts::update)
            .delete(contexts::remove)
    };
    Router::new()
        .route("/api/v1/contexts", contexts())
        .route("/api/v1/contexts/batch", post(contexts::store_batch))
        .route("/api/v1/contexts/search", post(search::search))
        .route("/api/v1/contexts/explain", post(search::explain))
        .route("/api/v1/contexts/{id}", one())
        .route("/api/v1/levels/{level}", delete(contexts::clear))
        .route("/api/v1/traces/{id}", get(search::trace))
        .route("/api/v1/stats", get(status::stats))
        .route("/api/v1/commands/{name}", post(commands::run))
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/link", post(sign_in::new_link))
        // As the first clients call them.
        .route("/contexts", contexts())
        .route("/contexts/search", post(search::search))
        .route("/contexts/{id}", one())
        .route("/health", get(health::health))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/ready", get(health::ready))
        .route("/open", get(sign_in::open))
        .route("/", get(pages::index))
        .route("/index.html", get(pages::index))
        .route("/assets/{*path}", get(pages::asset))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
}

async fn unknown_path() -> Problem {
    let detail = "there is nothing at this path; `/openapi.json` names those there are";
    Problem::new(StatusCode::NOT_FOUND, "unknown_path", detail)
}

async fn unknown_method() -> Problem {
    let detail = "this path is not used with this method; the header `Allow` names those it knows";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
