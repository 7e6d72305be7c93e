use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::import::{ImportReport, Problem};

/// Problems of a run that are kept; the others are counted.
const PROBLEMS: usize = 100;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// It came to its end; single files may have failed.
    Done,
    /// It was stopped; the next run goes on.
    Stopped,
    /// It could not begin, or broke off; what was done before stays.
    Failed,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunProblem {
    /// The stable code, in `snake_case`.
    pub code: String,
    /// The sentence for people.
    pub message: String,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceRun {
    /// How it ended.
    pub outcome: RunOutcome,
    /// When it began.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub started_at: Timestamp,
    /// When it ended.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub ended_at: Timestamp,
    /// Why it failed.
    pub problem: Option<RunProblem>,
    /// Files that are in order now.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub files: u64,
    /// Of these, files that were opened, because something about them was new.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub read: u64,
    /// Files whose contexts moved with them to another name.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub renamed: u64,
    /// Files that are gone, with their contexts.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub gone: u64,
    /// Contexts stored.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub imported: u64,
    /// Contexts changed.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub updated: u64,
    /// Contexts that stayed as they were.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub unchanged: u64,
    /// Contexts marked as deleted; `undo` brings them back.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub removed: u64,
    /// Contexts that wait for their vector.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub pending: u64,
    /// Files and lines that could not be read, the first hundred. What they gave before stays.
    pub failed: Vec<Problem>,
    /// How many there are in all.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub failed_total: u64,
    /// What was read, but not as it was meant, or slowly, the first hundred.
    #[serde(default)]
    pub warnings: Vec<Problem>,
    /// How many there are in all.
    #[serde(default)]
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub warned_total: u64,
    /// Files that were passed over: of no known kind, empty, binary, or another source's.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub skipped: u64,
}

impl SourceRun {
    /// A run of which nothing is counted yet.
    pub(crate) fn begun(at: Timestamp) -> Self {
        Self {
            outcome: RunOutcome::Done,
            started_at: at,
            ended_at: at,
            problem: None,
            files: 0,
            read: 0,
            renamed: 0,
            gone: 0,
            imported: 0,
            updated: 0,
            unchanged: 0,
            removed: 0,
            pending: 0,
            failed: Vec::new(),
            failed_total: 0,
            warnings: Vec::new(),
            warned_total: 0,
            skipped: 0,
        }
    }

    /// A run that could not begin, or broke off.
    pub(crate) fn failed(
        started_at: Timestamp,
        ended_at: Timestamp,
        code: &str,
        message: String,
    ) -> Self {
        Self {
            outcome: RunOutcome::Failed,
            ended_at,
            problem: Some(RunProblem {
                code: code.to_owned(),
                message,
            }),
            ..Self::begun(started_at)
        }
    }

    /// Whether it changed anything.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.imported + self.updated + self.removed + self.renamed > 0
    }

    /// Takes over what an import counted.
    pub(crate) fn count(&mut self, report: ImportReport) {
        self.read = report.files;
        self.files += report.files;
        self.imported = report.imported;
        self.updated = report.updated;
        self.unchanged += report.unchanged;
        self.removed += report.removed;
        self.pending = report.pending;
        self.skipped = report.skipped.len() as u64;
        let untold: u64 = report.untold.iter().map(|file| file.failed).sum();
        self.failed_total = report.failed.len() as u64 + untold;
        self.failed = report.failed;
        self.failed.truncate(PROBLEMS);
        let untold: u64 = report.untold.iter().map(|file| file.warnings).sum();
        self.warned_total = report.warnings.len() as u64 + untold;
        self.warnings = report.warnings;
        self.warnings.truncate(PROBLEMS);
        if report.cancelled {
            self.outcome = RunOutcome::Stopped;
        }
    }
}
