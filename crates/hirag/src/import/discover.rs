//! Paths to the files that can be imported, in a fixed order.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ignore::WalkBuilder;
use serde::{Deserialize, Serialize};

use super::report::{Problem, Skipped, note};
use super::{ImportError, ImportSettings};
use crate::export;

/// What the paths of an import hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// By the file's name: `.md`, `.markdown` and `.txt` notes, `.jsonl` and `.ndjson` records,
    /// and folders with a `corpus.jsonl` as BEIR sets.
    #[default]
    Auto,
    /// Notes in Markdown (or plain text, for `.txt`).
    Markdown,
    /// One JSON object a line.
    Jsonl,
    /// The `corpus.jsonl` of a BEIR set.
    Beir,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name.trim().to_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "markdown" | "md" => Ok(Self::Markdown),
            "jsonl" | "ndjson" => Ok(Self::Jsonl),
            "beir" => Ok(Self::Beir),
            _ => Err(format!(
                "unknown format `{name}`; use auto, markdown, jsonl or beir"
            )),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::Markdown => "markdown",
            Self::Jsonl => "jsonl",
            Self::Beir => "beir",
        })
    }
}

/// How one file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Markdown.
    Markdown,
    /// Plain text: paragraphs, and no marks.
    Text,
    /// One JSON object a line.
    Jsonl,
    /// The corpus of a BEIR set.
    Beir,
}

/// A file to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path, absolute and without symbolic links.
    pub path: PathBuf,
    /// The same as text: the `source` of its contexts. Bytes that are not UTF-8 stand as `\xNN`.
    pub source: String,
    /// How it is read.
    pub kind: FileKind,
    /// Its bytes when it was found.
    pub bytes: u64,
    /// Whether it was named itself, not met in a folder: then nothing about it is passed over.
    pub named: bool,
}

/// What [`discover`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The files, each once, sorted by path within each path given.
    pub files: Vec<SourceFile>,
    /// Files and folders that were passed over.
    pub skipped: Vec<Skipped>,
    /// Paths that cannot be imported.
    pub failed: Vec<Problem>,
}

/// A path as text: as it is where it is UTF-8, and with `\xNN` for the bytes that are not, so
/// that two names never become one.
#[must_use]
pub fn path_text(path: &Path) -> String {
    if let Some(text) = path.to_str() {
        return text.to_owned();
    }
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02X}"));
        }
    }
    text
}

/// Finds the files to import under `paths`: folders in depth, without hidden entries, through
/// symbolic links but to each folder and file once. Nothing stops it: what cannot be read is told
/// in [`Discovery::failed`], what is not for us in [`Discovery::skipped`].
#[must_use]
pub fn discover(paths: &[PathBuf], format: Format, settings: &ImportSettings) -> Discovery {
    let mut finder = Finder {
        format,
        max_file_bytes: settings.max_file_bytes,
        seen: HashSet::new(),
        found: Discovery::default(),
    };
    for path in paths {
        match fs::metadata(path) {
            Err(error) => finder.refuse(&ImportError::unreadable(path, &error), true),
            Ok(facts) if facts.is_dir() && format == Format::Beir => finder.beir(path),
            Ok(facts) if facts.is_dir() => finder.walk(path),
            Ok(_) => finder.file(path, true),
        }
    }
    finder.found
}

const CORPUS: &str = "corpus.jsonl";

struct Finder {
    format: Format,
    max_file_bytes: u64,
    seen: HashSet<PathBuf>,
    found: Discovery,
}

impl Finder {
    fn refuse(&mut self, error: &ImportError, named: bool) {
        note(
            error,
            named,
            &mut self.found.failed,
            &mut self.found.skipped,
        );
    }

    fn skip(&mut self, path: &Path, reason: impl Into<String>) {
        self.found.skipped.push(Skipped {
            path: path_text(path),
            reason: reason.into(),
        });
    }

    fn beir(&mut self, folder: &Path) {
        let corpus = folder.join(CORPUS);
        if corpus.is_file() {
            self.file(&corpus, true);
        } else {
            let path = folder.to_owned();
            self.refuse(&ImportError::NotBeir { path }, true);
        }
    }

