//! Folders that are kept up to date: what a run reads, what it leaves alone, and what is noticed
//! while the program runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod watching;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hirag::HiragManager;
use hirag::clock::FakeClock;
use hirag::context::{Context, ContextLevel, ContextRequest};
use hirag::import::ImportProgress;
use hirag::manager::{ImportOptions, RunOptions};
use hirag::sources::{Leave, NewSource, RunOutcome, SourceId, SourcePatch, SourceRules, SourceRun};
use hirag_tests::mounts::{in_own_mounts, mount, unmount};
use hirag_tests::notes;
use hirag_tests::place::{Place, assert_sound, everything, settled, until};
use jiff::Timestamp;

const SETTINGS: &str = "[sources]\nsettle_ms = 10\npoll_interval = \"1s\"\n";

/// A memory, and a folder of ten notes with three sections each as its source.
struct Kept {
    place: Place,
    manager: HiragManager,
    folder: PathBuf,
    id: SourceId,
}

impl Kept {
    async fn new() -> Self {
        // Long after every file was written: none of them may still be changing.
        Self::at("2200-01-01T00:00:00Z".parse().unwrap()).await
    }

    async fn at(time: Timestamp) -> Self {
        Self::with(SETTINGS, time).await
    }

    async fn with(settings: &str, time: Timestamp) -> Self {
        let mut place = Place::with(settings);
        place.clock = FakeClock::at(time);
        let folder = place.path().canonicalize().unwrap().join("notes");
        notes::write(&folder, 10, 3);
        let manager = place.open().await;
        let source = manager.add_source(at(&folder)).await.unwrap();
        Self {
            id: source.source.id,
            place,
            manager,
            folder,
        }
    }

    async fn run(&self) -> SourceRun {
        self.run_with(RunOptions::default()).await
    }

    /// A run that is stopped as soon as a file is done.
    async fn run_stopped_after_a_file(&self) -> SourceRun {
        let cancel = Arc::new(AtomicBool::default());
        let options = RunOptions {
            cancel: Arc::clone(&cancel),
            ..RunOptions::default()
        };
        let run = self.manager.run_source(self.id, options, |at| {
            cancel.store(at.files_done > 0, Ordering::Relaxed);
        });
        run.await.unwrap()
    }

    async fn run_with(&self, options: RunOptions) -> SourceRun {
        let run = self.manager.run_source(self.id, options, |_| {});
        run.await.unwrap()
    }

    fn note(&self, number: usize) -> PathBuf {
        self.folder.join(format!("part-0/note-{number}.md"))
    }

    /// The contexts of a file, by their texts.
    async fn of(&self, file: &Path) -> BTreeMap<String, Context> {
        let all = everything(&self.manager).await.into_iter();
        let file = file.to_str();
        all.filter(|context| context.source.as_deref() == file)
            .map(|context| (context.text.clone(), context))
            .collect()
    }
}

fn at(folder: &Path) -> NewSource {
    NewSource::at(folder.to_str().unwrap())
}

#[tokio::test]
async fn a_run_reads_what_changed_and_nothing_else() {
    let kept = Kept::new().await;
    let first = kept.run().await;
    assert_eq!((first.outcome, first.files), (RunOutcome::Done, 10));
    assert_eq!((first.read, first.imported), (10, 30));
    let calls = kept.place.provider.calls();
    let before = everything(&kept.manager).await;

    let again = kept.run().await;
    assert_eq!((again.files, again.read, again.unchanged), (10, 0, 30));
    assert!(!again.changed());
    assert_eq!(kept.place.provider.calls(), calls);
    assert_eq!(everything(&kept.manager).await, before);

    fs::write(kept.note(3), notes::edition(3, 3, 1)).unwrap();
    fs::remove_file(kept.note(4)).unwrap();
    fs::write(kept.folder.join("part-0/picture.md"), b"\x89PNG\0\0").unwrap();
    let changed = kept.run().await;
    assert_eq!((changed.read, changed.gone, changed.skipped), (1, 1, 1));
    assert_eq!((changed.imported, changed.removed), (2, 2 + 3));
    assert_eq!(everything(&kept.manager).await.len(), 27);

    // What went with its file comes back, and stays.
    let back = kept.manager.undo(None).await.unwrap();
    assert_eq!(back.ids.len(), 3);
    assert!(!kept.run().await.changed());
    assert_eq!(kept.of(&kept.note(4)).await.len(), 3);
    assert_sound(&kept.manager).await;
}

