//! A person opens the window for the first time and asks the sample something.

use hirag_tests::window::{Desk, Role};

#[test]
fn the_sample_answers_its_first_question_with_reasons() {
    let desk = Desk::new();
    let studio = desk.open();
    studio.see("The memory is empty");
    studio.press(Role::Button, "Try the sample workspace");

    // The sample comes with a question.
    studio.hear("Import is done.");
    let best = studio.read(Role::Article, "Result 1");
    assert!(best.contains("Privacy and secrets"), "{best}");
    assert!(
        best.contains("vector 0.") && best.contains("words "),
        "{best}"
    );
    let parts = studio.within("results").read(Role::Img, "");
    assert!(parts.contains("relevance"), "{parts}");
    studio.within("Tokens").see("allotted");

    // What was not returned says where it was dropped, and what would let it in.
    studio.press(Role::Radio, "Dropped");
    let dropped = studio.within("Dropped candidates");
    dropped.press(Role::Button, "Why not");
    let why = studio.within("Why not this one?");
    why.see("The stages");
    why.see("What would let it in");
    why.see("Final score");
}
