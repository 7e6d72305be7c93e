//! The table `collections`.

use rusqlite::{Connection, OptionalExtension, params};

use super::vectors;
use super::writer::Changes;
use crate::store::{CollectionInfo, StoreError, VectorSpec};

/// The number of a collection.
pub(super) fn number(connection: &Connection, name: &str) -> Result<i64, StoreError> {
    find(connection, name)?.ok_or_else(|| StoreError::UnknownCollection(name.to_owned()))
}

/// The number of a collection, if there is one of that name.
pub(super) fn find(connection: &Connection, name: &str) -> Result<Option<i64>, StoreError> {
    Ok(connection
        .prepare_cached("SELECT id FROM collections WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?)
}

/// All collections, by name.
pub(super) fn list(connection: &Connection) -> Result<Vec<CollectionInfo>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, name FROM collections ORDER BY name")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    let rows: Vec<(i64, String)> = rows.collect::<Result<_, _>>()?;
    rows.into_iter()
        .map(|(id, name)| {
            Ok(CollectionInfo {
                name,
                vectors: vectors::active(connection, id)?.spec,
            })
        })
        .collect()
}

/// Makes a collection, or checks that the one that exists has the same vectors.
pub(super) fn create(
    connection: &Connection,
    name: &str,
    spec: &VectorSpec,
    now_ms: i64,
) -> Result<(), StoreError> {
    if let Some(id) = find(connection, name)? {
        let stored = vectors::active(connection, id)?.spec;
        if stored != *spec {
            return Err(StoreError::CollectionDiffers {
                name: name.to_owned(),
                stored: stored.to_string(),
                wanted: spec.to_string(),
            });
        }
        return Ok(());
    }
    let id = connection
        .prepare_cached("INSERT INTO collections (name) VALUES (?1)")?
        .insert([name])?;
    vectors::create(connection, id, spec, true, now_ms)?;
    Ok(())
}

/// Removes a collection with everything in it.
pub(super) fn delete(
    connection: &Connection,
    name: &str,
    changes: &mut Changes,
) -> Result<bool, StoreError> {
    let Some(id) = find(connection, name)? else {
        return Ok(false);
    };
    let seqs: Vec<i64> = {
        let mut statement =
            connection.prepare_cached("SELECT seq FROM contexts WHERE collection = ?1")?;
        let rows = statement.query_map([id], |row| row.get(0))?;
        rows.collect::<Result<_, _>>()?
    };
    for seq in seqs {
        super::contexts::remove(connection, &[], seq, changes)?;
    }
    for set in vectors::sets(connection, id)? {
        vectors::drop_set(connection, &set)?;
    }
    for table in ["sources", "kept_sources"] {
        let sql = format!("DELETE FROM {table} WHERE collection = ?1");
        connection.execute(&sql, params![id])?;
    }
    connection.execute("DELETE FROM collections WHERE id = ?1", params![id])?;
    changes.everything = true;
    Ok(true)
}
