//! What stands in front of the core: command bodies that every front shares, and the `hirag`
//! program.
//!
//! A command body is written once, in [`commands`], and says nothing about how it is called. The
//! command line in [`cli`] is one of its fronts, HTTP in [`http`] another.

pub mod arenas;
pub mod cli;
pub mod commands;
#[cfg(unix)]
pub mod hang_up;
pub mod http;
pub mod load;
pub mod mcp;
pub mod pictures;
pub mod profile;
pub mod running;
pub mod secrets;
pub mod settings_file;
pub mod studio;
pub mod whole_file;
