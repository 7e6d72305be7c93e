//! Which path calls which command body.

mod ask;
mod claim;
mod commands;
mod contexts;
mod embeddings;
mod events;
mod health;
mod search;
mod sign_in;
mod sources;
mod status;
mod tokens;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Api, Problem, openapi, pages};

/// Every path.
pub(super) fn all() -> Router<Api> {
    let (described, paths) = OpenApiRouter::with_openapi(openapi::about())
        .routes(routes!(contexts::list, contexts::store))
        .routes(routes!(contexts::store_batch))
        .routes(routes!(search::search))
        .routes(routes!(search::explain))
        .routes(routes!(contexts::get, contexts::update, contexts::remove))
        .routes(routes!(contexts::clear))
        .routes(routes!(search::trace))
        .routes(routes!(ask::ask))
        .routes(routes!(ask::list_conversations))
        .routes(routes!(ask::get_conversation, ask::delete_conversation))
        .routes(routes!(ask::restore_conversation))
        .routes(routes!(ask::store_conversation))
        .routes(routes!(ask::judge_answer))
        .routes(routes!(status::stats))
        .routes(routes!(status::requests))
        .routes(routes!(sources::list_sources, sources::add_source))
        .routes(routes!(
            sources::get_source,
            sources::change_source,
            sources::remove_source
        ))
        .routes(routes!(sources::run_source))
        .routes(routes!(commands::run))
        .routes(routes!(claim::claim))
        .routes(routes!(tokens::changed))
        .routes(routes!(events::events))
        .routes(routes!(sign_in::new_link))
        .routes(routes!(embeddings::embeddings))
        .routes(routes!(health::health))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(status::metrics))
        .split_for_parts();
    let description = openapi::Description::new(paths);
    described
        // As the first clients call them.
        .route("/contexts", get(contexts::list).post(contexts::store))
        .route("/contexts/search", post(search::search))
        .route(
            "/contexts/{id}",
            get(contexts::get)
                .patch(contexts::update)
                .delete(contexts::remove),
        )
        .route("/ready", get(health::ready))
        .merge(description.routes())
        // For people.
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
