//! What the page knows, what the program knows, and what the page is let do are the same.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{shell, studio};
use crate::menu;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn json(path: &str) -> Value {
    serde_json::from_str(&read(path)).unwrap()
}

fn commands() -> BTreeSet<String> {
    let all = studio::NAMES.iter().chain(shell::NAMES);
    all.map(|name| (*name).to_owned()).collect()
}

/// The names that stand at the beginning of the lines of an interface.
fn keys(source: &str, interface: &str) -> BTreeSet<String> {
    let (_, body) = source.split_once(interface).unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let name = |line: &str| Some(line.trim().split_once(": ")?.0.to_owned());
    body.lines().filter_map(name).collect()
}

#[test]
fn no_name_stands_for_two_commands() {
    assert_eq!(commands().len(), studio::NAMES.len() + shell::NAMES.len());
}

#[test]
fn the_page_knows_the_commands_of_the_program_and_no_others() {
    let page = keys(
        &read("crates/hirag-server/bindings/Commands.ts"),
        "export interface Commands {",
    );
    assert_eq!(page, commands());
}

#[test]
fn the_window_is_let_do_what_the_page_needs_and_nothing_else() {
    let capability = json("src-tauri/capabilities/main.json");
    assert_eq!(capability["windows"], serde_json::json!(["main"]));
    assert!(capability.get("remote").is_none());
    let let_do: BTreeSet<String> = capability["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|permission| permission.as_str().unwrap().to_owned())
        .collect();
    let events = ["core:event:allow-listen", "core:event:allow-unlisten"];
    let needed: BTreeSet<String> = commands()
        .iter()
        .map(|name| format!("allow-{}", name.replace('_', "-")))
        .chain(events.map(str::to_owned))
        .collect();
    assert_eq!(let_do, needed);
}

#[test]
fn the_content_policy_lets_in_nothing_from_elsewhere_and_runs_nothing_inline() {
    let security = &json("tauri.conf.json")["app"]["security"];
    let policy = security["csp"].as_object().unwrap();
    assert_eq!(policy["default-src"], "'self'");
    for (directive, sources) in policy {
        let sources = sources.as_str().unwrap();
        assert!(!sources.contains("unsafe"), "{directive}: {sources}");
        assert!(!sources.contains('*'), "{directive}: {sources}");
        for source in sources.split(' ') {
            // Windows has this address for the channel to the program.
            let known = [
                "'self'",
                "'none'",
                "data:",
                "blob:",
                "ipc:",
                "http://ipc.localhost",
            ];
            assert!(known.contains(&source), "{directive}: {source}");
        }
    }
    assert!(
        security
            .get("dangerousDisableAssetCspModification")
            .is_none()
    );
    assert_eq!(json("tauri.conf.json")["app"]["withGlobalTauri"], false);
}

#[test]
fn the_page_has_an_action_for_every_entry_of_the_menu() {
    let page = read("ui/src/views/places.ts")
        + &read("ui/src/views/palette.ts")
        + &read("ui/src/views/App.svelte")
        + &read("ui/src/shared/theme.svelte.ts");
    for action in menu::actions() {
        let named = [format!("name: \"{action}\""), format!("id: \"{action}\"")];
        let choice = format!("choice: \"{action}\"");
        assert!(
            named
                .iter()
                .chain([&choice])
                .any(|name| page.contains(name.as_str())),
            "the page has no action `{action}`"
        );
    }
}
