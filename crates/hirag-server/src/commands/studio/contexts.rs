//! Storing, looking at and changing contexts.

use hirag::context::{Context, ContextId, ContextLevel, Filter, NewContext, StateTag};
use hirag::manager::{ContextDetails, ListRequest, Stored};
use hirag::store::Page;
use hirag::store::sqlite::{Deletion, Restored};
use serde::{Deserialize, Serialize};

use super::preview;
use crate::commands::{self, DeleteRequest, Error, Result, UndoRequest, UpdateRequest, counted};
use crate::studio::{ActivityKind, Studio};

/// Ids of one request at most.
const IDS: usize = 10_000;

/// Which context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct GetRequest {
    /// The context.
    pub id: ContextId,
}

/// Which context to tell everything of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct DetailsRequest {
    /// The context.
    pub id: ContextId,
}

/// A page of contexts, and how many there are.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS, utoipa::ToSchema)]
pub struct ListResponse {
    /// The page.
    #[serde(flatten)]
    pub page: Page,
    /// Contexts that pass the filter, on all pages.
    #[ts(type = "number")]
    pub total: u64,
}

/// What to count.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ts_rs::TS)]
#[serde(default, deny_unknown_fields)]
pub struct CountRequest {
    /// Which contexts.
    #[ts(as = "Option<Filter>", optional)]
    pub filter: Filter,
}

/// A number of contexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct CountResponse {
    /// How many pass the filter.
    #[ts(type = "number")]
    pub count: u64,
}

/// Which contexts to show.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct TextsRequest {
    /// The contexts, ten thousand at most.
    pub ids: Vec<ContextId>,
}

/// Contexts to show.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct TextsResponse {
    /// Those that exist, in the order that was asked for.
    pub contexts: Vec<Context>,
}

/// Which contexts to move, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct MoveAllRequest {
    /// The contexts.
    pub ids: Vec<ContextId>,
    /// Their new level.
    pub level: ContextLevel,
}

/// What was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct Moved {
    /// How many contexts.
    #[ts(type = "number")]
    pub moved: u64,
}

/// Which level to empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct ClearRequest {
    /// The level.
    pub level: ContextLevel,
}

/// Stores a context.
///
/// # Errors
/// As [`commands::store`].
pub async fn store(studio: &Studio, request: NewContext) -> Result<Stored> {
    let host = studio.host().await?;
    let summary = preview(&request.text);
    let stored = commands::store(&host, request).await?;
    let summary = format!("Stored in {}: {summary}", stored.level);
    studio
        .activity()
        .note(ActivityKind::Stored, summary, &[stored.id]);
    Ok(stored)
}

/// Stores contexts in one transaction; what is wrong with one keeps none of the others out.
///
/// # Errors
/// As [`hirag::HiragManager::store_each`].
pub async fn store_each(studio: &Studio, requests: Vec<NewContext>) -> Result<Vec<Result<Stored>>> {
    let host = studio.host().await?;
    let outcomes = host.manager().store_each(requests).await?;
    let outcomes: Vec<Result<Stored>> = outcomes
        .into_iter()
        .map(|outcome| outcome.map_err(Error::from))
        .collect();
    let ids: Vec<ContextId> = outcomes.iter().flatten().map(|stored| stored.id).collect();
    if !ids.is_empty() {
        let summary = format!("Stored {}", counted(ids.len() as u64, "context"));
        studio.activity().note(ActivityKind::Stored, summary, &ids);
    }
    Ok(outcomes)
}

/// A context, those marked as deleted too.
///
/// # Errors
/// As [`commands::get`].
pub async fn get(studio: &Studio, request: GetRequest) -> Result<Context> {
    commands::get(&studio.host().await?, request.id).await
}

/// Everything about a context.
///
/// # Errors
/// As [`hirag::HiragManager::details`].
pub async fn details(studio: &Studio, request: DetailsRequest) -> Result<ContextDetails> {
    let host = studio.host().await?;
    Ok(host.manager().details(request.id).await?)
}

