//! Contexts as files that other programs read, and that an import reads back to the same.
//!
//! A table has a row a context ([`Table`]); Markdown has a file a context, or one a session
//! ([`markdown`]). All carry every field of a context, so that nothing is lost on the way.

mod columns;
mod csv;
pub mod markdown;
mod parquet;
mod reading;
mod table;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub(crate) use reading::{is_note, is_table, lines};
pub use table::Table;

/// How contexts are written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// A JSON object a line.
    #[default]
    Jsonl,
    /// A row a context, for spreadsheets; metadata as JSON in a cell.
    Csv,
    /// A folder of notes with front matter.
    Markdown,
    /// A row a context, for programs that compute with tables. Not compressed.
    Parquet,
}

impl ExportFormat {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Jsonl, Self::Csv, Self::Markdown, Self::Parquet];

    /// The stable name, in `snake_case`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Markdown => "markdown",
            Self::Parquet => "parquet",
        }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ExportFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let wanted = name.trim().to_lowercase();
        let found = Self::ALL.into_iter().find(|one| one.name() == wanted);
        found.ok_or_else(|| format!("unknown format `{name}`; use jsonl, csv, markdown or parquet"))
    }
}

#[cfg(test)]
mod tests;
