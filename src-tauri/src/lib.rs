//! The desktop shell, thin: the window with its menu and tray, the commands that the page asks for,
//! and an end that loses nothing.
//!
//! What the window shows is `ui/`; what its commands do is [`hirag_server::commands::studio`].

mod app;
mod arguments;
mod ending;
mod events;
mod fault;
mod graphics;
mod instance;
mod ipc;
mod logs;
mod menu;
mod notice;
mod tray;
mod window;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

/// Opens the window and returns when it is closed.
pub fn main() -> ExitCode {
    graphics::choose();
    let outcome = arguments::Arguments::parse()
        .places()
        .map_err(|error| error.to_string())
        .and_then(|places| app::run(places).map_err(|error| error.to_string()));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is there to hear that standard error is closed.
            let _ = writeln!(std::io::stderr(), "hirag-studio: {error}");
            ExitCode::FAILURE
        }
    }
}
