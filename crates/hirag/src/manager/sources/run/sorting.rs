//! What is there, sorted by what has to be done about it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::gone::Absent;
use super::renames::Renames;
use crate::import::{Discovery, ImportReport, Problem, Reader, SourceFile};
use crate::manager::importing::Shape;
use crate::sources::{device, stamp};
use crate::store::sqlite::KeptFile;

/// What has to be done.
pub(super) struct Sorted {
    /// What is wrong with files that are not opened.
    pub(super) report: ImportReport,
    /// Files to open.
    pub(super) open: Vec<SourceFile>,
    /// How each of them is known again without opening it.
    pub(super) stamps: HashMap<String, [u8; 32]>,
    /// Those of them whose folder stands on another file system than the root.
    pub(super) apart: HashSet<String>,
    /// The number of contexts of each file that is as it was.
    pub(super) unchanged: Vec<u64>,
    /// Old names and new ones; see [`Renames`].
    pub(super) renames: Vec<(String, String)>,
    pub(super) gone: Vec<String>,
}

/// What is known, to compare with what is there.
pub(super) struct Sorting {
    pub(super) root: PathBuf,
    pub(super) now: jiff::Timestamp,
    pub(super) shape: Shape,
    pub(super) reader: Reader,
    pub(super) max_file_bytes: u64,
    /// Whether what may stand on a disk that is not connected is taken for gone.
    pub(super) emptied: bool,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) stored: HashMap<String, KeptFile>,
}

impl Sorting {
    /// Sorts what was found. After `stop` was raised, not all of it.
    pub(super) fn sort(self, mut discovery: Discovery) -> Sorted {
        let files = std::mem::take(&mut discovery.files);
        let large = self.grown_too_large(&mut discovery);
        let found = files.iter().map(|file| file.source.as_str());
        let seen: HashSet<&str> = found.chain(large.iter().map(|p| p.path.as_str())).collect();
        let mut absent = Absent::of(&self.root, self.emptied);
        let mut gone: Vec<String> = self
            .stored
            .iter()
            .filter(|(name, before)| {
                !seen.contains(name.as_str()) && absent.is_gone(name, before.apart, &discovery)
            })
            .map(|(name, _)| name.clone())
            .collect();
        gone.sort_unstable();
        let mut report = ImportReport {
            skipped: discovery.skipped,
            failed: discovery.failed,
            ..ImportReport::default()
        };
        report.failed.extend(large);
        report.failed.extend(absent.into_problems());
        let (mut open, mut unchanged) = (Vec::new(), Vec::new());
        let (mut stamps, mut apart) = (HashMap::new(), HashSet::new());
        let shape = self.shape.to_string();
        let device_of = |path: &Path| device(&fs::metadata(path).ok()?);
        let root_device = device_of(&self.root);
        for file in files {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            // Before it is opened: what changes from here on is seen by the next run.
            let facts = fs::metadata(&file.path).ok();
            let now = facts.as_ref();
            let now = now.and_then(|facts| stamp(facts, &shape, self.now));
            match self.stored.get(&file.source) {
                Some(before) if now.is_some() && before.stamp == now => {
                    let told = before.problem.clone();
                    if told.as_ref().is_none_or(|told| told.refused.is_none()) {
                        unchanged.push(before.contexts);
                    }
                    if let Some(told) = told {
                        report.tell(told, file.named || before.contexts > 0);
                    }
                }
                _ => {
                    // Its folder is what is left of the disk when the file goes.
                    if file.path.parent().and_then(device_of) != root_device {
                        apart.insert(file.source.clone());
                    }
                    stamps.extend(now.map(|stamp| (file.source.clone(), stamp)));
                    open.push(file);
                }
            }
        }
        let renames = Renames {
            stored: &self.stored,
            shape: &self.shape,
            reader: &self.reader,
        };
        let renames = renames.among(&open, &mut gone);
        Sorted {
            report,
            open,
            stamps,
            apart,
            unchanged,
            renames,
            gone,
        }
    }

    /// What is over the limit now is told, and what it gave before stays. What is passed over for
    /// any other reason is no file of the source any more.
    fn grown_too_large(&self, discovery: &mut Discovery) -> Vec<Problem> {
        let grown = discovery.skipped.extract_if(.., |skipped| {
            self.stored.contains_key(&skipped.path)
                && fs::metadata(&skipped.path).is_ok_and(|facts| facts.len() > self.max_file_bytes)
        });
        grown
            .map(|skipped| Problem {
                message: format!(
                    "{} is {}; what it gave before stays",
                    skipped.path, skipped.reason
                ),
                code: "file_too_large".to_owned(),
                line: None,
                path: skipped.path,
            })
            .collect()
    }
}
