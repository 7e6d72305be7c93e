//! One database for another, in steps that can be broken off anywhere.
//!
//! A database and its log are two files, and no system renames two at once. So the new database,
//! once it is complete, first takes a name that says what goes on: `hirag.db.restored-<time>`,
//! where `<time>` also names the files that the old one is kept in. While a file of that name is
//! there the swap goes forward, by this process or by the next that opens the database for writing.
//! Its last step gives the file its own name, which ends the swap. Each step may be made again.

use std::fs;
use std::io::{
    self,
    ErrorKind::{NotFound, PermissionDenied},
};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::files::{beside, folder_of, remove_if_there, sync_folder_of};
use crate::store::StoreError;

const NEW: &str = ".restored-";
const KEPT: &str = ".before-restore-";

/// A swap that has begun.
#[derive(Debug, Clone)]
pub(super) struct Swap {
    target: PathBuf,
    /// The new database, complete.
    new: PathBuf,
    /// Where the old one goes.
    kept: PathBuf,
}

/// The steps after the beginning, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The old database's log goes to where the old database will be.
    SetLogAside,
    /// The old database goes there.
    SetDatabaseAside,
    /// The new one takes its place.
    PutInPlace,
}

pub(super) const STEPS: [Step; 3] = [Step::SetLogAside, Step::SetDatabaseAside, Step::PutInPlace];

impl Swap {
    /// Begins by giving the complete `copy` the name that says so.
    pub(super) fn begin(copy: &Path, target: &Path, now: Timestamp) -> io::Result<Self> {
        // Two restores within a second must not keep their databases under one name.
        let mut second = now.as_second();
        let swap = loop {
            let swap = Self::of(target, &second.to_string());
            let names = [&swap.new, &swap.kept, &beside(&swap.kept, "-wal")];
            if !names.into_iter().any(|name| name.exists()) {
                break swap;
            }
            second += 1;
        };
        fs::rename(copy, &swap.new)?;
        sync_folder_of(target)?;
        Ok(swap)
    }

    fn of(target: &Path, time: &str) -> Self {
        Self {
            target: target.to_owned(),
            new: beside(target, &format!("{NEW}{time}")),
            kept: beside(target, &format!("{KEPT}{time}")),
        }
    }

    /// The swap that was begun and broken off, if there is one.
    fn begun(target: &Path) -> io::Result<Option<Self>> {
        let Some(name) = target.file_name() else {
            return Ok(None);
        };
        let start = format!("{}{NEW}", name.to_string_lossy());
        let entries = match fs::read_dir(folder_of(target)) {
            Ok(entries) => entries,
            // What cannot be listed was not written by this program, either.
            Err(error) if matches!(error.kind(), NotFound | PermissionDenied) => return Ok(None),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let name = entry?.file_name();
            let time = name.to_str().and_then(|name| name.strip_prefix(&start));
            if let Some(time) = time.filter(|time| time.parse::<i64>().is_ok()) {
                return Ok(Some(Self::of(target, time)));
            }
        }
        Ok(None)
    }

    /// Makes every step; after a failure, all is as it was. Returns where the old database is kept,
    /// if there was one.
    pub(super) fn carry_out_or_undo(&self) -> io::Result<Option<PathBuf>> {
        match self.carry_out() {
            Ok(()) => Ok(self.kept.exists().then(|| self.kept.clone())),
            Err(error) => {
                if let Err(stuck) = self.undo() {
                    tracing::warn!(
                        error = %stuck,
                        "a restore that failed is neither done nor undone; the next start does it"
                    );
                }
                Err(error)
            }
        }
    }

    fn carry_out(&self) -> io::Result<()> {
        STEPS.into_iter().try_for_each(|step| self.make(step))
    }

