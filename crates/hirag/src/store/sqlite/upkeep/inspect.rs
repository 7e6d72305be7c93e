//! Checking that the file is sound and that its tables agree.

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
    /// Checks that the file is sound and that rows, words, fields and vectors agree.
    ///
    /// # Errors
    /// [`StoreError`] when the checks cannot be made at all.
    pub async fn inspect(&self, collection: &str) -> Result<Inspection, StoreError> {
        let name = collection.to_owned();
        let path = self.shared.path.clone();
        self.read(move |_| {
            // FTS5 checks what a connection remembers of the index, not what others have written
            // since: only a connection without memories tells the truth.
            let fresh = open::connect_to_read(&path)?;
            let transaction = fresh.unchecked_transaction()?;
            inspect(&transaction, collections::number(&transaction, &name)?)
        })
        .await
    }
}

fn inspect(connection: &Connection, collection: i64) -> Result<Inspection, StoreError> {
    let mut inspection = Inspection::default();
    let mut note = |check: &str, wrong: i64, what: &str| {
        inspection.findings.push(Finding {
            check: check.to_owned(),
            ok: wrong == 0,
            detail: if wrong == 0 {
                "in order".to_owned()
            } else {
                format!("{wrong} {what}")
            },
        });
    };
    let count = |sql: &str| -> Result<i64, StoreError> {
        Ok(connection.query_row(sql, [collection], |row| row.get(0))?)
    };
    let faults: Vec<String> = {
        let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect::<Result<_, _>>()?
    };
    let faults: Vec<String> = faults.into_iter().filter(|line| line != "ok").collect();
    note(
        "file",
        faults.len() as i64,
        &format!("faults reported by SQLite: {}", faults.join("; ")),
    );
    note(
        "words",
        count(
            "SELECT count(*) FROM contexts c WHERE c.collection = ?1 AND NOT EXISTS
                 (SELECT 1 FROM words_docsize w WHERE w.id = c.seq)",
        )?,
        "contexts are missing from the word index",
    );
    note(
        "words without context",
        connection.query_row(
            "SELECT count(*) FROM words_docsize w WHERE NOT EXISTS
                 (SELECT 1 FROM contexts c WHERE c.seq = w.id)",
            [],
            |row| row.get(0),
        )?,
        "entries of the word index have no context",
    );
    note(
        "metadata without context",
        connection.query_row(
            "SELECT count(*) FROM context_fields f WHERE NOT EXISTS
                 (SELECT 1 FROM contexts c WHERE c.seq = f.seq)",
            [],
            |row| row.get(0),
        )?,
        "metadata fields have no context",
    );
    for set in vectors::sets(connection, collection)? {
        let table = set.rows_table();
        note(
            &format!("vectors of {} without context", set.spec.model),
            count(&format!(
                "SELECT count(*) FROM {table} v WHERE NOT EXISTS
                     (SELECT 1 FROM contexts c WHERE c.seq = v.rowid AND c.collection = ?1)"
            ))?,
            "vectors have no context",
        );
        if set.active {
            note(
                &format!("vectors of {}", set.spec.model),
                count(&format!(
                    "SELECT count(*) FROM contexts c WHERE c.collection = ?1 AND c.pending =
                         EXISTS (SELECT 1 FROM {table} v WHERE v.rowid = c.seq)"
                ))?,
                "contexts are marked as embedded without a vector, or as pending with one",
            );
            note(
                "vector values",
                damaged_vectors(connection, &set)?,
                "vectors are not of length 1",
            );
        }
    }
    note(
        "texts",
        damaged_texts(connection, collection)?,
        "texts differ from their hash",
    );
    Ok(inspection)
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
