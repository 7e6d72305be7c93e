//! Paths to the files that can be imported, in a fixed order.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ignore::WalkBuilder;

use super::kinds::{ByName, by_name};
use super::report::{Problem, Skipped, note};
use super::{FileKind, Format, ImportError, ImportSettings, sniff};
use crate::export;

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
    discover_until(paths, format, settings, &AtomicBool::new(false))
}

/// The same, until `stop` is raised: what was found by then.
#[must_use]
pub fn discover_until(
    paths: &[PathBuf],
    format: Format,
    settings: &ImportSettings,
    stop: &AtomicBool,
) -> Discovery {
    let mut finder = Finder {
        format,
        max_file_bytes: settings.max_file_bytes,
        stop,
        seen: HashSet::new(),
        found: Discovery::default(),
    };
    for path in paths {
        if finder.stopped() {
            break;
        }
        match fs::metadata(path) {
            Err(error) => finder.refuse(&ImportError::unreadable(path, &error), true),
            Ok(facts) if facts.is_dir() && format == Format::Beir => finder.beir(path),
            Ok(facts) if facts.is_dir() => finder.walk(path),
            Ok(_) => finder.file(path, true),
        }
    }
    finder.found
}

pub(super) const CORPUS: &str = "corpus.jsonl";

struct Finder<'a> {
    format: Format,
    max_file_bytes: u64,
    stop: &'a AtomicBool,
    seen: HashSet<PathBuf>,
    found: Discovery,
}

impl Finder<'_> {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn refuse(&mut self, error: &ImportError, named: bool) {
        note(
            error.refusal(),
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
        let made = Arc::new(Mutex::new(Vec::new()));
        let (refused, start) = (Arc::clone(&above), fs::canonicalize(root).ok());
        let passed = Arc::clone(&made);
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
                if entry.depth() > 0 && is_made(entry.path()) {
                    locked(&passed).push(entry.path().to_owned());
                    return false;
                }
                if holds_start {
                    locked(&refused).push(entry.path().to_owned());
                }
                !holds_start && locked(&entered).insert(path)
            })
            .build();
        for entry in entries.take_while(|_| !self.stop.load(Ordering::Relaxed)) {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_dir()) => {}
                Ok(entry) => self.file(entry.path(), false),
                Err(error) => self.walk_error(root, &error),
            }
        }
        for folder in locked(&made).drain(..) {
            self.skip(&folder, "packages or other files that a program made");
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
        let path = fs::canonicalize(path).map_err(unreadable)?;
        if !kind.is_streamed() && facts.len() > self.max_file_bytes {
            return Err(ImportError::TooLarge {
                path,
                bytes: facts.len(),
                limit: self.max_file_bytes,
            });
        }
        Ok(Some(SourceFile {
            source: path_text(&path),
            path,
            kind,
            bytes: facts.len(),
            named,
        }))
    }

    fn kind(&self, path: &Path, named: bool) -> Result<FileKind, ImportError> {
        let tables = matches!(self.format, Format::Auto | Format::Csv | Format::Jsonl);
        if tables && is_exported(path) {
            return Ok(FileKind::Jsonl);
        }
        let unknown = || ImportError::UnknownKind {
            path: path.to_owned(),
        };
        let known = || -> Result<Option<FileKind>, ImportError> {
            match by_name(path) {
                ByName::Kind(kind) => Ok(Some(kind)),
                // Whoever names a file means it, whatever its ending.
                ByName::Unknown if !named => Ok(None),
                ByName::Look | ByName::Unknown => content_kind(path),
            }
        };
        let Some(wanted) = self.format.kind() else {
            return known()?.ok_or_else(unknown);
        };
        if named || wanted == FileKind::Beir {
            // A note is a note, but `.txt` has no marks.
            let text =
                wanted == FileKind::Markdown && by_name(path) == ByName::Kind(FileKind::Text);
            return Ok(if text { FileKind::Text } else { wanted });
        }
        match (wanted, known()?) {
            (wanted, Some(found)) if wanted == found => Ok(found),
            (FileKind::Markdown, Some(FileKind::Text)) => Ok(FileKind::Text),
            (FileKind::Jsonl, Some(FileKind::Beir | FileKind::McpMemory)) => Ok(FileKind::Jsonl),
            _ => Err(unknown()),
        }
    }

    /// The queries and the notes of a BEIR set are no knowledge of the person's.
    fn beside_corpus(&self, path: &Path) -> bool {
        self.format == Format::Auto
            && path
                .parent()
                .is_some_and(|folder| folder.join(CORPUS).is_file())
    }
}

/// What the content says. A file of lines is one by its name, too, even if it is empty or broken.
fn content_kind(path: &Path) -> Result<Option<FileKind>, ImportError> {
    let found = sniff::kind_of(path).map_err(|error| ImportError::unreadable(path, &error))?;
    let lines = path.extension().is_some_and(|ending| {
        ending.eq_ignore_ascii_case("jsonl") || ending.eq_ignore_ascii_case("ndjson")
    });
    Ok(match found {
        Some(FileKind::McpMemory) => found,
        _ if lines => Some(FileKind::Jsonl),
        Some(FileKind::Jsonl) => None,
        found => found,
    })
}

/// Whether it is a table that our export wrote, which is read as the lines of JSON that it stands for.
fn is_exported(path: &Path) -> bool {
    let is_named_so = path.extension().is_some_and(|ending| {
        ending.eq_ignore_ascii_case("csv") || ending.eq_ignore_ascii_case("parquet")
    });
    is_named_so && export::is_table(path)
}

/// Folders that programs fill, and nobody reads: packages, environments, what was built.
pub(crate) fn is_made(folder: &Path) -> bool {
    const NAMES: [&str; 3] = ["node_modules", "bower_components", "__pycache__"];
    const MARKS: [&str; 2] = ["CACHEDIR.TAG", "pyvenv.cfg"];
    let name = folder.file_name().unwrap_or_default();
    NAMES.iter().any(|made| name == *made) || MARKS.iter().any(|mark| folder.join(mark).is_file())
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
