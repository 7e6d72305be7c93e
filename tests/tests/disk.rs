//! Disks that are full or read-only, databases that are locked, damaged, newer or of others: a
//! clear error, nothing damaged, and all is well again when the cause is gone.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say what they leave out"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use hirag::config::Config;
use hirag::context::{ContextId, ContextRequest, EmbeddingState, NewContext};
use hirag::manager::{ImportOptions, OpenOptions, StoreAccess};
use hirag::{Error, HiragManager};
use hirag_tests::mounts::{in_own_mounts, mount};
use hirag_tests::notes;
use hirag_tests::place::{Place, assert_sound, everything, store_all, texts};

fn options(place: &Place, data_dir: &Path) -> OpenOptions {
    OpenOptions {
        data_dir: data_dir.to_owned(),
        ..place.options()
    }
}

async fn open(place: &Place, data_dir: &Path) -> Result<HiragManager, Error> {
    HiragManager::open(options(place, data_dir)).await
}

async fn open_as(place: &Place, access: StoreAccess) -> Result<HiragManager, Error> {
    HiragManager::open(OpenOptions {
        access,
        ..place.options()
    })
    .await
}

/// Bytes of the database and of what stands beside it, but for the lock and what readers need to
/// share memory.
fn bytes(data_dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(data_dir)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let empty = entry.metadata().is_ok_and(|facts| facts.len() == 0);
            !name.ends_with(".lock") && !name.ends_with("-shm") && !empty
        })
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_and_is_survived() {
    if !in_own_mounts("a_full_disk_loses_nothing_and_is_survived") {
        return;
    }
    let mut place = Place::new();
    // With the cache, which shares the disk and must not fail anything.
    place.config = Config::from_toml("[hirag.token_estimator]\nkind = \"chars\"").unwrap();
    let disk = place.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let target = disk.to_str().unwrap();
    mount(&["-t", "tmpfs", "-o", "size=3m", "none", target]);
    let data_dir = disk.join("data");
    let manager = open(&place, &data_dir).await.unwrap();
    let mut acknowledged: Vec<(ContextId, String)> = Vec::new();
    let error = loop {
        let text = format!("{} {}", acknowledged.len(), "much to say ".repeat(400));
        match manager.store(NewContext::new(text.as_str())).await {
            Ok(stored) => acknowledged.push((stored.id, text)),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 10_000, "the disk never fills");
    };
    assert_eq!(error.code(), "disk_full", "{error}");
    assert!(
        error.to_string().contains(data_dir.to_str().unwrap()),
        "{error}"
    );
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    // An import ends with the same error, and reading goes on.
    let folder = place.path().join("notes");
    notes::write(&folder, 100, 6);
    let import = manager.import(vec![folder.clone()], ImportOptions::default(), |_| {});
    assert_eq!(import.await.unwrap_err().code(), "disk_full");
    let found = texts(&manager, ContextRequest::new("much to say")).await;
    assert!(!found.is_empty());
    manager.get(acknowledged[0].0).await.unwrap();

    // A new process on the full disk says the same, or works; it damages nothing.
    manager.shut_down().await.unwrap();
    drop(manager);
    let full = disk.join("filler");
    let mut chunk = 1 << 20;
    while chunk > 0 {
        let old = fs::read(&full).unwrap_or_default();
        let more = [old.as_slice(), &vec![1; chunk]].concat();
        if fs::write(&full, &more).is_err() {
            fs::write(&full, &old).unwrap();
            chunk /= 2;
        }
    }
    match open(&place, &data_dir).await {
        Ok(manager) => {
            let error = manager
                .store(NewContext::new("much more ".repeat(5_000)))
                .await
                .unwrap_err();
            assert_eq!(error.code(), "disk_full", "{error}");
        }
        Err(error) => assert_eq!(error.code(), "disk_full", "{error}"),
    }

    // With space again, everything that was acknowledged is there and work goes on.
    fs::remove_file(&full).unwrap();
    mount(&["-o", "remount,size=64m", target]);
    let manager = open(&place, &data_dir).await.unwrap();
    let all = everything(&manager).await;
    for (id, text) in &acknowledged {
        let context = all.iter().find(|context| context.id == *id).unwrap();
        assert_eq!(context.text, *text);
        assert_eq!(context.embedding, EmbeddingState::Ready);
    }
    assert_sound(&manager).await;
    let import = manager.import(vec![folder], ImportOptions::default(), |_| {});
    let report = import.await.unwrap();
    assert!(
        report.failed.is_empty() && report.files == 100,
        "{report:?}"
    );
    assert_sound(&manager).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_handle_works_again_when_the_full_disk_has_space() {
    if !in_own_mounts("the_same_handle_works_again_when_the_full_disk_has_space") {
        return;
    }
    let place = Place::new();
    let disk = place.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let target = disk.to_str().unwrap();
    mount(&["-t", "tmpfs", "-o", "size=2m", "none", target]);
    let manager = open(&place, &disk.join("data")).await.unwrap();
    let id = store_all(&manager, &["an early owl"]).await[0];
    let big = || NewContext::new("much to say ".repeat(40_000));
    let mut stored = 1;
    let error = loop {
        match manager.store(big()).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), "disk_full", "{error}");
    // A failed write leaves no trace in what searches see.
    let count = manager.stats().await.unwrap().counts.total_contexts;
    assert_eq!(count, stored);
    mount(&["-o", "remount,size=64m", target]);
    manager.store(big()).await.unwrap();
    assert_eq!(manager.get(id).await.unwrap().text, "an early owl");
    assert_eq!(everything(&manager).await.len() as u64, stored + 1);
    assert_sound(&manager).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_file_system_is_read() {
    if !in_own_mounts("a_read_only_file_system_is_read") {
        return;
    }
    let place = Place::new();
    let disk = place.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let target = disk.to_str().unwrap();
    mount(&["-t", "tmpfs", "-o", "size=16m", "none", target]);
    let data_dir = disk.join("data");
    let manager = open(&place, &data_dir).await.unwrap();
    store_all(&manager, &["an early owl"]).await;
    manager.shut_down().await.unwrap();
    drop(manager);
    mount(&["-o", "remount,ro", target]);
    let before = bytes(&data_dir);

    let error = open(&place, &data_dir).await.unwrap_err();
    assert_eq!(error.code(), "store_read_only", "{error}");
    assert!(error.to_string().contains(target), "{error}");
    let error = open(&place, &disk.join("elsewhere")).await.unwrap_err();
    assert_eq!(error.code(), "store_read_only", "{error}");
    for access in [StoreAccess::Read, StoreAccess::WriteIfFree] {
        let manager = HiragManager::open(OpenOptions {
            access,
            ..options(&place, &data_dir)
        })
        .await
        .unwrap();
        assert!(!manager.is_writable());
        assert_eq!(
            texts(&manager, ContextRequest::new("owl")).await,
            ["an early owl"]
        );
        let error = manager.store(NewContext::new("new")).await.unwrap_err();
        assert_eq!(error.code(), "store_read_only", "{error}");
        assert_sound(&manager).await;
    }
    assert_eq!(bytes(&data_dir), before);

    mount(&["-o", "remount,rw", target]);
    let manager = open(&place, &data_dir).await.unwrap();
    store_all(&manager, &["a late owl"]).await;
    assert_eq!(everything(&manager).await.len(), 2);
    assert_sound(&manager).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_system_that_turns_read_only_at_work_refuses_writes() {
    if !in_own_mounts("a_file_system_that_turns_read_only_at_work_refuses_writes") {
        return;
    }
    let place = Place::new();
    let disk = place.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let target = disk.to_str().unwrap();
    mount(&["-t", "tmpfs", "-o", "size=16m", "none", target]);
    let data_dir = disk.join("data");
    // Left behind by a process that died: the log is not empty.
    let mut child = Command::new(env!("CARGO_BIN_EXE_lock-holder"))
        .arg(&data_dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    await_ready(&mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(data_dir.join("hirag.db-wal").metadata().unwrap().len() > 0);
    mount(&["-o", "remount,ro", target]);
    let reader = HiragManager::open(OpenOptions {
        access: StoreAccess::Read,
        ..options(&place, &data_dir)
    })
    .await
    .unwrap();
    let all = everything(&reader).await;
    assert_eq!(all[0].text, "stored by the holder of the lock");
    drop(reader);
    mount(&["-o", "remount,rw", target]);
    let manager = open(&place, &data_dir).await.unwrap();
    assert_eq!(everything(&manager).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_leave_to_write_is_refused_and_unchanged() {
    let place = Place::new();
    let manager = place.open().await;
    store_all(&manager, &["an early owl"]).await;
    manager.shut_down().await.unwrap();
    drop(manager);
    // Root may write whatever the mode says; then this test says nothing.
    let database = place.database();
    fs::set_permissions(&database, fs::Permissions::from_mode(0o444)).unwrap();
    if fs::OpenOptions::new().write(true).open(&database).is_ok() {
        println!("left out: this user may write what nobody may");
        return;
    }
    let before = bytes(&place.data_dir());
    let error = open_as(&place, StoreAccess::Write).await.unwrap_err();
    assert_eq!(error.code(), "store_read_only", "{error}");
    assert_eq!(bytes(&place.data_dir()), before);
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(everything(&place.open().await).await.len(), 1);
}

fn await_ready(child: &mut std::process::Child) {
    let mut line = String::new();
    let output = child.stdout.as_mut().unwrap();
    BufReader::new(output).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_in_use_is_read_and_says_who_writes() {
    let mut place = Place::new();
    place.config.store.lock_wait_secs = 0;
    let mut child = Command::new(env!("CARGO_BIN_EXE_lock-holder"))
        .arg(place.data_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    await_ready(&mut child);
    let error = open_as(&place, StoreAccess::Write).await.unwrap_err();
    assert_eq!(error.code(), "store_locked", "{error}");
    assert!(
        error
            .to_string()
            .contains(&format!("process {}", child.id())),
        "{error}"
    );
    for access in [StoreAccess::Read, StoreAccess::WriteIfFree] {
        let reader = open_as(&place, access).await.unwrap();
        assert!(!reader.is_writable());
        let found = texts(&reader, ContextRequest::new("holder of the lock")).await;
        assert_eq!(found, ["stored by the holder of the lock"]);
        let error = reader.store(NewContext::new("new")).await.unwrap_err();
        assert_eq!(error.code(), "store_locked", "{error}");
        let import = reader.import(vec![], ImportOptions::default(), |_| {});
        assert_eq!(import.await.unwrap_err().code(), "store_locked");
    }

    // One who waits gets in as soon as the other has gone.
    place.config.store.lock_wait_secs = 30;
    let waiting = tokio::spawn(HiragManager::open(place.options()));
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    let manager = waiting.await.unwrap().unwrap();
    assert!(manager.is_writable());
    store_all(&manager, &["my turn"]).await;
    assert_eq!(everything(&manager).await.len(), 2);
}

/// A database of some size, closed.
async fn written(place: &Place) -> Vec<u8> {
    let manager = place.open().await;
    let folder = place.path().join("notes");
    notes::write(&folder, 60, 6);
    let import = manager.import(vec![folder], ImportOptions::default(), |_| {});
    import.await.unwrap();
    manager.shut_down().await.unwrap();
    fs::read(place.database()).unwrap()
}

/// Opens for each access and expects the code; nothing may have been written.
async fn assert_refused(place: &Place, code: &str) -> String {
    let before = bytes(&place.data_dir());
    let mut said = String::new();
    for access in [
        StoreAccess::Write,
        StoreAccess::WriteIfFree,
        StoreAccess::Read,
    ] {
        let error = open_as(place, access).await.unwrap_err();
        assert_eq!(error.code(), code, "{access:?}: {error}");
        said = error.to_string();
        assert!(said.contains(place.database().to_str().unwrap()), "{said}");
        assert_eq!(bytes(&place.data_dir()), before, "{access:?}");
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_refused_and_left_as_it_is() {
    let place = Place::new();
    let whole = written(&place).await;
    let garbage = b"this was a database once, and then something happened. ".repeat(200);
    for damaged in [garbage, [&b"junk"[..], &whole[4..]].concat()] {
        fs::write(place.database(), &damaged).unwrap();
        let said = assert_refused(&place, "store_corrupt").await;
        assert!(said.contains("a backup can be restored"), "{said}");
        assert_eq!(fs::read(place.database()).unwrap(), damaged);
    }
    // So is a log beside it, which may be what is left.
    let log = place.data_dir().join("hirag.db-wal");
    fs::write(&log, b"what is left of a log").unwrap();
    assert_refused(&place, "store_corrupt").await;
    fs::remove_file(&log).unwrap();
    fs::write(place.database(), &whole).unwrap();
    let manager = place.open().await;
    assert_sound(&manager).await;
    assert!(everything(&manager).await.len() > 100);
}

/// Does what can be done with a damaged database. Whatever fails must say that it is damaged.
async fn use_damaged(place: &Place) -> Vec<String> {
    let mut codes = Vec::new();
    let mut note = |error: Error| codes.push(error.code().to_owned());
    match open_as(place, StoreAccess::Read).await {
        Err(error) => note(error),
        Ok(manager) => {
            let request = ContextRequest::new("lantern copper violin");
            manager
                .retrieve(request)
                .await
                .map(drop)
                .unwrap_or_else(&mut note);
            let list = manager.list(hirag::manager::ListRequest {
                limit: 10_000,
                ..Default::default()
            });
            list.await.map(drop).unwrap_or_else(&mut note);
            match manager.inspect().await {
                Err(error) => note(error),
                Ok(inspection) if inspection.is_ok() => {}
                Ok(_) => codes.push("inspection".to_owned()),
            }
        }
    }
    codes
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_inside_is_noticed_and_left_as_it_is() {
    let place = Place::new();
    let whole = written(&place).await;
    let page = 4_096;
    let truncated = whole[..whole.len() / 2 / page * page].to_vec();
    let torn = whole[..whole.len() - page * 3 / 2].to_vec();
    let flipped = |from: usize, step: usize| {
        let mut damaged = whole.clone();
        for byte in damaged[from..].iter_mut().step_by(step) {
            *byte ^= 0xa5;
        }
        damaged
    };
    let cases = [
        ("truncated", truncated),
        ("torn", torn),
        ("pages flipped", flipped(8 * page, 1)),
        ("bytes flipped", flipped(4 * page, 97)),
    ];
    for (name, damaged) in cases {
        fs::write(place.database(), &damaged).unwrap();
        let codes = use_damaged(&place).await;
        assert!(!codes.is_empty(), "{name}: nobody noticed");
        for code in &codes {
            assert!(
                code == "store_corrupt" || code == "inspection",
                "{name}: {codes:?}"
            );
        }
        assert!(
            fs::read(place.database()).unwrap() == damaged,
            "{name}: it was changed"
        );
    }
    fs::write(place.database(), &whole).unwrap();
    assert_sound(&place.open().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_database_is_found_sound_however_often_it_is_checked() {
    let place = Place::new();
    let manager = place.open().await;
    let folder = place.path().join("notes");
    for edition in 0..6 {
        notes::write_edition(&folder, 30, 4, edition);
        let import = manager.import(vec![folder.clone()], ImportOptions::default(), |_| {});
        import.await.unwrap();
        // More often than there are connections: each has had the tables open before.
        for _ in 0..5 {
            assert_sound(&manager).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_database_is_refused_and_unchanged() {
    let place = Place::new();
    let whole = written(&place).await;
    let connection = rusqlite::Connection::open(place.database()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    connection.close().unwrap();
    let said = assert_refused(&place, "store_newer").await;
    assert!(said.contains("99"), "{said}");
    fs::write(place.database(), whole).unwrap();
    assert_sound(&place.open().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_programs_database_is_refused_and_unchanged() {
    let place = Place::new();
    fs::create_dir(place.data_dir()).unwrap();
    let connection = rusqlite::Connection::open(place.database()).unwrap();
    connection
        .execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1);")
        .unwrap();
    connection.close().unwrap();
    let said = assert_refused(&place, "store_corrupt").await;
    assert!(said.contains("another program"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_in_the_way_is_an_error_that_names_it() {
    let place = Place::new();
    fs::create_dir_all(place.database()).unwrap();
    let error = open_as(&place, StoreAccess::Write).await.unwrap_err();
    assert_eq!(error.code(), "store_cannot_open", "{error}");
    fs::remove_dir(place.database()).unwrap();
    place.open().await;

    // So is a file where the data folder should be.
    let other = Place::new();
    fs::write(other.data_dir(), "a file").unwrap();
    let error = open_as(&other, StoreAccess::Write).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains(other.data_dir().to_str().unwrap()),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_gives_no_backup_that_could_not_be_restored() {
    let place = Place::new();
    let whole = written(&place).await;
    let mut refused = 0;
    for start in (8_192..whole.len() - 200).step_by(16_384) {
        let mut damaged = whole.clone();
        damaged[start..start + 200].fill(0xA5);
        fs::write(place.database(), &damaged).unwrap();
        let backup = place.path().join(format!("{start}.db"));
        let Ok(manager) = open_as(&place, StoreAccess::Read).await else {
            continue;
        };
        match manager.back_up(&backup).await {
            Ok(()) => {
                let clock: hirag::clock::SharedClock = place.clock.clone();
                let other = place.path().join(format!("restored-{start}"));
                HiragManager::restore(&backup, &other, &clock).unwrap();
            }
            Err(error) => {
                assert_eq!(error.code(), "store_corrupt", "{error}");
                assert!(!backup.exists());
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_comes_back_in_the_place_of_a_damaged_database() {
    let place = Place::new();
    let manager = place.open().await;
    let ids = store_all(&manager, &["one", "two"]).await;
    let backup = place.path().join("backup.db");
    manager.back_up(&backup).await.unwrap();
    let error = manager.back_up(&backup).await.unwrap_err();
    assert_eq!(error.code(), "io_failed");
    store_all(&manager, &["after the backup"]).await;
    manager.shut_down().await.unwrap();
    drop(manager);
    fs::write(place.database(), b"garbage that is long enough to be read").unwrap();
    let clock: hirag::clock::SharedClock = place.clock.clone();
    let not_one = place.database();
    let error = HiragManager::restore(&not_one, &place.data_dir(), &clock).unwrap_err();
    assert_eq!(error.code(), "store_corrupt");
    let kept = HiragManager::restore(&backup, &place.data_dir(), &clock)
        .unwrap()
        .unwrap();
    assert!(fs::read(kept).unwrap().starts_with(b"garbage"));
    let manager = place.open().await;
    assert_eq!(everything(&manager).await.len(), 2);
    assert_eq!(manager.get(ids[0]).await.unwrap().text, "one");
    assert_sound(&manager).await;
    // Nobody restores over a database in use.
    let error = HiragManager::restore(&backup, &place.data_dir(), &clock).unwrap_err();
    assert_eq!(error.code(), "store_locked");
    place.clock.advance(Duration::from_secs(1));
    store_all(&manager, &["on it goes"]).await;
}
