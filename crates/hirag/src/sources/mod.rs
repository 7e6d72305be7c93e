//! Folders and files that are kept up to date: what they are called, what is read of them, and
//! what came of it. Reading them is the manager's, keeping them the store's.

mod error;
mod rules;
mod run;
mod settings;
mod stamp;
mod watching;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use error::SourceError;
pub(crate) use rules::Matcher;
pub use rules::SourceRules;
pub use run::{RunOutcome, RunProblem, SourceRun};
pub use settings::SourcesSettings;
pub(crate) use stamp::{SETTLED, device, stamp};
pub use watching::WatchState;

use crate::import::{ImportProgress, path_text};
use crate::store::sqlite::Deletion;

/// Characters of a name at most.
const NAME_CHARS: usize = 100;

/// The number of a source in its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct SourceId(#[cfg_attr(feature = "ts", ts(type = "number"))] pub i64);

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SourceId {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let number = text.parse().map(Self);
        number.map_err(|_| SourceError::Unknown(text.to_owned()))
    }
}

/// A folder or a file to keep up to date.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "ts", ts(optional_fields = nullable))]
#[serde(deny_unknown_fields)]
pub struct NewSource {
    /// The folder or the file, absolute.
    pub path: String,
    /// What people call it; by default as the folder is called.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether it is watched while a window or a server runs; it is where nothing is said.
    #[serde(default = "yes")]
    #[cfg_attr(feature = "ts", ts(as = "Option<bool>", optional))]
    pub watch: bool,
    /// What is read of it, and as what.
    #[serde(default)]
    #[cfg_attr(feature = "ts", ts(as = "Option<SourceRules>", optional))]
    pub rules: SourceRules,
}

fn yes() -> bool {
    true
}

impl NewSource {
    /// A watched source without rules.
    #[must_use]
    pub fn at(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            name: None,
            watch: true,
            rules: SourceRules::default(),
        }
    }
}

/// A change to a source; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "ts", ts(optional_fields = nullable))]
#[serde(default, deny_unknown_fields)]
pub struct SourcePatch {
    /// Another name.
    pub name: Option<String>,
    /// Whether it is watched.
    pub watch: Option<bool>,
    /// Other rules in place of all it has. Globs and `doc_type` show with the next run; level,
    /// agent and session are those of what is stored from then on.
    pub rules: Option<SourceRules>,
}

/// A folder or a file that is kept up to date.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Source {
    /// Its number.
    pub id: SourceId,
    /// What people call it; no other has the name.
    pub name: String,
    /// The folder or the file, absolute and without symbolic links.
    pub path: String,
    /// Whether it is watched while a window or a server runs.
    pub watch: bool,
    /// What is read of it, and as what.
    pub rules: SourceRules,
    /// When it was added.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub created_at: Timestamp,
    /// Files that it has given contexts.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub files: u64,
    /// Their contexts that are not marked as deleted.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub contexts: u64,
    /// What came of the last run.
    pub last_run: Option<SourceRun>,
}

/// A source, and what this process does with it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceStatus {
    /// The source.
    #[serde(flatten)]
    pub source: Source,
    /// How changes to it are noticed.
    pub watching: WatchState,
    /// How far the run is that is under way.
    pub running: Option<ImportProgress>,
}

/// What becomes of a source's contexts when it is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Leave {
    /// They stay.
    #[default]
    Contexts,
    /// They are marked as deleted.
    Nothing,
}

/// A source that was removed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RemovedSource {
    /// As it was; added again with the same path, it goes on with what is still stored.
    pub source: Source,
    /// Its contexts, where they were marked as deleted; one `undo` brings them back.
    pub deletion: Option<Deletion>,
}

/// The place of a new source: absolute, without symbolic links, and there.
///
/// # Errors
/// [`SourceError::BadPath`], or what the system says of it.
pub(crate) fn place(path: &str) -> Result<PathBuf, SourceError> {
    let given = Path::new(path);
    if !given.is_absolute() {
        return Err(SourceError::BadPath {
            path: path.to_owned(),
            rule: "must be absolute",
        });
    }
    let place = given
        .canonicalize()
        .map_err(|error| SourceError::of_root(given, &error))?;
    if place.to_str().is_none() {
        return Err(SourceError::BadPath {
            path: path_text(&place),
            rule: "must be UTF-8",
        });
    }
    if place.parent().is_none() {
        return Err(SourceError::BadPath {
            path: path.to_owned(),
            rule: "must not be the whole disk",
        });
    }
    Ok(place)
}

/// A name without white space around it.
///
/// # Errors
/// [`SourceError::BadName`] for one that is empty, a number, too long, or of more than a line.
pub(crate) fn name(given: &str) -> Result<String, SourceError> {
    let name = given.trim();
    let refuse = |rule| {
        Err(SourceError::BadName {
            name: given.chars().take(NAME_CHARS).collect(),
            rule,
        })
    };
    if name.is_empty() {
        return refuse("must not be empty");
    }
    if name.chars().count() > NAME_CHARS {
        return refuse("must have 100 characters at most");
    }
    if name.chars().any(char::is_control) {
        return refuse("must be one line without control characters");
    }
    if name.parse::<i64>().is_ok() {
        return refuse("must not be a number: those are ids");
    }
    Ok(name.to_owned())
}

/// The name of a source that is given none: as the folder is called, and numbered where that is
/// taken.
pub(crate) fn name_for<'a>(place: &Path, taken: impl Iterator<Item = &'a str>) -> String {
    let taken: Vec<String> = taken.map(str::to_lowercase).collect();
    let base = place.file_name().unwrap_or(place.as_os_str());
    let base = name(&base.to_string_lossy()).unwrap_or_else(|_| "source".to_owned());
    let numbered = (2..).map(|number| format!("{base} {number}"));
    let free = |name: &String| !taken.contains(&name.to_lowercase());
    std::iter::once(base.clone())
        .chain(numbered)
        .find(free)
        .unwrap_or(base)
}

/// Whether one place is the other, or lies in it.
pub(crate) fn overlap(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_called_as_its_folder_and_numbered_where_that_is_taken() {
        let place = Path::new("/home/ann/Notes");
        assert_eq!(name_for(place, [].into_iter()), "Notes");
        let taken = ["notes", "Notes 2"];
        assert_eq!(name_for(place, taken.into_iter()), "Notes 3");
        assert_eq!(name_for(Path::new("/home/2024"), [].into_iter()), "source");
    }

    #[test]
    fn names_that_cannot_be_told_from_ids_or_shown_in_a_line_are_refused() {
        for bad in ["", "  ", "17", "two\nlines", &"n".repeat(101)] {
            assert_eq!(name(bad).unwrap_err().code(), "invalid_source", "{bad}");
        }
        assert_eq!(name(" notes ").unwrap(), "notes");
    }

    #[test]
    fn a_folder_overlaps_with_what_is_in_it_and_not_with_what_is_called_alike() {
        let notes = Path::new("/home/notes");
        assert!(overlap(notes, Path::new("/home/notes/daily")));
        assert!(overlap(Path::new("/home"), notes));
        assert!(!overlap(notes, Path::new("/home/notes-old")));
    }

    #[test]
    fn a_place_must_be_absolute_and_there() {
        assert_eq!(place("notes").unwrap_err().code(), "invalid_source");
        assert_eq!(place("/").unwrap_err().code(), "invalid_source");
        assert_eq!(place("/no/such").unwrap_err().code(), "source_gone");
    }
}
