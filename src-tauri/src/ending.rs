//! The end: whatever asks for it, the memory is closed first, and the process ends after that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hirag_server::studio::Studio;
use tauri::{AppHandle, Manager, RunEvent};
use tokio::time::timeout;

use crate::window;

/// What was acknowledged is on the disk already; work that does not let itself be stopped by then
/// is worth no more waiting.
const PATIENCE: Duration = Duration::from_secs(20);

/// How far the end has come.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    begun: AtomicBool,
    done: AtomicBool,
}

/// Holds the event loop until the memory is closed.
pub(crate) fn follow(app: &AppHandle, event: RunEvent) {
    if let RunEvent::ExitRequested { api, .. } = event
        && !is_done(app)
    {
        api.prevent_exit();
        begin(app);
    }
}

/// Closes the memory, and then the program. A second call does nothing.
pub(crate) fn begin(app: &AppHandle) {
    let ending = app.state::<Ending>();
    if ending.begun.swap(true, Ordering::AcqRel) {
        return;
    }
    // Who closes a window does not want to look at it any more.
    window::hide(app);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let studio = app.state::<Studio>().inner().clone();
        match timeout(PATIENCE, studio.shut_down()).await {
            Ok(Ok(())) => tracing::info!("the memory is closed"),
            Ok(Err(error)) => tracing::error!(%error, "the memory was not closed as it should be"),
            Err(_) => tracing::error!("the memory did not close in time"),
        }
        app.state::<Ending>().done.store(true, Ordering::Release);
        app.exit(0);
    });
}

/// Whether the memory is closed.
pub(crate) fn is_done(app: &AppHandle) -> bool {
    app.state::<Ending>().done.load(Ordering::Acquire)
}

/// Ends like a closed window when the system or a terminal asks for it.
#[cfg(unix)]
pub(crate) fn hear_signals(app: &AppHandle) {
    use hirag_server::hang_up::{self, heard};
    use tokio::signal::unix::{SignalKind, signal};

    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let mut terminate = signal(SignalKind::terminate()).ok();
        let mut interrupt = signal(SignalKind::interrupt()).ok();
        let mut hang_up = hang_up::listen();
        tokio::select! {
            () = heard(&mut terminate) => {}
            () = heard(&mut interrupt) => {}
            () = heard(&mut hang_up) => {}
        }
        begin(&app);
    });
}

#[cfg(not(unix))]
pub(crate) fn hear_signals(_app: &AppHandle) {}
