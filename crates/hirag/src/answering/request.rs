use serde::{Deserialize, Serialize};

use crate::context::{ContextLevel, Filter, SearchMode};

/// A question to the memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AskRequest {
    /// The question, in words.
    #[cfg_attr(
        feature = "openapi",
        schema(
            min_length = 1,
            max_length = 16_384,
            example = "who keeps the deploy key?"
        )
    )]
    pub question: String,
    /// The conversation that it goes on with, or that it begins under this name; `None` begins a new
    /// one.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 256))]
    pub session: Option<String>,
    /// Whether question and answer are kept.
    #[serde(default = "yes")]
    pub keep: bool,
    /// Tokens of sources at most; `None` is `hirag.max_context_tokens`. What the model's window has
    /// no room for is left out in any case.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, example = 2_000))]
    pub max_tokens: Option<u32>,
    /// Levels to search; empty is all.
    #[serde(default)]
    pub levels: Vec<ContextLevel>,
    /// Conditions that every source has to meet.
    #[serde(default)]
    pub filter: Filter,
    /// By vectors, by words, or both.
    #[serde(default)]
    pub mode: SearchMode,
    /// Whether passages are wanted and no worded answer, even if somebody could word one.
    #[serde(default)]
    pub extractive: bool,
    /// Whether the answer is to be worded anew although the same one was worded before.
    #[serde(default)]
    pub fresh: bool,
}

fn yes() -> bool {
    true
}

impl AskRequest {
    /// A question with everything else left to the defaults.
    #[must_use]
    pub fn new(question: impl Into<String>) -> Self {
        Self {
            question: question.into(),
            session: None,
            keep: true,
            max_tokens: None,
            levels: Vec::new(),
            filter: Filter::default(),
            mode: SearchMode::default(),
            extractive: false,
            fresh: false,
        }
    }
}

/// Why a question is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The name of a conversation that cannot be one.
    #[error(
        "the conversation `{given}` has no name of 1 to {limit} bytes without control characters"
    )]
    BadSession {
        /// The name, cut short.
        given: String,
        /// Bytes at most.
        limit: usize,
    },
    /// No such conversation.
    #[error("there is no conversation `{0}`; `hirag conversations list` names those there are")]
    UnknownConversation(String),
    /// A conversation of that name is there.
    #[error("there is another conversation `{0}` by now; delete or leave that first")]
    ConversationThere(String),
    /// No such answer.
    #[error("there is no answer `{0}` in a conversation that is kept")]
    UnknownAnswer(String),
    /// A note that is longer than one may be.
    #[error("the note has {chars} characters; it may have {limit}. Nothing was kept of it")]
    LongNote {
        /// Its characters.
        chars: usize,
        /// Characters at most.
        limit: usize,
    },
    /// Nothing to make golden queries of.
    #[error(
        "no kept answer was found useful and named a source; tell some answers so first (`hirag conversations feedback`)"
    )]
    NothingJudged,
}

impl AskError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadSession { .. } => "invalid_session",
            Self::UnknownConversation(_) => "unknown_conversation",
            Self::ConversationThere(_) => "conversation_there",
            Self::UnknownAnswer(_) => "unknown_answer",
            Self::LongNote { .. } => "note_too_long",
            Self::NothingJudged => "nothing_judged",
        }
    }
}
