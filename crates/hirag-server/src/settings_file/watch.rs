use std::path::PathBuf;
use std::time::SystemTime;

/// What tells one state of a file from another; `None` where it is not there.
pub type Seen = Option<(SystemTime, u64)>;

/// Notices when a file was changed by others. An editor may write in several steps: a change
/// counts once the file looks the same at two looks in a row.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    known: Seen,
    last: Seen,
}

impl Watch {
    /// A watch on a file as it is now.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        let mut watch = Self {
            path,
            known: None,
            last: None,
        };
        watch.known_now();
        watch
    }

    /// Takes the file as it is now as known: this program wrote it.
    pub fn known_now(&mut self) {
        self.known = self.look();
        self.last = self.known;
    }

    /// Looks again; whether there is a change that has settled.
    pub fn changed(&mut self) -> bool {
        let now = self.look();
        let settled = now == self.last;
        self.last = now;
        if now == self.known || !settled {
            return false;
        }
        self.known = now;
        true
    }

    fn look(&self) -> Seen {
        let facts = self.path.metadata().ok()?;
        Some((facts.modified().ok()?, facts.len()))
    }
}