    fn walk(&mut self, root: &Path) {
        // Two links to one folder are no loop, but a folder full of them has more paths than
        // there are atoms; so each folder is entered once.
        let entered = Mutex::new(HashSet::new());
        let above = Arc::new(Mutex::new(Vec::new()));
        let (refused, start) = (Arc::clone(&above), fs::canonicalize(root).ok());
        let entries = WalkBuilder::new(root)
            .standard_filters(false)
            .hidden(true)
            .follow_links(true)
            .sort_by_file_path(Path::cmp)
            .filter_entry(move |entry| {
                let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                if !folder {
                    return true;
                }
                let Ok(path) = fs::canonicalize(entry.path()) else {
                    return false;
                };
                let holds_start = start
                    .as_ref()
                    .is_some_and(|start| path != *start && start.starts_with(&path));
                if holds_start {
                    locked(&refused).push(entry.path().to_owned());
                }
                !holds_start && locked(&entered).insert(path)
            })
            .build();
        for entry in entries {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_dir()) => {}
                Ok(entry) => self.file(entry.path(), false),
                Err(error) => self.walk_error(root, &error),
            }
        }
        for link in locked(&above).drain(..) {
            // It would bring in everything around what was asked for, up to the whole disk.
            self.skip(&link, "symbolic link to a folder that holds this one");
        }
    }

    fn walk_error(&mut self, root: &Path, error: &ignore::Error) {
        let (path, cause) = innermost(error, root);
        match cause {
            ignore::Error::Loop { child, ancestor } => {
                let reason = format!("symbolic link back to {}", path_text(ancestor));
                self.skip(child, reason);
            }
            ignore::Error::Io(io) if is_broken_link(path) => {
                let reason = format!("symbolic link to nothing ({io})");
                self.skip(path, reason);
            }
            other => {
                let reason = other.to_string();
                let path = path.to_owned();
                self.refuse(&ImportError::Unreadable { path, reason }, true);
            }
        }
    }

    fn file(&mut self, path: &Path, named: bool) {
        match self.examine(path, named) {
            Ok(Some(file)) => {
                if self.seen.insert(file.path.clone()) {
                    self.found.files.push(file);
                }
            }
            Ok(None) => self.skip(path, "stands beside the corpus.jsonl of a BEIR set"),
            Err(error) => self.refuse(&error, named),
        }
    }

    fn examine(&self, path: &Path, named: bool) -> Result<Option<SourceFile>, ImportError> {
        let unreadable = |error: std::io::Error| ImportError::unreadable(path, &error);
        let facts = fs::metadata(path).map_err(unreadable)?;
        if !facts.is_file() {
            let path = path.to_owned();
            return Err(ImportError::NotAFile { path });
        }
        let kind = self.kind(path, named)?;
        if kind != FileKind::Beir && !named && self.beside_corpus(path) {
            return Ok(None);
        }
        let streamed = matches!(kind, FileKind::Jsonl | FileKind::Beir);
        if !streamed && facts.len() > self.max_file_bytes {
            return Err(ImportError::TooLarge {
                path: path.to_owned(),
                bytes: facts.len(),
                limit: self.max_file_bytes,
            });
        }
        let path = fs::canonicalize(path).map_err(unreadable)?;
        Ok(Some(SourceFile {
            source: path_text(&path),
            path,
            kind,
            bytes: facts.len(),
            named,
        }))
    }

    fn kind(&self, path: &Path, named: bool) -> Result<FileKind, ImportError> {
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy().to_lowercase());
        let by_name = match ending.as_deref() {
            // Our own tables are read as the lines of JSON that they stand for.
            Some("csv" | "parquet") if export::is_table(path) => Some(FileKind::Jsonl),
            Some("md" | "markdown") => Some(FileKind::Markdown),
            Some("txt") => Some(FileKind::Text),
            Some("jsonl" | "ndjson") if path.file_name().is_some_and(|name| name == CORPUS) => {
                Some(FileKind::Beir)
            }
            Some("jsonl" | "ndjson") => Some(FileKind::Jsonl),
            _ => None,
        };
        let kind = match (self.format, by_name) {
            (Format::Auto, kind) => kind,
            (Format::Markdown, Some(kind @ (FileKind::Markdown | FileKind::Text))) => Some(kind),
            (Format::Markdown, _) => named.then_some(FileKind::Markdown),
            (Format::Jsonl, Some(FileKind::Jsonl | FileKind::Beir)) => Some(FileKind::Jsonl),
            (Format::Jsonl, _) => named.then_some(FileKind::Jsonl),
            (Format::Beir, _) => Some(FileKind::Beir),
        };
        kind.ok_or_else(|| ImportError::UnknownKind {
            path: path.to_owned(),
        })
    }

    /// The queries and the notes of a BEIR set are no knowledge of the person's.
    fn beside_corpus(&self, path: &Path) -> bool {
        self.format == Format::Auto
            && path
                .parent()
                .is_some_and(|folder| folder.join(CORPUS).is_file())
    }
}

/// What a panic left behind is as good as what was there before.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_broken_link(path: &Path) -> bool {
    path.is_symlink() && !path.exists()
}

fn innermost<'a>(error: &'a ignore::Error, path: &'a Path) -> (&'a Path, &'a ignore::Error) {
    match error {
        ignore::Error::WithPath { path, err } => innermost(err, path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            innermost(err, path)
        }
        other => (path, other),
    }
}

#[cfg(test)]
mod tests;
