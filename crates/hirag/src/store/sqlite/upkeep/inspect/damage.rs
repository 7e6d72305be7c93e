//! How far the damage of a file goes: what of it can still be read.

use rusqlite::{Connection, OptionalExtension};

use super::Checks;
use crate::context::ContentHash;
use crate::store::StoreError;

/// What to do about it.
const ADVICE: &str = "stop what uses the database, move its file away without deleting it, bring back \
                      a backup with `hirag restore FILE`, and import your files again, which adds only \
                      what is missing";

/// Notes which tables and how many contexts can be read, and what to do.
pub(super) fn measure(checks: &mut Checks<'_>) -> Result<(), StoreError> {
    match tables(checks.connection) {
        Ok(tables) => {
            let (whole, broken): (Vec<_>, Vec<_>) =
                tables.into_iter().partition(|(_, read)| read.is_whole);
            let named = |tables: &[(String, Read)]| {
                let names = tables.iter().map(|(name, _)| name.as_str());
                names.collect::<Vec<_>>().join(", ")
            };
            let mut detail = match broken.is_empty() {
                true => "all can be read to their end".to_owned(),
                false => format!("these can be read to their end: {}", named(&whole)),
            };
            for (name, read) in &broken {
                detail += &format!("; {name} breaks off after row {}", read.rows);
            }
            checks.found("tables that can be read", broken.is_empty(), detail);
        }
        Err(error) => checks.note("tables that can be read", Err(error), "")?,
    }
    let check = "contexts that can be read";
    match contexts(checks.connection) {
        Ok((whole, all)) => {
            let of = all.map_or_else(
                || "; how many there were cannot be told".to_owned(),
                |all| format!(" of {all}"),
            );
            let detail = format!("{whole}{of}");
            checks.found(check, all == Some(whole), detail);
        }
        Err(error) => checks.note(check, Err(error), "")?,
    }
    checks.found("what to do", false, ADVICE.to_owned());
    Ok(())
}

/// How much of a table can be read.
struct Read {
    rows: u64,
    is_whole: bool,
}

/// Every table with rows of its own, read to its end or to where that fails.
fn tables(connection: &Connection) -> Result<Vec<(String, Read)>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_schema
         WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name",
    )?;
    let names = statement.query_map([], |row| row.get(0))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    let read = |name: String| {
        let read = read(connection, &name);
        (name, read)
    };
    Ok(names.into_iter().map(read).collect())
}

fn read(connection: &Connection, table: &str) -> Read {
    let mut rows = 0;
    let mut to_the_end = || -> Result<(), rusqlite::Error> {
        let name = table.replace('"', "\"\"");
        // Not from an index, which may be whole where the table is not.
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{name}\" NOT INDEXED"))?;
        let columns = statement.column_count();
        let mut all = statement.query([])?;
        while let Some(row) = all.next()? {
            for column in 0..columns {
                row.get_ref(column)?;
            }
            rows += 1;
        }
        Ok(())
    };
    let is_whole = to_the_end().is_ok();
    Read { rows, is_whole }
}

/// Rows in a row that cannot even be found before the rest is taken for lost: more than any page
/// points to.
const LOST: u32 = 10_000;

