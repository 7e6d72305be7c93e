//! Noticing changes: the system tells of them, or, where it cannot, sources are looked at again.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use notify_debouncer_full::{
    DebounceEventResult, DebouncedEvent, Debouncer, NoCache, new_debouncer_opt,
};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::manager::background::ticker;
use crate::manager::{HiragManager, RunOptions, off_the_async_threads};
use crate::sources::{RunOutcome, Source, SourceId, SourceRun, WatchState};

/// Rounds of changes that wait for the end of a run; of more, only that they were is remembered.
const MOST_HEARD: usize = 64;

/// The system's watch on the folders of sources. Renames are told by contents, so that no list of
/// all files need be kept for them.
struct Ears<W: Watcher> {
    debouncer: Option<Arc<Mutex<Debouncer<W, NoCache>>>>,
    /// Why there is none.
    because: String,
}

/// A source as it is being watched.
struct Watched {
    source: Source,
    /// Whether the system tells of it.
    told: bool,
}

impl HiragManager {
    /// Keeps all sources that are to be watched up to date, until `stop` resolves: each is run
    /// once, and then whenever something in it changes. `tell` hears of every run.
    ///
    /// The settings `sources.settle_ms` and `sources.poll_interval` are those of the call.
    pub async fn watch_sources(
        &self,
        stop: impl Future<Output = ()> + Send,
        tell: impl FnMut(&Source, &SourceRun) + Send,
    ) {
        self.watch_by::<RecommendedWatcher>(stop, tell).await;
    }

    async fn watch_by<W: Watcher + Send + 'static>(
        &self,
        stop: impl Future<Output = ()> + Send,
        mut tell: impl FnMut(&Source, &SourceRun) + Send,
    ) {
        if !self.is_writable() || !self.config().sources.watch {
            return stop.await;
        }
        let work = async {
            let settings = self.config().sources.clone();
            let (heard, mut hearing) = mpsc::channel(MOST_HEARD);
            let missed = Arc::new(AtomicBool::new(false));
            let settle = Duration::from_millis(settings.settle_ms);
            let mut round = Round {
                manager: self,
                ears: Ears::<W>::open(settle, heard, Arc::clone(&missed)),
                watched: HashMap::new(),
                due: BTreeSet::new(),
            };
            let mut changed = self.inner.keeping.changed.subscribe();
            let mut poll = ticker(settings.poll_interval.duration());
            // The first tick is now; what there is to do now is told by the sources themselves.
            poll.tick().await;
            round.take_stock().await;
            loop {
                if let Some(id) = round.due.pop_first() {
                    round.run(id, &mut tell).await;
                    // What came meanwhile is of one run.
                    while let Ok(events) = hearing.try_recv() {
                        round.hear(events).await;
                    }
                    if missed.swap(false, Ordering::Relaxed) {
                        round.due.extend(round.watched.keys());
                    }
                    if changed.has_changed().is_ok_and(|anew| anew) {
                        changed.mark_unchanged();
                        round.take_stock().await;
                    }
                    continue;
                }
                tokio::select! {
                    Some(events) = hearing.recv() => round.hear(events).await,
                    _ = changed.changed() => round.take_stock().await,
                    _ = poll.tick() => round.look_again().await,
                }
            }
        };
        tokio::select! {
            // What is broken off goes on when the sources are watched again.
            () = stop => {}
            () = work => {}
        }
        self.inner.keeping.watching.lock().clear();
    }
}

struct Round<'a, W: Watcher> {
    manager: &'a HiragManager,
    ears: Ears<W>,
    watched: HashMap<SourceId, Watched>,
    /// Sources that have to be run.
    due: BTreeSet<SourceId>,
}

