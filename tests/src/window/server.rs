use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::desk::{Desk, server_program};
use super::process::Running;

/// `hirag serve` on the memory of a desk, at a port that is free.
#[derive(Debug)]
pub(super) struct Server {
    process: Running,
    /// Opens the page in a browser, once.
    pub(super) link: String,
}

impl Server {
    /// Starts it, and waits until it listens.
    pub(super) fn start(desk: &Desk) -> Self {
        let mut command = Command::new(server_program());
        desk.sit(&mut command);
        command
            .args(desk.arguments())
            .args(["serve", "--port", "0"])
            .stdout(Stdio::piped())
            .stderr(desk.home.output());
        let mut process = Running::start(&mut command);
        let output = process.child().stdout.take().unwrap();
        // To the last line that it says: it does not like to be cut off.
        let said: Vec<String> = BufReader::new(output)
            .lines()
            .map_while(Result::ok)
            .take_while(|line| !line.starts_with("Ctrl-C"))
            .collect();
        let mut words = said.iter().flat_map(|line| line.split(' '));
        let link = words.find(|word| word.contains("/open?key="));
        let link = link.unwrap_or_else(|| panic!("no link in {said:?}"));
        Self {
            link: link.to_owned(),
            process,
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }
}
