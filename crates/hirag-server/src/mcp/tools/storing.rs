//! Storing, changing, deleting. A process that holds the store may end in the middle, and the
//! command is run again elsewhere: each of these can be.

use hirag::clock::SystemClock;
use hirag::context::ContextId;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::super::answers::{Context, Deleted, Stored};
use super::super::arguments;
use super::looking::shown;
use super::telling::{cut_to, id};
use super::{Answer, Call, Failure};
use crate::commands::counted;

/// Tokens of a changed text that are told.
const TOLD: u32 = 200;

pub(super) async fn store(call: &Call<'_>, arguments: arguments::Store) -> Result<Answer, Failure> {
    // The id is made here: what was stored, and not answered, is not stored a second time.
    let id = ContextId::new(SystemClock::shared().now());
    let request = json!({
        "id": id,
        "text": arguments.text,
        "level": arguments.level,
        "session": arguments.session,
        "agent": arguments.agent.or_else(|| call.client.clone()),
        "metadata": arguments.metadata.unwrap_or_default(),
        "source": arguments.source,
        "expires_at": arguments.expires_at,
    });
    let stored: Stored = match call.door.ask("store", request).await {
        Ok(stored) => stored,
        Err(failure) => stored_before(call, id, failure).await?,
    };
    let mut words = format!(
        "Stored in {} as {}, {}.",
        stored.level,
        stored.id,
        counted(stored.token_count.into(), "token")
    );
    if let Some(why) = &stored.pending_because {
        words += &format!(" It is found by its words until it is embedded: {why}");
    }
    Answer::new(&stored, words)
}

/// What an attempt stored whose answer was lost; otherwise the failure.
async fn stored_before(
    call: &Call<'_>,
    id: ContextId,
    failure: Failure,
) -> Result<Stored, Failure> {
    if failure.code != "id_taken" {
        return Err(failure);
    }
    let found: Result<Value, _> = call.door.ask("get", json!({ "id": id })).await;
    let stored = found
        .ok()
        .and_then(|found| serde_json::from_value(found).ok());
    stored.ok_or(failure)
}

pub(super) async fn update(
    call: &Call<'_>,
    arguments: arguments::Update,
) -> Result<Answer, Failure> {
    let id = id(&arguments.id)?;
    let mut patch = serde_json::Map::new();
    if let Some(text) = arguments.text {
        patch.insert("text".to_owned(), text.into());
    }
    if let Some(metadata) = arguments.metadata {
        patch.insert("merge_metadata".to_owned(), metadata.into());
    }
    if let Some(level) = arguments.level {
        patch.insert("level".to_owned(), json!(level));
    }
    if let Some(expires) = arguments.expires_at {
        let never = expires.trim().eq_ignore_ascii_case("never");
        let expires = if never { Value::Null } else { expires.into() };
        patch.insert("expires_at".to_owned(), expires);
    }
    if arguments.restore {
        let restored: Result<IgnoredAny, _> = call.door.ask("undo", json!({ "ids": [id] })).await;
        match restored {
            Ok(_) => {}
            // It is not marked; there is nothing to bring back.
            Err(failure) if failure.code == "nothing_to_undo" => {}
            Err(failure) => return Err(failure),
        }
    }
    let mut context: Context = if arguments.restore && patch.is_empty() {
        call.door.ask("get", json!({ "id": id })).await?
    } else {
        let request = json!({ "id": id, "patch": patch });
        call.door.ask("update", request).await?
    };
    cut_to(&mut context, 0, TOLD);
    shown(context)
}

pub(super) async fn delete(
    call: &Call<'_>,
    arguments: arguments::Delete,
) -> Result<Answer, Failure> {
    let ids: Result<Vec<String>, _> = arguments.ids.iter().map(|one| id(one)).collect();
    let ids = ids?;
    let deletion: Result<IgnoredAny, _> = call.door.ask("delete", json!({ "ids": ids })).await;
    if let Err(failure) = deletion {
        // An attempt whose answer was lost may have marked them.
        if failure.code != "not_found" || !are_deleted(call, &ids).await {
            return Err(failure);
        }
    }
    let deleted = Deleted {
        ids,
        undo: "memory_update with the id and restore = true brings one back".to_owned(),
    };
    let words = format!(
        "Marked as deleted: {}. {}.",
        deleted.ids.join(", "),
        deleted.undo
    );
    Answer::new(&deleted, words)
}

async fn are_deleted(call: &Call<'_>, ids: &[String]) -> bool {
    for id in ids {
        let found: Result<Context, _> = call.door.ask("get", json!({ "id": id })).await;
        if !found.is_ok_and(|context| context.deleted_at.is_some()) {
            return false;
        }
    }
    true
}
