use std::path::PathBuf;

use hirag_server::studio::{ActivityKind, StudioEvent};
use tauri::{AppHandle, Emitter};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::{notice, tray, window};

/// Tells the page, and whoever does not look at it, what happens in the studio, until its end.
pub(crate) async fn tell(app: AppHandle, mut events: Receiver<StudioEvent>, config_file: PathBuf) {
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            // The page asks for everything that it shows once more.
            Err(RecvError::Lagged(missed)) => {
                let missed = serde_json::json!({ "missed": missed });
                if let Err(error) = app.emit("missed", missed) {
                    tracing::warn!(%error, "the page was not told what it missed");
                }
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        notice::consider(&app, &event);
        tray::follow(&app, &event);
        if changes_settings(&event) {
            window::dress(&app, &config_file);
        }
        if let Err(error) = app.emit(event.name(), &event) {
            tracing::warn!(%error, event = event.name(), "the page was not told");
        }
    }
}

/// Whether the settings have changed, from within or from outside.
fn changes_settings(event: &StudioEvent) -> bool {
    match event {
        StudioEvent::Settings(_) => true,
        StudioEvent::Activity(activity) => activity.kind == ActivityKind::Settings,
        _ => false,
    }
}
