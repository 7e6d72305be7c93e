//! What takes the database's room.

use rusqlite::Connection;
use serde::Serialize;

use crate::store::StoreError;
use crate::store::sqlite::SqliteStore;

/// What the parts of the database take on the disk, in bytes, each with its indexes. Together with
/// what is free, they are the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct DatabaseParts {
    /// Texts, their facts and their metadata.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub context_bytes: u64,
    /// Vectors, of every model.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub vector_bytes: u64,
    /// The index of the words.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub word_bytes: u64,
    /// Traces of retrievals.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub trace_bytes: u64,
    /// Everything else.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub other_bytes: u64,
}

impl SqliteStore {
    /// What the parts of the database take on the disk. Every page is looked at, which takes about a
    /// second for 100,000 contexts: for when somebody asks, not for every few seconds.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn parts(&self) -> Result<DatabaseParts, StoreError> {
        self.read(parts).await
    }
}

fn parts(connection: &Connection) -> Result<DatabaseParts, StoreError> {
    // An index counts to its table.
    let mut statement = connection.prepare(
        "SELECT coalesce(s.tbl_name, d.name), d.pgsize
         FROM dbstat d LEFT JOIN sqlite_schema s ON s.name = d.name
         WHERE d.aggregate = TRUE",
    )?;
    let mut rows = statement.query([])?;
    let mut parts = DatabaseParts::default();
    while let Some(row) = rows.next()? {
        let table: String = row.get(0)?;
        *parts.of_table(&table) += row.get::<_, i64>(1)?.unsigned_abs();
    }
    Ok(parts)
}

impl DatabaseParts {
    fn of_table(&mut self, table: &str) -> &mut u64 {
        match table {
            "contexts" | "context_fields" => &mut self.context_bytes,
            "traces" => &mut self.trace_bytes,
            table if table.starts_with("vectors_") => &mut self.vector_bytes,
            table if table.starts_with("words") => &mut self.word_bytes,
            _ => &mut self.other_bytes,
        }
    }
}
