//! Folders and files that are kept up to date.

mod run;
mod watch;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch as signal;

pub use run::RunOptions;

use super::{HiragManager, off_the_async_threads};
use crate::error::Result;
use crate::import::ImportProgress;
use crate::sources::{
    Leave, NewSource, RemovedSource, Source, SourceError, SourceId, SourcePatch, SourceStatus,
    WatchState, name, place,
};
use crate::store::sqlite::NewKept;

/// What this process does with sources.
#[derive(Debug)]
pub(super) struct Keeping {
    /// One run at a time: they would only wait for the model together.
    pub(super) turn: tokio::sync::Mutex<()>,
    running: Mutex<HashMap<SourceId, ImportProgress>>,
    watching: Mutex<HashMap<SourceId, WatchState>>,
    /// The runs that are under way.
    runs: Mutex<HashMap<SourceId, UnderWay>>,
    /// Sources that are being removed: no run of them begins.
    removing: Mutex<HashSet<SourceId>>,
    /// Raised when a source came, changed or went.
    changed: signal::Sender<()>,
}

/// A run of a source.
#[derive(Debug, Clone)]
struct UnderWay {
    /// Raised to stop it.
    stop: Arc<AtomicBool>,
    /// Held until it ends.
    end: signal::Receiver<()>,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            turn: tokio::sync::Mutex::default(),
            running: Mutex::default(),
            watching: Mutex::default(),
            runs: Mutex::default(),
            removing: Mutex::default(),
            changed: signal::Sender::new(()),
        }
    }
}

impl HiragManager {
    /// Keeps a folder or a file up to date from now on. Nothing of it is read before
    /// [`Self::run_source`].
    ///
    /// # Errors
    /// [`SourceError`] where its path, its name or its rules are not allowed, where it is not
    /// there, or where it overlaps with another source; nothing was changed then.
    pub async fn add_source(&self, new: NewSource) -> Result<SourceStatus> {
        self.require_writable()?;
        new.rules.validate()?;
        let given = new.name.as_deref().map(name).transpose()?;
        if let Some(level) = new.rules.level {
            super::check_level(&self.config(), level)?;
        }
        let path = new.path;
        let place = off_the_async_threads(move || {
            let place = place(&path)?;
            look(&place)?;
            Ok::<_, SourceError>(place)
        });
        let place = place.await??;
        let new = NewKept {
            name: given,
            path: place.to_string_lossy().into_owned(),
            watch: new.watch,
            rules: new.rules,
        };
        let inner = &self.inner;
        let source = inner.store.keep(&inner.collection, new).await??;
        inner.keeping.changed.send_replace(());
        Ok(self.with_status(source))
    }

    /// All sources, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError).
    pub async fn sources(&self) -> Result<Vec<SourceStatus>> {
        let inner = &self.inner;
        let all = inner.store.kept(&inner.collection).await?;
        Ok(all.into_iter().map(|one| self.with_status(one)).collect())
    }

    /// A source.
    ///
    /// # Errors
    /// [`SourceError::Unknown`].
    pub async fn source(&self, id: SourceId) -> Result<SourceStatus> {
        let inner = &self.inner;
        let source = inner.store.kept_one(&inner.collection, id).await?;
        let source = source.ok_or_else(|| SourceError::Unknown(id.to_string()))?;
        Ok(self.with_status(source))
    }

    /// The source of this name, whatever its case, or with this id.
    ///
    /// # Errors
    /// [`SourceError::Unknown`].
    pub async fn source_called(&self, name_or_id: &str) -> Result<SourceStatus> {
        let wanted = name_or_id.trim().to_lowercase();
        let is_meant = |one: &SourceStatus| {
            one.source.name.to_lowercase() == wanted || one.source.id.to_string() == wanted
        };
        let all = self.sources().await?;
        let found = all.into_iter().find(is_meant);
        Ok(found.ok_or_else(|| SourceError::Unknown(name_or_id.to_owned()))?)
    }

    /// Changes a source; what is read of it shows with its next run.
    ///
    /// # Errors
    /// As [`Self::add_source`]; [`SourceError::Unknown`].
    pub async fn change_source(&self, id: SourceId, patch: SourcePatch) -> Result<SourceStatus> {
        self.require_writable()?;
        let rules = patch.rules.as_ref();
        rules.map_or(Ok(()), |rules| rules.validate())?;
        if let Some(level) = rules.and_then(|rules| rules.level) {
            super::check_level(&self.config(), level)?;
        }
        let patch = SourcePatch {
            name: patch.name.as_deref().map(name).transpose()?,
            ..patch
        };
        let inner = &self.inner;
        let changed = inner.store.change_kept(&inner.collection, id, patch);
        let source = changed.await??;
        inner.keeping.changed.send_replace(());
        Ok(self.with_status(source))
    }

    /// Keeps a source up to date no longer. Its contexts stay, or are marked as deleted; one
    /// [`Self::undo`] brings them back then. A run of it that is under way stops; one that waits
    /// for its turn finds it gone.
    ///
    /// # Errors
    /// [`SourceError::Unknown`].
    pub async fn remove_source(&self, id: SourceId, leave: Leave) -> Result<RemovedSource> {
        self.require_writable()?;
        let inner = &self.inner;
        let _removing = Removing::begin(&inner.keeping, id);
        let run = inner.keeping.runs.lock().get(&id).cloned();
        if let Some(mut run) = run {
            run.stop.store(true, Ordering::Relaxed);
            // What it would write later would be left behind. That its end is dropped is the end.
            while run.end.changed().await.is_ok() {}
        }
        let removed = inner.store.keep_no_longer(&inner.collection, id, leave);
        let (source, deletion) = removed.await??;
        if let Some(deletion) = &deletion {
            inner.working_set.forget(deletion.ids.iter().copied());
        }
        inner.keeping.changed.send_replace(());
        Ok(RemovedSource { source, deletion })
    }

    fn with_status(&self, source: Source) -> SourceStatus {
        let keeping = &self.inner.keeping;
        SourceStatus {
            watching: keeping
                .watching
                .lock()
                .get(&source.id)
                .cloned()
                .unwrap_or_default(),
            running: keeping.running.lock().get(&source.id).copied(),
            source,
        }
    }
}

/// Lets no run of a source begin, for as long as it lives.
struct Removing<'a> {
    keeping: &'a Keeping,
    id: SourceId,
}

impl<'a> Removing<'a> {
    fn begin(keeping: &'a Keeping, id: SourceId) -> Self {
        keeping.removing.lock().insert(id);
        Self { keeping, id }
    }
}

impl Drop for Removing<'_> {
    fn drop(&mut self) {
        self.keeping.removing.lock().remove(&self.id);
    }
}

/// Whether the root of a source can be read; whether it is a folder without anything in it.
pub(super) fn look(place: &Path) -> Result<bool, SourceError> {
    let refuse = |error| SourceError::of_root(place, &error);
    let facts = place.metadata().map_err(refuse)?;
    if facts.is_dir() {
        let mut entries = place.read_dir().map_err(refuse)?;
        return Ok(entries.next().is_none());
    }
    std::fs::File::open(place).map_err(refuse)?;
    Ok(false)
}
