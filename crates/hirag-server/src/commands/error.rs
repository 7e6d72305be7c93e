use std::path::{Path, PathBuf};
use std::{fmt, io};

use serde::Serialize;

/// What command bodies return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The core's reason.
    #[error(transparent)]
    Core(#[from] hirag::Error),
    /// A file that a command writes.
    #[error("{} cannot be written: {reason}", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A file that a command writes, on a disk without room for it.
    #[error(
        "the disk has no room for {}; free some space and try again, what was there is as it was",
        .0.display()
    )]
    DiskFull(PathBuf),
    /// The answer's receiver went away or cannot take it.
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
    /// The system names no folder for a person's files.
    #[error("there is no home folder to keep the memory in: {0}; use --data-dir and --config")]
    NoHome(String),
    /// The memory is not open.
    #[error("the memory is not open: {0}")]
    NotOpen(String),
    /// Work of this kind goes on already.
    #[error("{0}; wait for it, or stop it")]
    Busy(String),
    /// The store is not given up to another process.
    #[error("this process keeps the memory open for writing; use its server")]
    KeepsStore,
    /// No such job.
    #[error("there is no job `{0}`; only the latest are kept")]
    UnknownJob(String),
    /// A search whose candidates are gone.
    #[error("the candidates of the search {0} are not kept any more; search again")]
    StaleSearch(hirag::retrieval::TraceId),
    /// A request that is not allowed.
    #[error("{key} is {value}; it {rule}")]
    BadRequest {
        /// Which part of it.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is allowed, e.g. `must be between 5 and 300`.
        rule: &'static str,
    },
    /// A token, or the keyring.
    #[error(transparent)]
    Token(#[from] crate::secrets::TokenError),
    /// Load that was not put on.
    #[error(transparent)]
    Load(#[from] crate::load::LoadError),
    /// This program's own server.
    #[error(transparent)]
    Server(#[from] crate::http::ServerError),
    /// A picture that could not be drawn.
    #[error("the chart cannot be drawn: {0}")]
    Chart(String),
    /// A client that does not keep to the protocol.
    #[error("the client does not speak the protocol: {0}")]
    Protocol(String),
    /// A fault of this program.
    #[error("internal fault: {0}; please report it")]
    Internal(String),
}

/// Errors of the core's modules are errors of the core.
macro_rules! through_core {
    ($($source:ty),* $(,)?) => {$(
        impl From<$source> for Error {
            fn from(error: $source) -> Self {
                Self::Core(error.into())
            }
        }
    )*};
}

through_core!(
    hirag::answering::AskError,
    hirag::context::ContextError,
    hirag::config::ConfigError,
    hirag::embedding::EmbeddingError,
    hirag::retrieval::RetrievalError,
    hirag::sources::SourceError,
    hirag::store::StoreError,
);

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Internal(hirag::tasks::broken_off(&error))
    }
}

impl Error {
    /// What the system says of a file that is being written.
    pub(crate) fn writing(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull => Self::DiskFull(path.to_owned()),
            _ => Self::unwritable(path, error),
        }
    }

    /// A file that cannot be written, for this reason.
    pub(crate) fn unwritable(path: &Path, reason: impl fmt::Display) -> Self {
        Self::Unwritable {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }

    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Core(error) => error.code(),
            Self::Unwritable { .. } | Self::Output(_) => "io_failed",
            Self::DiskFull(_) => "disk_full",
            Self::NoHome(_) => "no_home",
            Self::NotOpen(_) => "not_open",
            Self::Busy(_) => "busy",
            Self::KeepsStore => "store_kept",
            Self::UnknownJob(_) => "unknown_job",
            Self::StaleSearch(_) => "unknown_trace",
            Self::BadRequest { .. } => "invalid_request",
            Self::Token(error) => error.code(),
            Self::Load(error) => error.code(),
            Self::Server(error) => error.code(),
            Self::Chart(_) => "chart_failed",
            Self::Protocol(_) => "protocol",
            Self::Internal(_) => "internal",
        }
    }
}

/// A failure as it is told outside of this program: programs match the code, people read the
/// message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct Failure {
    /// The stable code, in `snake_case`.
    pub code: String,
    /// The sentence for people; it may change.
    pub message: String,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code().to_owned(),
            message: error.to_string(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}
