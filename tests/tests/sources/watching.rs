//! What is noticed while the program runs.

use std::fs;
use std::time::Duration;

use hirag::HiragManager;
use hirag::sources::{Leave, RunOutcome, SourcePatch, SourceRules, SourceRun, WatchState};
use hirag_tests::notes;
use hirag_tests::place::{everything, until};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{Kept, at};

/// The settings, but that nothing is noticed by looking again.
const NO_POLL: &str = "[sources]\nsettle_ms = 10\npoll_interval = \"1h\"\n";

/// Runs that the watch tells of.
struct Watching {
    runs: mpsc::Receiver<SourceRun>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Watching {
    fn begin(manager: &HiragManager) -> Self {
        let (told, runs) = mpsc::channel(64);
        let (stop, stopped) = oneshot::channel::<()>();
        let manager = manager.clone();
        let task = tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            let tell = |_: &_, run: &SourceRun| drop(told.try_send(run.clone()));
            manager.watch_sources(stopped, tell).await;
        });
        Self { runs, stop, task }
    }

    /// The next run of which this holds.
    async fn run(&mut self, what: &str, wanted: impl Fn(&SourceRun) -> bool) -> SourceRun {
        let next = async {
            loop {
                let run = self.runs.recv().await.unwrap();
                if wanted(&run) {
                    return run;
                }
            }
        };
        let limit = Duration::from_secs(20);
        let run = tokio::time::timeout(limit, next).await;
        run.unwrap_or_else(|_| panic!("still waiting for {what}"))
    }

    async fn end(self) {
        drop(self.stop);
        self.task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_in_a_watched_folder_is_picked_up_by_itself() {
    let kept = Kept::new().await;
    let mut watching = Watching::begin(&kept.manager);
    let first = watching.run("the first run", |run| run.imported > 0).await;
    assert_eq!(first.imported, 30);
    let told = kept.manager.source(kept.id).await.unwrap();
    assert_eq!(told.watching, WatchState::Told);

    fs::create_dir(kept.folder.join("new")).unwrap();
    fs::write(kept.folder.join("new/note.md"), notes::note(11, 2)).unwrap();
    watching.run("a new file", |run| run.imported == 2).await;
    fs::rename(kept.note(7), kept.folder.join("new/seven.md")).unwrap();
    watching.run("a rename", |run| run.renamed == 1).await;
    fs::remove_file(kept.note(8)).unwrap();
    watching.run("a deletion", |run| run.gone == 1).await;

    // Another source is watched as soon as it is there.
    let beside = kept.folder.with_file_name("beside");
    notes::write(&beside, 1, 1);
    kept.manager.add_source(at(&beside)).await.unwrap();
    watching
        .run("the other source", |run| run.imported == 1)
        .await;
    watching.end().await;
    let told = kept.manager.source(kept.id).await.unwrap();
    assert_eq!(told.watching, WatchState::Off);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_file_that_was_emptied_just_now_is_looked_at_again_before_the_poll() {
    let kept = Kept::with(NO_POLL, Timestamp::now()).await;
    let mut watching = Watching::begin(&kept.manager);
    watching.run("the first run", |run| run.imported > 0).await;
    fs::write(kept.note(1), "").unwrap();
    let waits = |run: &SourceRun| {
        let mut failed = run.failed.iter();
        failed.any(|problem| problem.code == "changed_while_read")
    };
    let run = watching.run("that it may be being written", waits).await;
    assert_eq!(run.removed, 0);
    kept.place.clock.advance(Duration::from_mins(1));
    let run = watching.run("that it is empty", |run| !waits(run)).await;
    assert_eq!((run.removed, run.failed_total), (3, 0));
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_folder_that_goes_and_comes_back_is_watched_again() {
    let kept = Kept::new().await;
    let mut watching = Watching::begin(&kept.manager);
    watching.run("the first run", |run| run.imported > 0).await;
    let elsewhere = kept.folder.with_file_name("elsewhere");
    fs::rename(&kept.folder, &elsewhere).unwrap();
    // A system may say nothing of a folder that is moved as a whole; the next look does.
    fs::write(elsewhere.join("part-0/touch.md"), notes::note(20, 1)).unwrap();
    let failed = |run: &SourceRun| run.outcome == RunOutcome::Failed;
    watching.run("that it is gone", failed).await;
    let told = kept.manager.source(kept.id).await.unwrap();
    assert!(matches!(told.watching, WatchState::Polled { .. }));
    fs::rename(&elsewhere, &kept.folder).unwrap();
    watching
        .run("that it is back", |run| run.imported == 1)
        .await;
    until("it is watched", async || {
        let told = kept.manager.source(kept.id).await.unwrap();
        told.watching == WatchState::Told
    })
    .await;
    fs::write(kept.note(1), notes::edition(1, 3, 1)).unwrap();
    watching.run("a change", |run| run.imported > 0).await;
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_ends_stops_the_run_that_it_began() {
    let kept = Kept::with(NO_POLL, "2200-01-01T00:00:00Z".parse().unwrap()).await;
    kept.place.provider.set_held(true);
    let watching = Watching::begin(&kept.manager);
    let is_running = async || {
        kept.manager
            .source(kept.id)
            .await
            .unwrap()
            .running
            .is_some()
    };
    until("it runs", is_running).await;
    watching.end().await;
    assert!(!is_running().await);
    kept.place.provider.set_held(false);
    assert!(everything(&kept.manager).await.is_empty());
    // The next one goes on.
    let mut watching = Watching::begin(&kept.manager);
    let run = watching.run("the rest", |run| run.outcome == RunOutcome::Done);
    assert_eq!(run.await.imported, 30);
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_with_other_rules_is_run_and_one_that_is_removed_is_no_more() {
    let kept = Kept::with(NO_POLL, "2200-01-01T00:00:00Z".parse().unwrap()).await;
    let mut watching = Watching::begin(&kept.manager);
    watching.run("the first run", |run| run.imported > 0).await;
    let rules = SourceRules {
        exclude: vec!["note-1.md".to_owned()],
        ..SourceRules::default()
    };
    let patch = SourcePatch {
        rules: Some(rules),
        ..SourcePatch::default()
    };
    kept.manager.change_source(kept.id, patch).await.unwrap();
    watching
        .run("what the rules leave out", |run| run.gone == 1)
        .await;

    let removed = kept.manager.remove_source(kept.id, Leave::Contexts);
    removed.await.unwrap();
    let beside = kept.folder.with_file_name("beside");
    notes::write(&beside, 1, 1);
    kept.manager.add_source(at(&beside)).await.unwrap();
    fs::write(kept.note(2), notes::edition(2, 3, 1)).unwrap();
    // The one that was removed has nine files, and would have run as well.
    let next = watching.run("the next run", |_| true).await;
    assert_eq!((next.files, next.imported), (1, 1));
    watching.end().await;
    assert_eq!(everything(&kept.manager).await.len(), 28);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_links_lead_to_is_watched_as_it_is_read() {
    use std::os::unix::fs::symlink;
    let kept = Kept::with(NO_POLL, "2200-01-01T00:00:00Z".parse().unwrap()).await;
    let outside = kept.folder.with_file_name("outside");
    notes::write(&outside, 1, 1);
    symlink(&outside, kept.folder.join("link")).unwrap();
    // What holds the folder is not read by a link, either.
    symlink("..", kept.folder.join("up")).unwrap();
    let mut watching = Watching::begin(&kept.manager);
    let first = watching.run("the first run", |run| run.imported > 0).await;
    assert_eq!(first.imported, 31);
    fs::write(outside.join("part-0/new.md"), notes::note(20, 1)).unwrap();
    watching
        .run("a change behind the link", |run| run.imported == 1)
        .await;
    let beside = kept.folder.with_file_name("beside");
    fs::create_dir(&beside).unwrap();
    symlink(&beside, kept.folder.join("another")).unwrap();
    watching.run("a new link", |_| true).await;
    fs::write(beside.join("late.md"), notes::note(21, 1)).unwrap();
    watching
        .run("a change behind the new link", |run| run.imported == 1)
        .await;
    // Nothing was told of what a link to above would have brought in.
    fs::write(kept.folder.with_file_name("no-note.md"), notes::note(22, 1)).unwrap();
    fs::write(outside.join("part-0/last.md"), notes::note(23, 1)).unwrap();
    watching
        .run("the last change", |run| run.imported == 1)
        .await;
    watching.end().await;
    assert_eq!(everything(&kept.manager).await.len(), 34);
}
