use hirag_server::studio::{Job, JobKind, JobState, StudioEvent};
use tauri::AppHandle;
use tauri_plugin_notification::NotificationExt;

use crate::window;

/// Tells a person who looks elsewhere that long work has ended.
pub(crate) fn consider(app: &AppHandle, event: &StudioEvent) {
    let StudioEvent::Job(job) = event else { return };
    let Some(text) = text(job) else { return };
    if window::is_focused(app) {
        return;
    }
    let notice = app.notification().builder().title("HiRAG Studio");
    if let Err(error) = notice.body(text).show() {
        tracing::info!(%error, "there is nobody to show a notice");
    }
}

/// What to say of a job that has ended by itself. Names and texts stay out of it: others may see
/// the screen.
fn text(job: &Job) -> Option<String> {
    let what = match job.kind {
        JobKind::Import => "The import",
        JobKind::Reembed => "The re-embedding",
        JobKind::Export => "The export",
        JobKind::Backup => "The backup",
        JobKind::CleanUp => "The clean-up",
        JobKind::Doctor => "The check",
        JobKind::Load => "The load run",
        JobKind::Sources => "Reading the sources",
    };
    match job.state {
        JobState::Done => Some(format!("{what} is done.")),
        JobState::Failed => Some(format!("{what} failed. The window says why.")),
        JobState::Running | JobState::Cancelled => None,
    }
}
