//! Answers to standard output, sentences to standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use serde::Serialize;
use serde_json::json;

use super::args::Global;
use crate::commands::{Error, Result};

/// How answers are told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
    quiet: bool,
    style: Style,
}

/// How text for people looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Style {
    /// Whether it goes to a terminal.
    pub(super) terminal: bool,
    /// Whether words may be marked.
    pub(super) marks: bool,
}

impl Style {
    pub(super) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(super) fn mark(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.marks && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

impl Output {
    pub(super) fn new(global: &Global) -> Self {
        let terminal = io::stdout().is_terminal();
        let colourless = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            json: global.json,
            quiet: global.quiet,
            style: Style {
                terminal,
                marks: terminal && !colourless,
            },
        }
    }

    /// The same, with nothing on standard output when a command fails.
    pub(super) fn without_json(self) -> Self {
        Self {
            json: false,
            ..self
        }
    }

    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// Whether bars may move on standard error.
    pub(super) fn shows_progress(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Prints an answer: as JSON, or as the text that `text` makes of it.
    pub(super) fn answer<T: Serialize>(
        self,
        answer: &T,
        text: impl FnOnce(&T, Style) -> String,
    ) -> Result<()> {
        let mut printed = if self.json {
            serde_json::to_string_pretty(answer).map_err(|e| Error::Internal(e.to_string()))?
        } else {
            text(answer, self.style)
        };
        if !printed.is_empty() && !printed.ends_with('\n') {
            printed.push('\n');
        }
        to_stdout(printed.as_bytes())
    }

    /// Prints a part of an answer for people as it comes; with `--json`, the answer is one document.
    pub(super) fn stream(self, part: &str) -> Result<()> {
        match self.json {
            true => Ok(()),
            false => to_stdout(part.as_bytes()),
        }
    }

    /// Prints a document as it is.
    pub(super) fn raw(self, document: &str) -> Result<()> {
        to_stdout(document.as_bytes())?;
        match document.ends_with('\n') {
            true => Ok(()),
            false => to_stdout(b"\n"),
        }
    }

    /// Tells something that is no part of the answer.
    pub(super) fn note(self, sentence: &str) {
        if !self.quiet {
            to_stderr(sentence);
        }
    }

    /// Tells why a command failed.
    pub(super) fn failure(self, error: &Error) {
        fail(self.json, error.code(), &error.to_string());
    }
}

/// Tells a failure: the sentence on standard error, and the JSON document on standard output.
pub(super) fn fail(json: bool, code: &str, sentence: &str) {
    to_stderr(&format!("error[{code}]: {sentence}"));
    if json {
        let document = json!({"error": {"code": code, "message": sentence}});
        // A receiver that went away cannot be told.
        let _ = to_stdout(format!("{document:#}\n").as_bytes());
    }
}

/// Whether the one who reads standard output has gone, e.g. `head`.
pub(super) fn reader_gone(error: &Error) -> bool {
    matches!(error, Error::Output(e) if e.kind() == ErrorKind::BrokenPipe)
}

fn to_stdout(bytes: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()?;
    Ok(())
}

/// Standard error is the last resort: where it cannot be written either, nobody listens.
fn to_stderr(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
