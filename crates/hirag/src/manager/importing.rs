//! Files to contexts: read, compare with what is stored, embed, write.
//!
//! One thread reads and compares, the model embeds, and the writer commits, all at the same time.
//! A document's contexts and the mark that it has been imported share a transaction, so whatever
//! breaks an import off leaves whole documents behind, and the next run goes on with the others.

mod course;
mod placing;
mod planner;
mod shape;
mod unit;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::{try_join, try_join_all};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{Instrument, trace_span};

use self::course::Course;
use self::planner::Planner;
pub(super) use self::shape::Shape;
use self::unit::{Tally, Unit};
use super::{HiragManager, off_the_async_threads};
use crate::context::{ContextLevel, NewContext};
use crate::error::{Error, Result};
use crate::import::{
    Format, ImportProgress, ImportReport, Problem, Reader, SourceFile, discover_until,
};
use crate::sources::SourceId;
use crate::store::sqlite::{Edit, WriteBatch};
use crate::store::{Record, StoreError};
use crate::tasks::broken_off;

/// Texts that are embedded at once: enough to sort them by length and to keep every core busy, and
/// few enough that progress is seen, and Ctrl-C heeded, every few seconds.
const BATCH: usize = 64;
/// Units that wait to be embedded, so that reading is neither the bottleneck nor the memory.
const AHEAD: usize = 64;

/// How to import.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// What the paths hold.
    pub format: Format,
    /// The level of contexts that bring none along; `None` is L3.
    pub level: Option<ContextLevel>,
    /// The session of contexts that bring none along.
    pub session: Option<String>,
    /// The agent of contexts that bring none along.
    pub agent: Option<String>,
    /// Set to stop soon, with everything that was acknowledged in place.
    pub cancel: Arc<AtomicBool>,
}

/// What is special about files of a source that is kept up to date.
#[derive(Debug)]
pub(super) struct KeptFiles {
    /// The source.
    pub(super) by: SourceId,
    /// The `doc_type` of contexts that bring none along.
    pub(super) doc_type: Option<String>,
    /// How each file is known again without opening it.
    pub(super) stamps: HashMap<String, [u8; 32]>,
    /// Files that stand on another file system than the root of the source.
    pub(super) apart: HashSet<String>,
}

type Writing = JoinHandle<Result<Vec<Tally>>>;

impl HiragManager {
    /// Imports files and folders. Importing the same again changes nothing; a changed file
    /// replaces what it gave before; what cannot be read is reported, and the rest goes on.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; what was acknowledged
    /// before stays.
    pub async fn import(
        &self,
        paths: Vec<PathBuf>,
        options: ImportOptions,
        progress: impl FnMut(ImportProgress) + Send,
    ) -> Result<ImportReport> {
        self.require_writable()?;
        // What two runs read at once, both would take for new.
        let _turn = self.inner.keeping.turn.lock().await;
        let _timer = self.inner.profiler.timer("import").long();
        let (format, settings) = (options.format, self.config().import.clone());
        let stop = Arc::clone(&options.cancel);
        let found = off_the_async_threads(move || discover_until(&paths, format, &settings, &stop));
        let found = found.instrument(trace_span!("look for files")).await?;
        let report = ImportReport {
            skipped: found.skipped,
            failed: found.failed,
            ..ImportReport::default()
        };
        self.import_files(found.files, options, None, report, progress)
            .await
    }

    /// Imports files that were found already, and goes on with the report of finding them.
    pub(super) async fn import_files(
        &self,
        files: Vec<SourceFile>,
        options: ImportOptions,
        kept: Option<KeptFiles>,
        mut report: ImportReport,
        mut progress: impl FnMut(ImportProgress) + Send,
    ) -> Result<ImportReport> {
        let config = self.config();
        let tokens = self.inner.tokens;
        let doc_type = kept.as_ref().and_then(|kept| kept.doc_type.clone());
        let reader = Reader::new(config.import.clone(), config.limits.clone(), tokens)?;
        let reader = reader.called(doc_type).until(Arc::clone(&options.cancel));
        let mut state = ImportProgress {
            files_total: files.len() as u64,
            bytes_total: files.iter().map(|file| file.bytes).sum(),
            ..ImportProgress::default()
        };
        progress(state);
        let cancel = Arc::clone(&options.cancel);
        let (sender, mut units) = mpsc::channel(AHEAD);
        let planner = Planner::new(self.clone(), reader, options, kept, sender);
        let reading = trace_span!("read and cut");
        let planning =
            tokio::task::spawn_blocking(move || reading.in_scope(|| planner.run(&files)));
        let mut writing: Option<Writing> = None;
        let mut gathered: Vec<Unit> = Vec::new();
        loop {
            let next = units.recv().await;
            let ended = next.is_none();
            gathered.extend(next);
            let texts: usize = gathered.iter().map(Unit::texts).sum();
            if !ended && texts < BATCH && gathered.len() < 4 * AHEAD {
                continue;
            }
            let embedded = self.embed_units(std::mem::take(&mut gathered), &cancel);
            // What is written is told at once, and not when the next is embedded.
            let written = async {
                if let Some(writing) = writing.take() {
                    settle(writing, &mut report, &mut state).await?;
                    progress(state);
                }
                Ok::<_, Error>(())
            };
            let (ready, ()) = try_join(embedded, written).await?;
            let manager = self.clone();
            let write = async move {
                try_join_all(ready.into_iter().map(|unit| manager.write_unit(unit))).await
            };
            writing = Some(tokio::spawn(write.instrument(trace_span!("write"))));
            if ended {
                break;
            }
        }
        if let Some(writing) = writing {
            settle(writing, &mut report, &mut state).await?;
            progress(state);
        }
        planning
            .await
            .map_err(|e| Error::Internal(broken_off(&e)))??;
        report.cancelled = cancel.load(Ordering::Relaxed);
        Ok(report)
    }

