//! Files that go to other names, and their contexts with them.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::writer::Changes;
use crate::store::StoreError;

/// Renames files, old name to new. One may take the old name of another that goes on. Returns the
/// old names of those that stay, because something has come from their new name before.
pub(super) fn apply(
    connection: &Connection,
    collection: i64,
    mut renames: Vec<(String, String)>,
    changes: &mut Changes,
) -> Result<Vec<String>, StoreError> {
    let mut stay = Vec::new();
    // One that stays may be in the way of another.
    loop {
        let going: HashSet<String> = renames.iter().map(|(old, _)| old.clone()).collect();
        let mut allowed = Vec::with_capacity(renames.len());
        for (old, new) in std::mem::take(&mut renames) {
            match !going.contains(&new) && is_occupied(connection, collection, &new)? {
                true => stay.push(old),
                false => allowed.push((old, new)),
            }
        }
        renames = allowed;
        if renames.len() == going.len() {
            break;
        }
    }
    let taken: HashSet<&String> = renames.iter().map(|(_, new)| new).collect();
    // No file is called so: what has to make room first waits there.
    let aside = |old: &str| format!("\0{old}");
    for (old, _) in renames.iter().filter(|(old, _)| taken.contains(old)) {
        rename(connection, collection, old, &aside(old), changes)?;
    }
    for (old, new) in &renames {
        match taken.contains(old) {
            true => rename(connection, collection, &aside(old), new, changes)?,
            false => rename(connection, collection, old, new, changes)?,
        }
    }
    Ok(stay)
}

/// Whether something has come from there; a file that gave nothing does not count.
fn is_occupied(connection: &Connection, collection: i64, name: &str) -> Result<bool, StoreError> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM sources
                     WHERE collection = ?1 AND source = ?2 AND contexts > 0)
                 OR EXISTS (SELECT 1 FROM contexts WHERE collection = ?1 AND source = ?2
                     AND source_key IS NOT NULL AND deleted_ms IS NULL)",
        )?
        .query_row(params![collection, name], |row| row.get(0))?)
}

fn rename(
    connection: &Connection,
    collection: i64,
    old: &str,
    new: &str,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM sources WHERE collection = ?1 AND source = ?2")?
        .execute(params![collection, new])?;
    connection
        .prepare_cached(
            "UPDATE sources SET source = ?3, stamp = NULL, problem = NULL,
                 fingerprint = zeroblob(32)
             WHERE collection = ?1 AND source = ?2",
        )?
        .execute(params![collection, old, new])?;
    let mut statement = connection.prepare_cached(
        // What is marked as deleted stays what it was: an undo would put it beside what is there.
        "UPDATE contexts SET source = ?3
         WHERE collection = ?1 AND source = ?2 AND source_key IS NOT NULL AND deleted_ms IS NULL
         RETURNING seq",
    )?;
    let moved = statement.query_map(params![collection, old, new], |row| row.get(0))?;
    for seq in moved {
        changes.rows.insert(seq?);
    }
    Ok(())
}
