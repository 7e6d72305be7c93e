//! Files become contexts, and those that do not say why.

use std::fs;

use hirag::HiragManager;
use hirag::manager::OpenOptions;
use hirag_tests::notes;
use hirag_tests::place::{Place, assert_sound, everything};
use hirag_tests::window::{Desk, Page, Role};
use serde_json::json;

/// Begins to import a folder. What a dialogue of the system or a dropped folder gives reaches the page by
/// its address, too.
fn import(page: &Page, folder: &std::path::Path) {
    page.go("overview");
    page.go_with("import", "paths", &json!([folder]).to_string());
    page.see("What will be read");
    page.within("How").press(Role::Button, "Import ");
}

#[test]
fn the_result_names_each_skipped_file_and_why() {
    let desk = Desk::new();
    let folder = desk.home.path().join("notes");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("owls.md"), "# Owls\n\nOwls hunt at night.\n").unwrap();
    fs::write(
        folder.join("picture.png"),
        [0x89, b'P', b'N', b'G', 0, 1, 2],
    )
    .unwrap();
    fs::write(folder.join("latin.md"), b"caf\xe9 au lait").unwrap();
    let studio = desk.open();
    import(&studio, &folder);

    let result = studio.within("Imported");
    result.see("Files read");
    let picture = result.ask("the picture is named", &said_of("picture.png"));
    let latin = result.ask("the other encoding is named", &said_of("latin.md"));
    assert!(picture.as_str().unwrap().contains("Skipped"), "{picture}");
    assert!(latin.as_str().unwrap().contains("UTF-8"), "{latin}");

    studio.go_with("search", "query", "when do owls hunt?");
    let best = studio.read(Role::Article, "Result 1");
    assert!(best.contains("Owls hunt at night."), "{best}");
}

/// The line about a file.
fn said_of(file: &str) -> String {
    format!(
        "const lines = [...place().querySelectorAll('[role=listitem]')];
         return plain(lines.find((one) => one.innerText.includes({file:?}))?.innerText) || null;"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_killed_loses_nothing_and_is_completed_by_the_next() {
    let desk = Desk::new();
    let folder = desk.home.path().join("notes");
    notes::write(&folder, 40, 6);
    let studio = desk.open();
    studio.press(Role::Button, "New context");
    let new = studio.within("Store a new context");
    new.fill("Text", "what was there before the accident");
    new.press(Role::Button, "Store");
    studio.hear("Stored in L1.");
    import(&studio, &folder);
    // As many as the window has told of by then.
    let told = studio.ask(
        "some are imported",
        "const told = text().match(/([1-9][\\d,]*) contexts?, \\d+ of 40 files/); return told && told[1];",
    );
    studio.kill();
    let told = number(&told);

    let studio = desk.open();
    studio.go("levels");
    let _ = studio.read(Role::Option, "what was there before the accident");
    let there = studio.within("L3 ").ask(
        "the level is counted",
        "const all = text().match(/Long-term ([\\d,]+) /); return all && all[1];",
    );
    let there = number(&there);
    assert!(there >= told && there < 240, "{there} of {told} are there");

    import(&studio, &folder);
    studio
        .within("Imported")
        .see("Every file was read; none was skipped.");
    import(&studio, &folder);
    studio.within("Imported").see("New 0");
    studio.close();

    let place = Place::new();
    let manager = open(&desk, &place).await;
    assert_sound(&manager).await;
    let all = everything(&manager).await;
    let mut sections: Vec<_> = all.iter().map(|context| context.text.as_str()).collect();
    sections.sort_unstable();
    sections.dedup();
    assert_eq!(sections.len(), all.len(), "something is there twice");
    manager.shut_down().await.unwrap();
}

async fn open(desk: &Desk, place: &Place) -> HiragManager {
    let options = OpenOptions::new(place.config.clone(), desk.home.data_dir());
    HiragManager::open(options).await.unwrap()
}

fn number(text: &serde_json::Value) -> usize {
    text.as_str().unwrap().replace(',', "").parse().unwrap()
}