    /// Embeds the texts of some units, a batch at a time. When that is to stop, the units of which
    /// not all is embedded yet are left out: the next import has them again.
    async fn embed_units(
        &self,
        units: Vec<Unit>,
        cancel: &AtomicBool,
    ) -> Result<Vec<(WriteBatch, Tally)>> {
        let texts: Vec<NewContext> = units.iter().flat_map(Unit::new_contexts).cloned().collect();
        let all = texts.len().max(1) as f64;
        let clock = &self.inner.clock;
        let begun = clock.elapsed();
        let mut records = VecDeque::with_capacity(texts.len());
        let mut texts = texts.into_iter().peekable();
        while texts.peek().is_some() && !cancel.load(Ordering::Relaxed) {
            let batch = texts.by_ref().take(BATCH).collect();
            let prepared = self.prepare_checked(batch).await?;
            records.extend(prepared.into_iter().map(|(record, _)| record));
        }
        let embedding = clock.elapsed().saturating_sub(begun);
        let mut ready = Vec::with_capacity(units.len());
        for unit in units {
            let texts = unit.texts();
            if cancel.load(Ordering::Relaxed) && (texts == 0 || records.len() < texts) {
                break;
            }
            let insert: Vec<_> = records.drain(..unit.insert.len()).collect();
            let edited = records.drain(..unit.edit.len());
            let edit: Vec<_> = unit
                .edit
                .into_iter()
                .zip(edited)
                .map(|((id, _, said), record)| {
                    let edit = Edit {
                        text: Some((record.text, record.token_count, record.vector)),
                        metadata: Some(record.metadata),
                        position: record.position,
                        ..said
                    };
                    (id, edit)
                })
                .collect();
            let waits = insert.iter().filter(|r| r.vector.is_none()).count()
                + edit.iter().filter(|(_, e)| waits(e)).count();
            let course = unit.tally.course.map(|course| Course {
                embedding: embedding.mul_f64(texts as f64 / all),
                texts,
                ..course
            });
            let tally = Tally {
                course,
                imported: insert.len() as u64,
                updated: edit.len() as u64 + unit.tally.updated,
                removed: unit.remove.len() as u64,
                pending: waits as u64,
                ..unit.tally
            };
            let batch = WriteBatch {
                insert,
                edit: edit.into_iter().chain(unit.kept_text).collect(),
                remove: unit.remove,
                source: unit.state,
            };
            ready.push((batch, tally));
        }
        Ok(ready)
    }

    /// Writes a unit in a transaction of its own; the writer groups the commits. A context whose
    /// identity another has is told, and keeps none of the others out.
    async fn write_unit(&self, (mut batch, mut tally): (WriteBatch, Tally)) -> Result<Tally> {
        while batch != WriteBatch::default() {
            let error = match self.apply(batch.clone()).await {
                Ok(_) => break,
                Err(Error::Store(error)) => error,
                Err(error) => return Err(error),
            };
            let Some(refused) = take_refused(&mut batch, &error) else {
                return Err(error.into());
            };
            tally.imported = tally.imported.saturating_sub(1);
            tally.pending = tally
                .pending
                .saturating_sub(u64::from(refused.vector.is_none()));
            tally.failed.push(Problem {
                path: tally.path.clone(),
                line: refused.position.and_then(|p| u64::try_from(p + 1).ok()),
                code: error.code().to_owned(),
                message: error.to_string(),
            });
            // It is read again, and what is wrong with it told again.
            if let Some(state) = &mut batch.source {
                (state.fingerprint, state.stamp, state.problem) = ([0; 32], None, None);
            }
        }
        Ok(tally)
    }

    pub(super) fn require_writable(&self) -> Result<()> {
        if self.is_writable() {
            return Ok(());
        }
        Err(self.inner.store.no_writer().into())
    }
}

/// Takes the last context out of a batch that is refused for its identity or its vector.
fn take_refused(batch: &mut WriteBatch, error: &StoreError) -> Option<Record> {
    let is_meant = |record: &Record| match error {
        StoreError::IdTaken(id) => record.id == *id,
        StoreError::SourceTaken { from, key } => {
            record.source.as_ref() == Some(from) && record.source_key.as_ref() == Some(key)
        }
        _ => false,
    };
    let place = batch.insert.iter().rposition(is_meant)?;
    Some(batch.insert.remove(place))
}

fn waits(edit: &Edit) -> bool {
    matches!(&edit.text, Some((_, _, None)))
}

async fn settle(
    writing: Writing,
    report: &mut ImportReport,
    state: &mut ImportProgress,
) -> Result<()> {
    let tallies = writing
        .await
        .map_err(|e| Error::Internal(broken_off(&e)))??;
    for tally in tallies {
        let contexts = tally.imported + tally.updated + tally.unchanged;
        report.files += u64::from(tally.ends_file && !tally.is_refused());
        report.contexts += contexts;
        report.imported += tally.imported;
        report.updated += tally.updated;
        report.unchanged += tally.unchanged;
        report.removed += tally.removed;
        report.pending += tally.pending;
        tally.failed.into_iter().for_each(|p| report.fail(p));
        tally.warnings.into_iter().for_each(|p| report.warn(p));
        let slow = tally.course.as_ref().and_then(Course::problem);
        slow.into_iter().for_each(|p| report.warn(p));
        if let Some((told, named)) = tally.told {
            report.tell(told, named);
        }
        state.files_done += u64::from(tally.ends_file);
        state.bytes_done += tally.bytes;
        state.contexts += contexts;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
