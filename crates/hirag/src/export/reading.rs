//! Exports as lines of JSON, which an import reads.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::columns::Row;
use super::{csv, markdown, parquet};

/// Bytes of a note at most: many times those that an export writes in one.
const MAX_NOTE: u64 = 256 << 20;

/// Bytes of a row at most: many times those of a context.
const MAX_ROW: usize = 64 << 20;

/// Why a row cannot be used.
#[derive(Debug)]
pub(super) enum BadRow {
    /// The others go on.
    Only(String),
    /// What is behind it cannot be read.
    Last(String),
}

/// Whether a file is a table of an export, by its first bytes.
pub(crate) fn is_table(path: &Path) -> bool {
    match begins_with(path, csv::head_bytes()) {
        Ok(start) if start.starts_with(PARQUET) => {
            File::open(path).ok().and_then(parquet::open).is_some()
        }
        Ok(start) => csv::delimiter(&start).is_some(),
        Err(_) => false,
    }
}

/// Whether a file begins as a note of an export does.
pub(crate) fn is_note(path: &Path) -> bool {
    let head = markdown::HEAD.as_bytes();
    begins_with(path, head.len()).is_ok_and(|start| start == head)
}

/// What a file of Parquet begins with.
const PARQUET: &[u8] = b"PAR1";

/// The contexts of an export as lines of JSON; `None` for any other file.
///
/// # Errors
/// What the system says of the file; [`io::ErrorKind::FileTooLarge`] for a note that no export wrote.
pub(crate) fn lines(path: &Path) -> io::Result<Option<Box<dyn BufRead + Send>>> {
    if is_note(path) {
        let rows = markdown::rows(&read_note(path)?).map(Vec::into_iter);
        return Ok(rows.map(|rows| boxed(rows.map(|row| row.map_err(BadRow::Only)))));
    }
    if !is_table(path) {
        return Ok(None);
    }
    let file = File::open(path)?;
    let start = begins_with(path, csv::head_bytes())?;
    if start.starts_with(PARQUET) {
        // It was read once already.
        let reader = parquet::open(file).ok_or(io::ErrorKind::InvalidData)?;
        return Ok(Some(boxed(parquet::rows(reader))));
    }
    let delimiter = csv::delimiter(&start).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Some(boxed(csv::rows(
        BufReader::new(file),
        delimiter,
        MAX_ROW,
    ))))
}

/// A note as a whole: what is cut off would be taken for gone.
fn read_note(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    let mut note = String::new();
    let is_larger = file.metadata()?.len() > MAX_NOTE
        || file.take(MAX_NOTE + 1).read_to_string(&mut note)? as u64 > MAX_NOTE;
    if is_larger {
        let reason = "is an exported note of more than 256 MB; split it where a context begins";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(note)
}

fn begins_with(path: &Path, bytes: usize) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(bytes);
    File::open(path)?
        .take(bytes as u64)
        .read_to_end(&mut start)?;
    Ok(start)
}

fn boxed(
    rows: impl Iterator<Item = Result<Row, BadRow>> + Send + 'static,
) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::new(AsLines {
        rows,
        line: Vec::new(),
        at: 0,
    }))
}

/// Rows, read as lines of JSON.
struct AsLines<I> {
    rows: I,
    line: Vec<u8>,
    at: usize,
}

impl<I: Iterator<Item = Result<Row, BadRow>>> Read for AsLines<I> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() {
            let Some(row) = self.rows.next() else {
                return Ok(0);
            };
            self.line = match row {
                Ok(row) => serde_json::to_vec(&row)?,
                // Refused as it stands, by its number.
                Err(BadRow::Only(reason)) => reason.replace('\n', " ").into_bytes(),
                Err(BadRow::Last(reason)) => return Err(io::Error::other(reason)),
            };
            self.line.push(b'\n');
            self.at = 0;
        }
        let rest = &self.line[self.at..];
        let read = rest.len().min(out.len());
        out[..read].copy_from_slice(&rest[..read]);
        self.at += read;
        Ok(read)
    }
}
