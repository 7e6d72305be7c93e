use std::time::Duration;

use super::CutBy;
use crate::resilience::Verdict;

/// What did not come in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The first words of an answer.
    First,
    /// The next words.
    Next,
    /// The whole of an answer that is not streamed.
    Whole,
}

impl Waiting {
    fn words(self) -> &'static str {
        match self {
            Self::First => "did not begin to answer",
            Self::Next => "did not go on with its answer",
            Self::Whole => "was not done with its answer",
        }
    }

    fn setting(self) -> &'static str {
        match self {
            Self::First => "chat.first_token_timeout",
            Self::Next => "chat.token_timeout",
            Self::Whole => "chat.answer_timeout",
        }
    }
}

/// Why there is no worded answer, or no more of it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChatError {
    /// The endpoint could not be reached.
    #[error("the chat endpoint {url} cannot be reached: {reason}")]
    Unreachable {
        /// The endpoint, without credentials.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The endpoint was too slow.
    #[error("the chat endpoint {url} {} within {after:?}; see `{}`", .waiting.words(), .waiting.setting())]
    Timeout {
        /// The endpoint, without credentials.
        url: String,
        /// What did not come.
        waiting: Waiting,
        /// The time limit.
        after: Duration,
    },
    /// The endpoint refused the credentials.
    #[error(
        "the chat endpoint {url} refused the token (HTTP {status}); set a valid one with `hirag token set chat`"
    )]
    Unauthorized {
        /// The endpoint, without credentials.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The endpoint is overloaded or limits us.
    #[error("the chat endpoint {url} is busy (HTTP {status}){}", retry_hint(.retry_after))]
    Busy {
        /// The endpoint, without credentials.
        url: String,
        /// HTTP status: 429 or 5xx.
        status: u16,
        /// When it asks to be tried again.
        retry_after: Option<Duration>,
    },
    /// The endpoint does not take the question.
    #[error("the chat endpoint {url} refused the question (HTTP {status}): {reason}")]
    Refused {
        /// The endpoint, without credentials.
        url: String,
        /// HTTP status.
        status: u16,
        /// Its explanation, cut short.
        reason: String,
    },
    /// The model reads and writes fewer tokens together than it was asked for.
    #[error(
        "the chat endpoint {url} has a smaller window than the question takes: {reason}; set \
         `chat.window_tokens` to what its model takes"
    )]
    SmallWindow {
        /// The endpoint, without credentials.
        url: String,
        /// Its explanation, cut short.
        reason: String,
    },
    /// The answer does not have the promised form.
    #[error("the chat endpoint {url} answered wrongly: {reason}")]
    BadAnswer {
        /// The endpoint, without credentials.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The answer was cut off before its first word. That is no fault of the endpoint.
    #[error("the chat endpoint {url} {}", wordless(*.cut, *.allowed))]
    Wordless {
        /// The endpoint, without credentials.
        url: String,
        /// What cut it off.
        cut: CutBy,
        /// Tokens that the answer could have.
        allowed: u32,
    },
    /// The answer ended in the middle.
    #[error("the chat endpoint {url} broke its answer off: {reason}")]
    BrokenOff {
        /// The endpoint, without credentials.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The circuit breaker is open.
    #[error(
        "the chat endpoint is left in peace by the circuit breaker after repeated failures; it is tried again in {retry_after:?}"
    )]
    BreakerOpen {
        /// Until it lets a probe through.
        retry_after: Duration,
    },
    /// The rate limiter holds this request back.
    #[error(
        "the chat endpoint has had as many questions as `chat.requests_per_minute` allows; ask again in {retry_after:?}"
    )]
    RateLimited {
        /// Until the next request is allowed.
        retry_after: Duration,
    },
    /// The settings are incomplete.
    #[error("the chat endpoint is not usable: {0}")]
    Misconfigured(String),
}

fn retry_hint(after: &Option<Duration>) -> String {
    after.map_or_else(String::new, |after| format!("; it asks to wait {after:?}"))
}

fn wordless(cut: CutBy, allowed: u32) -> String {
    match cut {
        CutBy::Endpoint => "holds the whole answer back".to_owned(),
        CutBy::Tokens | CutBy::Bytes | CutBy::Time => format!(
            "has not said a word: the model used up its {allowed} tokens, as one does that thinks \
             first; allow more with `chat.max_answer_tokens`"
        ),
    }
}

impl ChatError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "provider_unreachable",
            Self::Timeout { .. } => "provider_timeout",
            Self::Unauthorized { .. } => "provider_unauthorized",
            Self::Busy { .. } => "provider_busy",
            Self::Refused { .. } => "provider_refused",
            Self::SmallWindow { .. } => "provider_window",
            Self::BadAnswer { .. } => "provider_bad_answer",
            Self::Wordless { .. } => "provider_no_words",
            Self::BrokenOff { .. } => "provider_broken_off",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::RateLimited { .. } => "rate_limited",
            Self::Misconfigured(_) => "provider_misconfigured",
        }
    }

    /// Whether to try again.
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Busy { retry_after, .. } => Verdict::Retry {
                after: *retry_after,
            },
            Self::Unreachable { .. } | Self::BrokenOff { .. } => Verdict::Retry { after: None },
            // Who has waited so long for an answer does not want to wait as long again.
            _ => Verdict::Fail,
        }
    }

    /// Whether it tells that the endpoint is not well; the others are about us or the question.
    pub(super) fn is_of_the_endpoint(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Timeout { .. }
                | Self::Busy { .. }
                | Self::BadAnswer { .. }
                | Self::BrokenOff { .. }
        )
    }
}
