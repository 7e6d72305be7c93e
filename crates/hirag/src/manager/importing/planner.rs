//! Reads files and compares them with what is stored. Runs on a thread of its own.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::course::Course;
use super::{ImportOptions, KeptFiles, Shape, Tally};
use crate::context::{ContentHash, ContextId, ContextLevel, Metadata, NewContext, Priority};
use crate::error::{Error, Result};
use crate::export;
use crate::import::{
    Contents, Document, Entries, ImportError, PROBLEMS_PER_FILE, Problem, Reader, Records,
    SourceFile,
};
use crate::manager::HiragManager;
use crate::manager::writing::check;
use crate::store::VectorStore;
use crate::store::sqlite::{Edit, Known, SourceState};

/// Entries of a file that share a transaction.
const ENTRIES: usize = 128;

/// Changes that share a transaction: a document, or some entries of a file.
#[derive(Debug, Default)]
pub(super) struct Unit {
    pub(super) insert: Vec<NewContext>,
    /// Contexts whose text or metadata changed.
    pub(super) edit: Vec<(ContextId, NewContext)>,
    /// Contexts whose text is as it was, and with it their vector; they stand elsewhere in their
    /// source, or have other metadata.
    pub(super) kept_text: Vec<(ContextId, Edit)>,
    pub(super) remove: Vec<ContextId>,
    pub(super) state: Option<SourceState>,
    pub(super) tally: Tally,
}

impl Unit {
    /// Texts that have to be embedded.
    pub(super) fn texts(&self) -> usize {
        self.insert.len() + self.edit.len()
    }
}

/// What is stored of the sources of one file, by source and key.
type KnownSources = HashMap<String, HashMap<String, Known>>;

pub(super) struct Planner {
    manager: HiragManager,
    reader: Reader,
    options: ImportOptions,
    kept: Option<KeptFiles>,
    handle: Handle,
    sender: mpsc::Sender<Unit>,
}

impl Planner {
    pub(super) fn new(
        manager: HiragManager,
        reader: Reader,
        options: ImportOptions,
        kept: Option<KeptFiles>,
        sender: mpsc::Sender<Unit>,
    ) -> Self {
        Self {
            manager,
            reader,
            options,
            kept,
            handle: Handle::current(),
            sender,
        }
    }

    /// Plans every file. Ends early when nobody listens any more.
    pub(super) fn run(mut self, files: &[SourceFile]) -> Result<()> {
        for file in files {
            if self.cancelled() {
                break;
            }
            match guarded(|| self.plan(file)) {
                Some(planned) => planned?,
                None => self.send(refused(file, broken(file))),
            }
        }
        Ok(())
    }

    fn plan(&mut self, file: &SourceFile) -> Result<()> {
        let fingerprint = match self.fingerprint(file) {
            Ok(fingerprint) => fingerprint,
            Err(error) => {
                self.send(refused(file, error));
                return Ok(());
            }
        };
        let stored = self.stored_state(file)?;
        let was_stored = stored.is_some();
        if let Some(state) = stored.filter(|state| state.fingerprint == fingerprint)
            && !self.is_emptied(file, &state)?
        {
            let unchanged = state.contexts;
            self.send(Unit {
                // Only touched: the next run need not open it.
                state: self
                    .kept
                    .is_some()
                    .then(|| self.state(file, fingerprint, unchanged)),
                tally: Tally {
                    unchanged,
                    ..ended(file)
                },
                ..Unit::default()
            });
            return Ok(());
        }
        let clock = &self.manager.inner.clock;
        let begun = clock.elapsed();
        let opened = self.open(file);
        let reading = clock.elapsed().saturating_sub(begun);
        match opened {
            // Who writes a file anew empties it first: it is looked at again before it is believed.
            Err(ImportError::Empty { path }) if was_stored && self.may_be_written(file) => {
                self.send(refused(file, ImportError::Changed { path }));
                Ok(())
            }
            // Of a source, it is what it is now: it has nothing.
            Err(ImportError::Empty { .. }) if was_stored && self.kept.is_some() => {
                let emptied = Document {
                    source: file.source.clone(),
                    content_hash: ContentHash::of(""),
                    contexts: Vec::new(),
                    warnings: Vec::new(),
                };
                self.plan_document(file, emptied, fingerprint, reading)
            }
            Err(error) => {
                // What it gave before stays, and that is told.
                let named = file.named || (was_stored && self.kept.is_some());
                self.send(refused(
                    &SourceFile {
                        named,
                        ..file.clone()
                    },
                    error,
                ));
                Ok(())
            }
            Ok(Contents::Document(document)) => {
                self.plan_document(file, document, fingerprint, reading)
            }
            Ok(Contents::Entries(entries)) => self.plan_entries(file, entries, fingerprint),
        }
    }

    /// Whether a file of a source was written so shortly before that it may still be.
    fn may_be_written(&self, file: &SourceFile) -> bool {
        let kept = self.kept.as_ref();
        kept.is_some_and(|kept| !kept.stamps.contains_key(&file.source))
    }

