use std::path::PathBuf;

use super::report::{Problem, Refusal};

/// Why a path or a file cannot be used for an import. Other files go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Nothing is there.
    #[error("{path} does not exist; check the path")]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// It cannot be opened or read.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// It is no file and no folder.
    #[error("{path} is neither a file nor a folder")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file's kind is not known.
    #[error(
        "{path} is of no known kind; `--format` says how it is to be read, e.g. `--format text`"
    )]
    UnknownKind {
        /// The file.
        path: PathBuf,
    },
    /// A folder without a BEIR corpus.
    #[error("{path} has no corpus.jsonl, so it is no BEIR set")]
    NotBeir {
        /// The folder.
        path: PathBuf,
    },
    /// The file is over the limit.
    #[error(
        "{path} has {bytes} bytes, over the limit of {limit}; split it, or raise `import.max_file_bytes`"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes that it has.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The file has NUL bytes: it is no text.
    #[error("{path} is binary (a NUL byte at offset {offset})")]
    Binary {
        /// The file.
        path: PathBuf,
        /// Offset of the first NUL byte.
        offset: usize,
    },
    /// The file has no visible text.
    #[error("{path} is empty")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged, encrypted, or made to do harm.
    #[error("{path} {reason}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// The stable code.
        code: &'static str,
        /// What follows the path in the sentence.
        reason: String,
    },
    /// The file was another at the end of reading it.
    #[error("{path} was changed while it was read; import it again")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// It was asked to stop in the middle of the file.
    #[error("{path} was not read to its end, because the import was stopped")]
    Stopped {
        /// The file.
        path: PathBuf,
    },
}

impl ImportError {
    /// The code of a document that takes longer to read than any may.
    pub(crate) const TOO_SLOW: &'static str = "document_too_slow";

    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "path_not_found",
            Self::Unreadable { .. } => "unreadable",
            Self::NotAFile { .. } => "not_a_file",
            Self::UnknownKind { .. } => "unknown_file_kind",
            Self::NotBeir { .. } => "not_beir",
            Self::TooLarge { .. } => "file_too_large",
            Self::Binary { .. } => "binary_file",
            Self::Empty { .. } => "empty_file",
            Self::Refused { code, .. } => code,
            Self::Changed { .. } => "changed_while_read",
            Self::Stopped { .. } => "stopped",
        }
    }

    /// The path that it is about, if it is about one.
    #[must_use]
    pub fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::NotFound { path }
            | Self::Unreadable { path, .. }
            | Self::NotAFile { path }
            | Self::UnknownKind { path }
            | Self::NotBeir { path }
            | Self::TooLarge { path, .. }
            | Self::Binary { path, .. }
            | Self::Empty { path }
            | Self::Refused { path, .. }
            | Self::Changed { path }
            | Self::Stopped { path } => Some(path),
        }
    }

    /// Why a file met in a folder is passed over, in a word or two; `None` if it is a failure
    /// even there.
    #[must_use]
    pub fn skip_reason(&self) -> Option<String> {
        match self {
            Self::UnknownKind { .. } => Some("not a known kind of file".to_owned()),
            Self::NotAFile { .. } => Some("not a regular file".to_owned()),
            Self::Binary { .. } => Some("binary".to_owned()),
            Self::Empty { .. } => Some("empty".to_owned()),
            Self::TooLarge { bytes, limit, .. } => Some(format!(
                "too large ({bytes} bytes, limit {limit}: `import.max_file_bytes`)"
            )),
            _ => None,
        }
    }

    /// The entry of the report.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem {
            path: self
                .path()
                .map(|path| super::path_text(path))
                .unwrap_or_default(),
            line: None,
            code: self.code().to_owned(),
            message: self.to_string(),
        }
    }

    /// Why nothing of the file could be read.
    pub(super) fn refusal(&self) -> Refusal {
        Refusal {
            problem: self.problem(),
            passed_over: self.skip_reason(),
        }
    }

    /// Whether the file would be refused again for as long as it stays as it is.
    pub(crate) fn lasts(&self) -> bool {
        match self {
            Self::Binary { .. } | Self::Empty { .. } => true,
            // A fault of a reader may be mended, and a disk have better times. A machine may, too;
            // but a document that takes all its time would take it at every run.
            Self::Refused { code, .. } => !matches!(*code, "internal" | "unreadable"),
            _ => false,
        }
    }

    pub(super) fn unreadable(path: &std::path::Path, error: &std::io::Error) -> Self {
        let path = path.to_owned();
        if error.kind() == std::io::ErrorKind::NotFound {
            return Self::NotFound { path };
        }
        Self::Unreadable {
            path,
            reason: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_failing_disk_says_does_not_last() {
        let lasts = |code| {
            let (path, reason) = (PathBuf::from("/a.pdf"), String::new());
            ImportError::Refused { path, code, reason }.lasts()
        };
        for code in ["internal", "unreadable"] {
            assert!(!lasts(code), "{code}");
        }
        assert!(lasts("damaged_file") && lasts("encrypted_file"));
        assert!(lasts(ImportError::TOO_SLOW));
    }
}
