//! The table `kept_sources`: folders and files that are kept up to date, and which files are theirs.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::contexts::time;
use super::{SqliteStore, collections, deletion, renames, writer::Changes};
use crate::import::ToldAgain;
use crate::sources::{
    Leave, Source, SourceError, SourceId, SourcePatch, SourceRules, SourceRun, name_for, overlap,
};
use crate::store::StoreError;
use crate::store::sqlite::Deletion;

/// A source to keep, checked; its place is absolute and UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKept {
    /// Its name; `None` takes that of its folder.
    pub name: Option<String>,
    /// Its place.
    pub path: String,
    /// Whether it is watched.
    pub watch: bool,
    /// Its rules.
    pub rules: SourceRules,
}

/// A file of a source, as it was read last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptFile {
    pub(crate) fingerprint: [u8; 32],
    pub(crate) contexts: u64,
    pub(crate) stamp: Option<[u8; 32]>,
    pub(crate) problem: Option<ToldAgain>,
    pub(crate) apart: bool,
}

const SELECT: &str = "SELECT id, name, path, watch, rules, created_ms, last_run,
         (SELECT count(*) FROM sources s WHERE s.kept_by = k.id
              AND (s.problem IS NULL OR s.contexts > 0)),
         (SELECT count(*) FROM sources s
              JOIN contexts c ON c.collection = s.collection AND c.source = s.source
              WHERE s.kept_by = k.id AND c.source_key IS NOT NULL AND c.deleted_ms IS NULL)
     FROM kept_sources k";

