//! A token goes into the keyring and nowhere else.

use hirag_tests::window::{Desk, Role};

const TOKEN: &str = "sk-window-0123456789abcdef";

#[test]
fn a_token_is_in_the_keyring_and_in_no_file_log_or_page() {
    let desk = Desk::with_keyring();
    desk.home.set_settings("[logging]\nlevel = \"trace\"\n");
    let studio = desk.open();
    studio.go("settings?tab=tokens");
    let panel = studio.within("Embedding endpoint");
    panel.see("not set");
    panel.fill("Token", TOKEN);
    panel.press(Role::Button, "Keep in the keyring");
    studio.hear("The token is in the keyring.");
    panel.see("A token ending in …cdef is kept in the keyring.");
    assert!(!studio.source().contains(TOKEN));
    let values = studio.ask(
        "the fields are read",
        "return JSON.stringify([...document.querySelectorAll('input, textarea')].map((one) => one.value));",
    );
    assert!(!values.as_str().unwrap().contains(TOKEN), "{values}");
    studio.close();

    // The next start finds it, so it is kept; but no file holds it.
    let studio = desk.open();
    studio.go("settings?tab=tokens");
    panel_of(&studio).see("A token ending in …cdef is kept in the keyring.");
    assert!(!desk.home.log().is_empty());
    assert_eq!(
        desk.home.files_with(TOKEN),
        Vec::<std::path::PathBuf>::new()
    );
    panel_of(&studio).press(Role::Button, "Remove");
    studio
        .within("Remove the token?")
        .press(Role::Button, "Remove");
    studio.hear("The token is removed.");
    panel_of(&studio).see("not set");
}

#[test]
fn without_a_keyring_a_token_is_kept_for_this_run_only() {
    let desk = Desk::new();
    let studio = desk.open();
    studio.go("settings?tab=tokens");
    let panel = panel_of(&studio);
    panel.see("No keyring runs here");
    panel.miss("here: no keyring");
    panel.fill("Token", "with a space");
    panel.press(Role::Button, "For this run only");
    panel.see("not set");
    let _ = panel.read(Role::Alert, "");
    panel.fill("Token", TOKEN);
    panel.press(Role::Button, "For this run only");
    panel.see("for this run only");
    studio.close();

    assert_eq!(
        desk.home.files_with(TOKEN),
        Vec::<std::path::PathBuf>::new()
    );
    let studio = desk.open();
    studio.go("settings?tab=tokens");
    panel_of(&studio).see("not set");
}

fn panel_of(studio: &hirag_tests::window::Page) -> hirag_tests::window::Page {
    studio.within("Embedding endpoint")
}
