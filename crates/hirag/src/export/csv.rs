//! RFC 4180, in UTF-8. What is absent is an empty cell.

use std::io::{self, Read, Write};

use serde_json::Value;

use super::columns::{COLUMNS, Row, value};

pub(super) fn begin<W: Write>(out: W) -> io::Result<csv::Writer<W>> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(COLUMNS.iter().map(|(name, _)| name))?;
    Ok(writer)
}

/// The first line of an export.
pub(super) fn head() -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    names.join(",")
}

/// The rows of an export; one that cannot be read is told, and the others go on.
pub(super) fn rows<R: Read>(input: R) -> impl Iterator<Item = Result<Row, String>> {
    let reader = csv::Reader::from_reader(input);
    reader.into_records().map(|record| {
        let record = record.map_err(|error| error.to_string())?;
        let cells = COLUMNS.iter().zip(&record);
        Ok(cells
            .map(|((name, kind), cell)| ((*name).to_owned(), value(*kind, cell)))
            .filter(|(_, value)| *value != Value::Null)
            .collect())
    })
}
