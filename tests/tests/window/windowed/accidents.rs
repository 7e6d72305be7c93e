//! Something is broken before the start: the window opens all the same, and says what to do.

use std::fs;
use std::path::Path;

use hirag_tests::window::{Desk, Role};

#[test]
fn a_broken_database_is_left_alone_and_a_backup_is_offered() {
    let desk = Desk::new();
    let broken = b"this was a database once".repeat(400);
    fs::write(desk.home.database(), &broken).unwrap();
    let studio = desk.open();
    studio.see("The database could not be opened");
    let _ = studio.read(Role::Button, "Restore a backup");
    let _ = studio.read(Role::Button, "Copy the file");
    studio.see("store_");
    // What does not need the memory can be used.
    studio.press(Role::Link, "Open the settings");
    let _ = studio.read(Role::Heading, "Settings");
    studio.close();
    assert_eq!(fs::read(desk.home.database()).unwrap(), broken);
}

#[test]
fn a_database_of_a_newer_version_says_which_program_it_needs() {
    let desk = Desk::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/databases");
    fs::copy(fixtures.join("v1.db"), desk.home.database()).unwrap();
    let database = rusqlite::Connection::open(desk.home.database()).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let before = fs::read(desk.home.database()).unwrap();
    let studio = desk.open();
    studio.see("The database could not be opened");
    studio.see("has the schema version 99");
    studio.see("use a newer HiRAG Studio");
    studio.close();
    assert_eq!(fs::read(desk.home.database()).unwrap(), before);
}

#[test]
fn a_bad_settings_file_names_its_key_and_is_read_again_when_it_is_mended() {
    let desk = Desk::new();
    desk.home.set_settings("batch_size = 0\n");
    let studio = desk.open();
    studio.see("The settings file could not be read, so the defaults are in force");
    studio.see("embedding.batch_size");
    let _ = studio.read(Role::Button, "New context");
    desk.home.set_settings("batch_size = 16\n");
    studio.miss("The settings file could not be read");
}
