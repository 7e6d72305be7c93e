//! A run of a source: what changed is read again, what moved goes along, what is gone is removed.

mod gone;
mod renames;
mod sorting;

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use self::sorting::Sorting;
use super::{UnderWay, look};
use crate::error::Result;
use crate::import::{
    Discovery, Format, ImportProgress, ImportSettings, Reader, Skipped, SourceFile, discover_until,
};
use crate::manager::importing::{ImportOptions, KeptFiles, Shape};
use crate::manager::{HiragManager, off_the_async_threads};
use crate::sources::{Matcher, RunOutcome, Source, SourceError, SourceId, SourceRun};
use crate::store::sqlite::KeptFile;
use tokio::sync::watch as signal;

/// How to run a source.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Set to stop soon; the next run goes on.
    pub cancel: Arc<AtomicBool>,
    /// Takes a folder without anything in it for what it is, and not for a disk that is not
    /// connected, and what stood on another disk for gone: all that they gave is marked as deleted.
    pub emptied: bool,
}

impl HiragManager {
    /// Brings the contexts of a source in line with its files. Waits while another source is run.
    ///
    /// A source that cannot be read is a run that failed, and nothing is changed; so is a single
    /// file that cannot, of which what it gave before stays.
    ///
    /// # Errors
    /// [`SourceError::Unknown`]; [`StoreError`](crate::store::StoreError) when not even what came
    /// of the run can be kept. What breaks a run off otherwise is a run that failed: what was
    /// acknowledged before stays, and the next run goes on.
    pub async fn run_source(
        &self,
        id: SourceId,
        options: RunOptions,
        mut progress: impl FnMut(ImportProgress) + Send,
    ) -> Result<SourceRun> {
        self.require_writable()?;
        let _turn = self.inner.keeping.turn.lock().await;
        // Before anything is waited for: a source that is removed meanwhile stops its run.
        let _running = Running::begin(self, id, &options.cancel)?;
        let source = self.source(id).await?.source;
        let _timer = self.inner.profiler.timer("source_run").long();
        let tell = |at: ImportProgress| {
            self.inner.keeping.running.lock().insert(id, at);
            progress(at);
        };
        let started = self.inner.clock.now();
        let ran = self.bring_in_line(&source, &options, tell).await;
        let ended_at = self.inner.clock.now();
        let run = match ran.and_then(|ran| Ok(ran?)) {
            Ok(run) => SourceRun {
                started_at: started,
                ended_at,
                ..run
            },
            Err(error) => SourceRun::failed(started, ended_at, error.code(), error.to_string()),
        };
        self.inner.store.keep_run(id, &run).await?;
        Ok(run)
    }

    async fn bring_in_line(
        &self,
        source: &Source,
        options: &RunOptions,
        progress: impl FnMut(ImportProgress) + Send,
    ) -> Result<Result<SourceRun, SourceError>> {
        let (inner, config) = (&self.inner, self.config());
        let import = ImportOptions {
            level: source.rules.level,
            session: source.rules.session.clone(),
            agent: source.rules.agent.clone(),
            cancel: Arc::clone(&options.cancel),
            ..ImportOptions::default()
        };
        let shape = Shape::of(&config, &import, source.rules.doc_type.as_deref());
        let stored = inner.store.kept_files(source.id).await?;
        let found = {
            let (source, settings) = (source.clone(), config.import.clone());
            let may_be_empty = options.emptied || stored.values().all(|file| file.contexts == 0);
            let stop = Arc::clone(&options.cancel);
            let find = move || find(&source, &settings, may_be_empty, &stop);
            off_the_async_threads(find).await?
        };
        let mut discovery = match found {
            Ok(discovery) => discovery,
            Err(error) => return Ok(Err(error)),
        };
        let mut run = SourceRun::begun(inner.clock.now());
        let stopped = || options.cancel.load(Ordering::Relaxed);
        // What was not looked for is not gone.
        if stopped() {
            run.outcome = RunOutcome::Stopped;
            return Ok(Ok(run));
        }
        self.leave_to_others(source, &stored, &mut discovery)
            .await?;
        let reader = Reader::new(config.import.clone(), config.limits.clone(), inner.tokens)?;
        let sorting = Sorting {
            root: PathBuf::from(&source.path),
            now: inner.clock.now(),
            shape,
            reader: reader.until(Arc::clone(&options.cancel)),
            max_file_bytes: config.import.max_file_bytes,
            emptied: options.emptied,
            stop: Arc::clone(&options.cancel),
            stored,
        };
        let sorted = off_the_async_threads(move || sorting.sort(discovery)).await?;
        if stopped() {
            run.outcome = RunOutcome::Stopped;
            return Ok(Ok(run));
        }

        let mut gone = sorted.gone;
        run.renamed = sorted.renames.len() as u64;
        if !sorted.renames.is_empty() {
            let renamed = inner.store.rename_files(&inner.collection, sorted.renames);
            let refused = renamed.await?;
            run.renamed -= refused.len() as u64;
            // Something came from there before: it is another file. This one is gone, unless yet
            // another has its name now.
            let there: HashSet<&String> = sorted.open.iter().map(|file| &file.source).collect();
            gone.extend(refused.into_iter().filter(|old| !there.contains(old)));
        }
        // Before anything is read, which may take hours or be stopped.
        if !gone.is_empty() {
            let root = PathBuf::from(&source.path);
            let still = off_the_async_threads(move || look(&root)).await?;
            match still {
                Ok(empty) if empty && !options.emptied => {
                    return Ok(Err(SourceError::emptied(&PathBuf::from(&source.path))));
                }
                Ok(_) => {}
                Err(error) => return Ok(Err(error)),
            }
            run.gone = gone.len() as u64;
            let forgotten = inner.store.forget_files(&inner.collection, gone);
            let deletion = forgotten.await?;
            inner.working_set.forget(deletion.ids.iter().copied());
            run.removed = deletion.ids.len() as u64;
        }
        run.files = sorted.unchanged.len() as u64;
        run.unchanged = sorted.unchanged.iter().sum();
        let kept = KeptFiles {
            by: source.id,
            doc_type: source.rules.doc_type.clone(),
            stamps: sorted.stamps,
            apart: sorted.apart,
        };
        let imported = self.import_files(sorted.open, import, Some(kept), sorted.report, progress);
        run.count(imported.await?);
        Ok(Ok(run))
    }

