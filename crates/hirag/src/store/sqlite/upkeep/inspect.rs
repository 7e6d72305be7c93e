//! Checking that the file is sound and that its tables agree.

mod damage;

use std::path::Path;

use rusqlite::Connection;
use serde::Serialize;

use crate::context::ContentHash;
use crate::store::StoreError;
use crate::store::sqlite::{SqliteStore, collections, open, vectors};

/// One check of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Finding {
    /// What was checked.
    pub check: String,
    /// Whether everything agrees.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

/// All checks of the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Inspection {
    /// One entry a check.
    pub findings: Vec<Finding>,
}

impl Inspection {
    /// Whether every check agrees.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.findings.iter().all(|finding| finding.ok)
    }
}

impl SqliteStore {
    /// Checks that the file is sound and that rows, words, fields and vectors agree. A check that a
    /// damaged file does not allow is one that found something, and how far the damage goes is another.
    ///
    /// # Errors
    /// [`StoreError`] when the checks cannot be made at all.
    pub async fn inspect(&self, collection: &str) -> Result<Inspection, StoreError> {
        let name = collection.to_owned();
        let path = self.shared.path.clone();
        self.read(move |_| inspect_file(&path, &name)).await
    }
}

/// The same for a database that cannot be opened as a store. Blocks.
///
/// # Errors
/// [`StoreError`] when the checks cannot be made at all.
pub fn inspect_file(path: &Path, collection: &str) -> Result<Inspection, StoreError> {
    open::register_vector_functions();
    // FTS5 checks what a connection remembers of the index, not what others have written
    // since: only a connection without memories tells the truth.
    let fresh = open::connect_to_read(path)?;
    let transaction = fresh.unchecked_transaction()?;
    let mut checks = Checks::of(&transaction);
    checks.file()?;
    checks.rows()?;
    match collections::number(&transaction, collection) {
        Ok(number) => checks.collection(number)?,
        Err(error) => checks.note("collection", Err(error), "")?,
    }
    if checks.damaged {
        damage::measure(&mut checks)?;
    }
    Ok(Inspection {
        findings: checks.findings,
    })
}

/// Whether the disk or the memory failed, which says nothing of the file.
fn is_of_the_machine(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{OperationInterrupted, OutOfMemory, SystemIoFailure};
    matches!(
        error.sqlite_error_code(),
        Some(SystemIoFailure | OutOfMemory | OperationInterrupted)
    )
}

/// The checks of one database, as far as they have come.
struct Checks<'a> {
    connection: &'a Connection,
    findings: Vec<Finding>,
    /// Whether the file itself is damaged.
    damaged: bool,
}

impl<'a> Checks<'a> {
    fn of(connection: &'a Connection) -> Self {
        Self {
            connection,
            findings: Vec::new(),
            damaged: false,
        }
    }

    /// Notes how many things are wrong, `what` says with which, or why that cannot be told.
    ///
    /// # Errors
    /// What is no fault of the file.
    fn note(
        &mut self,
        check: &str,
        wrong: Result<i64, StoreError>,
        what: &str,
    ) -> Result<(), StoreError> {
        let detail = match wrong {
            Ok(0) => {
                self.found(check, true, "in order".to_owned());
                return Ok(());
            }
            Ok(number) => format!("{number} {what}"),
            Err(StoreError::Corrupt { reason, .. }) => {
                self.damaged = true;
                format!("cannot be checked: {reason}")
            }
            Err(StoreError::Sqlite { source, .. }) if !is_of_the_machine(&source) => {
                self.damaged = true;
                format!("cannot be checked: {source}")
            }
            // Its row is gone from a damaged file; a sound one never had it.
            Err(StoreError::UnknownCollection(name)) if self.damaged => {
                format!("there is no collection `{name}`")
            }
            Err(error) => return Err(error),
        };
        self.found(check, false, detail);
        Ok(())
    }

    fn found(&mut self, check: &str, ok: bool, detail: String) {
        self.findings.push(Finding {
            check: check.to_owned(),
            ok,
            detail,
        });
    }

    fn count(&self, sql: &str, collection: Option<i64>) -> Result<i64, StoreError> {
        let parameters = rusqlite::params_from_iter(collection);
        Ok(self
            .connection
            .query_row(sql, parameters, |row| row.get(0))?)
    }

