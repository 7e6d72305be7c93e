//! Exports as lines of JSON, which an import reads.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::columns::Row;
use super::{csv, markdown, parquet};

/// Whether a file is a table of an export, by its first bytes.
pub(crate) fn is_table(path: &Path) -> bool {
    let head = csv::head();
    match begins_with(path, 4) {
        Ok(start) if start == b"PAR1" => File::open(path).ok().and_then(parquet::open).is_some(),
        Ok(start) if head.as_bytes().starts_with(&start) => {
            begins_with(path, head.len()).is_ok_and(|start| start == head.as_bytes())
        }
        _ => false,
    }
}

/// The contexts of an export as lines of JSON; `None` for any other file.
///
/// # Errors
/// What the system says of the file.
pub(crate) fn lines(path: &Path) -> io::Result<Option<Box<dyn BufRead + Send>>> {
    let head = markdown::HEAD;
    if begins_with(path, head.len())? == head.as_bytes() {
        let note = std::fs::read_to_string(path)?;
        let rows = markdown::rows(&note);
        return Ok(rows.map(|rows| boxed(rows.into_iter())));
    }
    if !is_table(path) {
        return Ok(None);
    }
    let file = File::open(path)?;
    if begins_with(path, 4)? == b"PAR1" {
        // It was read once already.
        let reader = parquet::open(file).ok_or(io::ErrorKind::InvalidData)?;
        return Ok(Some(boxed(parquet::rows(reader))));
    }
    Ok(Some(boxed(csv::rows(BufReader::new(file)))))
}

fn begins_with(path: &Path, bytes: usize) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(bytes);
    File::open(path)?
        .take(bytes as u64)
        .read_to_end(&mut start)?;
    Ok(start)
}

fn boxed(
    rows: impl Iterator<Item = Result<Row, String>> + Send + 'static,
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

impl<I: Iterator<Item = Result<Row, String>>> Read for AsLines<I> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() {
            let Some(row) = self.rows.next() else {
                return Ok(0);
            };
            self.line = match row {
                Ok(row) => serde_json::to_vec(&row)?,
                // Refused as it stands, by its number.
                Err(reason) => reason.replace('\n', " ").into_bytes(),
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
