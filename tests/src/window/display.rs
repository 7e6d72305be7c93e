use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::process::Running;

/// A display that nobody sees.
#[derive(Debug)]
pub(super) struct Display {
    _server: Running,
    /// As in `$DISPLAY`.
    pub(super) name: String,
}

impl Display {
    pub(super) fn start() -> Self {
        let mut server = Running::start(
            Command::new("Xvfb")
                // It takes a number that is free and says which.
                .args(["-displayfd", "1", "-screen", "0", "1600x1000x24"])
                .args(["-nolisten", "tcp"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let number = first_line(&mut server);
        Self {
            _server: server,
            name: format!(":{number}"),
        }
    }
}

/// What a process says first, and that it is ready with it.
pub(super) fn first_line(process: &mut Running) -> String {
    let mut line = String::new();
    let output = process.child().stdout.take().unwrap();
    BufReader::new(output).read_line(&mut line).unwrap();
    assert!(line.ends_with('\n'), "{process:?} ended at once");
    line.trim_end().to_owned()
}