#[tokio::test]
async fn a_file_that_nothing_happened_to_is_not_opened() {
    let kept = Kept::new().await;
    kept.run().await;
    assert_eq!(kept.run().await.read, 0);
    // Touched, it is opened, and what is in it counts.
    let opened = fs::File::options().write(true).open(kept.note(1)).unwrap();
    opened
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    let touched = kept.run().await;
    assert_eq!((touched.read, touched.imported), (1, 0));
    assert_eq!(kept.run().await.read, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_changed_file_whose_time_was_set_back_is_opened() {
    let kept = Kept::new().await;
    kept.run().await;
    let (file, facts) = (kept.note(1), fs::metadata(kept.note(1)).unwrap());
    let other = fs::read_to_string(&file).unwrap().replace("Part", "Trap");
    fs::write(&file, other).unwrap();
    let opened = fs::File::options().write(true).open(&file).unwrap();
    opened.set_modified(facts.modified().unwrap()).unwrap();
    let run = kept.run().await;
    assert_eq!((run.read, run.imported), (1, 3));
}

#[tokio::test]
async fn a_renamed_file_keeps_its_ids_and_access_counts() {
    let kept = Kept::new().await;
    kept.run().await;
    let query = ContextRequest::new("Part 0 of note 5");
    kept.manager.retrieve(query).await.unwrap();
    settled(&kept.manager).await;
    let (old, new) = (kept.note(5), kept.folder.join("moved/fifth.md"));
    let before = kept.of(&old).await;
    assert!(before.values().any(|context| context.access_count > 0));
    fs::create_dir(new.parent().unwrap()).unwrap();
    fs::rename(&old, &new).unwrap();
    let calls = kept.place.provider.calls();

    let run = kept.run().await;
    assert_eq!(
        (run.renamed, run.gone, run.imported, run.removed),
        (1, 0, 0, 0)
    );
    assert_eq!(kept.place.provider.calls(), calls, "the texts are the same");
    let after = kept.of(&new).await;
    assert_eq!(after.len(), 3);
    for (text, context) in &after {
        assert_eq!(context.id, before[text].id);
        assert_eq!(context.access_count, before[text].access_count);
        assert_eq!(context.metadata["file"], "fifth.md");
    }
    assert!(kept.of(&old).await.is_empty());
    assert!(!kept.run().await.changed());
    assert_sound(&kept.manager).await;
}

#[tokio::test]
async fn a_renamed_file_that_is_titled_by_its_name_keeps_its_ids_under_the_new_title() {
    let kept = Kept::new().await;
    let (old, new) = (kept.folder.join("todo.txt"), kept.folder.join("plans.txt"));
    fs::write(&old, "Buy a ladder.").unwrap();
    kept.run().await;
    let before = kept.of(&old).await;
    fs::rename(&old, &new).unwrap();
    let run = kept.run().await;
    assert_eq!(
        (run.renamed, run.imported, run.updated, run.removed),
        (1, 0, 1, 0)
    );
    let after = kept.of(&new).await;
    let id = |all: &BTreeMap<String, Context>, text: &str| all[text].id;
    assert_eq!(
        id(&after, "plans\n\nBuy a ladder."),
        id(&before, "todo\n\nBuy a ladder.")
    );
}

#[tokio::test]
async fn files_that_are_renamed_one_after_another_keep_their_ids() {
    let kept = Kept::new().await;
    kept.run().await;
    let ids = async |file: PathBuf| -> Vec<_> {
        let of = kept.of(&file).await;
        of.into_values().map(|context| context.id).collect()
    };
    let (one, two) = (ids(kept.note(1)).await, ids(kept.note(2)).await);
    let last = kept.folder.join("last.md");
    fs::rename(kept.note(2), &last).unwrap();
    fs::rename(kept.note(1), kept.note(2)).unwrap();
    let run = kept.run().await;
    assert_eq!(
        (run.renamed, run.gone, run.imported, run.removed),
        (2, 0, 0, 0)
    );
    assert_eq!(ids(kept.note(2)).await, one);
    assert_eq!(ids(last).await, two);
    assert!(kept.of(&kept.note(1)).await.is_empty());
    assert!(!kept.run().await.changed());
    assert_sound(&kept.manager).await;
}

#[tokio::test]
async fn a_file_that_is_moved_over_another_takes_its_place() {
    let kept = Kept::new().await;
    kept.run().await;
    let texts = kept.of(&kept.note(1)).await.into_keys();
    let texts: Vec<String> = texts.collect();
    fs::rename(kept.note(1), kept.note(2)).unwrap();
    let run = kept.run().await;
    assert_eq!((run.renamed, run.gone), (0, 1));
    assert!(kept.of(&kept.note(1)).await.is_empty());
    let now = kept.of(&kept.note(2)).await.into_keys();
    assert_eq!(now.collect::<Vec<_>>(), texts);
    // A file that gave nothing is in nobody's way.
    let empty = kept.folder.join("empty.md");
    fs::write(&empty, "").unwrap();
    kept.run().await;
    fs::rename(kept.note(3), &empty).unwrap();
    let run = kept.run().await;
    assert_eq!((run.renamed, run.gone, run.imported), (1, 0, 0));
    assert_sound(&kept.manager).await;
}

#[tokio::test]
async fn a_copy_is_no_rename() {
    let kept = Kept::new().await;
    kept.run().await;
    fs::copy(kept.note(5), kept.folder.join("copy.md")).unwrap();
    // Nor where the original was touched or changed, and another file went.
    fs::copy(kept.note(7), kept.folder.join("before.md")).unwrap();
    fs::write(kept.note(7), notes::edition(7, 3, 1)).unwrap();
    let touched = fs::File::options().write(true).open(kept.note(5)).unwrap();
    touched
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    fs::remove_file(kept.note(6)).unwrap();
    let run = kept.run().await;
    assert_eq!((run.renamed, run.gone, run.imported), (0, 1, 3 + 3 + 2));
    assert_eq!(kept.of(&kept.note(5)).await.len(), 3);
}

#[tokio::test]
async fn a_folder_that_is_not_there_or_empty_takes_nothing_away() {
    let kept = Kept::new().await;
    kept.run().await;
    let elsewhere = kept.folder.with_file_name("elsewhere");
    fs::rename(&kept.folder, &elsewhere).unwrap();
    let gone = kept.run().await;
    assert_eq!(gone.outcome, RunOutcome::Failed);
    assert_eq!(gone.problem.as_ref().unwrap().code, "source_gone");

    // As the folder of a disk that is not mounted.
    fs::create_dir(&kept.folder).unwrap();
    let empty = kept.run().await;
    assert_eq!(empty.problem.as_ref().unwrap().code, "source_emptied");
    assert_eq!(everything(&kept.manager).await.len(), 30);
    let told = kept.manager.source(kept.id).await.unwrap();
    assert_eq!(told.source.last_run, Some(empty));

    fs::remove_dir(&kept.folder).unwrap();
    fs::rename(&elsewhere, &kept.folder).unwrap();
    assert!(!kept.run().await.changed());

    // Who says that it is meant is believed.
    fs::remove_dir_all(&kept.folder).unwrap();
    fs::create_dir(&kept.folder).unwrap();
    let options = RunOptions {
        emptied: true,
        ..RunOptions::default()
    };
    let emptied = kept.run_with(options).await;
    assert_eq!((emptied.gone, emptied.removed), (10, 30));
    assert_eq!(kept.manager.undo(None).await.unwrap().ids.len(), 30);
}

#[tokio::test]
async fn a_disk_in_a_folder_that_is_disconnected_takes_nothing_away() {
    let test = "a_disk_in_a_folder_that_is_disconnected_takes_nothing_away";
    if !in_own_mounts(test) {
        return;
    }
    let kept = Kept::new().await;
    let disk = kept.folder.join("disk");
    fs::create_dir(&disk).unwrap();
    mount(&["-t", "tmpfs", "none", disk.to_str().unwrap()]);
    notes::write(&disk, 5, 1);
    assert_eq!(kept.run().await.imported, 30 + 5);
    // On a disk that is there, a file that is gone is gone.
    fs::remove_file(disk.join("part-0/note-1.md")).unwrap();
    assert_eq!(kept.run().await.gone, 1);

    unmount(&disk);
    let run = kept.run().await;
    assert_eq!((run.gone, run.removed, run.failed_total), (0, 0, 1));
    let told = &run.failed[0];
    assert_eq!(
        (&*told.code, &*told.path),
        ("disk_gone", disk.to_str().unwrap())
    );
    assert_eq!(everything(&kept.manager).await.len(), 30 + 4);
    // Some systems take the folder away as well.
    fs::remove_dir(&disk).unwrap();
    assert_eq!(kept.run().await.removed, 0);
    let options = RunOptions {
        emptied: true,
        ..RunOptions::default()
    };
    let emptied = kept.run_with(options).await;
    assert_eq!(
        (emptied.gone, emptied.removed, emptied.failed_total),
        (4, 4, 0)
    );
}

#[tokio::test]
async fn a_run_that_was_stopped_goes_on_where_it_was() {
    let kept = Kept::new().await;
    notes::write(&kept.folder, 200, 3);
    let stopped = kept.run_stopped_after_a_file().await;
    assert_eq!(stopped.outcome, RunOutcome::Stopped);
    assert!((1..200).contains(&stopped.files), "{stopped:?}");
    let before = everything(&kept.manager).await;
    let rest = kept.run().await;
    assert_eq!((rest.outcome, rest.files), (RunOutcome::Done, 200));
    assert!(rest.read < 200, "{rest:?}");
    let after = everything(&kept.manager).await;
    assert_eq!(after.len(), 600);
    assert_eq!(after[..before.len()], before[..]);
}

#[tokio::test]
async fn a_run_is_stopped_inside_of_a_large_file_and_before_anything_was_looked_for() {
    let kept = Kept::new().await;
    kept.run().await;
    fs::write(kept.folder.join("book.md"), notes::note(77, 2_000)).unwrap();
    let calls = kept.place.provider.calls();
    let cancel = Arc::new(AtomicBool::default());
    let options = || RunOptions {
        cancel: Arc::clone(&cancel),
        ..RunOptions::default()
    };
    let provider = Arc::clone(&kept.place.provider);
    let stop = async {
        until("the book is being embedded", async || {
            provider.calls() > calls
        })
        .await;
        cancel.store(true, Ordering::Relaxed);
    };
    let (stopped, ()) = tokio::join!(kept.run_with(options()), stop);
    assert_eq!(
        (stopped.outcome, stopped.imported),
        (RunOutcome::Stopped, 0)
    );
    assert!(kept.place.provider.calls() < calls + 2_000 / 64);

    // What was not looked for is not gone.
    fs::remove_file(kept.note(1)).unwrap();
    let stopped = kept.run_with(options()).await;
    assert_eq!((stopped.outcome, stopped.gone), (RunOutcome::Stopped, 0));
    assert_eq!(everything(&kept.manager).await.len(), 30);
    assert!(kept.run().await.imported > 1_000);
}

#[tokio::test]
async fn a_file_that_was_emptied_has_nothing_and_one_that_cannot_be_read_keeps_what_it_gave() {
    let kept = Kept::new().await;
    kept.run().await;
    fs::write(kept.note(1), "").unwrap();
    fs::write(kept.note(2), b"caf\0").unwrap();
    let run = kept.run().await;
    assert!(kept.of(&kept.note(1)).await.is_empty());
    assert_eq!(kept.of(&kept.note(2)).await.len(), 3);
    assert_eq!(run.failed_total, 1);
    assert_eq!(run.failed[0].path, kept.note(2).to_str().unwrap());
    // It is told again for as long as it is so.
    assert_eq!(kept.run().await.failed, run.failed);
    fs::write(kept.note(2), notes::note(2, 3)).unwrap();
    let mended = kept.run().await;
    assert_eq!((mended.failed_total, mended.unchanged), (0, 8 * 3 + 3));
}

#[tokio::test]
async fn what_nothing_can_be_read_of_is_named_at_every_run_and_opened_once() {
    let kept = Kept::new().await;
    let broken = kept.folder.join("broken.pdf");
    fs::write(&broken, b"%PDF-1.7 and nothing more").unwrap();
    fs::write(kept.folder.join("empty.md"), " \n").unwrap();
    fs::write(kept.folder.join("binary.md"), b"caf\0").unwrap();
    let lines = kept.folder.join("lines.jsonl");
    fs::write(&lines, "{\"text\": \"one\"}\n{\"text\": \n".repeat(150)).unwrap();
    let first = kept.run().await;
    assert_eq!(
        (first.failed_total, first.skipped),
        (1 + 150, 2),
        "{first:?}"
    );
    assert_eq!(first.failed.len(), 100);
    assert_eq!(kept.manager.source(kept.id).await.unwrap().source.files, 11);
    let before = everything(&kept.manager).await;

    let opened = std::sync::atomic::AtomicU64::new(0);
    let progress = |at: ImportProgress| {
        opened.fetch_max(at.files_total, Ordering::Relaxed);
    };
    let again = kept
        .manager
        .run_source(kept.id, RunOptions::default(), progress);
    let again = again.await.unwrap();
    assert_eq!(opened.load(Ordering::Relaxed), 0);
    assert!(again.failed == first.failed);
    assert_eq!((again.failed_total, again.skipped), (1 + 150, 2));
    assert_eq!((again.files, again.unchanged), (11, 30 + 150));
    assert_eq!(everything(&kept.manager).await, before);

    // Only touched, it is known by its content.
    let touched = fs::File::options().write(true).open(&broken).unwrap();
    touched
        .set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    assert_eq!(kept.run().await.failed_total, 1 + 150);
    // Mended, it is forgotten what was wrong.
    fs::write(&lines, "{\"text\": \"one\"}\n").unwrap();
    fs::remove_file(&broken).unwrap();
    let mended = kept.run().await;
    assert_eq!(
        (mended.failed_total, mended.removed),
        (0, 149),
        "{mended:?}"
    );
    assert_sound(&kept.manager).await;
}

#[tokio::test]
async fn a_changed_front_matter_moves_the_contexts_of_a_note_in_time() {
    let kept = Kept::new().await;
    let note = kept.folder.join("dated.md");
    let dated = |day: u8| format!("---\ndate: 2020-05-{day:02}\n---\nThe text stays.\n");
    fs::write(&note, dated(1)).unwrap();
    kept.run().await;
    let calls = kept.place.provider.calls();
    let of = async || kept.of(&note).await.into_values().next().unwrap();
    let before = of().await;
    fs::write(&note, dated(2)).unwrap();
    assert_eq!(kept.run().await.updated, 1);
    let after = of().await;
    assert_eq!(after.id, before.id);
    assert_eq!(after.created_at.to_string(), "2020-05-02T00:00:00Z");
    assert_eq!(kept.place.provider.calls(), calls, "the text is the same");
    assert!(!kept.run().await.changed());
}

#[tokio::test]
async fn what_is_gone_is_taken_away_before_anything_is_read() {
    let kept = Kept::new().await;
    kept.run().await;
    fs::remove_file(kept.note(4)).unwrap();
    let more = kept.folder.join("more");
    fs::create_dir(&more).unwrap();
    for number in 100..300 {
        fs::write(
            more.join(format!("{number}.md")),
            notes::edition(number, 3, 7),
        )
        .unwrap();
    }
    let stopped = kept.run_stopped_after_a_file().await;
    assert_eq!((stopped.outcome, stopped.gone), (RunOutcome::Stopped, 1));
    assert!(kept.of(&kept.note(4)).await.is_empty());
}

#[tokio::test]
async fn a_file_that_moves_to_a_name_that_is_known_leaves_nothing_behind() {
    let kept = Kept::new().await;
    kept.run().await;
    let (old, new) = (kept.note(5), kept.folder.join("fifth.md"));
    fs::rename(&old, &new).unwrap();
    let imported = kept
        .manager
        .import(vec![new.clone()], ImportOptions::default(), |_| {});
    assert_eq!(imported.await.unwrap().imported, 3);
    let run = kept.run().await;
    assert_eq!((run.renamed, run.gone, run.removed), (0, 1, 3));
    assert!(kept.of(&old).await.is_empty());
    assert_eq!(kept.of(&new).await.len(), 3);
}

#[tokio::test]
async fn rules_say_what_is_read_and_as_what() {
    let kept = Kept::new().await;
    let rules = |exclude: &[&str], kind: &str| SourcePatch {
        rules: Some(SourceRules {
            exclude: exclude.iter().map(|glob| (*glob).to_owned()).collect(),
            level: Some(ContextLevel::ShortTerm),
            doc_type: Some(kind.to_owned()),
            agent: Some("ann".to_owned()),
            ..SourceRules::default()
        }),
        ..SourcePatch::default()
    };
    let change = |patch| kept.manager.change_source(kept.id, patch);
    change(rules(&["note-9.md"], "manual")).await.unwrap();
    assert_eq!(kept.run().await.files, 9);
    let all = everything(&kept.manager).await;
    assert!(
        all.iter()
            .all(|context| context.metadata["doc_type"] == "manual"
                && context.level == ContextLevel::ShortTerm
                && context.agent.as_deref() == Some("ann"))
    );

    let calls = kept.place.provider.calls();
    change(rules(&["note-[0-4].md"], "guide")).await.unwrap();
    let run = kept.run().await;
    assert_eq!(
        (run.files, run.gone, run.imported, run.updated),
        (5, 5, 3, 12)
    );
    assert_eq!(kept.place.provider.calls(), calls + 1, "only what is new");
    let all = everything(&kept.manager).await;
    assert!(
        all.iter()
            .all(|context| context.metadata["doc_type"] == "guide")
    );

    let refused = change(rules(&["!a"], "guide")).await.unwrap_err();
    assert_eq!(refused.code(), "invalid_source");
}

#[tokio::test]
async fn sources_that_overlap_or_share_a_name_are_refused() {
    let kept = Kept::new().await;
    for folder in [
        &kept.folder,
        &kept.folder.join("part-0"),
        kept.folder.parent().unwrap(),
    ] {
        let refused = kept.manager.add_source(at(folder)).await.unwrap_err();
        assert_eq!(refused.code(), "source_overlaps");
        assert!(refused.to_string().contains("`notes`"), "{refused}");
    }
    let beside = kept.folder.with_file_name("beside");
    fs::create_dir(&beside).unwrap();
    let named = NewSource {
        name: Some("Notes".to_owned()),
        ..at(&beside)
    };
    let refused = kept.manager.add_source(named).await.unwrap_err();
    assert_eq!(refused.code(), "source_name_taken");
    let missing = kept.manager.add_source(at(&beside.join("none"))).await;
    assert_eq!(missing.unwrap_err().code(), "source_gone");
    assert_eq!(kept.manager.sources().await.unwrap().len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_two_sources_reach_belongs_to_the_first() {
    let kept = Kept::new().await;
    kept.run().await;
    let beside = kept.folder.with_file_name("beside");
    fs::create_dir(&beside).unwrap();
    std::os::unix::fs::symlink(&kept.folder, beside.join("link")).unwrap();
    let other = kept.manager.add_source(at(&beside)).await.unwrap().source;
    let run = kept
        .manager
        .run_source(other.id, RunOptions::default(), |_| {});
    let run = run.await.unwrap();
    assert_eq!((run.files, run.skipped), (0, 10));
    assert_eq!(kept.manager.source(kept.id).await.unwrap().source.files, 10);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_below_the_root_of_a_source_is_its_own_whoever_had_it_first() {
    let kept = Kept::new().await;
    let beside = kept.folder.with_file_name("beside");
    notes::write(&beside, 4, 1);
    std::os::unix::fs::symlink(&beside, kept.folder.join("link")).unwrap();
    assert_eq!(kept.run().await.files, 14);
    let before = everything(&kept.manager).await;
    let other = kept.manager.add_source(at(&beside)).await.unwrap().source;
    let run = kept
        .manager
        .run_source(other.id, RunOptions::default(), |_| {});
    let run = run.await.unwrap();
    assert_eq!((run.files, run.skipped), (4, 0));
    let again = kept.run().await;
    assert_eq!((again.files, again.skipped, again.gone), (10, 4, 0));
    assert_eq!(everything(&kept.manager).await, before);
    let files = async |id| kept.manager.source(id).await.unwrap().source.files;
    assert_eq!((files(kept.id).await, files(other.id).await), (10, 4));
}

#[tokio::test]
async fn a_source_that_is_removed_leaves_its_contexts_or_takes_them_along_until_an_undo() {
    let kept = Kept::new().await;
    kept.run().await;
    let before = everything(&kept.manager).await;
    let removed = kept.manager.remove_source(kept.id, Leave::Contexts).await;
    assert_eq!(removed.unwrap().deletion, None);
    assert_eq!(everything(&kept.manager).await, before);

    let again = kept.manager.add_source(at(&kept.folder)).await.unwrap();
    let id = again.source.id;
    let run = kept.manager.run_source(id, RunOptions::default(), |_| {});
    assert!(!run.await.unwrap().changed());
    assert_eq!(kept.manager.source(id).await.unwrap().source.contexts, 30);

    let removed = kept
        .manager
        .remove_source(id, Leave::Nothing)
        .await
        .unwrap();
    assert_eq!(removed.deletion.unwrap().ids.len(), 30);
    assert!(everything(&kept.manager).await.is_empty());
    kept.manager.undo(None).await.unwrap();
    assert_eq!(everything(&kept.manager).await, before);
    let gone = kept.manager.source(id).await.unwrap_err();
    assert_eq!(gone.code(), "unknown_source");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_removed_while_its_run_waits_for_another() {
    let kept = Kept::new().await;
    let beside = kept.folder.with_file_name("beside");
    notes::write(&beside, 3, 1);
    let other = kept.manager.add_source(at(&beside)).await.unwrap();
    let other = other.source.id;
    let run = |id, options| {
        let manager = kept.manager.clone();
        tokio::spawn(async move { manager.run_source(id, options, |_| {}).await })
    };
    let is_running = async |id| kept.manager.source(id).await.unwrap().running.is_some();
    // The first waits for its model, and the second for the first.
    kept.place.provider.set_held(true);
    let first = run(kept.id, RunOptions::default());
    until("the first runs", || is_running(kept.id)).await;
    let second = run(other, RunOptions::default());
    let removed = kept.manager.remove_source(other, Leave::Nothing);
    removed.await.unwrap();
    assert!(is_running(kept.id).await, "it was not waited for");
    kept.place.provider.set_held(false);
    assert_eq!(first.await.unwrap().unwrap().imported, 30);
    let gone = second.await.unwrap().unwrap_err();
    assert_eq!(gone.code(), "unknown_source");
    assert_eq!(everything(&kept.manager).await.len(), 30);

    // One that is under way is stopped, and leaves nothing behind.
    let again = kept.manager.add_source(at(&beside)).await.unwrap();
    let again = again.source.id;
    kept.place.provider.set_held(true);
    let options = RunOptions::default();
    let stop = Arc::clone(&options.cancel);
    let third = run(again, options);
    until("it runs", || is_running(again)).await;
    let manager = kept.manager.clone();
    let removed = tokio::spawn(async move { manager.remove_source(again, Leave::Nothing).await });
    until("it is stopped", async || stop.load(Ordering::Relaxed)).await;
    kept.place.provider.set_held(false);
    removed.await.unwrap().unwrap();
    third.await.unwrap().unwrap();
    assert_eq!(everything(&kept.manager).await.len(), 30);
    assert_sound(&kept.manager).await;
}
