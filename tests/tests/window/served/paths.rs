//! A browser has no file dialogues for the server's machine: a path is typed.

use std::fs;

use hirag_tests::window::{Desk, Role};

#[test]
fn a_folder_is_imported_and_a_backup_written_by_typed_paths() {
    let desk = Desk::new();
    let folder = desk.home.path().join("notes");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("owls.md"), "# Owls\n\nOwls hunt at night.\n").unwrap();
    let studio = desk.open();
    studio.go("import");
    studio.press(Role::Button, "Choose a folder…");
    let which = studio.within("Which folder?");
    which.fill("Path", "notes");
    which.press(Role::Button, "Choose");
    which.see("Write the full path");
    which.fill("Path", &folder.to_string_lossy());
    which.press(Role::Button, "Choose");
    studio.see("What will be read");
    studio.within("How").press(Role::Button, "Import ");
    studio
        .within("Imported")
        .see("Every file was read; none was skipped.");

    studio.go("settings?tab=storage");
    studio.press(Role::Button, "Back up…");
    let backup = desk.home.path().join("copy.db");
    let place = studio.within("Where should it be saved?");
    place.fill("Path", &backup.to_string_lossy());
    place.press(Role::Button, "Save");
    studio.hear("Backup is done.");
    assert!(backup.is_file());
}
