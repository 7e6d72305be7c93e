use crate::context::ContextId;

/// A retrieval request that is not allowed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RetrievalError {
    /// The query is empty.
    #[error("the query is empty or blank; give at least one word")]
    BlankQuery,
    /// A NUL byte, which stands in no stored text.
    #[error("the query contains a NUL byte at offset {offset}; remove it")]
    NulByte {
        /// Its offset in bytes.
        offset: usize,
    },
    /// The query is too long.
    #[error("the query has {bytes} bytes, over the limit of {limit} (`limits.max_query_bytes`)")]
    LongQuery {
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The budget is zero or over the limit.
    #[error("max_tokens is {given}; it must be between 1 and {limit} (`hirag.max_tokens_limit`)")]
    Budget {
        /// Tokens asked for.
        given: u32,
        /// Tokens allowed.
        limit: u32,
    },
    /// The limit is zero.
    #[error("limit is 0; ask for at least one context")]
    ZeroLimit,
    /// No such trace.
    #[error("there is no trace `{0}`; traces are kept for a limited time (`[traces]`)")]
    UnknownTrace(String),
    /// A setting that is not allowed.
    #[error("{key} is {value}; {rule}")]
    Setting {
        /// The key, with its section.
        key: &'static str,
        /// The value given.
        value: f64,
        /// What it must be.
        rule: &'static str,
    },
    /// A context that the query was not compared with.
    #[error("the query was not compared with the context {0}; it is unknown, deleted or expired")]
    NotCompared(ContextId),
}

impl RetrievalError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BlankQuery | Self::NulByte { .. } | Self::LongQuery { .. } => "invalid_query",
            Self::Budget { .. } => "invalid_budget",
            Self::ZeroLimit => "invalid_limit",
            Self::UnknownTrace(_) => "trace_not_found",
            Self::Setting { .. } => "invalid_settings",
            Self::NotCompared(_) => "not_compared",
        }
    }
}
