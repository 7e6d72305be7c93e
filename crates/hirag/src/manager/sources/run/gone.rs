//! Files that are not there: gone, or only not to be seen.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::import::{Discovery, Problem, path_text};
use crate::sources::device;

/// The file system that a path stands on, where the system numbers them.
type DeviceOf = fn(&Path) -> Option<u64>;

/// Tells files that are gone from those that may stand on a disk that is not connected.
pub(super) struct Absent<'a> {
    root: &'a Path,
    emptied: bool,
    device_of: DeviceOf,
    /// Folders in or under which a disk was.
    disks: BTreeSet<PathBuf>,
}

impl<'a> Absent<'a> {
    /// `emptied`: whether what stood on another disk is taken for gone.
    pub(super) fn of(root: &'a Path, emptied: bool) -> Self {
        Self {
            root,
            emptied,
            device_of: |path| fs::metadata(path).ok().and_then(|facts| device(&facts)),
            disks: BTreeSet::new(),
        }
    }

    /// Whether a file that was not found is gone, or passed over by the rules; not so if it may
    /// only not be seen. `apart`: whether it stood on another file system than the root.
    pub(super) fn is_gone(&mut self, name: &str, apart: bool, discovery: &Discovery) -> bool {
        let path = Path::new(name);
        let unseen = |problem: &Problem| path.starts_with(&problem.path);
        if discovery.failed.iter().any(unseen) {
            return false;
        }
        match fs::symlink_metadata(path) {
            // The rules pass it over, or it is no kind that is read.
            Ok(_) => discovery.failed.is_empty() || path.starts_with(self.root),
            Err(error) if is_absence(error.kind()) => {
                if !path.starts_with(self.root) {
                    // What came by a symbolic link may stand on a disk that is not connected.
                    return path.parent().is_some_and(Path::exists);
                }
                !apart || self.emptied || self.is_off_its_disk(path)
            }
            Err(_) => false,
        }
    }

    /// Whether what is left of the path to a file still stands on another disk than the root, so
    /// that the file went and not the disk.
    fn is_off_its_disk(&mut self, path: &Path) -> bool {
        let Some(folder) = path.ancestors().skip(1).find(|folder| folder.exists()) else {
            return false;
        };
        if (self.device_of)(folder) != (self.device_of)(self.root) {
            return true;
        }
        self.disks.insert(folder.to_owned());
        false
    }

    /// The disks that are missing, for the report.
    pub(super) fn into_problems(self) -> impl Iterator<Item = Problem> {
        self.disks.into_iter().map(|folder| {
            let path = path_text(&folder);
            Problem {
                message: format!(
                    "a disk that was connected in {path} is not there; what its files gave \
                     before stays. If it is gone for good, run the source with --emptied"
                ),
                code: "disk_gone".to_owned(),
                line: None,
                path,
            }
        })
    }
}

fn is_absence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stood_on_a_disk_that_is_not_connected_is_not_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (root, disk) = (dir.path(), dir.path().join("disk"));
        fs::create_dir(&disk).unwrap();
        let lost = disk.join("deep/a.md");
        let lost = lost.to_str().unwrap();
        let found = Discovery::default();
        let absent = |device_of: DeviceOf, emptied| Absent {
            device_of,
            ..Absent::of(root, emptied)
        };
        let one: DeviceOf = |_| Some(1);
        let mut unplugged = absent(one, false);
        assert!(!unplugged.is_gone(lost, true, &found));
        let problems: Vec<Problem> = unplugged.into_problems().collect();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].code, "disk_gone");
        assert_eq!(problems[0].path, disk.to_str().unwrap());
        // On the root's own disk it was deleted, and so it was where the disk is still there.
        assert!(absent(one, false).is_gone(lost, false, &found));
        let two: DeviceOf = |path| Some(u64::from(path.ends_with("disk")));
        assert!(absent(two, false).is_gone(lost, true, &found));
        // Who says that it is meant is believed.
        assert!(absent(one, true).is_gone(lost, true, &found));
    }
}
