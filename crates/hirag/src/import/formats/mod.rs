//! The readers, a file for each format. What they give is cut in `cutting/`.
//!
//! A document is read whole and gives a [`Manuscript`]; a file of many entries, whatever its size,
//! gives [`Pieces`] one after another, and tells of an entry that is bad by its place.

pub(super) mod archive;
mod chats;
mod code;
mod csv;
mod deadline;
mod decode;
mod docx;
mod elements;
mod epub;
mod html;
pub(super) mod markdown;
mod mcp_memory;
mod mem0;
mod pdf;
pub(super) mod records;
mod text;
mod xml;

use std::any::Any;
use std::fs::File;
use std::io;
use std::panic::resume_unwind;
use std::thread;

pub(super) use self::deadline::Deadline;
use super::cutting::Piece;
use super::{FileKind, ImportError, ImportSettings, Problem, SourceFile};
use crate::context::Limits;

/// What a document gives.
#[derive(Debug, Default)]
pub(super) struct Manuscript {
    /// Its parts in order.
    pub(super) pieces: Vec<Piece>,
    /// What could not be taken as it was meant: a code and a sentence.
    pub(super) warnings: Vec<(&'static str, String)>,
}

/// What a file of entries gives.
pub(super) type Pieces = Box<dyn Iterator<Item = Result<Piece, Problem>> + Send>;

/// Why a document gives nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// There is no visible text in it.
    Empty,
    /// It is no text: the offset of the first byte that tells.
    Binary(usize),
    /// It is not to be read: a stable code, and what follows the path in a sentence.
    Refused(&'static str, String),
}

impl Fault {
    pub(super) fn damaged(reason: impl Into<String>) -> Self {
        Self::Refused("damaged_file", reason.into())
    }

    /// What the system says, which tells nothing about the file itself.
    pub(super) fn unreadable(error: &io::Error) -> Self {
        Self::Refused("unreadable", format!("cannot be read: {error}"))
    }

    pub(super) fn encrypted(reason: &str) -> Self {
        Self::Refused("encrypted_file", reason.to_owned())
    }

    pub(super) fn over_limit(reason: String) -> Self {
        Self::Refused("archive_limit", reason)
    }

    /// What follows the name of the document in a sentence.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Empty => "is empty",
            Self::Binary(_) => "is binary",
            Self::Refused(_, reason) => reason,
        }
    }

    fn of(self, file: &SourceFile) -> ImportError {
        let path = file.path.clone();
        match self {
            Self::Empty => ImportError::Empty { path },
            Self::Binary(offset) => ImportError::Binary { path, offset },
            Self::Refused(code, reason) => ImportError::Refused { path, code, reason },
        }
    }
}

/// Reads a document, whose bytes are `bytes`.
pub(super) fn read(
    file: &SourceFile,
    bytes: &[u8],
    limits: &Limits,
) -> Result<Manuscript, ImportError> {
    let deadline = Deadline::new();
    let read = match file.kind {
        FileKind::Markdown => markdown::read(file, bytes, limits),
        FileKind::Code => code::read(file, bytes),
        FileKind::Html => guarded(|| html::read(file, bytes, deadline)),
        FileKind::Pdf => guarded(|| pdf::read(file, bytes, deadline)),
        FileKind::Docx => guarded(|| docx::read(file, bytes, deadline)),
        FileKind::Epub => guarded(|| epub::read(file, bytes, deadline)),
        _ => text::read(file, bytes),
    };
    read.map_err(|fault| fault.of(file))
}

/// Stands before the first entry of a file that is read piece by piece.
pub(super) fn stream(
    file: &SourceFile,
    input: File,
    settings: &ImportSettings,
    limits: &Limits,
) -> Result<Pieces, ImportError> {
    let pieces = match file.kind {
        FileKind::Csv => csv::read(file, input, settings.max_line_bytes, limits),
        FileKind::Chatgpt => chats::chatgpt(file, input),
        FileKind::Claude => chats::claude(file, input),
        FileKind::Mem0 => mem0::read(file, input),
        _ => mcp_memory::read(file, input, settings.max_line_bytes),
    };
    pieces.map_err(|fault| fault.of(file))
}

/// Bytes of the stack that a reader of nested formats has; only what is used is ever there.
const STACK: usize = 64 << 20;

/// Runs a reader that goes as deep as the document is nested, and that others wrote: on a stack of
/// its own, and a panic in it is this document's fault and nobody else's.
fn guarded(read: impl FnOnce() -> Result<Manuscript, Fault> + Send) -> Result<Manuscript, Fault> {
    thread::scope(|scope| {
        let reading = thread::Builder::new()
            .name("hirag-document".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, read);
        match reading {
            Ok(reading) => reading.join().unwrap_or_else(broken),
            Err(error) => {
                let reason = format!("cannot be read now: {error}");
                Err(Fault::Refused("internal", reason))
            }
        }
    })
}

/// Ends the reading from inside of what has no other way out; [`guarded`] gives the fault.
fn give_up(fault: Fault) -> ! {
    resume_unwind(Box::new(fault))
}

fn broken(panic: Box<dyn Any + Send>) -> Result<Manuscript, Fault> {
    let panic = match panic.downcast::<Fault>() {
        Ok(fault) => return Err(*fault),
        Err(panic) => panic,
    };
    if cfg!(test) {
        // Our own tests are to see it.
        resume_unwind(panic);
    }
    Err(Fault::Refused(
        "internal",
        "is damaged in a way that the reader does not survive; try to save it anew".to_owned(),
    ))
}

#[cfg(test)]
mod tests;
