//! What the system tells of, as far as it concerns a source.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{CreateKind, EventKind, ModifyKind};
use notify_debouncer_full::{DebounceEventResult, DebouncedEvent};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::import::is_made;
use crate::sources::{Matcher, Source, SourceId};

/// Times of rest that are waited for at most.
const MOST_RESTS: u32 = 10;

/// What was told since it was asked for last: of any number of changes, which sources they are in.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Sources in which something changed.
    pub(super) changed: BTreeSet<SourceId>,
    /// Of these, sources that the system has to be asked for anew: the root itself went, or there is
    /// a link to a folder that is not watched yet.
    pub(super) anew: BTreeSet<SourceId>,
    /// Whether the system lost count of changes.
    pub(super) lost: bool,
}

impl Told {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn add(&mut self, other: Self) {
        self.changed.extend(other.changed);
        self.anew.extend(other.anew);
        self.lost |= other.lost;
    }
}

/// Gathers what is told until it is asked for.
#[derive(Debug)]
pub(super) struct Heard {
    grounds: Mutex<HashMap<SourceId, Ground>>,
    told: Mutex<Told>,
    news: Notify,
    /// What this program writes itself.
    data: PathBuf,
}

impl Heard {
    pub(super) fn new(data: &Path) -> Self {
        Self {
            grounds: Mutex::default(),
            told: Mutex::default(),
            news: Notify::new(),
            data: data.to_owned(),
        }
    }

    /// From now on, what concerns these sources is gathered.
    pub(super) fn listen_for<'a>(&self, sources: impl Iterator<Item = &'a Source>) {
        let grounds = sources.map(|source| (source.id, Ground::of(source)));
        *self.grounds.lock() = grounds.collect();
    }

    /// Hears what the system tells. Called on its thread, so that nothing waits in a queue.
    pub(super) fn hear(&self, events: DebounceEventResult) {
        let mut told = Told::default();
        match events {
            Ok(events) => {
                told.lost = events.iter().any(|event| event.need_rescan());
                for (id, ground) in self.grounds.lock().iter() {
                    if events.iter().any(|event| ground.holds(event, &self.data)) {
                        told.changed.insert(*id);
                    }
                    let is_other =
                        |event: &DebouncedEvent| ground.goes(event) || ground.links(event);
                    if events.iter().any(is_other) {
                        told.anew.insert(*id);
                    }
                }
            }
            Err(errors) => {
                tracing::debug!(?errors, "some changes were not told");
                told.lost = true;
            }
        }
        if !told.is_empty() {
            self.told.lock().add(told);
            self.news.notify_one();
        }
    }

    /// What was told since, if anything was.
    pub(super) fn take(&self) -> Told {
        std::mem::take(&mut *self.told.lock())
    }

    /// Waits until something is told. Nothing is lost where nobody waits any longer.
    pub(super) async fn next(&self) -> Told {
        loop {
            let told = self.take();
            if !told.is_empty() {
                return told;
            }
            self.news.notified().await;
        }
    }

    /// Waits until nothing is told for as long as `rest`; what never rests, for some times that.
    pub(super) async fn until_rest(&self, rest: Duration) -> Told {
        let mut told = Told::default();
        let quiet = async {
            while let Ok(more) = timeout(rest, self.next()).await {
                told.add(more);
            }
        };
        let _ = timeout(rest * MOST_RESTS, quiet).await;
        told
    }
}

/// Where a source is, and what is read of it.
#[derive(Debug)]
struct Ground {
    root: PathBuf,
    /// `None` for rules that cannot be read; the run tells so.
    matcher: Option<Matcher>,
}

impl Ground {
    fn of(source: &Source) -> Self {
        Self {
            root: PathBuf::from(&source.path),
            matcher: Matcher::new(&source.rules).ok(),
        }
    }

    /// Whether an event tells of something that would be read. Reading is none, and neither is
    /// what this program writes, or would run the source again for ever.
    fn holds(&self, event: &DebouncedEvent, data: &Path) -> bool {
        if matches!(event.kind, EventKind::Access(_)) {
            return false;
        }
        // A folder may hold what is wanted, whatever it is called itself; and what is told to be a
        // file that went may have been a link to one.
        let of_a_file = matches!(
            event.kind,
            EventKind::Create(CreateKind::File) | EventKind::Modify(ModifyKind::Data(_))
        );
        let mut paths = event.paths.iter();
        paths.any(|path| !path.starts_with(data) && self.has(path, of_a_file))
    }

