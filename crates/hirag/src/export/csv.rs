//! RFC 4180, in UTF-8. What is absent is an empty cell.
//!
//! A spreadsheet computes a cell that begins like a formula, whoever wrote it. So such a text has an
//! apostrophe before it, which makes it text there, and which is taken off again here.

use std::io::{self, Read, Write};

use serde_json::Value;

use super::columns::{COLUMNS, Kind, Row, text, value};
use super::reading::BadRow;
use crate::import::rows::Bounded;

/// What a formula begins with, and the mark of a text that does.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];
/// What stands before a file that a spreadsheet saved.
const MARK: &str = "\u{feff}";

pub(super) fn begin<W: Write>(out: W) -> io::Result<::csv::Writer<W>> {
    let mut writer = ::csv::Writer::from_writer(out);
    let head = COLUMNS.iter().map(|(name, _)| name);
    writer.write_record(head).map_err(fault)?;
    Ok(writer)
}

/// A fault as what it is for the system: a full disk stays one.
pub(super) fn fault(error: ::csv::Error) -> io::Error {
    let kind = match error.kind() {
        ::csv::ErrorKind::Io(error) => error.kind(),
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// The cells of a row.
pub(super) fn cells(row: &Row) -> impl Iterator<Item = String> {
    COLUMNS.iter().map(|(name, kind)| {
        let cell = text(row.get(*name));
        match *kind != Kind::Number && cell.starts_with(FORMULA) {
            true => format!("'{cell}"),
            false => cell,
        }
    })
}

/// The delimiter of an export that begins with `start`, also when a spreadsheet saved it anew.
pub(super) fn delimiter(start: &[u8]) -> Option<u8> {
    let start = start.strip_prefix(MARK.as_bytes()).unwrap_or(start);
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let begins = |delimiter: &&u8| {
        let head = names.join(char::from(**delimiter).encode_utf8(&mut [0; 4]));
        start.starts_with(head.as_bytes())
    };
    b",;\t".iter().find(begins).copied()
}

/// Bytes of the first line of an export.
pub(super) fn head_bytes() -> usize {
    let names = COLUMNS.iter().map(|(name, _)| name.len() + 1);
    MARK.len() + names.sum::<usize>()
}

/// The rows of an export, of at most about `max_row` bytes; one that cannot be read is told, and the others go on.
pub(super) fn rows<R: Read>(
    input: R,
    delimiter: u8,
    max_row: usize,
) -> impl Iterator<Item = Result<Row, BadRow>> {
    let (input, row_bytes) = Bounded::new(input, max_row);
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(input);
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        row_bytes.begin();
        let mut record = ::csv::StringRecord::new();
        match reader.read_record(&mut record) {
            Ok(true) => Some(Ok(row(&record))),
            Ok(false) => None,
            Err(error) if error.is_io_error() => {
                ended = true;
                Some(Err(BadRow::Last(error.to_string())))
            }
            Err(error) => Some(Err(BadRow::Only(error.to_string()))),
        }
    })
}

fn row(record: &::csv::StringRecord) -> Row {
    let cells = COLUMNS.iter().zip(record);
    cells
        .map(|((name, kind), cell)| {
            let plain = cell.strip_prefix('\'');
            let marked = plain.filter(|plain| plain.starts_with(FORMULA));
            ((*name).to_owned(), value(*kind, marked.unwrap_or(cell)))
        })
        .filter(|(_, value)| *value != Value::Null)
        .collect()
}