    /// Whether SQLite finds the file sound.
    fn file(&mut self) -> Result<(), StoreError> {
        let (number, told) = match faults(self.connection) {
            Ok(faults) => (Ok(faults.len() as i64), faults.join("; ")),
            Err(error) => (Err(error), String::new()),
        };
        self.damaged |= number.as_ref().is_ok_and(|number| *number > 0);
        self.note(
            "file",
            number,
            &format!("faults reported by SQLite: {told}"),
        )
    }

    /// Whether what stands beside contexts belongs to one.
    fn rows(&mut self) -> Result<(), StoreError> {
        let words = self.count(
            "SELECT count(*) FROM words_docsize w WHERE NOT EXISTS
                 (SELECT 1 FROM contexts c WHERE c.seq = w.id)",
            None,
        );
        self.note(
            "words without context",
            words,
            "entries of the word index have no context",
        )?;
        let fields = self.count(
            "SELECT count(*) FROM context_fields f WHERE NOT EXISTS
                 (SELECT 1 FROM contexts c WHERE c.seq = f.seq)",
            None,
        );
        self.note(
            "metadata without context",
            fields,
            "metadata fields have no context",
        )
    }

    /// Whether the contexts of a collection have what belongs to them.
    fn collection(&mut self, collection: i64) -> Result<(), StoreError> {
        let words = self.count(
            "SELECT count(*) FROM contexts c WHERE c.collection = ?1 AND NOT EXISTS
                 (SELECT 1 FROM words_docsize w WHERE w.id = c.seq)",
            Some(collection),
        );
        self.note("words", words, "contexts are missing from the word index")?;
        match vectors::sets(self.connection, collection) {
            Ok(sets) => {
                for set in sets {
                    self.vectors(collection, &set)?;
                }
            }
            Err(error) => self.note("vectors", Err(error), "")?,
        }
        let texts = damaged_texts(self.connection, collection);
        self.note("texts", texts, "texts differ from their hash")
    }

    fn vectors(&mut self, collection: i64, set: &vectors::VectorSet) -> Result<(), StoreError> {
        let (table, model) = (set.rows_table(), &set.spec.model);
        let without = self.count(
            &format!(
                "SELECT count(*) FROM {table} v WHERE NOT EXISTS
                     (SELECT 1 FROM contexts c WHERE c.seq = v.rowid AND c.collection = ?1)"
            ),
            Some(collection),
        );
        let check = format!("vectors of {model} without context");
        self.note(&check, without, "vectors have no context")?;
        if !set.active {
            return Ok(());
        }
        let marked = self.count(
            &format!(
                "SELECT count(*) FROM contexts c WHERE c.collection = ?1 AND c.pending =
                     EXISTS (SELECT 1 FROM {table} v WHERE v.rowid = c.seq)"
            ),
            Some(collection),
        );
        self.note(
            &format!("vectors of {model}"),
            marked,
            "contexts are marked as embedded without a vector, or as pending with one",
        )?;
        let values = damaged_vectors(self.connection, set);
        self.note("vector values", values, "vectors are not of length 1")
    }
}

/// What SQLite says against the file, the first of it; up to where it could not go on.
fn faults(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let mut lines = statement.query([])?;
    let mut faults = Vec::new();
    loop {
        match lines.next() {
            Ok(Some(line)) => faults.push(line.get::<_, String>(0)?),
            Ok(None) => break,
            Err(error) if faults.is_empty() => return Err(error.into()),
            Err(error) => {
                faults.push(error.to_string());
                break;
            }
        }
    }
    faults.retain(|fault| fault != "ok");
    Ok(faults)
}

fn damaged_vectors(connection: &Connection, set: &vectors::VectorSet) -> Result<i64, StoreError> {
    let mut damaged = 0;
    vectors::for_each(connection, set, |_, bytes| {
        let length: f32 = vectors::floats(bytes).iter().map(|x| x * x).sum();
        if !(0.98..=1.02).contains(&length) {
            damaged += 1;
        }
    })?;
    Ok(damaged)
}

fn damaged_texts(connection: &Connection, collection: i64) -> Result<i64, StoreError> {
    let mut statement =
        connection.prepare("SELECT text, content_hash FROM contexts WHERE collection = ?1")?;
    let mut rows = statement.query([collection])?;
    let mut damaged = 0;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        let hash: [u8; 32] = row.get(1)?;
        if ContentHash::of(&text).as_bytes() != &hash {
            damaged += 1;
        }
    }
    Ok(damaged)
}
