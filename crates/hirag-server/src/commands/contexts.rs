//! Storing, looking at and changing contexts.

use hirag::context::{Context, ContextId, ContextLevel, ContextPatch, NewContext, StateTag};
use hirag::manager::{ListRequest, Stored};
use hirag::store::Page;
use hirag::store::sqlite::{Deletion, Restored};

use serde::Deserialize;

use super::{Host, Result};

/// Which context to change, and what of it.
#[derive(Debug, Clone, PartialEq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct UpdateRequest {
    /// The context.
    pub id: ContextId,
    /// The change.
    pub patch: ContextPatch,
}

/// Which context to move, and where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveRequest {
    /// The context.
    pub id: ContextId,
    /// Its new level.
    pub level: ContextLevel,
}

/// Which contexts to mark as deleted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct DeleteRequest {
    /// The contexts.
    pub ids: Vec<ContextId>,
}

/// What to bring back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(default, deny_unknown_fields)]
pub struct UndoRequest {
    /// These contexts; `None` is what the last deletion marked.
    #[ts(optional = nullable)]
    pub ids: Option<Vec<ContextId>>,
}

/// Stores a context.
///
/// # Errors
/// As [`hirag::HiragManager::store`].
pub async fn store(host: &Host, new: NewContext) -> Result<Stored> {
    Ok(host.manager().store(new).await?)
}

/// A context, those marked as deleted too.
///
/// # Errors
/// As [`hirag::HiragManager::get`].
pub async fn get(host: &Host, id: ContextId) -> Result<Context> {
    Ok(host.manager().get(id).await?)
}

/// A page of contexts.
///
/// # Errors
/// As [`hirag::HiragManager::list`].
pub async fn list(host: &Host, request: ListRequest) -> Result<Page> {
    Ok(host.manager().list(request).await?)
}

/// Changes a context and returns it as it is now.
///
/// # Errors
/// As [`hirag::HiragManager::update`].
pub async fn update(host: &Host, request: UpdateRequest) -> Result<Context> {
    update_in(host, request, None).await
}

/// The same, but only in one of these states.
///
/// # Errors
/// As [`hirag::HiragManager::update_in`].
pub async fn update_in(
    host: &Host,
    request: UpdateRequest,
    only_in: Option<Vec<StateTag>>,
) -> Result<Context> {
    let UpdateRequest { id, patch } = request;
    Ok(host.manager().update_in(id, patch, only_in).await?)
}

/// Moves a context to a level and returns it as it is now.
///
/// # Errors
/// As [`hirag::HiragManager::move_to`].
pub async fn move_to(host: &Host, request: MoveRequest) -> Result<Context> {
    Ok(host.manager().move_to(request.id, request.level).await?)
}

/// Marks contexts as deleted.
///
/// # Errors
/// As [`hirag::HiragManager::delete`].
pub async fn delete(host: &Host, request: DeleteRequest) -> Result<Deletion> {
    Ok(host.manager().delete(request.ids).await?)
}

/// Marks everything in a level as deleted.
///
/// # Errors
/// As [`hirag::HiragManager::clear`].
pub async fn clear(host: &Host, level: ContextLevel) -> Result<Deletion> {
    Ok(host.manager().clear(level).await?)
}

/// Brings contexts back.
///
/// # Errors
/// As [`hirag::HiragManager::undo`].
pub async fn undo(host: &Host, request: UndoRequest) -> Result<Restored> {
    Ok(host.manager().undo(request.ids).await?)
}
