use std::collections::VecDeque;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::cutting::Cutter;
use super::formats::{self, Pieces};
use super::report::Problem;
use super::{FileKind, ImportError, ImportSettings, Records, SourceFile};
use crate::config::ConfigError;
use crate::context::{ContentHash, Limits, NewContext};
use crate::tokens::TokenEstimator;

/// Bytes read at once when only a hash is wanted.
const HASH_BLOCK: usize = 64 * 1024;

/// A document that was read and cut.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The file, as in [`SourceFile::source`].
    pub source: String,
    /// SHA-256 of the file's bytes.
    pub content_hash: ContentHash,
    /// Its chunks in order, with `source`, `source_key` and `position`.
    pub contexts: Vec<NewContext>,
    /// What could not be taken as it was meant.
    pub warnings: Vec<Problem>,
}

/// The contexts of a file of entries, read as they are asked for. An entry that cannot be used is
/// told, and the rest goes on; that the file was changed meanwhile is told at the end.
pub type Entries = Box<dyn Iterator<Item = Result<NewContext, Problem>> + Send>;

/// What an opened file holds.
pub enum Contents {
    /// A document, read whole.
    Document(Document),
    /// Entries of any number.
    Entries(Entries),
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(document) => document.fmt(f),
            Self::Entries(_) => f.write_str("Entries"),
        }
    }
}

/// Opens files by the settings.
#[derive(Debug, Clone)]
pub struct Reader {
    settings: ImportSettings,
    limits: Limits,
    tokens: TokenEstimator,
    doc_type: Option<String>,
    stop: Arc<AtomicBool>,
}

impl Reader {
    /// A reader by these settings.
    ///
    /// # Errors
    /// [`ConfigError`] for a setting out of range.
    pub fn new(
        settings: ImportSettings,
        limits: Limits,
        tokens: TokenEstimator,
    ) -> Result<Self, ConfigError> {
        settings.validate()?;
        Ok(Self {
            settings,
            limits,
            tokens,
            doc_type: None,
            stop: Arc::default(),
        })
    }

    /// Calls all that it reads this, but for what says itself what it is.
    #[must_use]
    pub fn called(self, doc_type: Option<String>) -> Self {
        Self { doc_type, ..self }
    }

    /// Lets it give up soon after `stop` is raised.
    #[must_use]
    pub fn until(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop, ..self }
    }

    /// SHA-256 of a file's bytes, read in blocks: to know whether it changed before it is cut.
    ///
    /// # Errors
    /// [`ImportError::NotFound`], [`ImportError::Unreadable`] or [`ImportError::Stopped`].
    pub fn content_hash(&self, file: &SourceFile) -> Result<ContentHash, ImportError> {
        let unreadable = |error| ImportError::unreadable(&file.path, &error);
        let mut input = File::open(&file.path).map_err(unreadable)?;
        let mut hash = Sha256::new();
        let mut block = vec![0; HASH_BLOCK];
        loop {
            if self.stop.load(Ordering::Relaxed) {
                let path = file.path.clone();
                return Err(ImportError::Stopped { path });
            }
            match input.read(&mut block) {
                Ok(0) => return Ok(ContentHash::from_bytes(hash.finalize().into())),
                Ok(bytes) => hash.update(&block[..bytes]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unreadable(error)),
            }
        }
    }

    /// Opens a file: reads a document whole and cuts it, or stands at the first entry.
    ///
    /// # Errors
    /// [`ImportError`] when the file is gone, unreadable, grown over the limit, changed meanwhile,
    /// binary, empty, damaged or encrypted. Faults in single entries are told by [`Entries`].
    pub fn open(&self, file: &SourceFile) -> Result<Contents, ImportError> {
        let unreadable = |error| ImportError::unreadable(&file.path, &error);
        let mut input = File::open(&file.path).map_err(unreadable)?;
        let stamp = Stamp::of(&input.metadata().map_err(unreadable)?);
        if file.kind.is_streamed() {
            let entries = self.entries(file, input)?;
            let watched = Watched {
                entries: Some(entries),
                file: file.clone(),
                stamp,
            };
            return Ok(Contents::Entries(Box::new(watched)));
        }
        let limit = self.settings.max_file_bytes;
        let mut bytes = Vec::new();
        (&mut input)
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > limit {
            return Err(ImportError::TooLarge {
                path: file.path.clone(),
                bytes: bytes.len() as u64,
                limit,
            });
        }
        if Stamp::of(&input.metadata().map_err(unreadable)?) != stamp {
            let path = file.path.clone();
            return Err(ImportError::Changed { path });
        }
        self.read(file, &bytes).map(Contents::Document)
    }

    /// Reads a document whose bytes are known, and cuts it.
    pub(super) fn read(&self, file: &SourceFile, bytes: &[u8]) -> Result<Document, ImportError> {
        let manuscript = formats::read(file, bytes, &self.limits)?;
        let mut cutter = self.cutter(file);
        let pieces = manuscript.pieces.into_iter();
        let contexts: Vec<_> = pieces.flat_map(|piece| cutter.cut(piece)).collect();
        if contexts.is_empty() {
            let path = file.path.clone();
            return Err(ImportError::Empty { path });
        }
        let warnings = manuscript.warnings.into_iter();
        Ok(Document {
            source: file.source.clone(),
            content_hash: ContentHash::from_bytes(Sha256::digest(bytes).into()),
            contexts,
            warnings: warnings
                .map(|(code, message)| Problem {
                    path: file.source.clone(),
                    line: None,
                    code: code.to_owned(),
                    message,
                })
                .collect(),
        })
    }

    fn entries(&self, file: &SourceFile, input: File) -> Result<Entries, ImportError> {
        if matches!(file.kind, FileKind::Jsonl | FileKind::Beir) {
            let input = BufReader::new(input);
            let line_limit = self.settings.max_line_bytes;
            let records = Records::new(input, file, line_limit, self.limits.clone());
            return Ok(Box::new(records));
        }
        Ok(Box::new(Cut {
            pieces: formats::stream(file, input, &self.settings, &self.limits)?,
            cutter: self.cutter(file),
            ready: VecDeque::new(),
        }))
    }

    fn cutter(&self, file: &SourceFile) -> Cutter {
        Cutter::new(&file.source, &self.settings, &self.limits, self.tokens)
            .called(self.doc_type.clone())
    }
}

