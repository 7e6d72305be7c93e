use hirag_server::commands::Result;
use hirag_server::commands::studio::{CrashReport, Nothing};
use hirag_server::studio::Studio;
use tauri::{Manager, WebviewWindow};

use crate::fault;

/// The report of the latest fault.
///
/// # Errors
/// None.
pub(super) async fn crash_report(window: &WebviewWindow, _request: Nothing) -> Result<CrashReport> {
    let Some(fault) = fault::latest() else {
        return Ok(CrashReport { report: None });
    };
    let studio = window.state::<Studio>().inner().clone();
    let report = fault::report(&fault, &studio).await;
    Ok(CrashReport {
        report: Some(report),
    })
}