    /// Opens a file, and what an export wrote as the contexts that it stands for.
    fn open(&self, file: &SourceFile) -> Result<Contents, ImportError> {
        match export::lines(&file.path) {
            Ok(Some(lines)) => {
                let config = self.manager.config();
                let (longest, limits) = (config.import.max_line_bytes, config.limits.clone());
                let records = Records::new(lines, file, longest, limits);
                Ok(Contents::Entries(Box::new(records)))
            }
            // What is wrong with the file is told by who reads it next.
            Ok(None) | Err(_) => self.reader.open(file),
        }
    }

    fn plan_document(
        &mut self,
        file: &SourceFile,
        document: Document,
        fingerprint: [u8; 32],
        reading: Duration,
    ) -> Result<()> {
        let mut known = KnownSources::new();
        let mut seen = HashSet::new();
        let mut unit = Unit::default();
        let contexts = document.contexts.len() as u64;
        for new in document.contexts {
            self.place(new, &file.source, &mut known, &mut seen, &mut unit)?;
        }
        unit.remove = self.gone(&file.source, &mut known, &seen)?;
        unit.state = Some(self.state(file, fingerprint, contexts));
        unit.tally = Tally {
            warnings: document.warnings,
            course: Some(Course {
                source: file.source.clone(),
                bytes: file.bytes,
                reading,
                ..Course::default()
            }),
            unchanged: unit.tally.unchanged,
            updated: unit.tally.updated,
            failed: std::mem::take(&mut unit.tally.failed),
            ..ended(file)
        };
        self.send(unit);
        Ok(())
    }

    fn plan_entries(
        &mut self,
        file: &SourceFile,
        entries: Entries,
        fingerprint: [u8; 32],
    ) -> Result<()> {
        let mut known = KnownSources::new();
        let mut seen = HashSet::new();
        let mut unit = Unit::default();
        let mut contexts = 0;
        let mut whole = true;
        for entry in entries {
            match entry {
                Ok(new) => {
                    contexts += 1;
                    self.place(new, &file.source, &mut known, &mut seen, &mut unit)?;
                }
                Err(problem) => unit.tally.failed.push(problem),
            }
            whole &= unit.tally.failed.is_empty();
            let enough = unit.texts() >= ENTRIES
                || unit.tally.unchanged >= 4_096
                || unit.kept_text.len() >= 4_096
                || unit.tally.failed.len() >= PROBLEMS_PER_FILE;
            if enough {
                unit.tally.path.clone_from(&file.source);
                self.send(std::mem::take(&mut unit));
                if self.cancelled() {
                    return Ok(());
                }
            }
        }
        // A broken entry may be one that was whole before: what it gave then is not taken away,
        // and the file is read again next time.
        if whole {
            unit.remove = self.gone(&file.source, &mut known, &seen)?;
            unit.state = Some(self.state(file, fingerprint, contexts));
        } else if self.kept.is_some() {
            // It is the source's all the same, and goes when the file goes.
            unit.state = Some(SourceState {
                stamp: None,
                ..self.state(file, [0; 32], contexts)
            });
        }
        unit.tally.path.clone_from(&file.source);
        unit.tally.ends_file = true;
        unit.tally.bytes = file.bytes;
        self.send(unit);
        Ok(())
    }

    /// Sorts a context into what is new, changed, moved or as it was.
    fn place(
        &self,
        mut new: NewContext,
        file: &str,
        known: &mut KnownSources,
        seen: &mut HashSet<String>,
        unit: &mut Unit,
    ) -> Result<()> {
        let config = self.manager.config();
        let now = self.manager.inner.clock.now();
        let options = &self.options;
        new.level = new.level.or(options.level).or(Some(ContextLevel::LongTerm));
        new.session = new.session.or_else(|| options.session.clone());
        new.agent = new.agent.or_else(|| options.agent.clone());
        new.priority = Priority::Low;
        // Documents have it from the reader; entries that stand for contexts have none there.
        if let Some(kind) = self.kept.as_ref().and_then(|kept| kept.doc_type.clone()) {
            let own = new.metadata.entry("doc_type");
            own.or_insert_with(|| kind.into());
        }
        if let Err(error) = check(&new, &config, now) {
            unit.tally.failed.push(Problem {
                path: file.to_owned(),
                line: new.position.and_then(|p| u64::try_from(p + 1).ok()),
                code: error.code().to_owned(),
                message: error.to_string(),
            });
            return Ok(());
        }
        let stored = match (&new.source, &new.source_key) {
            (Some(source), Some(key)) => {
                if source == file {
                    seen.insert(key.clone());
                }
                self.known(source, known)?.get(key).cloned()
            }
            _ => None,
        };
        let stored = match (stored, new.id) {
            (None, Some(id)) => self.known_by_id(id, &mut new)?,
            (stored, _) => stored,
        };
        match stored {
            None => unit.insert.push(new),
            Some(stored) if stored.content_hash != ContentHash::of(&new.text) => {
                unit.edit.push((stored.id, new));
            }
            Some(stored) => {
                let other_metadata = stored.metadata_hash != hash_of(&new.metadata)?;
                let edit = Edit {
                    position: new.position.filter(|p| *p != stored.position),
                    metadata: other_metadata.then_some(new.metadata),
                    ..Edit::default()
                };
                if edit != Edit::default() {
                    unit.kept_text.push((stored.id, edit));
                }
                unit.tally.updated += u64::from(other_metadata);
                unit.tally.unchanged += u64::from(!other_metadata);
            }
        }
        Ok(())
    }

