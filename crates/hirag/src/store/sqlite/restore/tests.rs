//! Restores that are broken off: by a kill after any step, by a failure in any step.

use std::fs;

use super::super::tests::record;
use super::super::{Access, SqliteStore, StoreOptions};
use super::swap::{STEPS, Step, Swap};
use super::*;
use crate::clock::FakeClock;
use crate::context::Filter;
use crate::files::sync_folder_of;
use crate::store::{ScrollRequest, VectorSpec, VectorStore};

const NAME: &str = "c";
const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const VECTOR: Option<[f32; 2]> = Some([1.0, 0.0]);

fn open(path: &Path, access: Access) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(StoreOptions {
        path: path.to_owned(),
        access,
        lock_wait: Duration::ZERO,
        clock: FakeClock::at(NOW),
    })
}

/// Writes texts into a database, the last of them so that only its log has it, and leaves both
/// files as a killed process does.
async fn killed_with(path: &Path, texts: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let alive = folder.path().join("alive.db");
    let spec = VectorSpec {
        model: "m".into(),
        dimension: 2,
    };
    let store = open(&alive, Access::Write).unwrap();
    store.create_collection(NAME, &spec).await.unwrap();
    let (last, first) = texts.split_last().unwrap();
    let first = first.iter().map(|text| record(text, VECTOR)).collect();
    store.insert(NAME, first).await.unwrap();
    store.shut_down();
    drop(store);
    let store = open(&alive, Access::Write).unwrap();
    store
        .insert(NAME, vec![record(last, VECTOR)])
        .await
        .unwrap();
    fs::copy(&alive, path).unwrap();
    fs::copy(beside(&alive, "-wal"), beside(path, "-wal")).unwrap();
    assert!(beside(path, "-wal").metadata().unwrap().len() > 0);
}

async fn texts(path: &Path) -> Vec<String> {
    let store = open(path, Access::Write).unwrap();
    let request = ScrollRequest {
        filter: Filter::default(),
        limit: 100,
        ..ScrollRequest::default()
    };
    let page = store.scroll(NAME, request).await.unwrap();
    let inspection = store.inspect(NAME).await.unwrap();
    assert!(inspection.is_ok(), "{inspection:?}");
    store.shut_down();
    let mut texts: Vec<String> = page.contexts.into_iter().map(|c| c.text).collect();
    texts.sort();
    texts
}

const OLD: [&str; 2] = ["old, in the file", "old, in the log"];
const NEW: [&str; 2] = ["new, in the file", "new, in the log"];

/// An old database and a backup, both with logs, and a copy of the backup as a restore makes it.
struct Case {
    _folder: tempfile::TempDir,
    database: PathBuf,
    backup: PathBuf,
    copy: PathBuf,
}

impl Case {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("hirag.db");
        let case = Self {
            backup: folder.path().join("backup.db"),
            copy: beside(&database, ".restoring"),
            database,
            _folder: folder,
        };
        killed_with(&case.database, &OLD).await;
        killed_with(&case.backup, &NEW).await;
        case
    }

    fn begin(&self) -> Swap {
        register_vector_functions();
        write_copy(&check(&self.backup).unwrap(), &self.copy).unwrap();
        Swap::begin(&self.copy, &self.database, NOW).unwrap()
    }

    /// Files that only a restore that goes on has.
    fn left_over(&self) -> Vec<String> {
        let entries = fs::read_dir(folder_of(&self.database)).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains(".restor"))
            .collect()
    }
}

#[tokio::test]
async fn what_the_logs_hold_is_restored_and_kept() {
    let case = Case::new().await;
    let kept = restore(&case.backup, &case.database, NOW).unwrap().unwrap();
    assert_eq!(texts(&case.database).await, NEW);
    assert_eq!(texts(&kept).await, OLD);
    // And back again: what was kept is a backup like any other.
    let kept = restore(&kept, &case.database, NOW).unwrap().unwrap();
    assert_eq!(texts(&case.database).await, OLD);
    assert_eq!(texts(&kept).await, NEW);
    assert_eq!(case.left_over(), [""; 0]);
}