/// A page of contexts, and how many there are.
///
/// # Errors
/// As [`commands::list`].
pub async fn list(studio: &Studio, request: ListRequest) -> Result<ListResponse> {
    let host = studio.host().await?;
    let manager = host.manager();
    let total = manager.count_all(&request.filter, request.deleted).await?;
    let page = manager.list(request).await?;
    Ok(ListResponse { page, total })
}

/// How many contexts pass a filter.
///
/// # Errors
/// As [`hirag::HiragManager::count`].
pub async fn count(studio: &Studio, request: CountRequest) -> Result<CountResponse> {
    let host = studio.host().await?;
    let count = host.manager().count(&request.filter).await?;
    Ok(CountResponse { count })
}

/// The contexts of some ids, to show candidates.
///
/// # Errors
/// As [`hirag::HiragManager::get_many`].
pub async fn texts(studio: &Studio, request: TextsRequest) -> Result<TextsResponse> {
    let host = studio.host().await?;
    let ids = &request.ids[..request.ids.len().min(IDS)];
    let contexts = host.manager().get_many(ids).await?;
    Ok(TextsResponse { contexts })
}

/// Changes a context and returns it as it is now.
///
/// # Errors
/// As [`commands::update`].
pub async fn update(studio: &Studio, request: UpdateRequest) -> Result<Context> {
    update_in(studio, request, None).await
}

/// The same, but only in one of these states.
///
/// # Errors
/// As [`commands::update_in`].
pub async fn update_in(
    studio: &Studio,
    request: UpdateRequest,
    only_in: Option<Vec<StateTag>>,
) -> Result<Context> {
    let host = studio.host().await?;
    let context = commands::update_in(&host, request, only_in).await?;
    let summary = format!("Changed: {}", preview(&context.text));
    studio
        .activity()
        .note(ActivityKind::Updated, summary, &[context.id]);
    Ok(context)
}

/// Moves contexts to a level, all or none.
///
/// # Errors
/// As [`hirag::HiragManager::move_all`].
pub async fn move_to(studio: &Studio, request: MoveAllRequest) -> Result<Moved> {
    let host = studio.host().await?;
    let MoveAllRequest { ids, level } = request;
    let moved = host.manager().move_all(&ids, level).await?;
    let summary = format!("Moved {} to {level}", counted(moved, "context"));
    studio.activity().note(ActivityKind::Moved, summary, &ids);
    Ok(Moved { moved })
}

/// Marks contexts as deleted.
///
/// # Errors
/// As [`commands::delete`].
pub async fn delete(studio: &Studio, request: DeleteRequest) -> Result<Deletion> {
    let host = studio.host().await?;
    let deletion = commands::delete(&host, request).await?;
    note_deletion(studio, &deletion, "");
    Ok(deletion)
}

/// Marks everything in a level as deleted.
///
/// # Errors
/// As [`commands::clear`].
pub async fn clear(studio: &Studio, request: ClearRequest) -> Result<Deletion> {
    let host = studio.host().await?;
    let deletion = commands::clear(&host, request.level).await?;
    note_deletion(studio, &deletion, &format!(", all of {}", request.level));
    Ok(deletion)
}

fn note_deletion(studio: &Studio, deletion: &Deletion, which: &str) {
    let summary = format!(
        "Deleted {}{which}",
        counted(deletion.ids.len() as u64, "context")
    );
    studio
        .activity()
        .note(ActivityKind::Deleted, summary, &deletion.ids);
}

/// Brings contexts back.
///
/// # Errors
/// As [`commands::undo`].
pub async fn undo(studio: &Studio, request: UndoRequest) -> Result<Restored> {
    let host = studio.host().await?;
    let restored = commands::undo(&host, request).await?;
    let summary = format!(
        "Brought back {}",
        counted(restored.ids.len() as u64, "context")
    );
    studio
        .activity()
        .note(ActivityKind::Restored, summary, &restored.ids);
    Ok(restored)
}
