use hirag_server::studio::StudioEvent;
use tauri::{AppHandle, Emitter};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::{notice, tray};

/// Tells the page, and whoever does not look at it, what happens in the studio, until its end.
pub(crate) async fn tell(app: AppHandle, mut events: Receiver<StudioEvent>) {
    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            // The page asks for what it shows, and will do so again.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        notice::consider(&app, &event);
        tray::follow(&app, &event);
        if let Err(error) = app.emit(event.name(), &event) {
            tracing::warn!(%error, event = event.name(), "the page was not told");
        }
    }
}
