//! A run of a source: what changed is read again, what moved goes along, what is gone is removed.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::look;
use crate::error::Result;
use crate::import::{
    Discovery, Format, ImportProgress, ImportReport, Problem, Reader, Skipped, SourceFile, discover,
};
use crate::manager::importing::{ImportOptions, KeptFiles, Shape};
use crate::manager::{HiragManager, off_the_async_threads};
use crate::sources::{Matcher, Source, SourceError, SourceId, SourceRun, stamp};
use crate::store::sqlite::KeptFile;

/// How to run a source.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Set to stop soon; the next run goes on.
    pub cancel: Arc<AtomicBool>,
    /// Takes a folder without anything in it for what it is, and not for a disk that is not
    /// connected: everything that it gave is marked as deleted.
    pub emptied: bool,
}

/// What is there, sorted by what has to be done about it.
struct Sorted {
    discovery: Discovery,
    /// Files to open, and how each is known again without opening it.
    open: Vec<SourceFile>,
    stamps: HashMap<String, [u8; 32]>,
    unchanged: Vec<KeptFile>,
    renames: Vec<(String, String)>,
    gone: Vec<String>,
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
        let source = self.source(id).await?.source;
        let _timer = self.inner.profiler.timer("source_run").long();
        let _running = Running::begin(self, id, &options.cancel);
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
            let (emptied, empty) = (options.emptied, stored.is_empty());
            let find = move || find(&source, &settings, emptied || empty);
            off_the_async_threads(find).await?
        };
        let mut discovery = match found {
            Ok(discovery) => discovery,
            Err(error) => return Ok(Err(error)),
        };
        self.leave_to_others(source, &stored, &mut discovery)
            .await?;
        let reader = Reader::new(config.import.clone(), config.limits.clone(), inner.tokens)?;
        let sorting = Sorting {
            root: PathBuf::from(&source.path),
            now: inner.clock.now(),
            shape: shape.clone(),
            reader: reader.clone(),
            max_file_bytes: config.import.max_file_bytes,
            stored,
        };
        let sorted = off_the_async_threads(move || sorting.sort(discovery)).await?;

        let mut run = SourceRun::begun(inner.clock.now());
        let mut gone = sorted.gone;
        run.renamed = sorted.renames.len() as u64;
        if !sorted.renames.is_empty() {
            let renamed = inner.store.rename_files(&inner.collection, sorted.renames);
            let refused = renamed.await?;
            run.renamed -= refused.len() as u64;
            // Something came from there before: it is another file, and this one is gone.
            gone.extend(refused);
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
        run.unchanged = sorted.unchanged.iter().map(|file| file.contexts).sum();
        let report = ImportReport {
            skipped: sorted.discovery.skipped,
            failed: sorted.discovery.failed,
            ..ImportReport::default()
        };
        let kept = KeptFiles {
            by: source.id,
            doc_type: source.rules.doc_type.clone(),
            stamps: sorted.stamps,
        };
        let imported = self.import_files(sorted.open, import, Some(kept), report, progress);
        run.count(imported.await?);
        Ok(Ok(run))
    }

    /// Passes over files that another source has: they come here by a symbolic link.
    async fn leave_to_others(
        &self,
        source: &Source,
        stored: &HashMap<String, KeptFile>,
        discovery: &mut Discovery,
    ) -> Result<()> {
        let new = discovery.files.iter().map(|file| &file.source);
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
}

impl<'a> Running<'a> {
    fn begin(manager: &'a HiragManager, id: SourceId, cancel: &Arc<AtomicBool>) -> Self {
        let keeping = &manager.inner.keeping;
        keeping.running.lock().insert(id, ImportProgress::default());
        keeping.stops.lock().insert(id, Arc::clone(cancel));
        Self { manager, id }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let keeping = &self.manager.inner.keeping;
        keeping.running.lock().remove(&self.id);
        keeping.stops.lock().remove(&self.id);
    }
}

/// What the rules let through of what is there.
fn find(
    source: &Source,
    settings: &crate::import::ImportSettings,
    may_be_empty: bool,
) -> Result<Discovery, SourceError> {
    let root = PathBuf::from(&source.path);
    if look(&root)? && !may_be_empty {
        return Err(SourceError::emptied(&root));
    }
    let matcher = Matcher::new(&source.rules)?;
    let mut found = discover(std::slice::from_ref(&root), Format::Auto, settings);
    let below = |path: &Path| match path.strip_prefix(&root) {
        // The root is a file, and has its name.
        Ok(rest) if rest.as_os_str().is_empty() => path.file_name().map(PathBuf::from),
        Ok(rest) => Some(rest.to_owned()),
        // It came by a symbolic link.
        Err(_) => Some(path.components().skip(1).collect()),
    };
    let takes = |path: &Path| below(path).is_none_or(|path| matcher.takes(&path));
    found.files.retain(|file| takes(&file.path));
    found
        .skipped
        .retain(|skipped| takes(Path::new(&skipped.path)));
    Ok(found)
}

