//! The log, in the system's place for logs: a few files of bounded size, without contents.

use std::path::PathBuf;

use hirag::config::{Config, environment};
use tauri::plugin::TauriPlugin;
use tauri::{App, Manager, Wry};
use tauri_plugin_log::log::LevelFilter;
use tauri_plugin_log::{Builder, RotationStrategy, Target, TargetKind};

use crate::arguments::Places;

/// Bytes of one file.
const BYTES: u128 = 1_000_000;
/// Files that are kept beside the one that is written.
const FILES: usize = 3;
/// The file's name, before `.log`.
const NAME: &str = "hirag-studio";

/// Starts to write the log; where that is not possible, to standard error.
pub(crate) fn start(app: &App, places: &Places) {
    let config = Config::load_if_there(&places.config_file, environment()).unwrap_or_default();
    // The settings and the log have the same names for the levels.
    let level = config.logging.level.as_str().parse();
    let level = level.unwrap_or(LevelFilter::Warn);
    let file = folder(app, places).map(|path| TargetKind::Folder {
        path,
        file_name: Some(NAME.to_owned()),
    });
    let written = file.is_some_and(|file| app.handle().plugin(plugin(file, level)).is_ok());
    if !written
        && app
            .handle()
            .plugin(plugin(TargetKind::Stderr, level))
            .is_ok()
    {
        tracing::warn!("the log cannot be written to a file");
    }
}

/// Where the log is: beside a memory that was named, otherwise where the system wants it.
fn folder(app: &App, places: &Places) -> Option<PathBuf> {
    let folder = match places.named {
        true => places.data_dir.join("logs"),
        false => app.path().app_log_dir().ok()?,
    };
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder)
}

fn plugin(target: TargetKind, level: LevelFilter) -> TauriPlugin<Wry> {
    let ours = ["hirag", "hirag_server", "hirag_studio"];
    // Other crates' faults are told, their chatter is not.
    let others = level.min(LevelFilter::Error);
    let builder = Builder::new()
        .clear_targets()
        .target(Target::new(target))
        .rotation_strategy(RotationStrategy::KeepSome(FILES))
        .max_file_size(BYTES)
        .level(others);
    ours.into_iter()
        .fold(builder, |builder, name| builder.level_for(name, level))
        .build()
}