impl SqliteStore {
    /// All sources that are kept, in the order of their names.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn kept(&self, collection: &str) -> Result<Vec<Source>, StoreError> {
        let name = collection.to_owned();
        self.read(move |c| all(c, collections::number(c, &name)?))
            .await
    }

    /// A source that is kept.
    ///
    /// # Errors
    /// As [`Self::kept`].
    pub async fn kept_one(
        &self,
        collection: &str,
        id: SourceId,
    ) -> Result<Option<Source>, StoreError> {
        let name = collection.to_owned();
        self.read(move |c| one(c, collections::number(c, &name)?, id))
            .await
    }

    /// Keeps a source from now on.
    ///
    /// # Errors
    /// `Ok(Err(_))` where its name is taken, or its place overlaps with another's; nothing was
    /// changed then.
    pub async fn keep(
        &self,
        collection: &str,
        new: NewKept,
    ) -> Result<Result<Source, SourceError>, StoreError> {
        let collection = collection.to_owned();
        let now_ms = self.now_ms();
        self.write(move |c, _| {
            let number = collections::number(c, &collection)?;
            let others = all(c, number)?;
            let place = Path::new(&new.path);
            let clash = |other: &&Source| overlap(place, Path::new(&other.path));
            if let Some(other) = others.iter().find(clash) {
                return Ok(Err(SourceError::Overlaps {
                    path: new.path,
                    other: other.name.clone(),
                    other_path: other.path.clone(),
                }));
            }
            let names = others.iter().map(|other| other.name.as_str());
            let name = match new.name {
                Some(name) if is_taken(c, number, &name, None)? => {
                    return Ok(Err(SourceError::NameTaken(name)));
                }
                Some(name) => name,
                None => name_for(place, names),
            };
            let id = c
                .prepare_cached(
                    "INSERT INTO kept_sources (collection, name, path, watch, rules, created_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id",
                )?
                .query_row(
                    params![number, name, new.path, new.watch, json(&new.rules)?, now_ms],
                    |row| row.get(0).map(SourceId),
                )?;
            found(one(c, number, id)?).map(Ok)
        })
        .await
    }

    /// Changes a source.
    ///
    /// # Errors
    /// `Ok(Err(_))` where there is none, or its new name is taken; nothing was changed then.
    pub async fn change_kept(
        &self,
        collection: &str,
        id: SourceId,
        patch: SourcePatch,
    ) -> Result<Result<Source, SourceError>, StoreError> {
        let collection = collection.to_owned();
        self.write(move |c, _| {
            let number = collections::number(c, &collection)?;
            if let Some(name) = &patch.name
                && is_taken(c, number, name, Some(id))?
            {
                return Ok(Err(SourceError::NameTaken(name.clone())));
            }
            let rules = patch.rules.as_ref().map(json).transpose()?;
            c.prepare_cached(
                "UPDATE kept_sources SET name = coalesce(?3, name), watch = coalesce(?4, watch),
                     rules = coalesce(?5, rules)
                 WHERE collection = ?1 AND id = ?2",
            )?
            .execute(params![number, id.0, patch.name, patch.watch, rules])?;
            Ok(one(c, number, id)?.ok_or_else(|| SourceError::Unknown(id.to_string())))
        })
        .await
    }

    /// Keeps a source no longer. Marks its contexts as deleted if nothing is to be left.
    ///
    /// # Errors
    /// `Ok(Err(_))` where there is none.
    pub async fn keep_no_longer(
        &self,
        collection: &str,
        id: SourceId,
        leave: Leave,
    ) -> Result<Result<(Source, Option<Deletion>), SourceError>, StoreError> {
        let collection = collection.to_owned();
        let now_ms = self.now_ms();
        self.write(move |c, changes| {
            let number = collections::number(c, &collection)?;
            let Some(source) = one(c, number, id)? else {
                return Ok(Err(SourceError::Unknown(id.to_string())));
            };
            let deletion = match leave {
                Leave::Nothing => {
                    let names = files(c, id)?.into_keys().collect::<Vec<_>>();
                    Some(forget(c, number, &names, now_ms, changes)?)
                }
                Leave::Contexts => {
                    c.prepare_cached(
                        "UPDATE sources SET kept_by = NULL, stamp = NULL WHERE kept_by = ?1",
                    )?
                    .execute([id.0])?;
                    None
                }
            };
            c.prepare_cached("DELETE FROM kept_sources WHERE id = ?1")?
                .execute([id.0])?;
            Ok(Ok((source, deletion)))
        })
        .await
    }

    /// Keeps what came of a run; of a source that is gone, nothing.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn keep_run(&self, id: SourceId, run: &SourceRun) -> Result<(), StoreError> {
        let run = json(run)?;
        self.write(move |c, _| {
            c.prepare_cached("UPDATE kept_sources SET last_run = ?2 WHERE id = ?1")?
                .execute(params![id.0, run])?;
            Ok(())
        })
        .await
    }

    /// The files of a source by their names, as they were read last.
    pub(crate) async fn kept_files(
        &self,
        id: SourceId,
    ) -> Result<HashMap<String, KeptFile>, StoreError> {
        self.read(move |c| files(c, id)).await
    }

    /// Which of these files belong to another kept source than `id`.
    pub(crate) async fn kept_by_others(
        &self,
        collection: &str,
        id: SourceId,
        names: Vec<String>,
    ) -> Result<HashMap<String, String>, StoreError> {
        let collection = collection.to_owned();
        self.read(move |c| {
            let number = collections::number(c, &collection)?;
            let mut statement = c.prepare_cached(
                "SELECT k.name FROM sources s JOIN kept_sources k ON k.id = s.kept_by
                 WHERE s.collection = ?1 AND s.source = ?2 AND s.kept_by <> ?3",
            )?;
            let mut theirs = HashMap::new();
            for name in names {
                let other = statement
                    .query_row(params![number, name, id.0], |row| row.get(0))
                    .optional()?;
                if let Some(other) = other {
                    theirs.insert(name, other);
                }
            }
            Ok(theirs)
        })
        .await
    }

    /// Lets contexts go with their files to other names, which may be old names of each other. They
    /// are read again from there: what follows from a name may be another. Returns the old names of
    /// those that did not go, because something has come from their new name before.
    pub(crate) async fn rename_files(
        &self,
        collection: &str,
        renames: Vec<(String, String)>,
    ) -> Result<Vec<String>, StoreError> {
        let collection = collection.to_owned();
        self.write(move |c, changes| {
            let number = collections::number(c, &collection)?;
            renames::apply(c, number, renames, changes)
        })
        .await
    }

    /// Marks the contexts of files as deleted, under one operation, and forgets the files.
    pub(crate) async fn forget_files(
        &self,
        collection: &str,
        names: Vec<String>,
    ) -> Result<Deletion, StoreError> {
        let collection = collection.to_owned();
        let now_ms = self.now_ms();
        self.write(move |c, changes| {
            let number = collections::number(c, &collection)?;
            forget(c, number, &names, now_ms, changes)
        })
        .await
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Source> {
    Ok(Source {
        id: SourceId(row.get(0)?),
        name: row.get(1)?,
        path: row.get(2)?,
        watch: row.get(3)?,
        rules: of_json(4, &row.get::<_, String>(4)?)?,
        created_at: time(row.get(5)?),
        last_run: of_json_if_any(row, 6)?,
        files: row.get::<_, i64>(7)?.unsigned_abs(),
        contexts: row.get::<_, i64>(8)?.unsigned_abs(),
    })
}

fn all(connection: &Connection, collection: i64) -> Result<Vec<Source>, StoreError> {
    let sql = format!("{SELECT} WHERE k.collection = ?1 ORDER BY k.name, k.id");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([collection], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn one(
    connection: &Connection,
    collection: i64,
    id: SourceId,
) -> Result<Option<Source>, StoreError> {
    let sql = format!("{SELECT} WHERE k.collection = ?1 AND k.id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    Ok(statement
        .query_row(params![collection, id.0], read)
        .optional()?)
}

fn found(source: Option<Source>) -> Result<Source, StoreError> {
    source.ok_or_else(|| StoreError::Internal("a source that was just kept is lost".to_owned()))
}

fn is_taken(
    connection: &Connection,
    collection: i64,
    name: &str,
    but_by: Option<SourceId>,
) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM kept_sources
             WHERE collection = ?1 AND name = ?2 AND id IS NOT ?3)",
        )?
        .query_row(params![collection, name, but_by.map(|id| id.0)], |row| {
            row.get(0)
        })?)
}