    /// Makes a step, unless it was made before.
    pub(super) fn make(&self, step: Step) -> io::Result<()> {
        let (log, kept_log) = self.logs();
        match step {
            Step::SetLogAside => {
                // The index of the log is made from it again.
                remove_if_there(&beside(&self.target, "-shm"))?;
                if !kept_log.exists() && log.exists() {
                    fs::rename(&log, &kept_log)?;
                } else if is_written(&log) {
                    return Err(in_the_way(&kept_log));
                }
            }
            Step::SetDatabaseAside if self.target.exists() => {
                if self.kept.exists() {
                    return Err(in_the_way(&self.kept));
                }
                fs::rename(&self.target, &self.kept)?;
            }
            Step::SetDatabaseAside => {}
            Step::PutInPlace => {
                remove_if_there(&beside(&self.target, "-shm"))?;
                // SQLite would take what is in a log for the new database's.
                if is_written(&log) {
                    return Err(in_the_way(&log));
                }
                remove_if_there(&log)?;
                fs::rename(&self.new, &self.target)?;
            }
        }
        sync_folder_of(&self.target)
    }

    /// Takes a step back, unless it was not made or was taken back before. The later ones must have
    /// been taken back.
    pub(super) fn take_back(&self, step: Step) -> io::Result<()> {
        let (log, kept_log) = self.logs();
        match step {
            Step::PutInPlace if !self.new.exists() => fs::rename(&self.target, &self.new)?,
            Step::SetDatabaseAside if self.kept.exists() && !self.target.exists() => {
                fs::rename(&self.kept, &self.target)?;
            }
            Step::SetLogAside if kept_log.exists() && !is_written(&log) => {
                remove_if_there(&log)?;
                fs::rename(&kept_log, &log)?;
            }
            _ => return Ok(()),
        }
        sync_folder_of(&self.target)
    }

    /// Takes every step back, the beginning last: up to then the swap can still go forward.
    fn undo(&self) -> io::Result<()> {
        let mut backwards = STEPS.into_iter().rev();
        backwards.try_for_each(|step| self.take_back(step))?;
        remove_if_there(&self.new)?;
        sync_folder_of(&self.target)
    }

    /// The log in its place, and where it is kept.
    fn logs(&self) -> (PathBuf, PathBuf) {
        (beside(&self.target, "-wal"), beside(&self.kept, "-wal"))
    }
}

/// Whether a log has anything in it. A reader may make an empty one at any time.
fn is_written(log: &Path) -> bool {
    log.metadata().is_ok_and(|facts| facts.len() > 0)
}

fn in_the_way(file: &Path) -> io::Error {
    let reason = format!("{} is in the way; move it elsewhere", file.display());
    io::Error::new(io::ErrorKind::AlreadyExists, reason)
}

/// For who may only read `target`.
///
/// # Errors
/// [`in_between`] where a restore of it was begun and is not done.
pub(in super::super) fn check_not_begun(target: &Path) -> Result<(), StoreError> {
    match Swap::begun(target).map_err(super::super::classify::io_at(target))? {
        Some(_) => Err(in_between(target)),
        None => Ok(()),
    }
}

/// The error of a reader that comes while one database takes another's place.
pub(in super::super) fn in_between(target: &Path) -> StoreError {
    StoreError::CannotOpen {
        path: target.to_owned(),
        reason: "a restore of it goes on, or was broken off; a process that may write it \
                 finishes it"
            .to_owned(),
    }
}

/// Finishes a restore that was broken off, and removes what is left of one that never began. Only
/// for who holds the right to write `target`.
pub(in super::super) fn finish_begun(target: &Path) -> Result<(), StoreError> {
    let finish = || -> io::Result<()> {
        if let Some(swap) = Swap::begun(target)? {
            swap.carry_out()?;
            tracing::warn!(database = %target.display(), "a restore that was broken off is done now");
        }
        remove_if_there(&beside(target, ".restoring-journal"))?;
        remove_if_there(&beside(target, ".restoring"))
    };
    finish().map_err(super::super::classify::io_at(target))
}
