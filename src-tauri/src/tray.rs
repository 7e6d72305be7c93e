//! The entry in the system's tray, where there is one.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hirag_server::commands::studio::{PauseRequest, pause_embedding};
use hirag_server::studio::{StartupPhase, Studio, StudioEvent};
use tauri::menu::{CheckMenuItem, CheckMenuItemBuilder, MenuBuilder, MenuItemBuilder};
use tauri::tray::TrayIconBuilder;
use tauri::{App, AppHandle, Manager, Wry};

/// The entry that shows the window.
pub(crate) const SHOW: &str = "show";
/// The entry that lets the embedding queue rest.
pub(crate) const PAUSE: &str = "pause";

/// The entry's check mark, which says whether the queue rests.
struct Pause(CheckMenuItem<Wry>);

/// Puts the entry there. That there is no tray is no fault.
pub(crate) fn build(app: &App) {
    // The binding to the tray's library panics where that is not installed.
    match catch_unwind(AssertUnwindSafe(|| put(app))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::info!(%error, "there is no tray"),
        Err(_) => tracing::info!("there is no library for a tray"),
    }
}

fn put(app: &App) -> tauri::Result<()> {
    let pause = CheckMenuItemBuilder::with_id(PAUSE, "Pause Embedding").build(app)?;
    let menu = MenuBuilder::new(app)
        .item(&MenuItemBuilder::with_id(SHOW, "Show HiRAG Studio").build(app)?)
        .item(&pause)
        .separator()
        .item(&MenuItemBuilder::with_id("quit", "Quit").build(app)?)
        .build()?;
    let mut tray = TrayIconBuilder::with_id("main")
        .menu(&menu)
        .tooltip("HiRAG Studio");
    if let Some(icon) = app.default_window_icon() {
        tray = tray.icon(icon.clone());
    }
    tray.build(app)?;
    app.manage(Pause(pause));
    Ok(())
}

/// Lets the queue rest or work again, as the check mark says since it was chosen.
pub(crate) fn pause(app: &AppHandle) {
    let Some(item) = app.try_state::<Pause>() else {
        return;
    };
    let paused = item.0.is_checked().unwrap_or(false);
    let studio = app.state::<Studio>().inner().clone();
    tauri::async_runtime::spawn(async move {
        if let Err(error) = pause_embedding(&studio, PauseRequest { paused }).await {
            tracing::warn!(%error, "the embedding queue was not asked");
        }
    });
}

/// Keeps the check mark true, whoever lets the queue rest.
pub(crate) fn follow(app: &AppHandle, event: &StudioEvent) {
    let paused = match event {
        StudioEvent::Embedding(request) => request.paused,
        // A memory that has just been opened works.
        StudioEvent::Startup(state) if state.state == StartupPhase::Ready => false,
        _ => return,
    };
    if let Some(item) = app.try_state::<Pause>()
        && let Err(error) = item.0.set_checked(paused)
    {
        tracing::warn!(%error, "the tray was not told");
    }
}
