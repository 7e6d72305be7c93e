//! The system's watch on the folders of sources.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ignore::{DirEntry, WalkBuilder};
use notify::{RecursiveMode, Watcher};
use notify_debouncer_full::{Debouncer, NoCache, new_debouncer_opt};
use parking_lot::Mutex;

use super::heard::Heard;
use crate::import::is_made;
use crate::manager::off_the_async_threads;

/// The watch on all sources, or why there is none. Renames are told by contents, so that no list of
/// all files need be kept for them.
pub(super) struct Ears<W: Watcher>(Result<Arc<Mutex<Watches<W>>>, String>);

struct Watches<W: Watcher> {
    debouncer: Debouncer<W, NoCache>,
    /// By root, the folders that are watched by themselves.
    parts: HashMap<PathBuf, Vec<PathBuf>>,
}

/// How a root is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    /// With all that comes to be in it.
    Whole,
    /// With folders that links lead to, or without folders that may not be entered; and without what
    /// comes beside them: it has to be asked for again after a change.
    InParts,
}

impl<W: Watcher + Send + 'static> Ears<W> {
    /// Tells `heard` of changes, each after `settle`.
    pub(super) fn open(settle: Duration, heard: Arc<Heard>) -> Self {
        let tell = move |events| heard.hear(events);
        // It would enter a folder once for each way that links lead there, and any folder above.
        let config = notify::Config::default().with_follow_symlinks(false);
        let debouncer = new_debouncer_opt::<_, W, _>(settle, None, tell, NoCache, config);
        let watches = debouncer.map(|debouncer| {
            Arc::new(Mutex::new(Watches {
                debouncer,
                parts: HashMap::new(),
            }))
        });
        Self(watches.map_err(|error| reason(&error)))
    }

    /// Lets the system tell of changes below a root. What could not be watched wholly is not
    /// watched at all.
    ///
    /// # Errors
    /// The reason, for people.
    pub(super) async fn listen(&self, root: &str) -> Result<Watch, String> {
        let watches = Arc::clone(self.0.as_ref().map_err(Clone::clone)?);
        let root = PathBuf::from(root);
        // Each folder is entered, which takes a while on a large disk.
        let work = move || {
            let mut watches = watches.lock();
            watches.leave(&root);
            let watched = watches.listen(&root);
            watched.map_err(|error| {
                watches.leave(&root);
                reason(&error)
            })
        };
        off_the_async_threads(work)
            .await
            .unwrap_or_else(|error| Err(error.to_string()))
    }

    pub(super) async fn leave(&self, root: &str) {
        let Ok(watches) = self.0.clone() else {
            return;
        };
        let root = PathBuf::from(root);
        let _ = off_the_async_threads(move || watches.lock().leave(&root)).await;
    }
}

impl<W: Watcher> Watches<W> {
    fn listen(&mut self, root: &Path) -> notify::Result<Watch> {
        let mut parts = Parts::of(root);
        let watched = self.listen_with_links(root, &mut parts);
        let whole = parts.watched == [root] && !parts.denied;
        self.parts.insert(root.to_owned(), parts.watched);
        watched.map(|()| if whole { Watch::Whole } else { Watch::InParts })
    }

