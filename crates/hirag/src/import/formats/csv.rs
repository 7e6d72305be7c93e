//! Tables: one row is one context.

use std::io::{Cursor, Read};

use ::csv::{ByteRecord, Error, ErrorKind, Reader, ReaderBuilder};
use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;
use serde_json::{Number, Value as Json};

use super::decode::guess;
use super::{Fault, Pieces};
use crate::context::{Limits, parse_time};
use crate::import::cutting::{Piece, clip, stem};
use crate::import::rows::{Bounded, RowBytes};
use crate::import::{Problem, SourceFile};

/// Columns that have the text of a row, the likeliest first.
const TEXTS: [&str; 9] = [
    "text",
    "content",
    "body",
    "message",
    "note",
    "notes",
    "description",
    "comment",
    "quote",
];
/// Columns that have its title.
const TITLES: [&str; 4] = ["title", "name", "subject", "headline"];
/// Columns that have its time.
const TIMES: [&str; 5] = ["created_at", "timestamp", "created", "date", "time"];
/// Characters of a column's name and of a cell that is kept as metadata.
const NAME_CHARS: usize = 80;
const CELL_CHARS: usize = 500;
/// Bytes by which the delimiter and the encoding are told.
const HEAD: u64 = 64 * 1024;
/// Columns kept as metadata.
const COLUMNS: usize = 60;

/// Reads a table with a head. Where a column is called `text`, or like it, that is the text of a
/// row, under its title; otherwise the text is all of its cells, each with its column's name. Every
/// other column is metadata as well, numbers as numbers, so that one can filter by it; `session` and
/// `agent` are those of the context, and a column of times says when it was created.
pub(super) fn read(
    file: &SourceFile,
    input: impl Read + Send + 'static,
    max_row: usize,
    limits: &Limits,
) -> Result<Pieces, Fault> {
    let mut input = DecodeReaderBytesBuilder::new()
        .bom_override(true)
        .build(input);
    let mut head = Vec::new();
    (&mut input)
        .take(HEAD)
        .read_to_end(&mut head)
        .map_err(|error| Fault::unreadable(&error))?;
    if let Some(offset) = head.iter().position(|&byte| byte == 0) {
        return Err(Fault::Binary(offset));
    }
    let (delimiter, encoding) = (delimiter(&head), guess(&head));
    // What was looked at for its form is no row.
    let (input, row_bytes) = Bounded::new(input, max_row);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(Cursor::new(head).chain(input));
    let columns: Vec<String> = match reader.byte_headers() {
        Ok(head) => head
            .iter()
            .enumerate()
            .map(|(n, cell)| name(n, cell, encoding))
            .collect(),
        Err(error) => return Err(Fault::damaged(format!("is no table: {error}"))),
    };
    if columns.is_empty() {
        return Err(Fault::Empty);
    }
    let find = |names: &[&str]| {
        names.iter().find_map(|name| {
            columns
                .iter()
                .position(|column| column.eq_ignore_ascii_case(name))
        })
    };
    Ok(Box::new(Rows {
        source: file.source.clone(),
        stem: stem(&file.path),
        text: find(&TEXTS),
        title: find(&TITLES),
        time: find(&TIMES),
        encoding,
        columns,
        reader,
        row_bytes,
        metadata_bytes: limits.max_metadata_bytes / 2,
        ended: false,
    }))
}

struct Rows<R> {
    reader: Reader<R>,
    row_bytes: RowBytes,
    /// Bytes of the cells and the names of their columns that are kept as metadata.
    metadata_bytes: usize,
    source: String,
    stem: String,
    columns: Vec<String>,
    encoding: &'static Encoding,
    text: Option<usize>,
    title: Option<usize>,
    time: Option<usize>,
    ended: bool,
}