    fn has(&self, path: &Path, is_file: bool) -> bool {
        let Ok(rest) = path.strip_prefix(&self.root) else {
            return false;
        };
        if rest.as_os_str().is_empty() {
            return true;
        }
        let hidden = rest
            .iter()
            .any(|name| name.as_encoded_bytes().starts_with(b"."));
        let by_rules = self.matcher.as_ref().is_none_or(|matcher| match is_file {
            true => matcher.takes(rest),
            false => !matcher.leaves_out(rest, false),
        });
        let parts = || path.ancestors().take_while(|part| **part != self.root);
        // The rules are for where a link leads, which a run finds out.
        let wanted = by_rules || parts().any(Path::is_symlink);
        !hidden && wanted && !parts().any(is_made)
    }

    /// Whether an event tells that the root itself went.
    fn goes(&self, event: &DebouncedEvent) -> bool {
        let goes = matches!(
            event.kind,
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
        );
        goes && event.paths.contains(&self.root)
    }

    /// Whether an event tells of a link to a folder that came.
    fn links(&self, event: &DebouncedEvent) -> bool {
        let comes = matches!(
            event.kind,
            EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_))
        );
        let is_link = |path: &PathBuf| path.is_symlink() && path.is_dir();
        comes
            && event
                .paths
                .iter()
                .any(|path| path.starts_with(&self.root) && is_link(path))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use notify::Event;
    use notify::event::{AccessKind, AccessMode, DataChange, Flag, RemoveKind};

    use super::*;
    use crate::sources::SourceRules;

    fn event(kind: EventKind, path: &Path) -> DebouncedEvent {
        let event = Event::new(kind).add_path(path.to_owned());
        DebouncedEvent::new(event, std::time::Instant::now())
    }

    fn ground(root: &Path) -> Ground {
        let rules = SourceRules {
            include: vec!["*.md".to_owned()],
            exclude: vec!["drafts/".to_owned()],
            ..SourceRules::default()
        };
        Ground {
            root: root.to_owned(),
            matcher: Some(Matcher::new(&rules).unwrap()),
        }
    }

    #[test]
    fn only_what_would_be_read_concerns_a_source() {
        let dir = tempfile::tempdir().unwrap();
        let (root, data) = (dir.path(), dir.path().join("data"));
        let built = root.join("target");
        fs::create_dir(&built).unwrap();
        fs::write(built.join("CACHEDIR.TAG"), "").unwrap();
        let ground = ground(root);
        let new = EventKind::Create(CreateKind::Any);
        let file = EventKind::Create(CreateKind::File);
        let open = AccessKind::Open(AccessMode::Any);
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        for (kind, path, wanted) in [
            (new, "a.md", true),
            (new, "deep/b.md", true),
            (new, "../notes-old/a.md", false),
            (new, ".git/index", false),
            (new, "data/hirag.db-wal", false),
            (EventKind::Access(AccessKind::Any), "a.md", false),
            (EventKind::Access(open), "a.md", false),
            (EventKind::Remove(RemoveKind::Any), "", true),
            // What the rules or nobody reads; but a folder may come with notes in it.
            (file, "drafts/a.md", false),
            (written, "deep/drafts/a.md", false),
            (file, "picture.png", false),
            (new, "letters", true),
            (file, "node_modules/left-pad/README.md", false),
            (file, "target/doc/a.md", false),
        ] {
            let path = match path {
                "" => root.to_owned(),
                path => root.join(path),
            };
            let event = event(kind, &path);
            assert_eq!(ground.holds(&event, &data), wanted, "{}", path.display());
        }
        assert!(ground.goes(&event(EventKind::Remove(RemoveKind::Folder), root)));
        assert!(!ground.goes(&event(new, root)));
    }

    #[cfg(unix)]
    #[test]
    fn the_rules_are_not_put_to_the_path_of_what_comes_by_a_link() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let (root, data) = (dir.path().join("notes"), dir.path().join("data"));
        fs::create_dir_all(root.join("other/drafts")).unwrap();
        fs::create_dir(dir.path().join("beside")).unwrap();
        symlink(dir.path().join("beside"), root.join("link")).unwrap();
        symlink(root.join("other"), root.join("drafts")).unwrap();
        let ground = ground(&root);
        let holds = |kind, path: &str| ground.holds(&event(kind, &root.join(path)), &data);
        let new = EventKind::Create(CreateKind::File);
        let written = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let gone = EventKind::Remove(RemoveKind::File);
        assert!(holds(new, "link"), "there may be notes behind it");
        let links = |kind, path: &str| ground.links(&event(kind, &root.join(path)));
        assert!(links(new, "link") && !links(written, "link") && !links(new, "other"));
        assert!(holds(written, "drafts/a.md"), "it is in `other`");
        assert!(holds(gone, "drafts/a.md"));
        assert!(!holds(written, "other/drafts/a.md"));
        fs::remove_file(root.join("link")).unwrap();
        assert!(holds(gone, "link"), "notes came from behind it");
        fs::remove_file(root.join("drafts")).unwrap();
        assert!(!holds(written, "drafts/a.md"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_on_changing_is_waited_for_and_what_never_rests_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let heard = Heard::new(&dir.path().join("data"));
        heard.grounds.lock().insert(SourceId(7), ground(dir.path()));
        let note = EventKind::Create(CreateKind::File);
        let rest = Duration::from_secs(1);
        let change = async |times: u32| {
            for _ in 0..times {
                heard.hear(Ok(vec![event(note, &dir.path().join("a.md"))]));
                tokio::time::sleep(rest / 2).await;
            }
        };
        for (times, waited) in [(0, rest), (4, rest * 5 / 2), (100, rest * MOST_RESTS)] {
            let begun = tokio::time::Instant::now();
            tokio::select! {
                biased;
                told = heard.until_rest(rest) => assert_eq!(told.is_empty(), times == 0),
                () = async {
                    change(times).await;
                    std::future::pending::<()>().await;
                } => {}
            }
            assert_eq!(begun.elapsed(), waited, "{times} changes");
            heard.take();
        }
    }

    #[tokio::test]
    async fn what_was_told_is_told_once_and_together() {
        let dir = tempfile::tempdir().unwrap();
        let heard = Heard::new(&dir.path().join("data"));
        heard.grounds.lock().insert(SourceId(7), ground(dir.path()));
        let note = EventKind::Create(CreateKind::File);
        heard.hear(Ok(vec![event(note, &dir.path().join("drafts/a.md"))]));
        assert!(heard.take().is_empty());
        heard.hear(Ok(vec![event(note, &dir.path().join("a.md"))]));
        let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        let lost = DebouncedEvent::new(lost, std::time::Instant::now());
        heard.hear(Ok(vec![lost]));
        let told = heard.next().await;
        assert_eq!(told.changed, BTreeSet::from([SourceId(7)]));
        assert!(told.lost && told.anew.is_empty());
        assert!(heard.take().is_empty());
    }

    #[test]
    fn what_is_told_concerns_the_sources_of_now_and_what_failed_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let (root, note) = (dir.path(), EventKind::Create(CreateKind::File));
        let heard = Heard::new(&dir.path().join("data"));
        heard
            .grounds
            .lock()
            .insert(SourceId(7), ground(&root.join("gone")));
        heard.listen_for(std::iter::empty());
        heard.hear(Ok(vec![event(note, &root.join("gone/a.md"))]));
        assert!(heard.take().is_empty(), "that source is no more");
        heard.grounds.lock().insert(SourceId(8), ground(root));
        let renamed = EventKind::Modify(ModifyKind::Name(notify::event::RenameMode::From));
        heard.hear(Ok(vec![event(renamed, root)]));
        let told = heard.take();
        assert_eq!(told.anew, BTreeSet::from([SourceId(8)]));
        assert_eq!(told.changed, told.anew);
        heard.hear(Err(vec![notify::Error::generic("the queue is full")]));
        assert!(heard.take().lost);
    }
}