fn files(connection: &Connection, id: SourceId) -> Result<HashMap<String, KeptFile>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT source, fingerprint, contexts, stamp, problem, apart FROM sources
         WHERE kept_by = ?1",
    )?;
    let rows = statement.query_map([id.0], |row| {
        let file = KeptFile {
            fingerprint: row.get(1)?,
            contexts: row.get::<_, i64>(2)?.unsigned_abs(),
            stamp: row.get(3)?,
            problem: of_json_if_any(row, 4)?,
            apart: row.get(5)?,
        };
        Ok((row.get(0)?, file))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn forget(
    connection: &Connection,
    collection: i64,
    names: &[String],
    now_ms: i64,
    changes: &mut Changes,
) -> Result<Deletion, StoreError> {
    let mut seqs: Vec<i64> = Vec::new();
    let mut live = connection.prepare_cached(
        "SELECT seq FROM contexts WHERE collection = ?1 AND source = ?2
             AND source_key IS NOT NULL AND deleted_ms IS NULL",
    )?;
    let mut gone =
        connection.prepare_cached("DELETE FROM sources WHERE collection = ?1 AND source = ?2")?;
    for name in names {
        for seq in live.query_map(params![collection, name], |row| row.get(0))? {
            seqs.push(seq?);
        }
        gone.execute(params![collection, name])?;
    }
    if seqs.is_empty() {
        return Ok(Deletion::default());
    }
    deletion::mark(connection, &seqs, now_ms, changes)
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Internal(error.to_string()))
}

/// The JSON of a column that may be null.
pub(super) fn of_json_if_any<T: DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Option<T>> {
    let text = row.get::<_, Option<String>>(column)?;
    text.map(|text| of_json(column, &text)).transpose()
}

fn of_json<T: DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
    })
}
