//! Having answers worded: a provider behind a limiter and a breaker, its answer piece by piece.

mod error;
mod guard;
mod openai;
mod provider;
#[cfg(test)]
pub(crate) mod scripted;

pub use error::{ChatError, Waiting};
pub use guard::GuardedChat;
pub use openai::{OpenAiChat, OpenAiChatSettings};
pub use provider::{
    ChatMessage, ChatPiece, ChatProvider, ChatRequest, ChatStream, CutBy, Ending, Role,
};
