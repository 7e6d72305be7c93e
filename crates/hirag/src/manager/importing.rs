//! Files to contexts: read, compare with what is stored, embed, write.
//!
//! One thread reads and compares, the model embeds, and the writer commits, all at the same time.
//! A file's contexts and the note that it has been imported share a transaction, so whatever
//! breaks an import off leaves whole files behind, and the next run goes on with the others.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::HiragManager;
use crate::context::{ContentHash, ContextId, ContextLevel, NewContext, Priority};
use crate::error::{Error, Result};
use crate::import::{
    Contents, Document, Format, ImportProgress, ImportReport, Problem, Reader, Records, SourceFile,
    discover,
};
use crate::store::sqlite::{Edit, Known, SourceState, WriteBatch};

/// Texts that are embedded at once: enough to sort them by length and to keep every core busy.
const BATCH: usize = 128;
/// Records of a file that share a transaction.
const RECORDS: usize = 128;
/// Units that wait to be embedded, so that reading is never the bottleneck, nor the memory.
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

/// Changes that share a transaction: a note, or some records of a file.
#[derive(Debug, Default)]
struct Unit {
    insert: Vec<NewContext>,
    edit: Vec<(ContextId, NewContext)>,
    remove: Vec<ContextId>,
    state: Option<SourceState>,
    unchanged: u64,
    /// Whether this ends a file.
    ends_file: bool,
    bytes: u64,
    failed: Vec<Problem>,
    warnings: Vec<Problem>,
    refused: Option<(crate::import::ImportError, bool)>,
}

impl Unit {
    fn texts(&self) -> usize {
        self.insert.len() + self.edit.len()
    }

    fn contexts(&self) -> u64 {
        self.texts() as u64 + self.unchanged
    }
}

impl HiragManager {
    /// Imports files and folders. Importing the same again changes nothing; a changed file
    /// replaces what it gave before; what cannot be read is reported, and the rest goes on.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when the database fails; what was acknowledged
    /// before stays.
    pub async fn import(
        &self,
        paths: Vec<PathBuf>,
        options: ImportOptions,
        mut progress: impl FnMut(ImportProgress) + Send,
    ) -> Result<ImportReport> {
        if !self.is_writable() {
            return Err(crate::store::StoreError::ReadOnly {
                path: self.inner.store.path().to_owned(),
            }
            .into());
        }
        let config = self.config();
        let reader = Reader::new(
            config.import.clone(),
            config.limits.clone(),
            self.inner.tokens.clone(),
        )?;
        let import = config.import.clone();
        let format = options.format;
        let found = tokio::task::spawn_blocking(move || discover(&paths, format, &import))
            .await
            .map_err(|e| Error::Internal(e.to_string()))?;
        let mut report = ImportReport {
            skipped: found.skipped,
            failed: found.failed,
            ..ImportReport::default()
        };
        let mut state = ImportProgress {
            files_total: found.files.len() as u64,
            bytes_total: found.files.iter().map(|file| file.bytes).sum(),
            ..ImportProgress::default()
        };
        progress(state);
        let cancel = Arc::clone(&options.cancel);
        let (sender, mut units) = mpsc::channel(AHEAD);
        let planner = Planner {
            manager: self.clone(),
            reader,
            options,
            handle: Handle::current(),
            sender,
        };
        let planning = tokio::task::spawn_blocking(move || planner.run(&found.files));
        let mut writing: Option<tokio::task::JoinHandle<Result<Vec<Unit>>>> = None;
        let mut gathered: Vec<Unit> = Vec::new();
        loop {
            let next = units.recv().await;
            let ended = next.is_none();
            gathered.extend(next);
            let texts: usize = gathered.iter().map(Unit::texts).sum();
            if !ended && texts < BATCH && gathered.len() < 4 * AHEAD {
                continue;
            }
            if cancel.load(Ordering::Relaxed) {
                gathered.clear();
            }
            let ready = self.embed_units(std::mem::take(&mut gathered)).await?;
            if let Some(writing) = writing.take() {
                settle(writing, &mut report, &mut state).await?;
                progress(state);
            }
            if !ready.is_empty() {
                let manager = self.clone();
                writing = Some(tokio::spawn(
                    async move { manager.write_units(ready).await },
                ));
            }
            if ended {
                break;
            }
        }
        if let Some(writing) = writing.take() {
            settle(writing, &mut report, &mut state).await?;
            progress(state);
        }
        planning
            .await
            .map_err(|e| Error::Internal(e.to_string()))??;
        report.cancelled = cancel.load(Ordering::Relaxed);
        Ok(report)
    }

