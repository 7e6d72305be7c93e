//! Conversations that were exported. A conversation is a session, and each of its messages a
//! context with its speaker and its time, under the conversation's title.

mod chatgpt;
mod claude;

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::marker::PhantomData;
use std::vec::IntoIter;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::archive::Archive;
use super::elements::Elements;
use super::{Deadline, Fault, Pieces, markdown};
use crate::context::parse_time;
use crate::import::cutting::{Piece, Shape};
use crate::import::{Problem, SourceFile};

pub(super) fn chatgpt(file: &SourceFile, input: File) -> Result<Pieces, Fault> {
    read(file, input, chatgpt::pieces)
}

pub(super) fn claude(file: &SourceFile, input: File) -> Result<Pieces, Fault> {
    read(file, input, claude::pieces)
}

/// The pieces of the file, or of the files with conversations in the archive that it is, one after
/// another.
fn read<T: DeserializeOwned + 'static>(
    file: &SourceFile,
    mut input: File,
    pieces: fn(T) -> Taken,
) -> Result<Pieces, Fault> {
    let source = file.source.clone();
    let unreadable = |error: std::io::Error| Fault::unreadable(&error);
    let mut mark = [0; 4];
    let mut filled = 0;
    while filled < mark.len() {
        match input.read(&mut mark[filled..]).map_err(unreadable)? {
            0 => break,
            read => filled += read,
        }
    }
    input.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    if mark != *b"PK\x03\x04" {
        let entries = Entries::new(source, BufReader::new(input), pieces);
        return Ok(Box::new(entries));
    }
    let mut archive = Archive::open(input.try_clone().map_err(unreadable)?, Deadline::new())?;
    let names = archive.conversations();
    if names.is_empty() {
        return Err(Fault::damaged("has no conversations.json in it"));
    }
    // That one of them cannot be unpacked is told before any is read.
    for name in &names {
        archive.stream(&input, name)?;
    }
    let parts = names.len() > 1;
    // They share one handle: each is opened when the one before has ended.
    Ok(Box::new(names.into_iter().flat_map(
        move |name| -> Pieces {
            match archive.stream(&input, &name) {
                Ok(entry) => {
                    let input = BufReader::new(entry);
                    Box::new(
                        Entries::new(source.clone(), input, pieces).of_part(parts.then_some(name)),
                    )
                }
                Err(fault) => Box::new(std::iter::once(Err(Problem {
                    path: source.clone(),
                    line: None,
                    code: "unreadable".to_owned(),
                    message: format!("`{name}` in it {}", fault.reason()),
                }))),
            }
        },
    )))
}

/// What an entry gives: pieces, and the sentences about its parts that are none.
pub(super) type Taken = Vec<Result<Piece, String>>;

/// The pieces of a list of entries, each read as `T`. An entry that cannot be read is told by its
/// number.
pub(super) struct Entries<R, T, F> {
    source: String,
    /// Which file of an archive it is.
    part: Option<String>,
    elements: Elements<R>,
    pieces: F,
    /// Of the entry that was read last, whose number is `number`.
    ready: IntoIter<Result<Piece, String>>,
    number: u64,
    entry: PhantomData<fn() -> T>,
}

impl<R: BufRead, T: DeserializeOwned, F: FnMut(T) -> Taken> Entries<R, T, F> {
    pub(super) fn new(source: String, input: R, pieces: F) -> Self {
        Self {
            source,
            part: None,
            elements: Elements::new(input),
            pieces,
            ready: Vec::new().into_iter(),
            number: 0,
            entry: PhantomData,
        }
    }

    fn of_part(self, part: Option<String>) -> Self {
        Self { part, ..self }
    }

    fn problem(&self, code: &str, message: String) -> Problem {
        let message = match &self.part {
            Some(part) => format!("`{part}`, {message}"),
            None => message,
        };
        Problem {
            path: self.source.clone(),
            line: None,
            code: code.to_owned(),
            message,
        }
    }
}

impl<R: BufRead, T: DeserializeOwned, F: FnMut(T) -> Taken> Iterator for Entries<R, T, F> {
    type Item = Result<Piece, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.ready.next() {
                Some(Ok(piece)) => return Some(Ok(piece)),
                Some(Err(reason)) => {
                    let message = format!("entry {}: {reason}", self.number);
                    return Some(Err(self.problem("invalid_entry", message)));
                }
                None => {}
            }
            match self.elements.next()? {
                Ok(element) => match element.parse::<T>() {
                    Ok(entry) => {
                        self.number = element.number;
                        self.ready = (self.pieces)(entry).into_iter();
                    }
                    Err((code, message)) => return Some(Err(self.problem(code, message))),
                },
                Err(error) => {
                    let message = format!("it cannot be read further: {error}");
                    return Some(Err(self.problem("unreadable", message)));
                }
            }
        }
    }
}

/// What every message of a conversation knows.
struct Conversation<'a> {
    id: &'a str,
    title: &'a str,
    created_at: Option<Timestamp>,
}

impl Conversation<'_> {
    /// A message; `None` without words.
    fn message(&self, id: Option<&str>, speaker: &str, text: &str) -> Option<Piece> {
        /// Characters of an id: more is none.
        const LONGEST: usize = 128;
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let text = text.replace("\r\n", "\n");
        let mut outline = markdown::outline(&text);
        // `#tag` is an issue or a channel here.
        outline.tags.clear();
        let mut piece = Piece::new("chat", self.title, text).shaped(Shape::Blocks(outline));
        let known = |id: &&str| !id.is_empty() && id.len() <= LONGEST;
        piece.key = id.filter(known).map(str::to_owned);
        piece.session = Some(self.id).filter(known).map(str::to_owned);
        piece.titled = !self.title.is_empty();
        piece.created_at = self.created_at;
        Some(piece.with("speaker", speaker))
    }
}

/// A time as exports write it: Unix seconds with a fraction, or text.
pub(super) fn time(value: &Json) -> Option<Timestamp> {
    match value {
        Json::String(text) => parse_time(text).ok(),
        value => {
            let seconds = value.as_f64().filter(|seconds| *seconds > 0.0)?;
            Timestamp::from_millisecond((seconds * 1_000.0) as i64).ok()
        }
    }
}
