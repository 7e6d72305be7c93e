//! A context is stored, edited, moved and deleted, and each of it is taken back.

use hirag_tests::window::{Desk, Role};

#[test]
fn every_change_of_a_context_can_be_taken_back() {
    let desk = Desk::new();
    let studio = desk.open();
    studio.press(Role::Button, "New context");
    let new = studio.within("Store a new context");
    new.fill("Text", "The meeting is on Monday.");
    new.press(Role::Button, "Store");
    studio.hear("Stored in L1.");

    studio.go("levels");
    studio.press(Role::Option, "The meeting is on Monday.");
    let details = studio.within("Details of the context");
    details.press(Role::Button, "Edit");
    details.fill("Text", "The meeting is on Tuesday.");
    details.press(Role::Button, "Save");
    studio.hear("Saved the change.");
    let _ = studio.read(Role::Option, "The meeting is on Tuesday.");
    studio.undo();
    studio.hear("Undid the change.");
    let _ = studio.read(Role::Option, "The meeting is on Monday.");

    details.press(Role::Button, "L3 ");
    studio.hear("Moved 1 context to L3.");
    let _ = studio
        .within("L3 ")
        .read(Role::Option, "The meeting is on Monday.");
    studio.undo();
    studio.hear("Moved back.");
    let _ = studio
        .within("L1 ")
        .read(Role::Option, "The meeting is on Monday.");

    details.press(Role::Button, "Delete");
    studio.hear("Deleted 1 context.");
    studio.within("L1 ").see("Nothing in L1 yet");
    studio.undo();
    studio.hear("Brought back 1 context.");
    let _ = studio
        .within("L1 ")
        .read(Role::Option, "The meeting is on Monday.");
}
