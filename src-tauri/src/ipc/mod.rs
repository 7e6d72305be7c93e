//! The commands of the window. Each hands its request to a body: those of the studio stand in
//! [`hirag_server::commands::studio`], those that need a window in the modules here.

mod files;
mod link;
mod report;

#[cfg(test)]
mod tests;

use hirag_server::commands::Failure;
use hirag_server::commands::studio::answer;
use hirag_server::studio::Studio;
use hirag_server::{shell_commands, window_commands};
use serde_json::Value;
use tauri::ipc::{Invoke, Response};
use tauri::{State, WebviewWindow, Wry};

/// Runs a command that the window asks for; `false` when there is none of this name.
pub(crate) fn handle(invoke: Invoke<Wry>) -> bool {
    let name = invoke.message.command();
    if studio::NAMES.contains(&name) {
        return studio::handle(invoke);
    }
    shell::NAMES.contains(&name) && shell::handle(invoke)
}

/// What every list of commands is besides its adapters.
macro_rules! named {
    ($($name:ident),*) => {
        /// Their names.
        pub(super) const NAMES: &[&str] = &[$(stringify!($name)),*];

        pub(super) fn handle(invoke: Invoke<Wry>) -> bool {
            let handler: fn(Invoke<Wry>) -> bool = tauri::generate_handler![$($name),*];
            handler(invoke)
        }
    };
}

mod studio {
    use hirag_server::commands::studio as bodies;

    use super::*;

    macro_rules! adapters {
        ($($name:ident: $request:ident => $answer:ident,)*) => {
            $(
                #[tauri::command]
                async fn $name(studio: State<'_, Studio>, request: Value) -> Result<Response, Failure> {
                    let studio = Studio::clone(&studio);
                    bodies::call(&studio, stringify!($name), request).await.map(Response::new)
                }
            )*
            named!($($name),*);
        };
    }
    window_commands!(adapters);
}

mod shell {
    use super::*;

    mod bodies {
        pub(super) use super::super::files::{pick_paths, pick_save, save_file};
        pub(super) use super::super::link::open_link;
        pub(super) use super::super::report::crash_report;
    }

    macro_rules! adapters {
        ($($name:ident: $request:ident => $answer:ident,)*) => {
            $(
                #[tauri::command]
                async fn $name(window: WebviewWindow, request: Value) -> Result<Response, Failure> {
                    answer(request, |request| async move { bodies::$name(&window, request).await }).await.map(Response::new)
                }
            )*
            named!($($name),*);
        };
    }
    shell_commands!(adapters);
}
