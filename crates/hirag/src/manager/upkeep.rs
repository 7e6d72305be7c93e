//! Clean-up, purging, checking, copying.

use std::ops::ControlFlow;
use std::path::Path;

use serde::Serialize;

use super::{DATABASE_FILE, HiragManager, collection_of, off_the_async_threads};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::levels;
use crate::store::sqlite::{BackupProgress, CleanUp, Inspection, inspect_file};

/// What was removed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Purge {
    /// Contexts.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub purged: u64,
}

impl HiragManager {
    /// Applies the rules of the levels, or tells what they would do: expires, promotes, keeps the
    /// sizes. What expires is only marked, and comes back by [`Self::undo`].
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError); nothing was changed then.
    pub async fn clean_up(&self, dry_run: bool) -> Result<CleanUp> {
        let rules = levels::clean_up_rules(&self.config(), self.inner.clock.now());
        let store = &self.inner.store;
        let report = store
            .clean_up(&self.inner.collection, rules, dry_run)
            .await?;
        if !dry_run {
            self.restore_working_set().await?;
        }
        Ok(report)
    }

    /// Removes for good what was marked as deleted longer ago than `older_than` (by default
    /// `levels.purge_after`): row, vector, words and cached embedding.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError); nothing was removed then.
    pub async fn purge(&self, older_than: Option<std::time::Duration>) -> Result<Purge> {
        let age = older_than.unwrap_or_else(|| self.config().levels.purge_after.duration());
        let now = self.inner.clock.now();
        // Everything that is marked by now is older than nothing at all.
        let before_ms = levels::before(now, age).as_millisecond() + i64::from(age.is_zero());
        let purged = self
            .inner
            .store
            .purge(&self.inner.collection, before_ms)
            .await?;
        if self.inner.models.cache().is_some() && !purged.texts.is_empty() {
            self.forget_vectors(&purged.texts).await?;
        }
        Ok(Purge {
            purged: purged.texts.len() as u64,
        })
    }

    /// Checks that the database is sound and that its parts agree.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when the checks cannot be made.
    pub async fn inspect(&self) -> Result<Inspection> {
        Ok(self.inner.store.inspect(&self.inner.collection).await?)
    }

    /// The same for a memory that cannot be opened, because its database is damaged.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when the checks cannot be made at all.
    pub async fn inspect_closed(config: &Config, data_dir: &Path) -> Result<Inspection> {
        let (path, collection) = (data_dir.join(DATABASE_FILE), collection_of(config));
        Ok(off_the_async_threads(move || inspect_file(&path, &collection)).await??)
    }

    /// Gives free space back to the disk.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError); nothing is lost then.
    pub async fn optimise(&self) -> Result<()> {
        Ok(self.inner.store.optimise().await?)
    }

    /// Writes a copy of the database as it is now to a new file.
    ///
    /// # Errors
    /// [`StoreError::Io`](crate::store::StoreError::Io) when the file exists or cannot be written.
    pub async fn back_up(&self, target: &Path) -> Result<()> {
        self.back_up_watched(target, |_| ControlFlow::Continue(()))
            .await
    }

    /// The same with somebody who watches: `watch` gets the progress many times a second, and says
    /// whether to go on.
    ///
    /// # Errors
    /// As [`Self::back_up`]; [`Error::Cancelled`] when it was to stop: no file is left.
    pub async fn back_up_watched(
        &self,
        target: &Path,
        watch: impl FnMut(BackupProgress) -> ControlFlow<()> + Send + 'static,
    ) -> Result<()> {
        match self.inner.store.back_up(target, watch).await? {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled),
        }
    }

    /// Puts a backup in the place of the database in `data_dir`, after checking it. The database
    /// that was there is kept beside it under a name that tells the time.
    ///
    /// # Errors
    /// [`StoreError`](crate::store::StoreError) when the backup is none, newer than this program,
    /// or the database is in use; nothing was changed then.
    pub fn restore(
        backup: &Path,
        data_dir: &Path,
        clock: &crate::clock::SharedClock,
    ) -> Result<Option<std::path::PathBuf>> {
        let target = data_dir.join(super::DATABASE_FILE);
        Ok(crate::store::sqlite::restore(backup, &target, clock.now())?)
    }

    /// Drops purged texts from the embedding cache, unless another context has the same text.
    async fn forget_vectors(&self, texts: &[String]) -> Result<()> {
        let stored = self.inner.store.vector_spec(&self.inner.collection).await?;
        let kept = self
            .inner
            .store
            .texts_still_stored(&self.inner.collection, texts.to_vec())
            .await?;
        let purged = texts.iter().filter(|text| !kept.contains(*text));
        if let Err(error) = self.inner.models.forget(&stored, purged).await {
            tracing::warn!(%error, "purged texts stay in the embedding cache until they expire");
        }
        Ok(())
    }
}