impl<R: Read> Rows<R> {
    fn piece(&self, row: &ByteRecord) -> Option<Piece> {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| decoded(cell, self.encoding).trim().to_owned())
            .collect();
        let cell = |column: Option<usize>| {
            let cell = cells.get(column?)?.as_str();
            (!cell.is_empty()).then_some(cell)
        };
        let named = |name: &str| cell(self.columns.iter().position(|column| column == name));
        let filled = || {
            cells
                .iter()
                .enumerate()
                .filter(|(_, cell)| !cell.is_empty())
                .map(|(n, cell)| (self.column(n), n, cell))
        };
        let (title, own) = (cell(self.title), cell(self.text));
        let text = match own {
            Some(text) => text.to_owned(),
            None => {
                let lines = filled().map(|(column, _, cell)| format!("{column}: {cell}"));
                lines.collect::<Vec<_>>().join("\n")
            }
        };
        if text.is_empty() {
            return None;
        }
        let text = text.replace("\r\n", "\n");
        let mut piece = Piece::new("csv", title.unwrap_or(&self.stem), text);
        // Without a text of its own, the row has its title in it.
        piece.titled = title.is_some() && own.is_some();
        piece.created_at = cell(self.time).and_then(|time| parse_time(time).ok());
        piece.session = named("session").map(|name| clip(name, NAME_CHARS));
        piece.agent = named("agent").map(|name| clip(name, NAME_CHARS));
        let mut room = self.metadata_bytes;
        for (column, n, cell) in filled().take(COLUMNS) {
            let taken = Some(n) == self.text && own.is_some();
            if taken || piece.metadata.contains_key(&column) {
                continue;
            }
            let value = value(cell);
            // As it is written, which escapes what it must.
            let bytes = Json::from(column.as_str()).to_string().len() + value.to_string().len();
            let Some(left) = room.checked_sub(bytes) else {
                break;
            };
            room = left;
            piece = piece.with(&column, value);
        }
        Some(piece)
    }

    /// A row may have more cells than the head.
    fn column(&self, n: usize) -> String {
        let known = self.columns.get(n).cloned();
        known.unwrap_or_else(|| format!("column {}", n + 1))
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Piece, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row = ByteRecord::new();
        while !self.ended {
            self.row_bytes.begin();
            match self.reader.read_byte_record(&mut row) {
                Ok(false) => self.ended = true,
                Ok(true) => {
                    if let Some(piece) = self.piece(&row) {
                        return Some(Ok(piece));
                    }
                }
                Err(error) => {
                    self.ended = true;
                    let code = match is_of_the_system(&error) {
                        true => "unreadable",
                        false => "invalid_csv",
                    };
                    return Some(Err(Problem {
                        path: self.source.clone(),
                        line: Some(self.reader.position().line()),
                        code: code.to_owned(),
                        message: format!("the table cannot be read further: {error}"),
                    }));
                }
            }
        }
        None
    }
}

/// Whether it is the disk that failed, and not the table.
fn is_of_the_system(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io(error) if error.raw_os_error().is_some())
}

/// What stands most often in the first line, outside of quotes.
fn delimiter(head: &[u8]) -> u8 {
    let line = head
        .split(|&byte| byte == b'\n')
        .find(|l| !l.trim_ascii().is_empty());
    let mut quoted = false;
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0), (b'|', 0)];
    for &byte in line.unwrap_or_default() {
        quoted ^= byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += usize::from(!quoted && byte == *delimiter);
        }
    }
    // Of equals the first.
    let most = counts.iter().rev().max_by_key(|(_, count)| *count);
    most.map_or(b',', |(delimiter, _)| *delimiter)
}

fn name(n: usize, cell: &[u8], encoding: &'static Encoding) -> String {
    match clip(&decoded(cell, encoding), NAME_CHARS) {
        name if name.is_empty() => format!("column {}", n + 1),
        name => name,
    }
}

fn decoded(cell: &[u8], encoding: &'static Encoding) -> String {
    match std::str::from_utf8(cell) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding.decode_without_bom_handling(cell).0.into_owned(),
    }
}

/// A number where nothing is lost by it: `007` is a name, and a long one an account.
fn value(cell: &str) -> Json {
    match cell.parse::<Number>() {
        Ok(number) if number.to_string() == cell => number.into(),
        _ => clip(cell, CELL_CHARS).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::import::FileKind;
    use crate::import::tests::LIMITS;

    #[test]
    fn the_delimiter_is_what_the_head_is_made_of() {
        for (head, expected) in [
            ("a,b\n1;2;3;4", b','),
            ("a;\"b,c,d,e\";f", b';'),
            ("\n a\tb\tc", b'\t'),
            ("a|b", b'|'),
            ("alone", b','),
        ] {
            assert_eq!(delimiter(head.as_bytes()), expected, "{head}");
        }
    }

    /// A disk that fails.
    struct Failing;

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(5))
        }
    }

    fn table(rows: usize) -> Result<Pieces, Fault> {
        let file = SourceFile {
            path: "/a.csv".into(),
            source: "/a.csv".to_owned(),
            kind: FileKind::Csv,
            bytes: 0,
            named: false,
        };
        let rows = "one,two\n".repeat(rows).into_bytes();
        read(&file, Cursor::new(rows).chain(Failing), 1 << 20, &LIMITS)
    }

    #[test]
    fn a_disk_that_fails_is_no_fault_of_the_table() {
        let Err(Fault::Refused(code, _)) = table(1) else {
            panic!("a disk that fails at once");
        };
        assert_eq!(code, "unreadable");
        let last = table(20_000).unwrap().last().unwrap().unwrap_err();
        assert_eq!(last.code, "unreadable");
    }

    #[test]
    fn numbers_are_numbers_where_they_lose_nothing() {
        assert_eq!(value("12"), Json::from(12));
        assert_eq!(value("-1.5"), Json::from(-1.5));
        for text in [
            "007",
            "1.50",
            "1e5",
            "12345678901234567890123",
            "abc",
            "true",
        ] {
            assert_eq!(value(text), Json::from(text));
        }
    }
}