/// Cuts pieces as they come.
struct Cut {
    pieces: Pieces,
    cutter: Cutter,
    ready: VecDeque<NewContext>,
}

impl Iterator for Cut {
    type Item = Result<NewContext, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(new) = self.ready.pop_front() {
                return Some(Ok(new));
            }
            match self.pieces.next()? {
                Ok(piece) => self.ready = self.cutter.cut(piece).into(),
                Err(problem) => return Some(Err(problem)),
            }
        }
    }
}

/// What tells that a file was written to.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(facts: &Metadata) -> Self {
        Self {
            bytes: facts.len(),
            modified: facts.modified().ok(),
        }
    }
}

/// Entries of a file that is looked at again when they have ended.
struct Watched {
    entries: Option<Entries>,
    file: SourceFile,
    stamp: Stamp,
}

impl Iterator for Watched {
    type Item = Result<NewContext, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(entry) = self.entries.as_mut()?.next() {
            return Some(entry);
        }
        self.entries = None;
        let path = &self.file.path;
        let same = std::fs::metadata(path).is_ok_and(|facts| Stamp::of(&facts) == self.stamp);
        let changed = ImportError::Changed { path: path.clone() };
        (!same).then(|| Err(changed.problem()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::super::tests::{LIMITS, SETTINGS, estimator};
    use super::super::{Format, discover};
    use super::*;
    use crate::tokens::TokenEstimatorKind;

    fn reader() -> Reader {
        let tokens = estimator(TokenEstimatorKind::Tiktoken);
        Reader::new(SETTINGS, LIMITS, tokens).unwrap()
    }

    fn find(path: &Path) -> SourceFile {
        let mut found = discover(&[path.to_owned()], Format::Auto, &SETTINGS);
        assert!(found.failed.is_empty(), "{found:?}");
        found.files.remove(0)
    }

    #[test]
    fn the_hash_of_a_file_is_that_of_its_document() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.md");
        fs::write(&path, "word\r\n".repeat(15_000)).unwrap();
        let file = find(&path);
        let Contents::Document(document) = reader().open(&file).unwrap() else {
            panic!("a note");
        };
        assert_eq!(reader().content_hash(&file).unwrap(), document.content_hash);
    }

    #[test]
    fn a_reader_that_is_stopped_gives_up_inside_of_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.md");
        fs::write(&path, "text").unwrap();
        let stop = Arc::new(AtomicBool::new(true));
        let stopped = reader().until(Arc::clone(&stop));
        let error = stopped.content_hash(&find(&path)).unwrap_err();
        assert_eq!(error.code(), "stopped");
        stop.store(false, Ordering::Relaxed);
        assert!(stopped.content_hash(&find(&path)).is_ok());
    }

    #[test]
    fn a_file_that_grew_or_went_after_it_was_found_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.md");
        fs::write(&path, "text").unwrap();
        let file = find(&path);
        fs::write(&path, "x".repeat(SETTINGS.max_file_bytes as usize + 1)).unwrap();
        assert_eq!(reader().open(&file).unwrap_err().code(), "file_too_large");
        fs::remove_file(&path).unwrap();
        assert_eq!(reader().open(&file).unwrap_err().code(), "path_not_found");
        assert!(reader().content_hash(&file).is_err());
    }

    #[test]
    fn records_are_taken_in_batches() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        fs::write(&path, "{\"text\":\"a\"}\n".repeat(10)).unwrap();
        let Contents::Entries(mut records) = reader().open(&find(&path)).unwrap() else {
            panic!("records");
        };
        let sizes: Vec<_> = (0..4)
            .map(|_| records.by_ref().take(4).flatten().count())
            .collect();
        assert_eq!(sizes, [4, 4, 2, 0]);
    }

    #[test]
    fn a_real_conversation_set_is_read_whole_with_its_golden_set() {
        let set = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/locomo-dev");
        if !set.is_dir() {
            println!("left out: {} is not there", set.display());
            return;
        }
        let Contents::Entries(records) = reader().open(&find(&set)).unwrap() else {
            panic!("a BEIR set");
        };
        let all: Vec<_> = records.map(|record| record.unwrap()).collect();
        assert_eq!(all.len(), 2_820);
        assert!(all.iter().all(|new| new.session.is_some()
            && new.created_at.is_some()
            && new.metadata.contains_key("conversation")));
        let golden =
            crate::eval::GoldenSet::read(&set.join("queries.jsonl"), &set.join("qrels.tsv"))
                .unwrap();
        assert_eq!((golden.queries.len(), golden.unjudged), (711, 0));
        let judgements: usize = golden.queries.iter().map(|(_, judged)| judged.len()).sum();
        assert_eq!(judgements, 999);
        assert!(golden.queries[0].0.fields.contains_key("conversation"));
    }
}
