//! The schema and its versions. Migrations are append-only: a released step is never edited.

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use crate::store::StoreError;

/// Marks the file as ours (`HRAG`), so that another program's database is not migrated.
const APPLICATION_ID: i64 = 0x4852_4147;

/// Every step, oldest first; `user_version` counts those that a database has had.
const STEPS: &[&str] = &[
    include_str!("migrations/001_contexts.sql"),
    include_str!("migrations/002_listed.sql"),
    include_str!("migrations/003_kept_sources.sql"),
    include_str!("migrations/004_conversations.sql"),
    include_str!("migrations/005_told_again.sql"),
];

/// The newest schema version that this program knows.
pub(super) fn known_version() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Refuses databases of newer programs and of other programs; writes nothing.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > known_version() {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found: version,
            known: known_version(),
        });
    }
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && tables > 0 {
        return Err(StoreError::Corrupt {
            path: path.to_owned(),
            reason: "it is a database of another program".to_owned(),
        });
    }
    Ok(version)
}

/// Brings an older or empty database to the newest version, in one transaction a step.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    if check(connection, path)? == known_version() {
        return Ok(());
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    let migrations = Migrations::new(STEPS.iter().map(|sql| M::up(sql)).collect());
    migrations.to_latest(connection).map_err(|e| match e {
        rusqlite_migration::Error::RusqliteError { err, .. } => err.into(),
        other => StoreError::Internal(other.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_database_reaches_the_newest_version() {
        super::super::register_vector_functions();
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, Path::new("memory")).unwrap();
        assert_eq!(
            check(&connection, Path::new("memory")).unwrap(),
            known_version()
        );
    }

    #[test]
    fn a_newer_database_is_refused_with_both_versions() {
        let connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let error = check(&connection, Path::new("new.db")).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }));
    }

    #[test]
    fn another_programs_database_is_left_alone() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute("CREATE TABLE theirs (x)", []).unwrap();
        let error = check(&connection, Path::new("their.db")).unwrap_err();
        assert_eq!(error.code(), "store_corrupt");
    }
}
