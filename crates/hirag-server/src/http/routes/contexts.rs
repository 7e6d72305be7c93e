//! Storing, reading and changing contexts.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::header::{ETAG, IF_MATCH, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hirag::context::{
    Condition, Context, ContextError, ContextId, ContextLevel, ContextPatch, Filter, NewContext,
    StateTag,
};
use hirag::manager::{ListRequest, Stored};
use hirag::store::Order;
use hirag::store::sqlite::Deletion;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::commands::studio::{self as ask, ClearRequest, GetRequest, ListResponse};
use crate::commands::{DeleteRequest, UpdateRequest};
use crate::http::extract::{Id, Json, Query, invalid};
use crate::http::{Api, Problem, ProblemBody};

/// Contexts of one batch at most.
const BATCH: usize = 1_000;
/// Contexts of a page at most, and where nothing is said.
const PAGE: usize = 1_000;
const USUAL_PAGE: usize = 100;

/// Contexts to store.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    /// One to a thousand.
    #[schema(min_items = 1, max_items = 1_000)]
    contexts: Vec<NewContext>,
}

/// What became of a context of a batch.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(super) enum BatchItem {
    /// It is stored.
    Stored(Stored),
    /// It is not.
    Refused {
        /// Which: its place in the batch, from 0.
        index: usize,
        /// Why.
        problem: ProblemBody,
    },
}

/// What became of a batch.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct BatchAnswer {
    /// How many were stored.
    stored: usize,
    /// How many were not.
    refused: usize,
    /// One entry a context, in their order.
    results: Vec<BatchItem>,
}

/// Which contexts to list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Only this level.
    #[param(nullable = false)]
    level: Option<ContextLevel>,
    /// Only what this agent stored.
    #[param(nullable = false)]
    agent: Option<String>,
    /// Only what was stored in this session.
    #[param(nullable = false)]
    session: Option<String>,
    /// Only what came from this source.
    #[param(nullable = false)]
    source: Option<String>,
    /// What comes first.
    order: Order,
    /// Where the page before ended: its `next_cursor`.
    #[param(nullable = false)]
    cursor: Option<String>,
    /// Contexts at most; 100 where nothing is said.
    #[param(minimum = 1, maximum = 1_000, nullable = false)]
    limit: Option<usize>,
    /// Whether to list what is marked as deleted, instead of what is not.
    deleted: bool,
}

impl ListQuery {
    fn request(self) -> Result<ListRequest, Problem> {
        let limit = self.limit.unwrap_or(USUAL_PAGE);
        if !(1..=PAGE).contains(&limit) {
            let detail = format!("limit is {limit}; it must be between 1 and {PAGE}");
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_limit",
                detail,
            ));
        }
        let level = self.level.map(|level| level.to_string());
        let wanted = [
            ("level", level),
            ("agent", self.agent),
            ("session", self.session),
            ("source", self.source),
        ];
        let given = wanted
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)));
        let must = given.map(|(key, value)| Condition::equals(key, value.as_str()));
        let must = must
            .collect::<Result<_, ContextError>>()
            .map_err(hirag::Error::from)?;
        Ok(ListRequest {
            filter: Filter {
                must,
                ..Filter::default()
            },
            order: self.order,
            cursor: self.cursor,
            skip: 0,
            limit,
            deleted: self.deleted,
        })
    }
}

/// Store a context
///
/// When the answer comes, it is on the disk and found by the next search. Where it cannot be
/// embedded now, it is stored all the same, found by its words, and embedded later.
#[utoipa::path(
    post,
    path = "/api/v1/contexts",
    tag = "contexts",
    request_body = NewContext,
    responses(
        (status = 201, description = "It is stored", body = Stored,
            headers(("Location" = String, description = "The path of the context"))),
        (status = 409, description = "The level is switched off, or the id is another context's"),
    ),
)]
pub(super) async fn store(
    State(api): State<Api>,
    Json(new): Json<Value>,
) -> Result<Response, Problem> {
    let stored = ask::store(api.studio(), read_new(new)?).await?;
    let place = format!("/api/v1/contexts/{}", stored.id);
    let place = HeaderValue::try_from(place).map_err(|_| Problem::internal())?;
    Ok((StatusCode::CREATED, [(LOCATION, place)], Answer(stored)).into_response())
}

/// A context to store; the first clients call its text `content`.
fn read_new(mut new: Value) -> Result<NewContext, Problem> {
    if let Some(fields) = new.as_object_mut()
        && !fields.contains_key("text")
        && let Some(content) = fields.remove("content")
    {
        fields.insert("text".to_owned(), content);
    }
    serde_json::from_value(new).map_err(|e| invalid(format!("the request is not understood: {e}")))
}

/// Store many contexts
///
/// In one transaction: all that may be stored is, at once or not at all. What is wrong with one is
/// told with its place, and keeps none of the others out.
#[utoipa::path(
    post,
    path = "/api/v1/contexts/batch",
    tag = "contexts",
    request_body = Batch,
    responses((status = 200, description = "What became of each", body = BatchAnswer)),
)]
pub(super) async fn store_batch(
    State(api): State<Api>,
    Json(batch): Json<Batch>,
) -> Result<Answer<BatchAnswer>, Problem> {
    let given = batch.contexts.len();
    if !(1..=BATCH).contains(&given) {
        return Err(invalid(format!(
            "contexts has {given} entries; it must have 1 to {BATCH}"
        )));
    }
    let outcomes = ask::store_each(api.studio(), batch.contexts)
        .await?
        .into_iter();
    let results: Vec<BatchItem> = outcomes
        .enumerate()
        .map(|(index, outcome)| match outcome {
            Ok(stored) => BatchItem::Stored(stored),
            Err(error) => BatchItem::Refused {
                index,
                problem: Problem::from(error).body(None),
            },
        })
        .collect();
    let stored = results
        .iter()
        .filter(|item| matches!(item, BatchItem::Stored(_)))
        .count();
    Ok(Answer(BatchAnswer {
        stored,
        refused: given - stored,
        results,
    }))
}

