use std::io;
use std::path::Path;

use crate::import::path_text;

/// Why something cannot be done with a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No source has this id or name.
    #[error("there is no source `{0}`; `hirag source list` names those there are")]
    Unknown(String),
    /// A path that no source can have.
    #[error("the path {path:?} {rule}")]
    BadPath {
        /// The path.
        path: String,
        /// What is allowed, e.g. `must be absolute`.
        rule: &'static str,
    },
    /// A name that no source can have.
    #[error("the name {name:?} {rule}")]
    BadName {
        /// The name.
        name: String,
        /// What is allowed.
        rule: &'static str,
    },
    /// A rule that says nothing that can be kept.
    #[error("{key} is {value:?}; it {rule}")]
    BadRule {
        /// Which rule.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        rule: String,
    },
    /// Another source has the name.
    #[error("another source is called `{0}` already; choose another name")]
    NameTaken(String),
    /// Another source has the folder, or a part of it, or lies in it.
    #[error(
        "{path} overlaps with the source `{other}` ({other_path}); a file belongs to one source only: remove that one, or choose a folder beside it"
    )]
    Overlaps {
        /// The path that was given.
        path: String,
        /// The name of the other.
        other: String,
        /// Its path.
        other_path: String,
    },
    /// The folder or file is not there.
    #[error(
        "{path} is not there; nothing was removed. Connect its disk, or remove the source if it is gone for good"
    )]
    Gone {
        /// The path.
        path: String,
    },
    /// The folder or file cannot be read.
    #[error("{path} cannot be read: {reason}; nothing was removed")]
    Unreadable {
        /// The path.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// The folder has nothing in it any more.
    #[error(
        "{path} is empty, as the folder of a disk is that is not connected; nothing was removed. If it was emptied on purpose, run the source with --emptied"
    )]
    Emptied {
        /// The path.
        path: String,
    },
    /// The source was removed while it was being run.
    #[error("the source `{0}` was removed meanwhile")]
    Removed(String),
}

impl SourceError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) | Self::Removed(_) => "unknown_source",
            Self::BadPath { .. } | Self::BadName { .. } | Self::BadRule { .. } => "invalid_source",
            Self::NameTaken(_) => "source_name_taken",
            Self::Overlaps { .. } => "source_overlaps",
            Self::Gone { .. } => "source_gone",
            Self::Unreadable { .. } => "source_unreadable",
            Self::Emptied { .. } => "source_emptied",
        }
    }

    /// What is wrong with the root of a source.
    pub(crate) fn of_root(path: &Path, error: &io::Error) -> Self {
        let path = path_text(path);
        match error.kind() {
            io::ErrorKind::NotFound => Self::Gone { path },
            _ => Self::Unreadable {
                path,
                reason: error.to_string(),
            },
        }
    }

    /// The same for a root that was looked up already.
    pub(crate) fn emptied(path: &Path) -> Self {
        Self::Emptied {
            path: path_text(path),
        }
    }
}