    /// Watches a folder, and what links in it lead to, as a run reads it: each folder once, and none
    /// that holds the root.
    fn listen_with_links(&mut self, folder: &Path, parts: &mut Parts) -> notify::Result<()> {
        // The slash at the end leads into a link; without it only what is in its folders is told.
        let inside = folder.join("");
        match self.debouncer.watch(inside, RecursiveMode::Recursive) {
            Ok(()) => parts.watched.push(folder.to_owned()),
            Err(error) if is_denied(&error) => {
                // Some folder below it may not be entered, and keeps the others from being watched
                // at once.
                let _ = self.debouncer.unwatch(folder);
                parts.denied = true;
                return self.listen_singly(folder, parts);
            }
            Err(error) => return Err(error),
        }
        for link in links_in(folder) {
            if parts.enter(&link) {
                match self.listen_with_links(&link, parts) {
                    Err(error) if !is_denied(&error) => return Err(error),
                    // It can be read as little as it can be watched, and the run says so.
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Watches a folder by itself, and those in it that let themselves be watched.
    fn listen_singly(&mut self, folder: &Path, parts: &mut Parts) -> notify::Result<()> {
        self.debouncer.watch(folder, RecursiveMode::NonRecursive)?;
        parts.watched.push(folder.to_owned());
        let entries = folder.read_dir().into_iter().flatten().flatten();
        for inner in entries.map(|entry| entry.path()) {
            if !inner.is_dir() || !parts.enter(&inner) {
                continue;
            }
            match self.listen_with_links(&inner, parts) {
                Err(error) if !is_denied(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// That it was not watched is no error.
    fn leave(&mut self, root: &Path) {
        for folder in self.parts.remove(root).unwrap_or_default() {
            let _ = self.debouncer.unwatch(&folder);
        }
        let _ = self.debouncer.unwatch(root);
    }
}

/// Links in a folder, at any depth, that lead to folders; those in hidden folders and in what programs
/// made are passed over as by a run.
fn links_in(folder: &Path) -> Vec<PathBuf> {
    let is_wanted = |entry: &DirEntry| {
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        entry.depth() == 0 || !is_folder || !is_made(entry.path())
    };
    let entries = WalkBuilder::new(folder)
        .standard_filters(false)
        .hidden(true)
        .filter_entry(is_wanted)
        .build();
    let inner = entries.flatten().filter(|entry| entry.depth() > 0);
    let links = inner.filter(DirEntry::path_is_symlink);
    let folders = links.filter(|link| link.path().is_dir());
    folders.map(DirEntry::into_path).collect()
}

/// The folders of a root that are watched by themselves.
struct Parts {
    watched: Vec<PathBuf>,
    /// Folders that are watched with all that is in them, without links.
    entered: HashSet<PathBuf>,
    /// The root and what holds it: a link to that would bring in everything around.
    above: Vec<PathBuf>,
    /// Whether some folder may not be entered.
    denied: bool,
}

impl Parts {
    fn of(root: &Path) -> Self {
        let place = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        Self {
            watched: Vec::new(),
            entered: HashSet::from([place.clone()]),
            above: place.ancestors().map(Path::to_owned).collect(),
            denied: false,
        }
    }

    /// Whether a folder is to be watched, because it is not yet, by whatever path.
    fn enter(&mut self, folder: &Path) -> bool {
        let Ok(place) = fs::canonicalize(folder) else {
            return false;
        };
        let is_watched = place.ancestors().any(|above| self.entered.contains(above));
        let is_new = !self.above.contains(&place) && (self.denied || !is_watched);
        is_new && self.entered.insert(place)
    }
}

fn is_denied(error: &notify::Error) -> bool {
    matches!(&error.kind, notify::ErrorKind::Io(io) if io.kind() == ErrorKind::PermissionDenied)
}

fn reason(error: &notify::Error) -> String {
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "the system watches no more folders (fs.inotify.max_user_watches); raise that limit"
                .to_owned()
        }
        notify::ErrorKind::Io(io) => format!("the system cannot watch it: {io}"),
        notify::ErrorKind::PathNotFound => "it is not there".to_owned(),
        _ => format!("the system cannot watch it: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io;

    use notify::{Config, EventHandler, WatcherKind};

    use super::*;

    /// A system whose limit is reached.
    struct Full;

    impl Watcher for Full {
        fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Self> {
            Ok(Self)
        }

        fn watch(&mut self, _: &Path, _: RecursiveMode) -> notify::Result<()> {
            Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch))
        }

        fn unwatch(&mut self, _: &Path) -> notify::Result<()> {
            Ok(())
        }

        fn kind() -> WatcherKind {
            WatcherKind::NullWatcher
        }
    }

    /// What is watched, and whether with all that is in it.
    static WATCHED: Mutex<BTreeMap<PathBuf, bool>> = Mutex::new(BTreeMap::new());

    /// A system on which nobody may enter what is called `closed`.
    struct Closed;

    impl Watcher for Closed {
        fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Self> {
            Ok(Self)
        }

        fn watch(&mut self, path: &Path, mode: RecursiveMode) -> notify::Result<()> {
            let whole = mode == RecursiveMode::Recursive;
            let below = path.join("closed").exists() || path.join("open/closed").exists();
            if path.ends_with("closed") || (whole && below) {
                let denied = io::Error::from(ErrorKind::PermissionDenied);
                return Err(notify::Error::io(denied));
            }
            WATCHED.lock().insert(path.to_owned(), whole);
            Ok(())
        }

        fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
            WATCHED.lock().remove(path);
            Ok(())
        }

        fn kind() -> WatcherKind {
            WatcherKind::NullWatcher
        }
    }

    fn ears<W: Watcher + Send + 'static>() -> Ears<W> {
        let heard = Arc::new(Heard::new(Path::new("/data")));
        Ears::open(Duration::from_millis(10), heard)
    }

    fn watched_below(root: &Path) -> BTreeMap<PathBuf, bool> {
        let all = WATCHED.lock();
        let below = all.iter().filter(|(folder, _)| folder.starts_with(root));
        below
            .map(|(folder, whole)| (folder.clone(), *whole))
            .collect()
    }

    #[tokio::test]
    async fn a_system_that_watches_no_more_says_which_limit_to_raise() {
        let because = ears::<Full>().listen("/notes").await.unwrap_err();
        assert!(because.contains("max_user_watches"), "{because}");
    }

    #[tokio::test]
    async fn a_folder_that_may_not_be_entered_keeps_no_other_from_being_watched() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for folder in ["letters/old", "open/closed", "open/notes"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let ears = ears::<Closed>();
        let listen = async || ears.listen(root.to_str().unwrap()).await;
        assert_eq!(listen().await, Ok(Watch::InParts));
        let now = || watched_below(root);
        let wanted = [
            ("", false),
            ("letters", true),
            ("open", false),
            ("open/notes", true),
        ];
        let wanted = wanted.map(|(folder, whole)| match folder {
            "" => (root.to_owned(), whole),
            folder => (root.join(folder), whole),
        });
        assert_eq!(now(), BTreeMap::from(wanted));
        // Once it may be entered, all is watched as one.
        fs::remove_dir(root.join("open/closed")).unwrap();
        assert_eq!(listen().await, Ok(Watch::Whole));
        assert_eq!(now(), BTreeMap::from([(root.to_owned(), true)]));
        ears.leave(root.to_str().unwrap()).await;
        assert!(now().is_empty());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_folder_that_many_links_lead_to_is_watched_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("notes");
        fs::create_dir_all(root.join("open/closed")).unwrap();
        let above = root.parent().unwrap();
        for (link, to) in [
            ("one", "open"),
            ("two", "open"),
            ("back", "."),
            ("up", ".."),
        ] {
            std::os::unix::fs::symlink(root.join(to), root.join(link)).unwrap();
        }
        let ears = ears::<Closed>();
        let listened = ears.listen(root.to_str().unwrap()).await;
        assert_eq!(listened, Ok(Watch::InParts));
        let watched = watched_below(above);
        let places = watched.keys().map(|folder| folder.canonicalize().unwrap());
        let mut places: Vec<PathBuf> = places.collect();
        places.sort();
        assert_eq!(places, [root.clone(), root.join("open")]);
        ears.leave(root.to_str().unwrap()).await;
        assert!(watched_below(above).is_empty());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_links_lead_to_is_watched_once_and_nothing_above_the_root() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let above = dir.path().canonicalize().unwrap();
        let root = above.join("notes");
        for folder in ["notes/deep", "notes/.hidden", "beside/far", "beside/.git"] {
            fs::create_dir_all(above.join(folder)).unwrap();
        }
        let ears = ears::<Closed>();
        let listen = async || ears.listen(root.to_str().unwrap()).await;
        // What links to what is watched anyway brings nothing.
        for (link, to) in [
            ("notes/inner", "notes/deep"),
            ("notes/up", "."),
            ("notes/self", "notes"),
        ] {
            symlink(above.join(to), above.join(link)).unwrap();
        }
        assert_eq!(listen().await, Ok(Watch::Whole));
        for (link, to) in [
            ("notes/deep/one", "beside"),
            ("notes/deep/two", "beside"),
            ("notes/three", "beside/far"),
            ("notes/.hidden/four", "."),
            ("beside/back", "notes"),
            ("beside/far/on", "beside"),
        ] {
            symlink(above.join(to), above.join(link)).unwrap();
        }
        assert_eq!(listen().await, Ok(Watch::InParts));
        let watched = watched_below(&above);
        assert!(watched.values().all(|whole| *whole));
        let places = watched.keys().map(|folder| folder.canonicalize().unwrap());
        let places: std::collections::BTreeSet<PathBuf> = places.collect();
        assert!(places.contains(&root) && places.contains(&above.join("beside")));
        assert!(!places.contains(&above), "it holds the root");
        assert!(watched.len() <= 3, "{watched:?}");
        ears.leave(root.to_str().unwrap()).await;
        assert!(watched_below(&above).is_empty());
    }
}
