use std::time::Duration;

/// Why there is no vector.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddingError {
    /// The model's files are absent or unreadable.
    #[error(
        "the embedding model cannot be loaded from {path}: {reason}; run `make setup`, or set `embedding.model_dir`"
    )]
    ModelFiles {
        /// The folder.
        path: String,
        /// What went wrong.
        reason: String,
    },
    /// The model failed on a text.
    #[error("the embedding model failed: {0}")]
    Model(String),
    /// The endpoint could not be reached.
    #[error("the embedding endpoint {url} cannot be reached: {reason}")]
    Unreachable {
        /// The endpoint, without credentials.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The endpoint did not answer in time.
    #[error(
        "the embedding endpoint {url} did not answer within {after:?}; see `embedding.timeout_secs`"
    )]
    Timeout {
        /// The endpoint, without credentials.
        url: String,
        /// The time limit.
        after: Duration,
    },
    /// The endpoint refused the credentials.
    #[error("the embedding endpoint {url} refused the token (HTTP {status}); set a valid one")]
    Unauthorized {
        /// The endpoint, without credentials.
        url: String,
        /// HTTP status.
        status: u16,
    },
    /// The endpoint is overloaded or limits us.
    #[error("the embedding endpoint {url} is busy (HTTP {status}){}", retry_hint(.retry_after))]
    Busy {
        /// The endpoint, without credentials.
        url: String,
        /// HTTP status: 429 or 5xx.
        status: u16,
        /// When it asks to be tried again.
        retry_after: Option<Duration>,
    },
    /// The endpoint refused this text.
    #[error("the embedding endpoint {url} refused the text (HTTP {status}): {reason}")]
    Refused {
        /// The endpoint, without credentials.
        url: String,
        /// HTTP status.
        status: u16,
        /// Its explanation, cut short.
        reason: String,
    },
    /// The answer does not have the promised form.
    #[error("the embedding endpoint {url} answered wrongly: {reason}")]
    BadAnswer {
        /// The endpoint, without credentials.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The circuit breaker is open.
    #[error(
        "embedding is paused by the circuit breaker after repeated failures; it tries again in {retry_after:?}"
    )]
    BreakerOpen {
        /// Until it lets a probe through.
        retry_after: Duration,
    },
    /// The rate limiter holds this request back.
    #[error("embedding is over the rate limit; try again in {retry_after:?}")]
    RateLimited {
        /// Until the next request is allowed.
        retry_after: Duration,
    },
    /// The provider's settings are incomplete.
    #[error("the embedding provider is not usable: {0}")]
    Misconfigured(String),
    /// The disk cache failed; the vector itself may still be had.
    #[error("the embedding cache failed: {0}")]
    Cache(String),
    /// No provider of the model that the stored vectors belong to.
    #[error(
        "the stored vectors belong to the model `{stored}`, but `{configured}` is configured; run `hirag reembed`"
    )]
    OtherModel {
        /// Model of the stored vectors.
        stored: String,
        /// Model of the settings.
        configured: String,
    },
}

fn retry_hint(after: &Option<Duration>) -> String {
    after.map_or_else(String::new, |after| format!("; it asks to wait {after:?}"))
}

impl EmbeddingError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ModelFiles { .. } => "model_files",
            Self::Model(_) => "model_failed",
            Self::Unreachable { .. } => "provider_unreachable",
            Self::Timeout { .. } => "provider_timeout",
            Self::Unauthorized { .. } => "provider_unauthorized",
            Self::Busy { .. } => "provider_busy",
            Self::Refused { .. } => "provider_refused",
            Self::BadAnswer { .. } => "provider_bad_answer",
            Self::BreakerOpen { .. } => "breaker_open",
            Self::RateLimited { .. } => "rate_limited",
            Self::Misconfigured(_) => "provider_misconfigured",
            Self::Cache(_) => "cache_failed",
            Self::OtherModel { .. } => "model_mismatch",
        }
    }

    /// Whether trying again later, with the same text, can succeed without anyone's help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Timeout { .. }
                | Self::Busy { .. }
                | Self::BadAnswer { .. }
                | Self::BreakerOpen { .. }
                | Self::RateLimited { .. }
        )
    }
}