impl<W: Watcher + Send + 'static> Round<'_, W> {
    /// Watches what is to be watched now, and nothing else. What is new, or has other rules, is due.
    async fn take_stock(&mut self) {
        let all = match self.manager.sources().await {
            Ok(all) => all,
            Err(error) => return tracing::warn!(%error, "the sources cannot be read"),
        };
        let wanted: HashMap<SourceId, Source> = all
            .into_iter()
            .filter(|one| one.source.watch)
            .map(|one| (one.source.id, one.source))
            .collect();
        let before: Vec<SourceId> = self.watched.keys().copied().collect();
        for id in before.into_iter().filter(|id| !wanted.contains_key(id)) {
            if let Some(gone) = self.watched.remove(&id) {
                self.ears.leave(&gone.source.path).await;
            }
            self.due.remove(&id);
            self.manager.inner.keeping.watching.lock().remove(&id);
        }
        for (id, source) in wanted {
            match self.watched.get_mut(&id) {
                Some(known) if known.source.rules == source.rules => known.source = source,
                Some(known) => {
                    known.source = source;
                    self.due.insert(id);
                }
                None => {
                    let told = false;
                    self.watched.insert(id, Watched { source, told });
                    self.listen(id).await;
                    self.due.insert(id);
                }
            }
        }
    }

    /// Sources that the system does not tell of are due, and it is asked again whether it can.
    async fn look_again(&mut self) {
        let untold = self.watched.iter().filter(|(_, one)| !one.told);
        let untold: Vec<SourceId> = untold.map(|(id, _)| *id).collect();
        for id in untold {
            self.listen(id).await;
            self.due.insert(id);
        }
    }

    async fn listen(&mut self, id: SourceId) {
        let Some(one) = self.watched.get_mut(&id) else {
            return;
        };
        let state = match self.ears.listen(&one.source.path).await {
            Ok(()) => WatchState::Told,
            Err(because) => WatchState::Polled { because },
        };
        if let WatchState::Polled { because } = &state {
            tracing::debug!(source = one.source.name, %because, "a source is looked at now and then");
        }
        one.told = state == WatchState::Told;
        self.manager.inner.keeping.watching.lock().insert(id, state);
    }

    async fn hear(&mut self, events: DebounceEventResult) {
        let events = match events {
            Ok(events) => events,
            Err(errors) => {
                tracing::debug!(?errors, "some changes were not told");
                self.due.extend(self.watched.keys());
                return;
            }
        };
        let data = self.manager.data_dir();
        let mut roots = Vec::new();
        for (id, one) in &self.watched {
            let root = Path::new(&one.source.path);
            if events.iter().any(|event| concerns(event, root, data)) {
                self.due.insert(*id);
            }
            if events.iter().any(|event| takes_away(event, root)) {
                roots.push(*id);
            }
        }
        // A folder in the place of another is another, of which nothing would be told.
        for id in roots {
            if let Some(one) = self.watched.get(&id) {
                self.ears.leave(&one.source.path).await;
            }
            self.listen(id).await;
        }
    }

    async fn run(&mut self, id: SourceId, tell: &mut (impl FnMut(&Source, &SourceRun) + Send)) {
        let Some(source) = self.watched.get(&id).map(|one| one.source.clone()) else {
            return;
        };
        match self
            .manager
            .run_source(id, RunOptions::default(), |_| {})
            .await
        {
            Ok(run) => {
                if run.outcome == RunOutcome::Failed {
                    let problem = run.problem.as_ref().map(|problem| problem.message.clone());
                    self.wait_for(id, problem.unwrap_or_default()).await;
                }
                tell(&source, &run);
            }
            Err(error) => {
                tracing::warn!(source = source.name, %error, "a source could not be run");
                self.wait_for(id, error.to_string()).await;
            }
        }
    }

    /// What cannot be read now is tried again after a while.
    async fn wait_for(&mut self, id: SourceId, because: String) {
        if let Some(one) = self.watched.get_mut(&id) {
            one.told = false;
            self.ears.leave(&one.source.path).await;
            let state = WatchState::Polled { because };
            self.manager.inner.keeping.watching.lock().insert(id, state);
        }
    }
}

