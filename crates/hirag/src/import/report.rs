use serde::{Deserialize, Serialize};

use super::ImportError;

/// What went wrong with a file or a line of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Problem {
    /// The file or folder.
    pub path: String,
    /// The line, from 1, where the file is read line by line.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub line: Option<u64>,
    /// The stable code, in `snake_case`.
    pub code: String,
    /// The sentence for people.
    pub message: String,
}

/// A file that was passed over on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Skipped {
    /// The file or folder.
    pub path: String,
    /// Why, e.g. `binary`.
    pub reason: String,
}

/// What an import did. The counts are of contexts, unless they say files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ImportReport {
    /// Files that were read.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub files: u64,
    /// Contexts read from them.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub contexts: u64,
    /// Of these, new.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub imported: u64,
    /// Of these, stored before and changed now.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub updated: u64,
    /// Of these, stored before and equal.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub unchanged: u64,
    /// Stored before, and no longer in their file.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub removed: u64,
    /// Stored without a vector yet; the embedding queue has them.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub pending: u64,
    /// Files and lines that could not be imported.
    pub failed: Vec<Problem>,
    /// Files and folders that were passed over on purpose.
    pub skipped: Vec<Skipped>,
    /// Whether it was stopped before the end; what is counted here is stored.
    pub cancelled: bool,
    /// What was imported, but not as it was meant, e.g. with broken front matter.
    pub warnings: Vec<Problem>,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ImportProgress {
    /// Files that are done.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub files_done: u64,
    /// Files in all.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub files_total: u64,
    /// Bytes of the files that are done.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub bytes_done: u64,
    /// Bytes in all.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub bytes_total: u64,
    /// Contexts that are stored, those that were before included.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub contexts: u64,
}

impl ImportReport {
    /// Notes that a file could not be read: skipped when it was met in a folder and there is
    /// nothing in it for us, failed otherwise or when it was named itself.
    pub fn note(&mut self, error: &ImportError, named: bool) {
        note(error, named, &mut self.failed, &mut self.skipped);
    }
}

pub(super) fn note(
    error: &ImportError,
    named: bool,
    failed: &mut Vec<Problem>,
    skipped: &mut Vec<Skipped>,
) {
    let problem = error.problem();
    match error.skip_reason() {
        Some(reason) if !named => skipped.push(Skipped {
            path: problem.path,
            reason,
        }),
        _ => failed.push(problem),
    }
}
