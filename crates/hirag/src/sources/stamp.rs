//! Whether a file has been touched, without opening it.

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::context::ContentHash;

/// A file that was changed this shortly before it was read may be changed again without another
/// time: those of some file systems are two seconds apart.
pub(crate) const SETTLED: Duration = Duration::from_secs(2);

/// Hash of what a file's folder says of it, and of what shapes its import. `None` where it cannot
/// be told from a later change: such a file is opened again.
pub(crate) fn stamp(facts: &Metadata, shape: &str, now: Timestamp) -> Option<[u8; 32]> {
    let modified = facts.modified().ok()?;
    let settled = SystemTime::from(now).checked_sub(SETTLED)?;
    if modified > settled {
        return None;
    }
    let since = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let text = format!(
        "{} {} {:?} {shape}",
        facts.len(),
        since.as_nanos(),
        identity(facts)
    );
    Some(*ContentHash::of(&text).as_bytes())
}

/// What tells a file from another that was put in its place with the same size and time, and from
/// itself before its time was set back: its number, and when the system last changed anything of it.
#[cfg(unix)]
fn identity(facts: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (facts.ino(), facts.ctime(), facts.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_facts: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}

/// The file system that a file stands on, where the system numbers them.
#[cfg(unix)]
pub(crate) fn device(facts: &Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::dev(facts))
}

#[cfg(not(unix))]
pub(crate) fn device(_facts: &Metadata) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn a_stamp_changes_with_size_time_and_shape_and_a_fresh_file_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.md");
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let write = |text: &str, after: u64| {
            fs::write(&path, text).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(long_ago + Duration::from_secs(after))
                .unwrap();
            fs::metadata(&path).unwrap()
        };
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let facts = write("one", 0);
        let first = stamp(&facts, "shape", now);
        assert!(first.is_some());
        let again = fs::metadata(&path).unwrap();
        assert_eq!(first, stamp(&again, "shape", now));
        assert_ne!(first, stamp(&facts, "another", now));
        assert_ne!(first, stamp(&write("three", 0), "shape", now));
        assert_ne!(first, stamp(&write("one", 1), "shape", now));
        let soon = Timestamp::from_second(1_001).unwrap();
        assert_eq!(stamp(&write("one", 0), "shape", soon), None);
    }
}