impl<W: Watcher + Send + 'static> Ears<W> {
    /// Tells `heard`; `missed` is raised when that is full, as it may be during a long run.
    fn open(
        settle: Duration,
        heard: mpsc::Sender<DebounceEventResult>,
        missed: Arc<AtomicBool>,
    ) -> Self {
        let tell = move |events| {
            if let Err(TrySendError::Full(_)) = heard.try_send(events) {
                missed.store(true, Ordering::Relaxed);
            }
        };
        let config = notify::Config::default();
        match new_debouncer_opt::<_, W, _>(settle, None, tell, NoCache, config) {
            Ok(debouncer) => Self {
                debouncer: Some(Arc::new(Mutex::new(debouncer))),
                because: String::new(),
            },
            Err(error) => Self {
                debouncer: None,
                because: reason(&error),
            },
        }
    }

    /// Lets the system tell of changes below a path.
    async fn listen(&self, path: &str) -> Result<(), String> {
        let Some(debouncer) = self.debouncer.clone() else {
            return Err(self.because.clone());
        };
        let path = PathBuf::from(path);
        // Each folder is entered, which takes a while on a large disk.
        let work = move || {
            let mut debouncer = debouncer.lock();
            debouncer
                .watch(&path, RecursiveMode::Recursive)
                .map_err(|error| {
                    // Half of a folder is watched as little as none.
                    let _ = debouncer.unwatch(&path);
                    reason(&error)
                })
        };
        off_the_async_threads(work)
            .await
            .unwrap_or_else(|error| Err(error.to_string()))
    }

    async fn leave(&self, path: &str) {
        let Some(debouncer) = self.debouncer.clone() else {
            return;
        };
        let path = PathBuf::from(path);
        // That it was not watched is no error.
        let work = move || drop(debouncer.lock().unwatch(&path));
        let _ = off_the_async_threads(work).await;
    }
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

/// Whether an event tells of something in a source that would be read. Reading is none, and
/// neither is what this program writes, or would run it again for ever.
fn concerns(event: &DebouncedEvent, root: &Path, data: &Path) -> bool {
    if matches!(event.kind, EventKind::Access(_)) && !event.need_rescan() {
        return false;
    }
    event.need_rescan()
        || event.paths.iter().any(|path| {
            let hidden = |rest: &Path| {
                let mut names = rest.components();
                names.any(|name| name.as_os_str().as_encoded_bytes().starts_with(b"."))
            };
            let below = path.strip_prefix(root);
            below.is_ok_and(|rest| !hidden(rest)) && !path.starts_with(data)
        })
}

/// Whether it tells that the root itself went.
fn takes_away(event: &DebouncedEvent, root: &Path) -> bool {
    let goes = matches!(
        event.kind,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    );
    goes && event.paths.iter().any(|path| path == root)
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, RemoveKind};
    use notify::{Config, Event, EventHandler, WatcherKind};

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

    #[tokio::test]
    async fn a_system_that_watches_no_more_says_which_limit_to_raise() {
        let (heard, _) = mpsc::channel(1);
        let ears = Ears::<Full>::open(Duration::from_millis(10), heard, Arc::default());
        let because = ears.listen("/notes").await.unwrap_err();
        assert!(because.contains("max_user_watches"), "{because}");
    }

    fn event(kind: EventKind, path: &str) -> DebouncedEvent {
        let event = Event::new(kind).add_path(path.into());
        DebouncedEvent::new(event, std::time::Instant::now())
    }

    #[test]
    fn only_what_would_be_read_concerns_a_source() {
        let (root, data) = (Path::new("/notes"), Path::new("/notes/data"));
        let new = EventKind::Create(CreateKind::Any);
        for (kind, path, wanted) in [
            (new, "/notes/a.md", true),
            (new, "/notes/deep/b.md", true),
            (new, "/notes-old/a.md", false),
            (new, "/notes/.git/index", false),
            (new, "/notes/data/hirag.db-wal", false),
            (EventKind::Access(AccessKind::Any), "/notes/a.md", false),
            (EventKind::Remove(RemoveKind::Any), "/notes", true),
        ] {
            assert_eq!(concerns(&event(kind, path), root, data), wanted, "{path}");
        }
        let gone = event(EventKind::Remove(RemoveKind::Folder), "/notes");
        assert!(takes_away(&gone, root));
        assert!(!takes_away(&event(new, "/notes"), root));
    }
}