    /// Passes over files that another source has and that come here by a symbolic link. What stands
    /// below the root of this one is its own, whoever had it first.
    async fn leave_to_others(
        &self,
        source: &Source,
        stored: &HashMap<String, KeptFile>,
        discovery: &mut Discovery,
    ) -> Result<()> {
        let linked = |file: &&SourceFile| !file.path.starts_with(&source.path);
        let new = discovery.files.iter().filter(linked);
        let new = new.map(|file| &file.source);
        let new = new.filter(|name| !stored.contains_key(*name)).cloned();
        let inner = &self.inner;
        let asked = inner
            .store
            .kept_by_others(&inner.collection, source.id, new.collect());
        let theirs = asked.await?;
        let Discovery { files, skipped, .. } = discovery;
        files.retain(|file| {
            let other = theirs.get(&file.source);
            skipped.extend(other.map(|other| Skipped {
                path: file.source.clone(),
                reason: format!("belongs to the source `{other}`"),
            }));
            other.is_none()
        });
        Ok(())
    }
}

/// Shows that a run is under way, for as long as it lives.
struct Running<'a> {
    manager: &'a HiragManager,
    id: SourceId,
    /// Dropped when it has ended.
    _end: signal::Sender<()>,
}

impl<'a> Running<'a> {
    /// # Errors
    /// [`SourceError::Unknown`] for a source that is being removed.
    fn begin(
        manager: &'a HiragManager,
        id: SourceId,
        cancel: &Arc<AtomicBool>,
    ) -> Result<Self, SourceError> {
        let keeping = &manager.inner.keeping;
        let (sender, end) = signal::channel(());
        let stop = Arc::clone(cancel);
        keeping.runs.lock().insert(id, UnderWay { stop, end });
        keeping.running.lock().insert(id, ImportProgress::default());
        let running = Self {
            manager,
            id,
            _end: sender,
        };
        // Whoever removes it says so first, and looks for its run then; so one sees the other.
        match keeping.removing.lock().contains(&id) {
            true => Err(SourceError::Unknown(id.to_string())),
            false => Ok(running),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let keeping = &self.manager.inner.keeping;
        keeping.running.lock().remove(&self.id);
        keeping.runs.lock().remove(&self.id);
    }
}

/// What the rules let through of what is there.
fn find(
    source: &Source,
    settings: &ImportSettings,
    may_be_empty: bool,
    stop: &AtomicBool,
) -> Result<Discovery, SourceError> {
    let root = PathBuf::from(&source.path);
    if look(&root)? && !may_be_empty {
        return Err(SourceError::emptied(&root));
    }
    let matcher = Matcher::new(&source.rules)?;
    let mut found = discover_until(std::slice::from_ref(&root), Format::Auto, settings, stop);
    let takes = |path: &Path| matcher.takes(&below(&root, path));
    found.files.retain(|file| takes(&file.path));
    found
        .skipped
        .retain(|skipped| takes(Path::new(&skipped.path)));
    // A folder that cannot be read may hold what is wanted, unless it is passed over as a whole.
    found.failed.retain(|problem| {
        let path = Path::new(&problem.path);
        // What is wrong with the root may hide anything, whatever it is called.
        path == root
            || match path.is_file() {
                true => takes(path),
                false => !matcher.leaves_out(&below(&root, path), true),
            }
    });
    Ok(found)
}

/// A path as the rules see it: below the root, or from the top where it came by a symbolic link.
fn below(root: &Path, path: &Path) -> PathBuf {
    match path.strip_prefix(root) {
        // The root is a file, and has its name.
        Ok(rest) if rest.as_os_str().is_empty() => path.file_name().map(PathBuf::from),
        Ok(rest) => Some(rest.to_owned()),
        Err(_) => None,
    }
    .unwrap_or_else(|| {
        let names = path.components();
        names
            .filter(|name| matches!(name, Component::Normal(_)))
            .collect()
    })
}