/// How many contexts can be read, one by one, with the text that they were stored with; and how many
/// there are, if an index still tells.
fn contexts(connection: &Connection) -> Result<(i64, Option<i64>), StoreError> {
    let all = connection.query_row("SELECT count(*) FROM contexts", [], |row| row.get(0));
    let mut next = connection
        .prepare("SELECT seq FROM contexts NOT INDEXED WHERE seq > ?1 ORDER BY seq LIMIT 1")?;
    let mut read = connection.prepare("SELECT text, content_hash FROM contexts WHERE seq = ?1")?;
    let (mut whole, mut lost, mut seq) = (0, 0, 0_i64);
    while lost < LOST && seq < i64::MAX {
        match next.query_row([seq], |row| row.get(0)).optional() {
            Ok(Some(found)) => (seq, lost) = (found, 0),
            Ok(None) => break,
            // The way to the next is damaged: the one after it may be on another page.
            Err(_) => {
                seq += 1;
                lost += 1;
                continue;
            }
        }
        let found: Result<(String, [u8; 32]), _> =
            read.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)));
        // What cannot be read is not counted; that is what is to be told.
        if found.is_ok_and(|(text, hash)| ContentHash::of(&text).as_bytes() == &hash) {
            whole += 1;
        }
    }
    Ok((whole, all.ok()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::super::{Inspection, inspect_file};
    use crate::clock::SystemClock;
    use crate::store::sqlite::tests::record;
    use crate::store::sqlite::{Access, SqliteStore, StoreOptions};
    use crate::store::{VectorSpec, VectorStore};

    const CONTEXTS: usize = 60;

    /// A closed database of contexts that fill a page each.
    async fn database(path: &Path) -> Vec<u8> {
        let store = SqliteStore::open(StoreOptions {
            path: path.to_owned(),
            access: Access::Write,
            lock_wait: Duration::ZERO,
            clock: SystemClock::shared(),
        })
        .unwrap();
        let spec = VectorSpec {
            model: "m".into(),
            dimension: 2,
        };
        store.create_collection("c", &spec).await.unwrap();
        let records = (0..CONTEXTS).map(|n| {
            let text = format!("context {n} ").repeat(200);
            record(&text, Some([1.0, 0.0]))
        });
        store.insert("c", records.collect()).await.unwrap();
        store.shut_down();
        std::fs::read(path).unwrap()
    }

    fn detail<'a>(inspection: &'a Inspection, check: &str) -> &'a str {
        let mut findings = inspection.findings.iter();
        let found = findings.find(|finding| finding.check == check);
        &found
            .unwrap_or_else(|| panic!("no {check}: {inspection:?}"))
            .detail
    }

    #[tokio::test]
    async fn damaged_pages_are_told_with_what_can_still_be_read_and_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hirag.db");
        let mut bytes = database(&path).await;
        let sound = inspect_file(&path, "c").unwrap();
        assert!(sound.is_ok(), "{sound:?}");
        let sentence = b"context 30 context 30";
        let at = bytes
            .windows(sentence.len())
            .position(|window| window == sentence)
            .unwrap();
        let page = at / 4_096 * 4_096;
        bytes[page..page + 4_096].fill(0xa5);
        std::fs::write(&path, &bytes).unwrap();

        let inspection = inspect_file(&path, "c").unwrap();
        assert!(!inspection.is_ok());
        assert_ne!(detail(&inspection, "file"), "in order");
        assert!(detail(&inspection, "texts").starts_with("cannot be checked"));
        assert_eq!(detail(&inspection, "metadata without context"), "in order");
        let tables = detail(&inspection, "tables that can be read");
        assert!(
            tables.contains("traces") && tables.contains("; contexts breaks off after row "),
            "{tables}"
        );
        let contexts = detail(&inspection, "contexts that can be read");
        let (readable, all) = contexts.split_once(" of ").unwrap();
        let readable: usize = readable.parse().unwrap();
        assert_eq!(all, CONTEXTS.to_string());
        assert!((CONTEXTS - 10..CONTEXTS).contains(&readable), "{contexts}");
        assert!(detail(&inspection, "what to do").contains("hirag restore"));
        assert!(std::fs::read(&path).unwrap() == bytes, "it was changed");
    }

    #[tokio::test]
    async fn a_row_that_lies_about_how_many_there_were_costs_no_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hirag.db");
        database(&path).await;
        let lie = "UPDATE sqlite_sequence SET seq = 9000000000000000000 WHERE name = 'contexts';
                   UPDATE contexts SET content_hash = x'00' WHERE seq = 1;";
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(lie).unwrap();
        let (whole, all) = super::contexts(&connection).unwrap();
        assert_eq!((whole, all), (CONTEXTS as i64 - 1, Some(CONTEXTS as i64)));
    }

    #[tokio::test]
    async fn a_collection_that_there_never_was_is_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hirag.db");
        database(&path).await;
        let error = inspect_file(&path, "another").unwrap_err();
        assert_eq!(error.code(), "unknown_collection");
    }

    #[tokio::test]
    async fn whatever_page_is_damaged_the_checks_come_to_their_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hirag.db");
        let bytes = database(&path).await;
        let free: u32 = rusqlite::Connection::open(&path)
            .and_then(|c| c.query_row("PRAGMA freelist_count", [], |row| row.get(0)))
            .unwrap();
        let mut unnoticed = Vec::new();
        for page in 1..bytes.len() / 4_096 {
            let mut damaged = bytes.clone();
            damaged[page * 4_096..(page + 1) * 4_096].fill(0xa5);
            std::fs::write(&path, &damaged).unwrap();
            if inspect_file(&path, "c").unwrap().is_ok() {
                unnoticed.push(page);
            }
        }
        assert!(
            unnoticed.len() <= free as usize,
            "{unnoticed:?} of {free} free ones"
        );
    }
}
