use serde_json::json;
use tauri::menu::{AboutMetadata, Menu, MenuBuilder, MenuItem, MenuItemBuilder, SubmenuBuilder};
use tauri::{AppHandle, Emitter, Wry};

use crate::{ending, tray, window};

/// An entry that the page acts on: the name of its action there, what it says, and its keys.
type Entry = (&'static str, &'static str, Option<&'static str>);

const FILE: &[Entry] = &[
    ("new", "Store a New Context…", Some("CmdOrCtrl+N")),
    ("import", "Import…", Some("CmdOrCtrl+O")),
];
const SETTINGS: Entry = ("settings", "Settings", Some("CmdOrCtrl+,"));
const VIEW: &[Entry] = &[
    ("system", "Appearance as the System", None),
    ("light", "Light", None),
    ("dark", "Dark", None),
];
const GO: &[Entry] = &[
    ("overview", "Overview", Some("CmdOrCtrl+1")),
    ("levels", "Levels", Some("CmdOrCtrl+2")),
    ("search", "Search", Some("CmdOrCtrl+3")),
    ("performance", "Performance", Some("CmdOrCtrl+4")),
    ("resilience", "Resilience", Some("CmdOrCtrl+5")),
    ("ask", "Ask", Some("CmdOrCtrl+6")),
    ("sources", "Sources", Some("CmdOrCtrl+7")),
];
// Ctrl+Z stays with the page, which knows whether a field or a context is meant.
const UNDO: Entry = ("undo", "Undo the Latest Change", None);
const HELP: &[Entry] = &[("keys", "Keyboard Shortcuts", Some("F1"))];

const QUIT: &str = "quit";

/// The menu bar.
///
/// # Errors
/// Where the system gives none.
pub(crate) fn build(app: &AppHandle) -> tauri::Result<Menu<Wry>> {
    let about = AboutMetadata {
        name: Some("HiRAG Studio".to_owned()),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        license: Some(env!("CARGO_PKG_LICENSE").to_owned()),
        ..AboutMetadata::default()
    };
    let quit = MenuItemBuilder::with_id(QUIT, "Quit")
        .accelerator("CmdOrCtrl+Q")
        .build(app)?;
    let application = SubmenuBuilder::new(app, "HiRAG Studio")
        .about(Some(about))
        .separator()
        .item(&item(app, SETTINGS)?)
        .separator()
        .item(&quit)
        .build()?;
    let edit = SubmenuBuilder::new(app, "Edit")
        .item(&item(app, UNDO)?)
        .separator()
        .cut()
        .copy()
        .paste()
        .select_all()
        .build()?;
    MenuBuilder::new(app)
        .item(&application)
        .item(&submenu(app, "File", FILE)?)
        .item(&edit)
        .item(&submenu(app, "View", VIEW)?)
        .item(&submenu(app, "Go", GO)?)
        .item(&submenu(app, "Help", HELP)?)
        .build()
}

fn submenu(
    app: &AppHandle,
    name: &str,
    entries: &[Entry],
) -> tauri::Result<tauri::menu::Submenu<Wry>> {
    let mut menu = SubmenuBuilder::new(app, name);
    for entry in entries {
        menu = menu.item(&item(app, *entry)?);
    }
    menu.build()
}

fn item(app: &AppHandle, (action, text, keys): Entry) -> tauri::Result<MenuItem<Wry>> {
    let item = MenuItemBuilder::with_id(action, text);
    match keys {
        Some(keys) => item.accelerator(keys).build(app),
        None => item.build(app),
    }
}

/// Does what was chosen, in the menu bar or in the tray.
pub(crate) fn chosen(app: &AppHandle, action: &str) {
    match action {
        QUIT => ending::begin(app),
        tray::SHOW => window::raise(app),
        tray::PAUSE => tray::pause(app),
        action => {
            if let Err(error) = app.emit("menu", json!({ "action": action })) {
                tracing::warn!(%error, action, "the page was not told of the menu");
            }
        }
    }
}

/// The actions that the page has to know.
#[cfg(test)]
pub(crate) fn actions() -> Vec<&'static str> {
    let alone = [SETTINGS, UNDO];
    let all = [FILE, VIEW, GO, HELP].into_iter().flatten().chain(&alone);
    all.map(|(action, _, _)| *action).collect()
}
