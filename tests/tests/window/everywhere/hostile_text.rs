//! A text is text, whatever it says.

use hirag_tests::window::{Desk, Role};

const HOSTILE: &str = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script> \
    <b>owls</b> {@html owls} مرحبا";

#[test]
fn markup_and_scripts_in_a_text_are_shown_as_text_everywhere() {
    let desk = Desk::new();
    let studio = desk.open();
    studio.press(Role::Button, "New context");
    let new = studio.within("Store a new context");
    new.fill("Text", HOSTILE);
    new.press(Role::Button, "Store");
    studio.hear("Stored in L1.");

    studio.go("levels");
    studio.press(Role::Option, "<img src=x");
    studio.within("Details of the context").see(HOSTILE);
    studio.go_with("search", "query", "<b>owls</b>");
    let best = studio.read(Role::Article, "Result 1");
    assert!(best.contains(HOSTILE), "{best}");
    studio.go("overview");
    studio.see("<img src=x");
    // What a server's page begins with is data, in a script that no browser runs.
    let made = studio.ask(
        "the page is searched",
        "return { title: document.title, made: document.querySelectorAll('img[src=x], script:not([src], #start)').length };",
    );
    assert_eq!(
        made,
        serde_json::json!({"title": "Overview – HiRAG Studio", "made": 0})
    );
}
