//! The façade error: every module's error behind one type, with stable codes.
//!
//! Programs match [`Error::code`]; the sentence is for people and may change.

use crate::answering::AskError;
use crate::config::ConfigError;
use crate::context::ContextError;
use crate::embedding::EmbeddingError;
use crate::eval::EvalError;
use crate::import::ImportError;
use crate::retrieval::RetrievalError;
use crate::sources::SourceError;
use crate::store::StoreError;

/// What the core's operations return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Any failure of the core.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A context, an id, a level or a filter that is not allowed.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The embedding provider, or what stands before it.
    #[error(transparent)]
    Embedding(#[from] EmbeddingError),
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A retrieval request that is not allowed.
    #[error(transparent)]
    Retrieval(#[from] RetrievalError),
    /// A question that is not answered, or a conversation that is not there.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// Reading what is to be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// A folder or a file that is kept up to date.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Reading a golden set.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// The work was cancelled by its owner; what was acknowledged stays.
    #[error("the operation was cancelled; what was finished before stays stored")]
    Cancelled,
    /// A fault of this program.
    #[error("internal fault: {0}; please report it")]
    Internal(String),
}

impl Error {
    /// The stable code of this error, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Context(e) => e.code(),
            Self::Store(e) => e.code(),
            Self::Embedding(e) => e.code(),
            Self::Config(e) => e.code(),
            Self::Retrieval(e) => e.code(),
            Self::Ask(e) => e.code(),
            Self::Import(e) => e.code(),
            Self::Source(e) => e.code(),
            Self::Eval(e) => e.code(),
            Self::Cancelled => "cancelled",
            Self::Internal(_) => "internal",
        }
    }
}
