use async_trait::async_trait;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::ChatError;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// This program: the rules.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChatMessage {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// What a model is to go on with.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// The conversation, the rules first and the question last.
    pub messages: Vec<ChatMessage>,
    /// Tokens of the answer at most, 1 or more.
    pub max_tokens: u32,
    /// When it was asked for: the time for a whole answer counts from then.
    pub asked_at: Instant,
}

/// What cut an answer off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CutBy {
    /// It has as many tokens as an answer may have.
    Tokens,
    /// It has more bytes than such an answer can have.
    Bytes,
    /// The time for it was over.
    Time,
    /// The endpoint holds the rest back.
    Endpoint,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The model was done.
    Complete,
    /// There would have been more.
    Cut(CutBy),
}

/// What comes of an answer, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatPiece {
    /// The next words; never empty.
    Text(String),
    /// Nothing comes after this.
    End(Ending),
}

/// An answer as it comes: pieces of text, then one [`ChatPiece::End`] or one error, and nothing after
/// it. Dropping it ends the request.
pub type ChatStream = BoxStream<'static, Result<ChatPiece, ChatError>>;

/// What words answers.
#[async_trait]
pub trait ChatProvider: Send + Sync + std::fmt::Debug {
    /// The model's name.
    fn model(&self) -> &str;

    /// Begins an answer: asks once, and returns when its first words are there.
    ///
    /// # Errors
    /// [`ChatError`] when no answer begins.
    async fn answer(&self, request: &ChatRequest) -> Result<ChatStream, ChatError>;

    /// Whether it can be had; costs no answer.
    ///
    /// # Errors
    /// What is wrong with it.
    async fn check(&self) -> Result<(), ChatError>;
}
