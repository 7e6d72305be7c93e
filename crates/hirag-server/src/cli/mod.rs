//! The command line: reads arguments, opens the memory, runs a command body, tells its answer.

mod args;
mod asking;
mod load;
mod mcp;
mod open;
mod output;
mod places;
mod profile;
mod progress;
mod render;
mod run;
mod serve;
mod source;
mod telling;
mod token;
mod values;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use hirag::context::ContextError;

use args::Cli;

use crate::load::LoadError;

/// Done.
const DONE: u8 = 0;
/// Failed.
const FAILED: u8 = 1;
/// The command was wrong.
const USAGE: u8 = 2;
/// Stopped by Ctrl-C, as shells number it.
const INTERRUPTED: u8 = 130;

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let status = match Cli::try_parse_from(&arguments) {
        Ok(cli) => run::run(cli),
        Err(error) => refuse(&error, &arguments),
    };
    ExitCode::from(status)
}

/// Tells help, version or what is wrong with the arguments.
fn refuse(error: &clap::Error, arguments: &[OsString]) -> u8 {
    let status = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => DONE,
        _ => USAGE,
    };
    // A receiver that went away cannot be told.
    let json = arguments.iter().any(|argument| argument == "--json");
    if status == USAGE && json {
        output::fail(true, code(error), &rendered(error));
    } else {
        let _ = error.print();
    }
    status
}

/// The stable code of a usage error: of the value's own error, where it has one.
fn code(error: &clap::Error) -> &'static str {
    let Some(source) = std::error::Error::source(error) else {
        return "usage";
    };
    let context = source.downcast_ref::<ContextError>();
    let load = source.downcast_ref::<LoadError>();
    let code = context.map(ContextError::code);
    code.or(load.map(LoadError::code)).unwrap_or("usage")
}

/// Without the word that [`output::fail`] says already, and without the hint for people.
fn rendered(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let text = text.split("\n\nFor more information").next();
    text.unwrap_or_default().trim().to_owned()
}
