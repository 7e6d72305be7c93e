use std::path::Path;

use hirag::config::{Config, ThemeChoice, environment};
use tauri::utils::config::Color;
use tauri::webview::NewWindowResponse;
use tauri::{
    App, AppHandle, DragDropEvent, Emitter, Manager, Theme, Url, WebviewUrl, WebviewWindowBuilder,
    Window, WindowEvent,
};

use crate::ending;

/// The one window's name.
const LABEL: &str = "main";

/// The paper of the page, `--bg` in `ui/src/shared/styles/tokens.css`.
const LIGHT: Color = Color(0xfa, 0xf9, 0xf6, 0xff);
const DARK: Color = Color(0x17, 0x17, 0x15, 0xff);

/// Whether there is something to open a window on. The library for windows panics where there is not.
pub(crate) fn has_display() -> bool {
    let named = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || named("DISPLAY") || named("WAYLAND_DISPLAY")
}

/// Opens the window. Until its page is there it looks like one with nothing on it, in the theme that the settings
/// choose.
///
/// # Errors
/// Where the system gives none.
pub(crate) fn open(app: &App, config_file: &Path) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
        .title("HiRAG Studio")
        .inner_size(1280.0, 820.0)
        .min_inner_size(900.0, 600.0)
        // Not before it has its size, its place and its colour.
        .visible(false)
        .on_navigation(is_ours)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    let theme = chosen_theme(config_file);
    // Given to the builder it does not reach the page on Linux.
    if theme.is_some()
        && let Err(error) = window.set_theme(theme)
    {
        tracing::info!(%error, "the window has the system's theme until its page is there");
    }
    let paper = match theme.or_else(|| window.theme().ok()) {
        Some(Theme::Dark) => DARK,
        _ => LIGHT,
    };
    if let Err(error) = window.set_background_color(Some(paper)) {
        tracing::info!(%error, "the window has a colour of its own until its page is there");
    }
    if let Err(error) = window.show() {
        tracing::warn!(%error, "the window could not be shown");
    }
    Ok(())
}

/// The theme that the settings choose, read at each need: it comes before the memory is open. `None` is the system's,
/// as it is where the settings cannot be read.
fn chosen_theme(config_file: &Path) -> Option<Theme> {
    match Config::load_if_there(config_file, environment())
        .ok()?
        .appearance
        .theme
    {
        ThemeChoice::System => None,
        ThemeChoice::Light => Some(Theme::Light),
        ThemeChoice::Dark => Some(Theme::Dark),
    }
}

/// Takes over the theme of settings that were changed; the page's own follows from it where that is the system's.
pub(crate) fn dress(app: &AppHandle, config_file: &Path) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    if let Err(error) = window.set_theme(chosen_theme(config_file)) {
        tracing::info!(%error, "the window keeps its theme until the next start");
    }
}

/// Whether the page may go there: nowhere but within itself.
fn is_ours(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        // What Windows makes of that scheme.
        "http" | "https" => url.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

/// Brings the window to the front.
pub(crate) fn raise(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else {
        return;
    };
    for outcome in [window.unminimize(), window.show(), window.set_focus()] {
        if let Err(error) = outcome {
            tracing::warn!(%error, "the window did not come to the front");
        }
    }
}

/// Takes the window out of sight.
pub(crate) fn hide(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL) {
        let _ = window.hide();
    }
}

/// Whether a person looks at it.
pub(crate) fn is_focused(app: &AppHandle) -> bool {
    let window = app.get_webview_window(LABEL);
    window.is_some_and(|window| window.is_focused().unwrap_or(false))
}

/// Sees what happens to the window.
pub(crate) fn happened(window: &Window, event: &WindowEvent) {
    let app = window.app_handle();
    match event {
        WindowEvent::CloseRequested { api, .. } if !ending::is_done(app) => {
            api.prevent_close();
            ending::begin(app);
        }
        WindowEvent::DragDrop(event) => dragged(app, event),
        _ => {}
    }
}

/// Tells the page of files that are held over it, that leave it, and that are dropped. Where they are over it is not
/// told again and again.
fn dragged(app: &AppHandle, event: &DragDropEvent) {
    let told = match event {
        DragDropEvent::Enter { paths, .. } => {
            app.emit("dragged", serde_json::json!({ "files": paths.len() }))
        }
        DragDropEvent::Drop { paths, .. } => {
            let paths: Vec<&str> = paths.iter().filter_map(|path| path.to_str()).collect();
            app.emit("dragged", serde_json::json!({ "files": 0 }))
                .and_then(|()| app.emit("dropped", serde_json::json!({ "paths": paths })))
        }
        DragDropEvent::Leave => app.emit("dragged", serde_json::json!({ "files": 0 })),
        _ => Ok(()),
    };
    if let Err(error) = told {
        tracing::warn!(%error, "the page was not told of files that were dragged over it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_choose_the_theme_and_bad_ones_choose_the_system_s() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        assert_eq!(chosen_theme(&file), None);
        for (text, theme) in [
            ("theme = \"dark\"", Some(Theme::Dark)),
            ("theme = \"light\"", Some(Theme::Light)),
            ("theme = \"system\"", None),
            ("theme = \"pink\"", None),
        ] {
            std::fs::write(&file, format!("[appearance]\n{text}\n")).unwrap();
            assert_eq!(chosen_theme(&file), theme, "{text}");
        }
    }

    #[test]
    fn an_empty_window_has_the_colours_of_the_page() {
        let tokens = include_str!("../../ui/src/shared/styles/tokens.css");
        let (light, _) = tokens.split_once("@media").unwrap();
        let (_, dark) = tokens.split_once(":root[data-theme=\"dark\"]").unwrap();
        for (part, Color(red, green, blue, _)) in [(light, LIGHT), (dark, DARK)] {
            let colour = format!("--bg: #{red:02x}{green:02x}{blue:02x};");
            assert!(part.contains(&colour), "{colour}");
        }
    }

    #[test]
    fn the_page_stays_within_itself() {
        let ours = |url: &str| is_ours(&Url::parse(url).unwrap());
        assert!(ours("tauri://localhost/index.html#/search"));
        assert!(ours("http://tauri.localhost/"));
        for elsewhere in [
            "https://example.org",
            "http://localhost:8080",
            "file:///etc/passwd",
            "tauri://elsewhere/",
            "data:text/html,hello",
            "javascript:alert(1)",
            "about:blank",
        ] {
            assert!(!ours(elsewhere), "{elsewhere}");
        }
    }
}