#[tokio::test]
async fn broken_off_before_the_copy_is_complete_the_old_database_stays() {
    let case = Case::new().await;
    let whole = fs::read(&case.backup).unwrap();
    fs::write(&case.copy, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(texts(&case.database).await, OLD);
    assert_eq!(case.left_over(), [""; 0]);
}

#[tokio::test]
async fn broken_off_after_any_step_the_next_start_has_the_new_database() {
    for made in 0..=STEPS.len() {
        let case = Case::new().await;
        let swap = case.begin();
        for step in &STEPS[..made] {
            swap.make(*step).unwrap();
        }
        assert_eq!(texts(&case.database).await, NEW, "after {made} steps");
        let kept = beside(&case.database, ".before-restore-0");
        assert_eq!(texts(&kept).await, OLD, "after {made} steps");
        assert_eq!(case.left_over(), [""; 0]);
    }
}

#[tokio::test]
async fn taken_back_after_any_step_the_old_database_is_there() {
    for made in 0..=STEPS.len() {
        for taken_back in 0..=STEPS.len() {
            let case = Case::new().await;
            let swap = case.begin();
            for step in &STEPS[..made] {
                swap.make(*step).unwrap();
            }
            for step in STEPS.iter().rev().take(taken_back) {
                swap.take_back(*step).unwrap();
            }
            let told = format!("after {made} steps and {taken_back} back");
            if taken_back == STEPS.len() {
                remove_if_there(&beside(&case.database, ".restored-0")).unwrap();
                sync_folder_of(&case.database).unwrap();
                assert_eq!(texts(&case.database).await, OLD, "{told}");
            } else {
                assert_eq!(texts(&case.database).await, NEW, "{told}");
            }
            assert_eq!(case.left_over(), [""; 0]);
        }
    }
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_old_database_with_its_log() {
    for (step, obstacle) in [
        (Step::SetLogAside, ".before-restore-0-wal/x"),
        (Step::SetDatabaseAside, ".before-restore-0/x"),
    ] {
        let case = Case::new().await;
        let swap = case.begin();
        fs::create_dir_all(beside(&case.database, obstacle)).unwrap();
        let error = swap.carry_out_or_undo().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists, "{step:?}");
        assert_eq!(texts(&case.database).await, OLD, "{step:?}");
        assert_eq!(case.left_over(), [""; 0]);
    }
}

#[tokio::test]
async fn a_reader_waits_for_a_writer_to_finish_what_was_broken_off() {
    let case = Case::new().await;
    let swap = case.begin();
    swap.make(Step::SetLogAside).unwrap();
    let error = open(&case.database, Access::Read).unwrap_err();
    assert_eq!(error.code(), "store_cannot_open");
    assert!(error.to_string().contains("restore"), "{error}");
    let store = open(&case.database, Access::ReadIfReady).unwrap();
    assert_eq!(store.collections().await.unwrap().len(), 1);
    drop(store);
    assert!(open(&case.database, Access::Read).is_ok());
    assert_eq!(texts(&case.database).await, NEW);
}

#[tokio::test]
async fn a_restore_finishes_the_one_before_it() {
    let case = Case::new().await;
    case.begin().make(Step::SetLogAside).unwrap();
    let other = case.database.with_file_name("other.db");
    killed_with(&other, &["other", "others"]).await;
    let kept = restore(&other, &case.database, NOW).unwrap().unwrap();
    assert_eq!(texts(&case.database).await, ["other", "others"]);
    assert_eq!(texts(&kept).await, NEW);
    let first = beside(&case.database, ".before-restore-0");
    assert_eq!(texts(&first).await, OLD);
}

#[tokio::test]
async fn where_there_was_no_database_a_restore_keeps_none() {
    let case = Case::new().await;
    let fresh = case.database.with_file_name("fresh").join("hirag.db");
    assert_eq!(restore(&case.backup, &fresh, NOW).unwrap(), None);
    assert_eq!(texts(&fresh).await, NEW);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_comes_during_restores_has_one_of_the_databases_or_is_told() {
    let case = Case::new().await;
    let other = case.database.with_file_name("other.db");
    killed_with(&other, &["other, in the file", "other, in the log"]).await;
    restore(&case.backup, &case.database, NOW).unwrap();

    let done = std::sync::atomic::AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        scope.spawn(|| {
            for backup in [&other, &case.backup].into_iter().cycle().take(20) {
                match restore(backup, &case.database, NOW) {
                    Ok(_) => {}
                    // One of the readers finishes nothing, but it may be there to write.
                    Err(error) => assert_eq!(error.code(), "store_locked", "{error}"),
                }
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let mut seen = 0;
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            let store = match open(&case.database, Access::Read) {
                Ok(store) => store,
                Err(error) => {
                    assert_eq!(error.code(), "store_cannot_open", "{error}");
                    continue;
                }
            };
            let found = of_every_connection(&store);
            let known = [&NEW, &["other, in the file", "other, in the log"]];
            assert!(known.iter().any(|known| found == **known), "{found:?}");
            seen += 1;
        }
        seen
    });
    assert!(seen > 0);
}

/// The texts that the connections of a store have, which must be the same.
fn of_every_connection(store: &SqliteStore) -> Vec<String> {
    let lent: Vec<_> = (0..store.shared.reading.available_permits())
        .map(|_| store.shared.readers.take().unwrap())
        .collect();
    let mut all: Vec<Vec<String>> = Vec::new();
    for reader in &lent {
        let mut statement = reader
            .prepare("SELECT text FROM contexts ORDER BY text")
            .unwrap();
        let texts = statement.query_map([], |row| row.get(0)).unwrap();
        all.push(texts.collect::<Result<_, _>>().unwrap());
    }
    assert!(all.windows(2).all(|two| two[0] == two[1]), "{all:?}");
    all.swap_remove(0)
}
