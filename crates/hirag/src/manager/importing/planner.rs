//! Reads files and compares them with what is stored. Runs on a thread of its own.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::course::Course;
use super::placing::Placing;
use super::{ImportOptions, KeptFiles, Shape, Tally, Unit};
use crate::context::ContentHash;
use crate::error::Result;
use crate::export;
use crate::import::{
    Contents, Document, Entries, ImportError, PROBLEMS_PER_FILE, Problem, Reader, Records,
    SourceFile, ToldAgain,
};
use crate::manager::HiragManager;
use crate::store::sqlite::SourceState;

/// Entries of a file that share a transaction.
const ENTRIES: usize = 128;

pub(super) struct Planner {
    pub(super) manager: HiragManager,
    reader: Reader,
    pub(super) options: ImportOptions,
    pub(super) kept: Option<KeptFiles>,
    pub(super) handle: Handle,
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
                None => self.send(refused(file, &broken(file), file.named)),
            }
        }
        Ok(())
    }

    fn plan(&mut self, file: &SourceFile) -> Result<()> {
        let fingerprint = match self.fingerprint(file) {
            Ok(fingerprint) => fingerprint,
            Err(ImportError::Stopped { .. }) => return Ok(()),
            Err(error) => {
                self.send(refused(file, &error, file.named));
                return Ok(());
            }
        };
        let stored = self.stored_state(file)?;
        let gave = stored.as_ref().map_or(0, |state| state.contexts);
        // What it gave before stays, and that is told.
        let named = file.named || (gave > 0 && self.kept.is_some());
        if let Some(state) = stored.filter(|state| state.fingerprint == fingerprint)
            && !self.is_tried_again(file, &state)
            && !self.is_emptied(file, &state)?
        {
            self.send(self.as_before(file, state, named));
            return Ok(());
        }
        let clock = &self.manager.inner.clock;
        let begun = clock.elapsed();
        let opened = self.open(file);
        let reading = clock.elapsed().saturating_sub(begun);
        match opened {
            // Who writes a file anew empties it first: it is looked at again before it is believed.
            Err(ImportError::Empty { path }) if gave > 0 && self.may_be_written(file) => {
                self.send(refused(file, &ImportError::Changed { path }, named));
                Ok(())
            }
            // Of a source, it is what it is now: it has nothing.
            Err(ImportError::Empty { .. }) if gave > 0 && self.kept.is_some() => {
                let emptied = Document {
                    source: file.source.clone(),
                    content_hash: ContentHash::of(""),
                    contexts: Vec::new(),
                    warnings: Vec::new(),
                };
                self.plan_document(file, emptied, fingerprint, reading)
            }
            Err(error) => {
                self.send(Unit {
                    // Nothing would come of opening it again.
                    state: error.lasts().then(|| SourceState {
                        problem: Some(ToldAgain::refused(&error)),
                        ..self.state(file, fingerprint, gave)
                    }),
                    ..refused(file, &error, named)
                });
                Ok(())
            }
            Ok(Contents::Document(document)) => {
                self.plan_document(file, document, fingerprint, reading)
            }
            Ok(Contents::Entries(entries)) => self.plan_entries(file, entries, fingerprint),
        }
    }

    /// A file with the content that it had: what was wrong with it is told again.
    fn as_before(&self, file: &SourceFile, state: SourceState, named: bool) -> Unit {
        let refused = state
            .problem
            .as_ref()
            .is_some_and(|told| told.refused.is_some());
        Unit {
            // Only touched: the next run need not open it.
            state: self.kept.is_some().then(|| SourceState {
                problem: state.problem.clone(),
                ..self.state(file, state.fingerprint, state.contexts)
            }),
            tally: Tally {
                unchanged: if refused { 0 } else { state.contexts },
                told: state.problem.map(|told| (told, named)),
                ..ended(file)
            },
            ..Unit::default()
        }
    }

    /// Whether a file of a source was written so shortly before that it may still be.
    fn may_be_written(&self, file: &SourceFile) -> bool {
        self.kept.is_some() && self.stamp(file).is_none()
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
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                Err(ImportError::Refused {
                    path: file.path.clone(),
                    code: "file_too_large",
                    reason: error.to_string(),
                })
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
        let mut placing = Placing::of(self, &file.source);
        let mut unit = Unit::default();
        let mut whole = true;
        let contexts = document.contexts.len() as u64;
        for new in document.contexts {
            whole &= placing.place(new, &mut unit)?;
        }
        // What may not be stored now may be once the settings are others: it is read again then, and
        // takes nothing of what was stored before away until then.
        if whole {
            unit.remove = placing.gone()?;
        }
        let known_by = if whole { fingerprint } else { [0; 32] };
        unit.state = Some(SourceState {
            stamp: self.stamp(file).filter(|_| whole),
            ..self.state(file, known_by, contexts)
        });
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
        let mut placing = Placing::of(self, &file.source);
        let mut unit = Unit::default();
        let mut contexts = 0;
        let mut faults = Faults::default();
        for entry in entries {
            match entry {
                Ok(new) => {
                    contexts += 1;
                    faults.pass |= !placing.place(new, &mut unit)?;
                }
                Err(problem) => {
                    faults.note(&problem);
                    unit.tally.failed.push(problem);
                }
            }
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
        // A broken entry may be one that was whole before: what it gave then is not taken away.
        if faults.none() {
            unit.remove = placing.gone()?;
        }
        if !faults.pass {
            unit.state = Some(SourceState {
                problem: (!faults.none()).then_some(faults.told),
                ..self.state(file, fingerprint, contexts)
            });
        } else if self.kept.is_some() {
            // It is read again, and is the source's all the same: it goes when the file goes.
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

    fn stored_state(&self, file: &SourceFile) -> Result<Option<SourceState>> {
        let inner = &self.manager.inner;
        let state = inner.store.source(&inner.collection, &file.source);
        Ok(self.handle.block_on(state)?)
    }

    /// Whether a document that was too slow is opened all the same: for who names it, and for nobody
    /// else, or it would take its time at every run.
    fn is_tried_again(&self, file: &SourceFile, state: &SourceState) -> bool {
        let told = state.problem.as_ref();
        let refused = told.and_then(|told| told.refused.as_ref());
        let was_slow = refused.is_some_and(|refused| refused.problem.code == ImportError::TOO_SLOW);
        was_slow && file.named && self.kept.is_none()
    }

    /// Whether all that a document gave was deleted since: who imports it again wants it back. Who
    /// keeps a folder up to date has said nothing about it, and it stays deleted.
    /// Entries may stand under sources of their own, and are not asked for.
    fn is_emptied(&self, file: &SourceFile, state: &SourceState) -> Result<bool> {
        let apart = file.kind.is_streamed() || export::is_note(&file.path);
        if self.kept.is_some() || state.contexts == 0 || apart {
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
            stamp: self.stamp(file),
            problem: None,
            apart: kept.is_some_and(|kept| kept.apart.contains(&file.source)),
        }
    }

    fn stamp(&self, file: &SourceFile) -> Option<[u8; 32]> {
        self.kept.as_ref()?.stamps.get(&file.source).copied()
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

fn refused(file: &SourceFile, error: &ImportError, named: bool) -> Unit {
    Unit {
        tally: Tally {
            told: Some((ToldAgain::refused(error), named)),
            ..ended(file)
        },
        ..Unit::default()
    }
}

/// What is wrong with the entries of a file.
#[derive(Default)]
struct Faults {
    told: ToldAgain,
    /// Whether something may be as it should be the next time, without a change to the file.
    pass: bool,
}

impl Faults {
    fn note(&mut self, problem: &Problem) {
        self.pass |= matches!(&*problem.code, "unreadable" | "changed_while_read");
        self.told.fail(problem);
    }

    fn none(&self) -> bool {
        !self.pass && self.told.failed.is_empty()
    }
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
