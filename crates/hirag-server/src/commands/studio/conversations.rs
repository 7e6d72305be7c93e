//! Conversations: what was asked and answered, and what comes of it.

use hirag::answering::{Conversation, Conversations, ConversationsRequest};
use serde::{Deserialize, Serialize};

use super::{Nothing, preview};
use crate::commands::{
    self, ConversationFormat, ConversationRequest, ConversationStored, JudgeRequest, Result,
};
use crate::studio::{ActivityKind, Studio};

/// A conversation to write down.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct ConversationExport {
    /// Its name.
    pub session: String,
    /// How.
    pub format: ConversationFormat,
}

/// A conversation that was written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct ConversationText {
    /// The file's content.
    pub text: String,
}

/// Golden queries, as `hirag eval` reads them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct GoldenQueries {
    /// `queries.jsonl`.
    pub queries: String,
    /// `qrels.tsv`.
    pub qrels: String,
    /// How many queries there are.
    #[ts(type = "number")]
    pub count: usize,
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

/// Marks a conversation as deleted. An answer that is on its way to it is stopped: kept afterwards, it
/// would make the conversation again.
///
/// # Errors
/// As [`commands::delete_conversation`].
pub async fn conversation_delete(studio: &Studio, request: ConversationRequest) -> Result<Nothing> {
    studio.asks().stop_in(&request.session).await;
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

/// Writes a conversation down.
///
/// # Errors
/// As [`commands::conversation_text`].
pub async fn conversation_export(
    studio: &Studio,
    request: ConversationExport,
) -> Result<ConversationText> {
    let ConversationExport { session, format } = request;
    let host = studio.host().await?;
    let request = ConversationRequest { session };
    let text = commands::conversation_text(&host, request, format).await?;
    Ok(ConversationText { text })
}

/// Golden queries made of the answers that were found useful.
///
/// # Errors
/// As [`hirag::HiragManager::golden_queries`].
pub async fn golden_queries(studio: &Studio, _request: Nothing) -> Result<GoldenQueries> {
    let golden = studio.host().await?.manager().golden_queries().await?;
    Ok(GoldenQueries {
        queries: golden.queries,
        qrels: golden.qrels,
        count: golden.count,
    })
}