    /// The context that has the id already. One that is marked as deleted keeps it, and the new
    /// one gets another.
    fn known_by_id(&self, id: ContextId, new: &mut NewContext) -> Result<Option<Known>> {
        let inner = &self.manager.inner;
        let ids = [id];
        let found = inner.store.get(&inner.collection, &ids);
        let Some(context) = self.handle.block_on(found)?.pop() else {
            return Ok(None);
        };
        if context.deleted_at.is_some() {
            new.id = None;
            return Ok(None);
        }
        Ok(Some(Known {
            id,
            content_hash: context.content_hash,
            metadata_hash: hash_of(&context.metadata)?,
            position: context.position,
        }))
    }

    /// Contexts of a source that are stored and were not seen.
    fn gone(
        &self,
        source: &str,
        known: &mut KnownSources,
        seen: &HashSet<String>,
    ) -> Result<Vec<ContextId>> {
        let stored = self.known(source, known)?;
        Ok(stored
            .iter()
            .filter(|(key, _)| !seen.contains(*key))
            .map(|(_, stored)| stored.id)
            .collect())
    }

    fn known<'a>(
        &self,
        source: &str,
        known: &'a mut KnownSources,
    ) -> Result<&'a HashMap<String, Known>> {
        if !known.contains_key(source) {
            let inner = &self.manager.inner;
            let stored = self
                .handle
                .block_on(inner.store.known(&inner.collection, source))?;
            known.insert(source.to_owned(), stored);
        }
        known
            .get(source)
            .ok_or_else(|| Error::Internal("what is stored of a source is lost".to_owned()))
    }

    fn stored_state(&self, file: &SourceFile) -> Result<Option<SourceState>> {
        let inner = &self.manager.inner;
        let state = inner.store.source(&inner.collection, &file.source);
        Ok(self.handle.block_on(state)?)
    }

    /// Whether all that a document gave was deleted since: who imports it again wants it back. Who
    /// keeps a folder up to date has said nothing about it, and it stays deleted.
    /// Entries may stand under sources of their own, and are not asked for.
    fn is_emptied(&self, file: &SourceFile, state: &SourceState) -> Result<bool> {
        if self.kept.is_some() || state.contexts == 0 || file.kind.is_streamed() {
            return Ok(false);
        }
        let inner = &self.manager.inner;
        let live = inner.store.is_live(&inner.collection, &file.source);
        Ok(!self.handle.block_on(live)?)
    }

    /// What the store keeps of a file that was read.
    fn state(&self, file: &SourceFile, fingerprint: [u8; 32], contexts: u64) -> SourceState {
        let kept = self.kept.as_ref();
        SourceState {
            source: file.source.clone(),
            fingerprint,
            contexts,
            kept_by: kept.map(|kept| kept.by),
            stamp: kept.and_then(|kept| kept.stamps.get(&file.source).copied()),
        }
    }

    /// Hash of the file's content and of every setting that shapes what it gives.
    fn fingerprint(&self, file: &SourceFile) -> Result<[u8; 32], ImportError> {
        let kind = self.kept.as_ref().and_then(|kept| kept.doc_type.as_deref());
        let shape = Shape::of(&self.manager.config(), &self.options, kind);
        shape.fingerprint(&self.reader, file)
    }

    fn cancelled(&self) -> bool {
        self.options.cancel.load(Ordering::Relaxed) || self.sender.is_closed()
    }

    fn send(&self, unit: Unit) {
        // An import that failed does not listen any more; `cancelled` notices.
        let _ = self.sender.blocking_send(unit);
    }
}

/// What work gives, or nothing if it broke off by a panic. Nothing that it leaves half done is used
/// again.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

fn broken(file: &SourceFile) -> ImportError {
    ImportError::Refused {
        path: file.path.clone(),
        code: "internal",
        reason: "made its reader break off, which is a fault of this program; please report it"
            .to_owned(),
    }
}

fn ended(file: &SourceFile) -> Tally {
    Tally {
        path: file.source.clone(),
        ends_file: true,
        bytes: file.bytes,
        ..Tally::default()
    }
}

fn refused(file: &SourceFile, error: ImportError) -> Unit {
    Unit {
        tally: Tally {
            refused: Some((error, file.named)),
            ..ended(file)
        },
        ..Unit::default()
    }
}

fn hash_of(metadata: &Metadata) -> Result<ContentHash> {
    let json = serde_json::to_string(metadata).map_err(|e| Error::Internal(e.to_string()))?;
    Ok(ContentHash::of(&json))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_breaks_off_gives_nothing_and_other_work_goes_on() {
        assert_eq!(guarded(|| -> u32 { panic!("a reader's fault") }), None);
        assert_eq!(guarded(|| 1), Some(1));
    }
}