struct Sorting {
    root: PathBuf,
    now: jiff::Timestamp,
    shape: Shape,
    reader: Reader,
    max_file_bytes: u64,
    stored: HashMap<String, KeptFile>,
}

impl Sorting {
    fn sort(mut self, mut discovery: Discovery) -> Sorted {
        let files = std::mem::take(&mut discovery.files);
        // What is over the limit now is told, and what it gave before stays. What is passed over
        // for any other reason is no file of the source any more.
        let (stored, limit) = (&self.stored, self.max_file_bytes);
        let kept_large = discovery.skipped.extract_if(.., |skipped| {
            stored.contains_key(&skipped.path)
                && fs::metadata(&skipped.path).is_ok_and(|facts| facts.len() > limit)
        });
        let large: Vec<Problem> = kept_large
            .map(|skipped| Problem {
                message: format!(
                    "{} is {}; what it gave before stays",
                    skipped.path, skipped.reason
                ),
                code: "file_too_large".to_owned(),
                line: None,
                path: skipped.path,
            })
            .collect();
        let found = files.iter().map(|file| file.source.as_str());
        let large_names = large.iter().map(|problem| problem.path.as_str());
        let seen: HashSet<&str> = found.chain(large_names).collect();
        let mut gone: Vec<String> = self
            .stored
            .keys()
            .filter(|name| !seen.contains(name.as_str()) && self.is_gone(name, &discovery))
            .cloned()
            .collect();
        gone.sort_unstable();
        discovery.failed.extend(large);
        let (mut open, mut unchanged) = (Vec::new(), Vec::new());
        let mut stamps = HashMap::new();
        let shape = self.shape.to_string();
        for file in files {
            // Before it is opened: what changes from here on is seen by the next run.
            let facts = fs::metadata(&file.path).ok();
            let stamp = facts.and_then(|facts| stamp(&facts, &shape, self.now));
            match self.stored.get(&file.source) {
                Some(before) if stamp.is_some() && before.stamp == stamp => {
                    unchanged.push(before.clone());
                }
                _ => {
                    stamps.extend(stamp.map(|stamp| (file.source.clone(), stamp)));
                    open.push(file);
                }
            }
        }
        let renames = self.renames(&open, &mut gone);
        self.stored.clear();
        Sorted {
            discovery,
            open,
            stamps,
            unchanged,
            renames,
            gone,
        }
    }

    /// New files that have, to the last byte, what a file had that is gone. Of several, the one
    /// that kept its name.
    fn renames(&self, open: &[SourceFile], gone: &mut Vec<String>) -> Vec<(String, String)> {
        let mut renames = Vec::new();
        if gone.is_empty() {
            return renames;
        }
        let mut by_print: HashMap<[u8; 32], Vec<&str>> = HashMap::new();
        for name in gone.iter() {
            if let Some(before) = self.stored.get(name)
                && before.contexts > 0
            {
                by_print.entry(before.fingerprint).or_default().push(name);
            }
        }
        for file in open {
            if self.stored.contains_key(&file.source) {
                continue;
            }
            let Ok(print) = self.shape.fingerprint(&self.reader, file) else {
                continue;
            };
            let Some(names) = by_print.get_mut(&print).filter(|names| !names.is_empty()) else {
                continue;
            };
            let called = |name: &str| Path::new(name).file_name() == file.path.file_name();
            let at = names.iter().position(|name| called(name)).unwrap_or(0);
            renames.push((names.remove(at).to_owned(), file.source.clone()));
        }
        let moved: HashSet<&String> = renames.iter().map(|(old, _)| old).collect();
        gone.retain(|name| !moved.contains(name));
        renames
    }

    /// Whether a file that was not found is gone, or passed over by the rules; not so if it may
    /// only not be seen.
    fn is_gone(&self, name: &str, discovery: &Discovery) -> bool {
        let path = Path::new(name);
        let unseen = |problem: &Problem| path.starts_with(&problem.path);
        if discovery.failed.iter().any(unseen) {
            return false;
        }
        match fs::symlink_metadata(path) {
            // The rules pass it over, or it is no kind that is read.
            Ok(_) => discovery.failed.is_empty() || path.starts_with(&self.root),
            Err(error) if is_absence(error.kind()) => {
                // What came by a symbolic link may stand on a disk that is not connected.
                path.starts_with(&self.root) || path.parent().is_some_and(Path::exists)
            }
            Err(_) => false,
        }
    }
}

fn is_absence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}
