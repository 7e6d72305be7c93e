//! Files that are written for people: on a full disk there is no half of one, and no part is left.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hirag::export::ExportFormat;
use hirag_server::commands::studio as ask;
use hirag_server::commands::{self, Host};
use hirag_server::secrets::MemoryVault;
use hirag_server::studio::{Claims, Studio, StudioOptions};
use hirag_tests::mounts::{in_own_mounts, mount};
use hirag_tests::notes;
use hirag_tests::place::Place;

/// A disk with room for a part of the database, but not for all of it.
fn small_disk(place: &Path) -> PathBuf {
    let disk = place.join("disk");
    fs::create_dir(&disk).unwrap();
    mount(&[
        "-t",
        "tmpfs",
        "-o",
        "size=256k",
        "none",
        disk.to_str().unwrap(),
    ]);
    disk
}

/// A memory whose database and export are larger than the small disk.
async fn filled(place: &Place) -> hirag::HiragManager {
    let manager = place.open().await;
    let folder = place.path().join("notes");
    notes::write(&folder, 200, 12);
    let import = manager.import(vec![folder], Default::default(), |_| {});
    import.await.unwrap();
    manager
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_or_an_export_that_does_not_fit_leaves_nothing() {
    if !in_own_mounts("a_backup_or_an_export_that_does_not_fit_leaves_nothing") {
        return;
    }
    let place = Place::new();
    let manager = filled(&place).await;
    let disk = small_disk(place.path());
    let error = manager.back_up(&disk.join("backup.db")).await.unwrap_err();
    assert_eq!(error.code(), "disk_full", "{error}");
    assert_eq!(names(&disk), [""; 0]);

    let host = Host::new(manager, place.path().join("config.toml"));
    for format in ExportFormat::ALL {
        let name = format!("export.{format}");
        let request = commands::ExportRequest {
            place: disk.join(&name),
            format,
            by_session: false,
        };
        // Markdown is a folder, which nothing may stand in.
        let there = match format {
            ExportFormat::Markdown => None,
            _ => Some("the export of last week"),
        };
        if let Some(there) = there {
            fs::write(&request.place, there).unwrap();
        }
        let error = commands::export_file(&host, &request, |_| {})
            .await
            .unwrap_err();
        assert_eq!(error.code(), "disk_full", "{error}");
        assert!(error.to_string().contains(&name), "{error}");
        assert_eq!(names(&disk), there.map(|_| name).as_slice());
        if let Some(there) = there {
            assert_eq!(fs::read_to_string(&request.place).unwrap(), there);
            fs::remove_file(&request.place).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_database_that_does_not_fit_leaves_nothing() {
    if !in_own_mounts("a_copy_of_a_database_that_does_not_fit_leaves_nothing") {
        return;
    }
    let place = Place::new();
    filled(&place).await.shut_down().await.unwrap();
    let disk = small_disk(place.path());
    // A log fits, the database does not: the log goes, too.
    let log = format!("{}-wal", place.database().display());
    fs::write(&log, "what is left of a log").unwrap();
    let broken = fs::read(place.database()).unwrap();
    fs::write(
        place.database(),
        [b"no database".as_slice(), &broken].concat(),
    )
    .unwrap();
    let studio = Studio::start(StudioOptions {
        config_file: place.path().join("config.toml"),
        data_dir: place.data_dir(),
        environment: Vec::new(),
        clock: place.clock.clone(),
        vault: Arc::new(MemoryVault::default()),
        provider: Some(place.provider.clone()),
        claims: Claims::Never,
    });
    assert!(studio.host().await.is_err());
    let copy = |file: &Path| ask::FileRequest {
        file: file.display().to_string(),
    };
    let error = ask::backup_file(&studio, copy(&disk.join("copy.db"))).await;
    assert_eq!(error.unwrap_err().code(), "disk_full");
    assert_eq!(names(&disk), [""; 0]);
    // Where there is room, both are copied.
    let room = place.path().join("copy.db");
    ask::backup_file(&studio, copy(&room)).await.unwrap();
    assert!(fs::read(&room).unwrap().starts_with(b"no database"));
    let logged = fs::read_to_string(place.path().join("copy.db-wal")).unwrap();
    assert_eq!(logged, "what is left of a log");
    // Neither is written over.
    fs::remove_file(&room).unwrap();
    let error = ask::backup_file(&studio, copy(&room)).await.unwrap_err();
    assert!(error.to_string().contains("copy.db-wal"), "{error}");
    assert!(!room.exists());
    studio.shut_down().await.unwrap();
}
