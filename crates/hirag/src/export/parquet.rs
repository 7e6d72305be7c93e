//! Apache Parquet, a row group for some megabytes of rows.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use jiff::Timestamp;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::parser::parse_message_type;
use serde_json::Value;

use super::columns::{COLUMNS, Kind, Row, text, value};
use super::reading::BadRow;

/// Bytes of a row group: what is held in memory before it is written.
const GROUP: usize = 16 << 20;

/// Rows that are gathered into groups.
pub(super) struct Groups<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    rows: Vec<Row>,
    bytes: usize,
}

impl<W: Write + Send> Groups<W> {
    pub(super) fn begin(out: W) -> io::Result<Self> {
        let schema = parse_message_type(&schema()).map_err(fault)?;
        let properties = Arc::new(WriterProperties::builder().build());
        let writer = SerializedFileWriter::new(out, Arc::new(schema), properties);
        Ok(Self {
            writer: writer.map_err(fault)?,
            rows: Vec::new(),
            bytes: 0,
        })
    }

    pub(super) fn put(&mut self, row: Row) -> io::Result<()> {
        // The text and the metadata are nearly all there is.
        self.bytes += ["text", "metadata"]
            .iter()
            .map(|name| row.get(*name).map_or(0, |value| value.to_string().len()))
            .sum::<usize>();
        self.rows.push(row);
        match self.bytes >= GROUP {
            true => self.write(),
            false => Ok(()),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let mut group = self.writer.next_row_group().map_err(fault)?;
        for (name, kind) in COLUMNS {
            let Some(mut column) = group.next_column().map_err(fault)? else {
                return Err(io::Error::other("a column is missing"));
            };
            let there = |row: &&Row| row.get(name).is_some_and(|value| !value.is_null());
            let defined: Vec<i16> = rows.iter().map(|row| i16::from(there(&row))).collect();
            let values = rows.iter().filter(there).map(|row| row.get(name));
            let written = match column.untyped() {
                ColumnWriter::Int64ColumnWriter(writer) => {
                    let values: Vec<i64> = values
                        .map(|value| number(kind, value))
                        .collect::<io::Result<_>>()?;
                    writer.write_batch(&values, Some(&defined), None)
                }
                ColumnWriter::ByteArrayColumnWriter(writer) => {
                    let values: Vec<ByteArray> = values
                        .map(|value| text(value).into_bytes().into())
                        .collect();
                    writer.write_batch(&values, Some(&defined), None)
                }
                _ => return Err(io::Error::other("a column is of another kind")),
            };
            written.map_err(fault)?;
            column.close().map_err(fault)?;
        }
        group.close().map_err(fault)?;
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        if !self.rows.is_empty() {
            self.write()?;
        }
        self.writer.into_inner().map_err(fault)
    }
}

fn schema() -> String {
    let columns = COLUMNS.iter().map(|(name, kind)| match kind {
        Kind::Text => format!("optional binary {name} (STRING);"),
        Kind::Object => format!("optional binary {name} (JSON);"),
        Kind::Number => format!("optional int64 {name};"),
        Kind::Time => format!("optional int64 {name} (TIMESTAMP(MILLIS,true));"),
    });
    format!("message context {{ {} }}", columns.collect::<String>())
}

fn number(kind: Kind, value: Option<&Value>) -> io::Result<i64> {
    let whole = match kind {
        Kind::Time => text(value)
            .parse::<Timestamp>()
            .ok()
            .map(|at| at.as_millisecond()),
        _ => value.and_then(Value::as_i64),
    };
    whole.ok_or_else(|| io::Error::other(format!("{} is no number", text(value))))
}

/// A fault as what it is for the system: a full disk stays one.
fn fault(error: ParquetError) -> io::Error {
    let kind = match &error {
        ParquetError::External(error) => error.downcast_ref().map(io::Error::kind),
        _ => None,
    };
    io::Error::new(kind.unwrap_or(io::ErrorKind::Other), error)
}

/// A file with the columns of an export.
pub(super) fn open(file: File) -> Option<SerializedFileReader<File>> {
    let reader = SerializedFileReader::new(file).ok()?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let names = schema.columns().iter().map(|column| column.name());
    names
        .eq(COLUMNS.iter().map(|(name, _)| *name))
        .then_some(reader)
}

/// The rows of an export. A fault ends them: behind it the reader says the same for ever.
pub(super) fn rows(
    reader: SerializedFileReader<File>,
) -> impl Iterator<Item = Result<Row, BadRow>> {
    let mut ended = false;
    let rows = RowIter::from_file_into(Box::new(reader));
    let rows = rows.take_while(move |row| !std::mem::replace(&mut ended, row.is_err()));
    rows.map(|row| {
        let row = row.map_err(|error| BadRow::Last(error.to_string()))?;
        let cells = row.into_columns().into_iter().zip(COLUMNS);
        Ok(cells
            .map(|((name, field), (_, kind))| (name, cell(kind, field)))
            .filter(|(_, value)| *value != Value::Null)
            .collect())
    })
}

fn cell(kind: Kind, field: Field) -> Value {
    match field {
        Field::Str(text) => value(kind, &text),
        Field::Bytes(bytes) => value(kind, &String::from_utf8_lossy(bytes.data())),
        Field::Long(number) => number.into(),
        Field::TimestampMillis(ms) => {
            Timestamp::from_millisecond(ms).map_or(Value::Null, |at| at.to_string().into())
        }
        _ => Value::Null,
    }
}
