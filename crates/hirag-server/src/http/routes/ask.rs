//! Asking for answers, and what is kept of them.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json as Answered;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{FutureExt, StreamExt};
use hirag::answering::{
    Answer, AnswerId, AskError, AskEvent, AskRequest, Begun, Conversation, Conversations,
    ConversationsRequest, Found, markdown,
};
use hirag::manager::AskStream;
use serde::Deserialize;

use crate::commands::studio::{self as window, Nothing};
use crate::commands::{self, ConversationRequest, ConversationStored, Error, JudgeRequest};
use crate::http::extract::{Json, Query};
use crate::http::{Api, Problem};

/// Time between two signs of life, while a model thinks.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Which conversations.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those in which all these words stand.
    query: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Those marked as deleted, instead of the others.
    deleted: Option<bool>,
}

/// What someone thinks of an answer.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Judgement {
    /// Whether it was useful; without it, what was said before is taken back.
    #[serde(default)]
    useful: Option<bool>,
    /// Why.
    #[serde(default)]
    note: Option<String>,
}

/// Ask
///
/// An answer from the memory with its sources, worded by the model of the settings, or else put
/// together of passages, which its `kind` says. With `Accept: text/event-stream` it comes piece by piece:
/// `found` (the sources), `begun` (what it is), `text` (the next words, a JSON string) again and again,
/// and `done` (all of it). Whoever goes away stops it.
#[utoipa::path(
    post,
    path = "/api/v1/ask",
    tag = "ask",
    request_body = AskRequest,
    responses((status = 200, description = "The answer with its sources, what was left out of them, \
        and how it ended", content((Answer = "application/json"), (String = "text/event-stream"))),
        (status = 503, description = "Too many answers are being worded; `Retry-After` says when to ask again")),
)]
pub(super) async fn ask(
    State(api): State<Api>,
    headers: HeaderMap,
    Json(request): Json<AskRequest>,
) -> Result<Response, Problem> {
    let answer = window::answering(api.studio(), request);
    let answer = api.searches().take(answer).await.map_err(crowded)?;
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/event-stream")) {
        return Ok(streamed(api, answer).into_response());
    }
    Ok(Answered(commands::whole(answer).await?).into_response())
}

/// Where too many answers are being worded, the next is soon done.
fn crowded(error: Error) -> Problem {
    match error {
        Error::Busy(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            error.code(),
            error.to_string(),
        )
        .after(Duration::from_secs(1)),
        other => other.into(),
    }
}

fn streamed(api: Api, answer: AskStream) -> impl IntoResponse {
    let stopped = async move { api.stopped().await }.boxed();
    let events = answer
        .take_until(stopped)
        .map(|event| Ok::<_, Infallible>(told(&event)));
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT))
}

fn told(event: &AskEvent) -> Event {
    let named = Event::default().event(event.name());
    let named = match event {
        AskEvent::Found(found) => named.json_data::<&Found>(found),
        AskEvent::Begun(begun) => named.json_data::<&Begun>(begun),
        AskEvent::Text(text) => named.json_data(text),
        AskEvent::Done(answer) => named.json_data::<&Answer>(answer),
    };
    // What cannot be written down is told without its data.
    named.unwrap_or_else(|_| Event::default().event(event.name()).data("null"))
}

/// List conversations
///
/// The latest first.
#[utoipa::path(
    get,
    path = "/api/v1/conversations",
    tag = "ask",
    params(Which),
    responses((status = 200, description = "Conversations without their answers", body = Conversations)),
)]
pub(super) async fn list_conversations(
    State(api): State<Api>,
    Query(which): Query<Which>,
) -> Result<Answered<Conversations>, Problem> {
    let Which {
        query,
        limit,
        deleted,
    } = which;
    let request = ConversationsRequest {
        query,
        limit: limit.map(|limit| limit.min(1_000)),
        deleted,
    };
    Ok(Answered(
        window::conversations(api.studio(), request).await?,
    ))
}

/// Read a conversation
///
/// As JSON, or as Markdown with `Accept: text/markdown`.
#[utoipa::path(
    get,
    path = "/api/v1/conversations/{session}",
    tag = "ask",
    params(("session" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "Its questions and answers",
            content((Conversation = "application/json"), (String = "text/markdown"))),
        (status = 404, description = "There is none of this name"),
    ),
)]
pub(super) async fn get_conversation(
    State(api): State<Api>,
    Path(session): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = window::conversation(api.studio(), ConversationRequest { session }).await?;
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("text/markdown")) {
        let kind = [(CONTENT_TYPE, "text/markdown; charset=utf-8")];
        return Ok((kind, markdown(&found)).into_response());
    }
    Ok(Answered(found).into_response())
}

/// Delete a conversation
///
/// It can be brought back until it is purged.
#[utoipa::path(
    delete,
    path = "/api/v1/conversations/{session}",
    tag = "ask",
    params(("session" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "It is marked as deleted", body = Object),
        (status = 404, description = "There is none of this name"),
    ),
)]
pub(super) async fn delete_conversation(
    State(api): State<Api>,
    Path(session): Path<String>,
) -> Result<Answered<Nothing>, Problem> {
    Ok(Answered(
        window::conversation_delete(api.studio(), ConversationRequest { session }).await?,
    ))
}

/// Bring a conversation back
///
/// The one of this name that was deleted last.
#[utoipa::path(
    post,
    path = "/api/v1/conversations/{session}/restore",
    tag = "ask",
    params(("session" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "It is there again", body = Object),
        (status = 404, description = "None of this name was deleted, or it was purged"),
        (status = 409, description = "Another has the name by now"),
    ),
)]
pub(super) async fn restore_conversation(
    State(api): State<Api>,
    Path(session): Path<String>,
) -> Result<Answered<Nothing>, Problem> {
    Ok(Answered(
        window::conversation_restore(api.studio(), ConversationRequest { session }).await?,
    ))
}

/// Store a conversation
///
/// Its questions and answers become contexts in L2 under its name. What was stored of it before is not
/// stored again.
#[utoipa::path(
    post,
    path = "/api/v1/conversations/{session}/store",
    tag = "ask",
    params(("session" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The new contexts", body = ConversationStored),
        (status = 404, description = "There is none of this name"),
    ),
)]
pub(super) async fn store_conversation(
    State(api): State<Api>,
    Path(session): Path<String>,
) -> Result<Answered<ConversationStored>, Problem> {
    let stored = window::conversation_store(api.studio(), ConversationRequest { session });
    Ok(Answered(stored.await?))
}

/// Judge an answer
///
/// Whether it was useful, and why. Useful answers become golden queries.
#[utoipa::path(
    post,
    path = "/api/v1/answers/{id}/feedback",
    tag = "ask",
    params(("id" = AnswerId, Path, description = "The `id` of an answer that is kept")),
    request_body = Judgement,
    responses(
        (status = 200, description = "It is kept", body = Object),
        (status = 404, description = "There is no such answer"),
    ),
)]
pub(super) async fn judge_answer(
    State(api): State<Api>,
    Path(id): Path<String>,
    Json(judgement): Json<Judgement>,
) -> Result<Answered<Nothing>, Problem> {
    let id = id
        .parse()
        .map_err(|e: AskError| Problem::from(hirag::Error::from(e)))?;
    let Judgement { useful, note } = judgement;
    Ok(Answered(
        window::answer_judge(api.studio(), JudgeRequest { id, useful, note }).await?,
    ))
}
