//! Asking the memory for answers, and the conversations that come of it.

use std::path::Path;

use futures::StreamExt;
use hirag::answering::{
    Answer, AnswerId, AskEvent, AskRequest, Conversation, Conversations, ConversationsRequest,
    markdown,
};
use hirag::manager::{AskStream, Stored};
use serde::{Deserialize, Serialize};

use super::{Error, Host, Result};
use crate::whole_file::WholeFile;

/// Which conversation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct ConversationRequest {
    /// Its name.
    pub session: String,
}

/// What someone thinks of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct JudgeRequest {
    /// The answer.
    pub id: AnswerId,
    /// Whether it was useful; `None` takes back what was said before.
    #[serde(default)]
    pub useful: Option<bool>,
    /// Why.
    #[serde(default)]
    pub note: Option<String>,
}

/// What a conversation was stored as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS, utoipa::ToSchema)]
pub struct ConversationStored {
    /// The new contexts; what was stored before is not among them.
    pub contexts: Vec<Stored>,
}

/// Golden queries that were written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GoldenWritten {
    /// The file of the queries.
    pub queries: String,
    /// The file of the judgements.
    pub qrels: String,
    /// How many queries.
    pub count: usize,
}

/// How a conversation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum ConversationFormat {
    /// For people.
    Markdown,
    /// For programs.
    Json,
    /// The same, a question with its answer a line.
    Jsonl,
}

/// Answers a question, piece by piece.
///
/// # Errors
/// As [`hirag::HiragManager::ask`].
pub async fn ask(host: &Host, request: AskRequest) -> Result<AskStream> {
    Ok(host.manager().ask(request).await?)
}

/// The answer at the end of its pieces.
///
/// # Errors
/// [`Error::Internal`] for one without an end.
pub async fn whole(mut answer: AskStream) -> Result<Answer> {
    while let Some(event) = answer.next().await {
        if let AskEvent::Done(answer) = event {
            return Ok(*answer);
        }
    }
    Err(Error::Internal("an answer without an end".to_owned()))
}

/// Conversations, the latest first.
///
/// # Errors
/// The store's.
pub async fn conversations(host: &Host, request: ConversationsRequest) -> Result<Conversations> {
    let conversations = host.manager().conversations(request).await?;
    Ok(Conversations { conversations })
}

/// A conversation.
///
/// # Errors
/// As [`hirag::HiragManager::conversation`].
pub async fn conversation(host: &Host, request: ConversationRequest) -> Result<Conversation> {
    Ok(host.manager().conversation(&request.session).await?)
}

/// A conversation as text.
///
/// # Errors
/// As [`conversation`].
pub async fn conversation_text(
    host: &Host,
    request: ConversationRequest,
    format: ConversationFormat,
) -> Result<String> {
    let found = conversation(host, request).await?;
    let written = match format {
        ConversationFormat::Markdown => Ok(markdown(&found)),
        ConversationFormat::Json => serde_json::to_string_pretty(&found),
        ConversationFormat::Jsonl => found
            .turns
            .iter()
            .map(|turn| serde_json::to_string(turn).map(|line| line + "\n"))
            .collect(),
    };
    written.map_err(|e| Error::Internal(e.to_string()))
}

/// Marks a conversation as deleted.
///
/// # Errors
/// As [`hirag::HiragManager::delete_conversation`].
pub async fn delete_conversation(host: &Host, request: ConversationRequest) -> Result<()> {
    Ok(host.manager().delete_conversation(&request.session).await?)
}

/// Brings a conversation back.
///
/// # Errors
/// As [`hirag::HiragManager::restore_conversation`].
pub async fn restore_conversation(host: &Host, request: ConversationRequest) -> Result<()> {
    Ok(host
        .manager()
        .restore_conversation(&request.session)
        .await?)
}

/// Keeps what someone thinks of an answer.
///
/// # Errors
/// As [`hirag::HiragManager::judge_answer`].
pub async fn judge(host: &Host, request: JudgeRequest) -> Result<()> {
    let JudgeRequest { id, useful, note } = request;
    Ok(host.manager().judge_answer(id, useful, note).await?)
}

/// Stores a conversation as contexts.
///
/// # Errors
/// As [`hirag::HiragManager::store_conversation`].
pub async fn store_conversation(
    host: &Host,
    request: ConversationRequest,
) -> Result<ConversationStored> {
    let contexts = host.manager().store_conversation(&request.session).await?;
    Ok(ConversationStored { contexts })
}

/// Writes `queries.jsonl` and `qrels.tsv` into `folder`, made of answers that were found useful; over
/// those that are there only with `force`.
///
/// # Errors
/// As [`hirag::HiragManager::golden_queries`]; [`Error::Unwritable`], of which nothing was written.
pub async fn golden(host: &Host, folder: &Path, force: bool) -> Result<GoldenWritten> {
    let (queries, qrels) = (folder.join("queries.jsonl"), folder.join("qrels.tsv"));
    if let Some(there) = [&queries, &qrels].into_iter().find(|place| place.exists())
        && !force
    {
        return Err(Error::Unwritable {
            path: there.clone(),
            reason: "it is there already; name another folder, or write over it with `--force`"
                .to_owned(),
        });
    }
    let golden = host.manager().golden_queries().await?;
    for (place, text) in [(&queries, &golden.queries), (&qrels, &golden.qrels)] {
        let mut file = WholeFile::begin(place)?;
        file.put(text.as_bytes())?;
        file.finish()?;
    }
    Ok(GoldenWritten {
        queries: queries.display().to_string(),
        qrels: qrels.display().to_string(),
        count: golden.count,
    })
}