/// List contexts
///
/// Following `next_cursor` shows each context once.
#[utoipa::path(
    get,
    path = "/api/v1/contexts",
    tag = "contexts",
    params(ListQuery),
    responses(
        (status = 200, description = "A page, and how many there are", body = ListResponse),
        (status = 422, description = "The cursor is not one of this order"),
    ),
)]
pub(super) async fn list(
    State(api): State<Api>,
    Query(query): Query<ListQuery>,
) -> Result<Answer<ListResponse>, Problem> {
    Ok(Answer(ask::list(api.studio(), query.request()?).await?))
}

/// Read a context
#[utoipa::path(
    get,
    path = "/api/v1/contexts/{id}",
    tag = "contexts",
    params(("id" = ContextId, Path, description = "The context")),
    responses(
        (status = 200, description = "The context", body = Context,
            headers(("ETag" = String, description = "Names its state, for `If-Match`"))),
        (status = 404, description = "It is unknown or deleted"),
    ),
)]
pub(super) async fn get(State(api): State<Api>, Id(id): Id) -> Result<Response, Problem> {
    let context = ask::get(api.studio(), GetRequest { id }).await?;
    if context.deleted_at.is_some() {
        return Err(hirag::Error::from(ContextError::Deleted(id)).into());
    }
    Ok(with_tag(context))
}

/// Change a context
///
/// What is not named stays as it is. A new text is embedded anew.
#[utoipa::path(
    patch,
    path = "/api/v1/contexts/{id}",
    tag = "contexts",
    params(
        ("id" = ContextId, Path, description = "The context"),
        ("If-Match" = Option<String>, Header, nullable = false, description = "The `ETag` of the \
            state that the change is meant for; another state is left as it is"),
    ),
    request_body = ContextPatch,
    responses(
        (status = 200, description = "The context as it is now", body = Context,
            headers(("ETag" = String, description = "Names its new state"))),
        (status = 404, description = "It is unknown or deleted"),
        (status = 409, description = "The level is switched off"),
        (status = 412, description = "It was changed meanwhile"),
    ),
)]
pub(super) async fn update(
    State(api): State<Api>,
    Id(id): Id,
    headers: HeaderMap,
    Json(patch): Json<ContextPatch>,
) -> Result<Response, Problem> {
    let only_in = match headers.get(IF_MATCH) {
        Some(wanted) if wanted != "*" => {
            let now = ask::get(api.studio(), GetRequest { id }).await?.state_tag();
            // Who names other states gets none of them.
            Some(if names(wanted, now) {
                vec![now]
            } else {
                Vec::new()
            })
        }
        _ => None,
    };
    let request = UpdateRequest { id, patch };
    Ok(with_tag(
        ask::update_in(api.studio(), request, only_in).await?,
    ))
}

/// Delete a context
#[utoipa::path(
    delete,
    path = "/api/v1/contexts/{id}",
    tag = "contexts",
    params(("id" = ContextId, Path, description = "The context")),
    responses(
        (status = 200, description = "It is marked as deleted; the command `undo` brings it back \
            until it is purged", body = Deletion),
        (status = 404, description = "It is unknown or deleted"),
    ),
)]
pub(super) async fn remove(
    State(api): State<Api>,
    Id(id): Id,
) -> Result<Answer<Deletion>, Problem> {
    let request = DeleteRequest { ids: vec![id] };
    Ok(Answer(ask::delete(api.studio(), request).await?))
}

/// Delete everything in a level
#[utoipa::path(
    delete,
    path = "/api/v1/levels/{level}",
    tag = "contexts",
    params(("level" = ContextLevel, Path, description = "The level")),
    responses((status = 200, description = "What was marked as deleted; one `undo` brings it back",
        body = Deletion)),
)]
pub(super) async fn clear(
    State(api): State<Api>,
    Path(level): Path<String>,
) -> Result<Answer<Deletion>, Problem> {
    let level: ContextLevel = level.parse().map_err(|error: ContextError| {
        Problem::new(StatusCode::BAD_REQUEST, error.code(), error.to_string())
    })?;
    Ok(Answer(
        ask::clear(api.studio(), ClearRequest { level }).await?,
    ))
}

fn with_tag(context: Context) -> Response {
    let tag = HeaderValue::try_from(quoted(context.state_tag()));
    let mut response = Answer(context).into_response();
    if let Ok(tag) = tag {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn quoted(tag: StateTag) -> String {
    format!("\"{tag}\"")
}

/// Whether a list of tags has this one.
fn names(wanted: &HeaderValue, tag: StateTag) -> bool {
    let (wanted, tag) = (wanted.to_str().unwrap_or_default(), quoted(tag));
    wanted.split(',').any(|wanted| wanted.trim() == tag)
}