    /// Embeds all texts of some units in one go.
    async fn embed_units(&self, mut units: Vec<Unit>) -> Result<Vec<(Unit, WriteBatch)>> {
        let texts = units
            .iter()
            .flat_map(|unit| unit.insert.iter().chain(unit.edit.iter().map(|(_, new)| new)))
            .cloned()
            .collect();
        let mut prepared = self.prepare(texts).await?.into_iter().map(|(record, _)| record);
        let mut ready = Vec::with_capacity(units.len());
        for unit in &mut units {
            let insert = prepared.by_ref().take(unit.insert.len()).collect();
            let edit = unit
                .edit
                .iter()
                .zip(prepared.by_ref().take(unit.edit.len()))
                .map(|((id, _), record)| {
                    let edit = Edit {
                        text: Some((record.text, record.token_count, record.vector)),
                        metadata: Some(record.metadata),
                        position: record.position,
                        ..Edit::default()
                    };
                    (*id, edit)
                })
                .collect();
            let batch = WriteBatch {
                insert,
                edit,
                remove: unit.remove.clone(),
                source: unit.state.clone(),
            };
            ready.push((std::mem::take(unit), batch));
        }
        Ok(ready)
    }

    /// Writes units, each in a transaction of its own; the writer groups the commits.
    async fn write_units(&self, units: Vec<(Unit, WriteBatch)>) -> Result<Vec<Unit>> {
        let writes = units.into_iter().map(|(mut unit, batch)| async move {
            let pending = batch.insert.iter().filter(|r| r.vector.is_none()).count()
                + batch
                    .edit
                    .iter()
                    .filter(|(_, e)| matches!(&e.text, Some((_, _, None))))
                    .count();
            let empty = batch == WriteBatch::default();
            if !empty {
                self.apply(batch).await?;
            }
            // From here on the counts are of what is on disk.
            unit.bytes = if unit.ends_file { unit.bytes } else { 0 };
            Ok::<_, Error>((unit, pending))
        });
        let mut written = Vec::new();
        for (mut unit, pending) in futures::future::try_join_all(writes).await? {
            unit.pending(pending as u64);
            written.push(unit);
        }
        Ok(written)
    }
}

impl Unit {
    /// Notes how many of its contexts wait; the texts themselves are not needed any more.
    fn pending(&mut self, pending: u64) {
        self.insert.iter_mut().for_each(|new| new.text.clear());
        self.insert.truncate(self.insert.len());
        self.state = self.state.take().map(|state| SourceState {
            contexts: state.contexts,
            ..state
        });
        self.unembedded = pending;
    }
}

async fn settle(
    writing: tokio::task::JoinHandle<Result<Vec<Unit>>>,
    report: &mut ImportReport,
    state: &mut ImportProgress,
) -> Result<()> {
    let units = writing
        .await
        .map_err(|e| Error::Internal(e.to_string()))??;
    for unit in units {
        report.files += u64::from(unit.ends_file && unit.refused.is_none());
        report.contexts += unit.contexts();
        report.imported += unit.insert.len() as u64;
        report.updated += unit.edit.len() as u64;
        report.unchanged += unit.unchanged;
        report.removed += unit.remove.len() as u64;
        state.files_done += u64::from(unit.ends_file);
        state.bytes_done += unit.bytes;
        state.contexts += unit.contexts();
        report.failed.extend(unit.failed);
        report.warnings.extend(unit.warnings);
        if let Some((error, named)) = &unit.refused {
            report.note(error, *named);
        }
    }
    Ok(())
}

/// Reads files and compares them with what is stored. Runs on a thread of its own.
struct Planner {
    manager: HiragManager,
    reader: Reader,
    options: ImportOptions,
    handle: Handle,
    sender: mpsc::Sender<Unit>,
}
