//! Asking, and conversations. An answer comes as events; whoever asked knows them by the name that it
//! gave the question.

use futures::StreamExt;
use hirag::answering::{AskEvent, AskRequest, Conversation, Conversations, ConversationsRequest};
use hirag::manager::AskStream;
use serde::{Deserialize, Serialize};

use super::{Nothing, preview};
use crate::commands::{self, ConversationRequest, ConversationStored, Error, JudgeRequest, Result};
use crate::studio::{ActivityKind, Studio, StudioEvent};

/// Bytes of a question's name at most.
const NAME_BYTES: usize = 64;

/// A question whose answer comes as events.
#[derive(Debug, Clone, PartialEq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct AskStart {
    /// A name that no other question under way has, 1 to 64 bytes.
    pub name: String,
    /// The question.
    pub request: AskRequest,
}

/// Which question.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct AskStop {
    /// Its name.
    pub name: String,
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct AnswerPart {
    /// The name of its question.
    pub name: String,
    /// The part.
    #[serde(flatten)]
    pub event: AskEvent,
}

/// The answer to a question, piece by piece.
///
/// # Errors
/// As [`commands::ask`].
pub async fn ask(studio: &Studio, request: AskRequest) -> Result<AskStream> {
    let host = studio.host().await?;
    let question = preview(&request.question);
    let answer = commands::ask(&host, request).await?;
    let studio = studio.clone();
    Ok(answer
        .inspect(move |event| {
            if let AskEvent::Done(answer) = event {
                let ids: Vec<_> = answer.sources.iter().map(|source| source.id).collect();
                let summary = format!("Asked: {question} ({} sources)", ids.len());
                let (kind, trace) = (ActivityKind::Searched, Some(answer.trace_id));
                studio.activity().note_search(kind, summary, &ids, trace);
            }
        })
        .boxed())
}

/// Begins to answer a question; the answer comes as events.
///
/// # Errors
/// [`Error::Busy`] when the name is taken, or too much is asked at once; as [`commands::ask`].
pub async fn ask_start(studio: &Studio, request: AskStart) -> Result<Nothing> {
    let AskStart { name, request } = request;
    if !(1..=NAME_BYTES).contains(&name.len()) {
        return Err(Error::BadRequest {
            key: "name",
            value: format!("{} bytes long", name.len()),
            rule: "must have 1 to 64 bytes",
        });
    }
    let mut answer = ask(studio, request).await?;
    let (telling, named) = (studio.clone(), name.clone());
    let work = async move {
        while let Some(event) = answer.next().await {
            let name = named.clone();
            telling.tell(StudioEvent::Answer(Box::new(AnswerPart { name, event })));
        }
    };
    studio.asks().begin(name, work)?;
    Ok(Nothing {})
}

/// Stops an answer; nothing if it is done already.
///
/// # Errors
/// None; the type is that of all commands.
pub async fn ask_stop(studio: &Studio, request: AskStop) -> Result<Nothing> {
    studio.asks().stop(&request.name);
    Ok(Nothing {})
}

/// Conversations, the latest first.
///
/// # Errors
/// As [`commands::conversations`].
pub async fn conversations(
    studio: &Studio,
    request: ConversationsRequest,
) -> Result<Conversations> {
    commands::conversations(&studio.host().await?, request).await
}

/// A conversation.
///
/// # Errors
/// As [`commands::conversation`].
pub async fn conversation(studio: &Studio, request: ConversationRequest) -> Result<Conversation> {
    commands::conversation(&studio.host().await?, request).await
}

/// Marks a conversation as deleted.
///
/// # Errors
/// As [`commands::delete_conversation`].
pub async fn conversation_delete(studio: &Studio, request: ConversationRequest) -> Result<Nothing> {
    commands::delete_conversation(&studio.host().await?, request).await?;
    Ok(Nothing {})
}

/// Brings a conversation back.
///
/// # Errors
/// As [`commands::restore_conversation`].
pub async fn conversation_restore(
    studio: &Studio,
    request: ConversationRequest,
) -> Result<Nothing> {
    commands::restore_conversation(&studio.host().await?, request).await?;
    Ok(Nothing {})
}

/// Stores a conversation as contexts.
///
/// # Errors
/// As [`commands::store_conversation`].
pub async fn conversation_store(
    studio: &Studio,
    request: ConversationRequest,
) -> Result<ConversationStored> {
    let summary = format!("Stored the conversation {}", preview(&request.session));
    let stored = commands::store_conversation(&studio.host().await?, request).await?;
    let ids: Vec<_> = stored.contexts.iter().map(|one| one.id).collect();
    studio.activity().note(ActivityKind::Stored, summary, &ids);
    Ok(stored)
}

/// Keeps what someone thinks of an answer.
///
/// # Errors
/// As [`commands::judge`].
pub async fn answer_judge(studio: &Studio, request: JudgeRequest) -> Result<Nothing> {
    commands::judge(&studio.host().await?, request).await?;
    Ok(Nothing {})
}
