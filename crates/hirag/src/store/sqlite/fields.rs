//! The table `context_fields`: metadata as rows, for filters.

use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, ToSql, params};
use serde_json::Value as Json;

use super::SqliteStore;
use crate::context::Metadata;
use crate::store::StoreError;

impl SqliteStore {
    /// The texts that any metadata has under a path, each once.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn texts_of_field(&self, path: &'static str) -> Result<Vec<String>, StoreError> {
        self.read(move |c| {
            let mut statement = c.prepare_cached(
                "SELECT DISTINCT value FROM context_fields WHERE path = ?1 AND kind = 't'",
            )?;
            let texts = statement.query_map(params![path], |row| row.get(0))?;
            Ok(texts.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// A scalar as it is compared: its kind, and the value.
struct Scalar<'a> {
    kind: &'static str,
    value: &'a Json,
}

impl<'a> Scalar<'a> {
    fn of(value: &'a Json) -> Option<Self> {
        let kind = match value {
            Json::Bool(_) => "b",
            Json::Number(_) => "n",
            Json::String(_) => "t",
            Json::Null | Json::Array(_) | Json::Object(_) => return None,
        };
        Some(Self { kind, value })
    }
}

impl ToSql for Scalar<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.value {
            Json::Bool(b) => ToSqlOutput::from(*b),
            Json::Number(n) => match (n.as_i64(), n.as_f64()) {
                (Some(whole), _) => ToSqlOutput::from(whole),
                (None, number) => ToSqlOutput::from(number.unwrap_or(0.0)),
            },
            Json::String(s) => ToSqlOutput::from(s.as_str()),
            Json::Null | Json::Array(_) | Json::Object(_) => ToSqlOutput::from(0),
        })
    }
}

/// Writes the fields of a context.
pub(super) fn insert(
    connection: &Connection,
    seq: i64,
    metadata: &Metadata,
) -> Result<(), StoreError> {
    metadata
        .iter()
        .try_for_each(|(key, value)| insert_value(connection, seq, key, value))
}

fn insert_value(
    connection: &Connection,
    seq: i64,
    path: &str,
    value: &Json,
) -> Result<(), StoreError> {
    match value {
        Json::Object(inner) => inner.iter().try_for_each(|(key, value)| {
            insert_value(connection, seq, &format!("{path}.{key}"), value)
        }),
        Json::Array(items) => items
            .iter()
            .try_for_each(|item| insert_value(connection, seq, path, item)),
        scalar => {
            if let Some(scalar) = Scalar::of(scalar) {
                connection
                    .prepare_cached("INSERT OR IGNORE INTO context_fields VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![path, scalar.kind, scalar, seq])?;
            }
            Ok(())
        }
    }
}

/// Removes the fields of a context.
pub(super) fn remove(connection: &Connection, seq: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM context_fields WHERE seq = ?1")?
        .execute([seq])?;
    Ok(())
}
