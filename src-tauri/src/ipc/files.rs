//! Files that a person picks in the system's dialogs.

use std::path::PathBuf;

use hirag_server::commands::studio::{
    PickPathsRequest, PickSaveRequest, PickedPath, PickedPaths, SaveRequest, write_file,
};
use hirag_server::commands::{Error, Result};
use tauri::{Manager, WebviewWindow};
use tauri_plugin_dialog::{DialogExt, FileDialogBuilder, FilePath};
use tokio::sync::oneshot;

/// Lets a person pick files or folders.
///
/// # Errors
/// [`Error::BadRequest`] for a name that is not UTF-8.
pub(super) async fn pick_paths(
    window: &WebviewWindow,
    request: PickPathsRequest,
) -> Result<PickedPaths> {
    let (tell, told) = oneshot::channel();
    // Whoever asked may be gone by then.
    let picked = move |paths: Option<Vec<FilePath>>| drop(tell.send(paths));
    match request.folders {
        true => dialog(window).pick_folders(picked),
        false => dialog(window).pick_files(picked),
    }
    let picked = told.await.ok().flatten().unwrap_or_default();
    let paths = picked.into_iter().map(text).collect::<Result<_>>()?;
    Ok(PickedPaths { paths })
}

/// Lets a person say where to write a file.
///
/// # Errors
/// [`Error::BadRequest`] for a name that is not UTF-8.
pub(super) async fn pick_save(
    window: &WebviewWindow,
    request: PickSaveRequest,
) -> Result<PickedPath> {
    let (tell, told) = oneshot::channel();
    let name = file_name(&request.suggested);
    let picked = move |path: Option<FilePath>| drop(tell.send(path));
    dialog(window).set_file_name(name).save_file(picked);
    let path = told.await.ok().flatten().map(text).transpose()?;
    Ok(PickedPath { path })
}

/// Lets a person say where to write a file, and writes it. What the page gives is checked before
/// anybody is asked.
///
/// # Errors
/// [`Error::BadRequest`], [`Error::Unwritable`].
pub(super) async fn save_file(window: &WebviewWindow, request: SaveRequest) -> Result<PickedPath> {
    let suggested = request.suggested.clone();
    let bytes = request.into_bytes()?;
    let picked = pick_save(window, PickSaveRequest { suggested }).await?;
    if let Some(path) = &picked.path {
        write_file(PathBuf::from(path), bytes).await?;
    }
    Ok(picked)
}

fn dialog(window: &WebviewWindow) -> FileDialogBuilder<tauri::Wry> {
    window.app_handle().dialog().file().set_parent(window)
}

/// The last part of what the page suggests: it does not choose the folder.
fn file_name(suggested: &str) -> &str {
    let name = suggested.rsplit(['/', '\\']).next().unwrap_or_default();
    if name.is_empty() { "hirag" } else { name }
}

fn text(path: FilePath) -> Result<String> {
    let path = path
        .into_path()
        .map_err(|e| Error::Internal(e.to_string()))?;
    path.into_os_string()
        .into_string()
        .map_err(|name| Error::BadRequest {
            key: "path",
            value: format!("{name:?}"),
            rule: "must be UTF-8; rename it, or import the folder that it is in",
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_suggests_a_name_and_not_a_folder() {
        assert_eq!(file_name("hirag.csv"), "hirag.csv");
        assert_eq!(file_name("../../etc/passwd"), "passwd");
        assert_eq!(file_name("C:\\Windows\\system.ini"), "system.ini");
        assert_eq!(file_name("folder/"), "hirag");
    }
}
