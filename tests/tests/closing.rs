//! What a memory leaves behind when it is closed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

use hirag_tests::place::{Place, store_all};

/// The database and what SQLite puts beside it.
fn files_of_database(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("hirag.db") && !name.ends_with(".lock"))
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn who_writes_leaves_the_database_alone_behind() {
    let place = Place::new();
    let manager = place.open().await;
    store_all(&manager, &["one", "two"]).await;
    assert_eq!(manager.stats().await.unwrap().counts.total_contexts, 2);
    manager.shut_down().await.unwrap();
    // As in a program that ends without giving everything back.
    std::mem::forget(manager);
    assert_eq!(files_of_database(&place.data_dir()), ["hirag.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_leaves_no_log_behind_either() {
    let place = Place::new();
    let manager = place.open().await;
    store_all(&manager, &["one"]).await;
    manager.shut_down().await.unwrap();
    drop(manager);
    let reader = place.open_to_read().await.unwrap();
    assert_eq!(reader.stats().await.unwrap().counts.total_contexts, 1);
    reader.shut_down().await.unwrap();
    assert_eq!(files_of_database(&place.data_dir()), ["hirag.db"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_closes_takes_nothing_from_the_writer() {
    let place = Place::new();
    let writer = place.open().await;
    store_all(&writer, &["one"]).await;
    let reader = place.open_to_read().await.unwrap();
    assert_eq!(reader.stats().await.unwrap().counts.total_contexts, 1);
    reader.shut_down().await.unwrap();
    assert!(files_of_database(&place.data_dir()).contains(&"hirag.db-wal".to_owned()));
    store_all(&writer, &["two"]).await;
    writer.shut_down().await.unwrap();
    let again = place.open_to_read().await.unwrap();
    assert_eq!(again.stats().await.unwrap().counts.total_contexts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_after_the_end_is_refused() {
    let place = Place::new();
    let manager = place.open().await;
    manager.shut_down().await.unwrap();
    assert_eq!(manager.stats().await.unwrap_err().code(), "store_closed");
}
