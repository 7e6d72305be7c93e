//! Noticing changes: the system tells of them, or, where it cannot, sources are looked at again.

mod again;
mod ears;
mod heard;
mod losses;
mod turns;

use std::collections::HashMap;
use std::future::{pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use notify::{RecommendedWatcher, Watcher};
use tokio::time::{Instant, sleep_until};

use self::again::Again;
use self::ears::{Ears, Watch};
use self::heard::{Heard, Told};
use self::losses::Losses;
use self::turns::Turns;
use crate::import::Problem;
use crate::manager::background::ticker;
use crate::manager::{HiragManager, RunOptions};
use crate::sources::{RunOutcome, Source, SourceId, SourceRun, WatchState};

/// A source as it is being watched.
struct Watched {
    source: Source,
    /// How the system tells of it, if it does.
    watch: Option<Watch>,
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
            // Half of the rest is the system's, which tells late; the other is waited for here.
            let rest = Duration::from_millis(settings.settle_ms) / 2;
            let heard = Arc::new(Heard::new(self.data_dir()));
            let mut round = Round {
                manager: self,
                ears: Ears::<W>::open(rest, Arc::clone(&heard)),
                heard,
                watched: HashMap::new(),
                turns: Turns::default(),
                stirred: false,
                losses: Losses::default(),
                again: Again::within(settings.poll_interval.duration()),
            };
            let mut changed = self.inner.keeping.changed.subscribe();
            let mut poll = ticker(settings.poll_interval.duration());
            // The first tick is now; what there is to do now is told by the sources themselves.
            poll.tick().await;
            round.take_stock().await;
            loop {
                let heard = Arc::clone(&round.heard);
                let again = round.again.next();
                tokio::select! {
                    // The poll comes seldom, and is not to be put off by what changes all the time.
                    biased;
                    _ = poll.tick() => round.look_again().await,
                    _ = changed.changed() => round.take_stock().await,
                    told = heard.next() => round.hear(told).await,
                    () = until(again) => round.turns.add(round.again.due(Instant::now())),
                    // What is due waits for none of these.
                    () = ready(()), if !round.turns.are_over() => {}
                }
                if std::mem::take(&mut round.stirred) {
                    let told = round.heard.until_rest(rest).await;
                    round.hear(told).await;
                    round.stirred = false;
                }
                if let Some(id) = round.turns.next() {
                    round.run(id, &mut tell).await;
                }
                // What came meanwhile is of one run.
                let told = round.heard.take();
                round.hear(told).await;
                if changed.has_changed().is_ok_and(|anew| anew) {
                    changed.mark_unchanged();
                    round.take_stock().await;
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
    heard: Arc<Heard>,
    watched: HashMap<SourceId, Watched>,
    turns: Turns,
    /// Whether something changed that may go on changing.
    stirred: bool,
    losses: Losses,
    again: Again,
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
            self.turns.forget(id);
            self.again.forget(id);
            self.manager.inner.keeping.watching.lock().remove(&id);
        }
        let mut new = Vec::new();
        for (id, source) in wanted {
            match self.watched.get_mut(&id) {
                Some(known) if known.source.rules == source.rules => known.source = source,
                Some(known) => {
                    known.source = source;
                    self.turns.add([id]);
                }
                None => {
                    let watch = None;
                    self.watched.insert(id, Watched { source, watch });
                    self.turns.add([id]);
                    new.push(id);
                }
            }
        }
        let sources = self.watched.values().map(|one| &one.source);
        self.heard.listen_for(sources);
        for id in new {
            self.listen(id).await;
        }
    }

    /// Sources that the system does not tell of are due, and it is asked again whether it can.
    async fn look_again(&mut self) {
        if self.losses.polled() {
            self.turns.add(self.watched.keys().copied());
        }
        let untold = self.watched.iter().filter(|(_, one)| one.watch.is_none());
        let untold: Vec<SourceId> = untold.map(|(id, _)| *id).collect();
        for id in untold {
            self.listen(id).await;
            self.turns.add([id]);
        }
    }

    async fn listen(&mut self, id: SourceId) {
        let Some(one) = self.watched.get_mut(&id) else {
            return;
        };
        let watched = self.ears.listen(&one.source.path).await;
        one.watch = watched.as_ref().ok().copied();
        let state = match watched {
            Ok(_) => WatchState::Told,
            Err(because) => {
                let source = &one.source.name;
                tracing::debug!(source, %because, "a source is looked at now and then");
                WatchState::Polled { because }
            }
        };
        self.manager.inner.keeping.watching.lock().insert(id, state);
    }

    async fn hear(&mut self, told: Told) {
        let watched = &self.watched;
        let changed: Vec<SourceId> = told.changed.into_iter().collect();
        if !changed.is_empty() {
            self.stirred = true;
            self.losses.told();
        }
        let known = |id: &SourceId| watched.contains_key(id);
        self.turns.add(changed.into_iter().filter(known));
        if told.lost && self.losses.lost() {
            self.turns.add(self.watched.keys().copied());
        }
        // A folder in the place of another is another, of which nothing would be told.
        for id in told.anew {
            self.listen(id).await;
        }
    }

    async fn run(&mut self, id: SourceId, tell: &mut (impl FnMut(&Source, &SourceRun) + Send)) {
        let Some(one) = self.watched.get(&id) else {
            return;
        };
        let source = one.source.clone();
        if one.watch == Some(Watch::InParts) {
            self.listen(id).await;
        }
        let options = RunOptions::default();
        let _stops = Stops(Arc::clone(&options.cancel));
        match self.manager.run_source(id, options, |_| {}).await {
            Ok(run) => {
                match run.failed.iter().any(is_of_a_change) {
                    true => self.again.wait(id, Instant::now()),
                    false => self.again.forget(id),
                }
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
            one.watch = None;
            self.ears.leave(&one.source.path).await;
            let state = WatchState::Polled { because };
            self.manager.inner.keeping.watching.lock().insert(id, state);
        }
    }
}

/// Waits until then, or for ever.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// Whether a file is to be looked at again, because it was being written.
fn is_of_a_change(problem: &Problem) -> bool {
    problem.code == "changed_while_read"
}

/// Stops a run with whoever waits for it: a walk through a folder is on a thread of its own, and
/// would go on.
struct Stops(Arc<AtomicBool>);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
