use std::path::PathBuf;

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
    /// The answer's receiver went away or cannot take it.
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
    /// The system names no folder for a person's files.
    #[error("there is no home folder to keep the memory in: {0}; use --data-dir and --config")]
    NoHome(String),
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
    hirag::context::ContextError,
    hirag::config::ConfigError,
    hirag::store::StoreError,
);

impl Error {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Core(error) => error.code(),
            Self::Unwritable { .. } | Self::Output(_) => "io_failed",
            Self::NoHome(_) => "no_home",
            Self::Internal(_) => "internal",
        }
    }
}
