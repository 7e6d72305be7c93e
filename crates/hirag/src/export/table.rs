use std::io::{self, Write};

use super::columns::row;
use super::parquet::Groups;
use super::{ExportFormat, csv};
use crate::context::Context;

/// Contexts as the rows of one file.
pub struct Table<W: Write + Send> {
    form: Form<W>,
}

enum Form<W: Write + Send> {
    Jsonl(W),
    Csv(Box<::csv::Writer<W>>),
    Parquet(Box<Groups<W>>),
}

impl<W: Write + Send> std::fmt::Debug for Table<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}

impl<W: Write + Send> Table<W> {
    /// Begins a table; `None` for a format that is none.
    ///
    /// # Errors
    /// What `out` says.
    pub fn begin(format: ExportFormat, out: W) -> io::Result<Option<Self>> {
        let form = match format {
            ExportFormat::Jsonl => Form::Jsonl(out),
            ExportFormat::Csv => Form::Csv(Box::new(csv::begin(out)?)),
            ExportFormat::Parquet => Form::Parquet(Box::new(Groups::begin(out)?)),
            ExportFormat::Markdown => return Ok(None),
        };
        Ok(Some(Self { form }))
    }

    /// Adds a row.
    ///
    /// # Errors
    /// What the file says.
    pub fn put(&mut self, context: &Context) -> io::Result<()> {
        match &mut self.form {
            Form::Jsonl(out) => {
                serde_json::to_writer(&mut *out, context)?;
                out.write_all(b"\n")
            }
            Form::Csv(out) => {
                let row = row(context)?;
                out.write_record(csv::cells(&row)).map_err(csv::fault)
            }
            Form::Parquet(groups) => groups.put(row(context)?),
        }
    }

    /// Ends it, and gives the file back.
    ///
    /// # Errors
    /// What the file says.
    pub fn finish(self) -> io::Result<W> {
        let mut out = match self.form {
            Form::Jsonl(out) => out,
            Form::Csv(out) => out.into_inner().map_err(|error| error.into_error())?,
            Form::Parquet(groups) => groups.finish()?,
        };
        out.flush()?;
        Ok(out)
    }
}
