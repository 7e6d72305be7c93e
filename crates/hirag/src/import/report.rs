use serde::{Deserialize, Serialize};

use super::ImportError;

/// What went wrong with a file or a line of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// Problems of one file that a report names: the first hundred show what is wrong with it. A file
/// that is not what it seems to be has millions, which would fill the memory and help nobody.
pub const PROBLEMS_PER_FILE: usize = 100;

/// Problems of one file beyond those that the report names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Untold {
    /// The file.
    pub path: String,
    /// What could not be imported.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub failed: u64,
    /// What was not imported as it was meant.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub warnings: u64,
}

/// Why nothing of a file could be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The problem.
    pub problem: Problem,
    /// Why it is passed over where it was met in a folder; `None` if it is a failure even there.
    pub passed_over: Option<String>,
}

/// What was wrong with a file, to be told again while the file stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ToldAgain {
    /// Why nothing of it could be read.
    pub refused: Option<Refusal>,
    /// What of it could not be used; the first [`PROBLEMS_PER_FILE`].
    pub failed: Vec<Problem>,
    /// How much more there is.
    pub untold: u64,
}

impl ToldAgain {
    /// That nothing of it could be read.
    #[must_use]
    pub fn refused(error: &ImportError) -> Self {
        Self {
            refused: Some(error.refusal()),
            ..Self::default()
        }
    }

    /// Notes what of it could not be used.
    pub fn fail(&mut self, problem: &Problem) {
        if self.failed.len() < PROBLEMS_PER_FILE {
            self.failed.push(shortened(problem.clone()));
        } else {
            self.untold += 1;
        }
    }
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
    /// Files and lines that could not be imported; the first [`PROBLEMS_PER_FILE`] of each file.
    pub failed: Vec<Problem>,
    /// Files and folders that were passed over on purpose.
    pub skipped: Vec<Skipped>,
    /// Whether it was stopped before the end; what is counted here is stored.
    pub cancelled: bool,
    /// What was imported, but not as it was meant, e.g. with broken front matter; the first
    /// [`PROBLEMS_PER_FILE`] of each file.
    pub warnings: Vec<Problem>,
    /// How many more of both there are, for each file that has more.
    #[serde(default)]
    pub untold: Vec<Untold>,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// Notes what could not be imported. What belongs to one file comes together.
    pub fn fail(&mut self, problem: Problem) {
        if let Some(path) = keep(&mut self.failed, problem) {
            self.untold_of(path).failed += 1;
        }
    }

    /// Notes what was not imported as it was meant. What belongs to one file comes together.
    pub fn warn(&mut self, problem: Problem) {
        if let Some(path) = keep(&mut self.warnings, problem) {
            self.untold_of(path).warnings += 1;
        }
    }

    fn untold_of(&mut self, path: String) -> &mut Untold {
        let at = match self.untold.last() {
            Some(last) if last.path == path => self.untold.len() - 1,
            _ => {
                self.untold.push(Untold {
                    path,
                    ..Untold::default()
                });
                self.untold.len() - 1
            }
        };
        &mut self.untold[at]
    }

    /// Notes what is wrong with a file. One of which nothing can be read is skipped when it was met
    /// in a folder and there is nothing in it for us, failed otherwise or when it was named itself.
    pub fn tell(&mut self, told: ToldAgain, named: bool) {
        if let Some(refusal) = told.refused {
            note(refusal, named, &mut self.failed, &mut self.skipped);
        }
        let path = told.failed.last().map(|problem| problem.path.clone());
        told.failed.into_iter().for_each(|p| self.fail(p));
        if let Some(path) = path.filter(|_| told.untold > 0) {
            self.untold_of(path).failed += told.untold;
        }
    }
}

/// Bytes of a sentence at most: one that repeats what was given is as long as that.
const SENTENCE: usize = 500;

/// Keeps a problem, unless enough of its file are kept; gives the file back then.
fn keep(kept: &mut Vec<Problem>, problem: Problem) -> Option<String> {
    let enough = kept
        .len()
        .checked_sub(PROBLEMS_PER_FILE)
        .is_some_and(|first| kept[first].path == problem.path);
    if enough {
        return Some(problem.path);
    }
    kept.push(shortened(problem));
    None
}

fn shortened(mut problem: Problem) -> Problem {
    if problem.message.len() > SENTENCE {
        let end = problem.message.floor_char_boundary(SENTENCE);
        problem.message.truncate(end);
        problem.message.push('…');
        // What was cut off must not be kept, either.
        problem.message.shrink_to_fit();
    }
    problem
}

pub(super) fn note(
    refusal: Refusal,
    named: bool,
    failed: &mut Vec<Problem>,
    skipped: &mut Vec<Skipped>,
) {
    match refusal.passed_over {
        Some(reason) if !named => skipped.push(Skipped {
            path: refusal.problem.path,
            reason,
        }),
        _ => failed.push(refusal.problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(path: &str, line: u64) -> Problem {
        Problem {
            path: path.to_owned(),
            line: Some(line),
            code: "invalid_json".to_owned(),
            message: "the line is not valid JSON".to_owned(),
        }
    }

    #[test]
    fn the_first_problems_of_each_file_are_named_and_the_others_counted() {
        let mut report = ImportReport::default();
        for (path, lines) in [("a", 250), ("b", 3), ("c", 101)] {
            for line in 1..=lines {
                report.fail(problem(path, line));
            }
        }
        report.warn(Problem {
            message: "é".repeat(1_000_000),
            ..problem("c", 1)
        });
        let of = |path: &str| report.failed.iter().filter(|p| p.path == path).count();
        assert_eq!((of("a"), of("b"), of("c")), (100, 3, 100));
        assert_eq!(report.failed[99].line, Some(100));
        let untold = |path: &str, failed| Untold {
            path: path.to_owned(),
            failed,
            warnings: 0,
        };
        assert_eq!(report.untold, [untold("a", 150), untold("c", 1)]);
        assert_eq!(report.warnings.len(), 1);
        assert!(report.warnings[0].message.len() < 510, "it is cut off");
    }
}
