//! Listing: pages, counts, and the rows that pass a filter.

use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use super::{contexts, filters};
use crate::context::Filter;
use crate::store::{Order, Page, ScrollRequest, StoreError};

/// Contexts of one page at most.
const MAX_PAGE: usize = 10_000;

/// The rows that pass the filter and are not marked as deleted.
pub(super) fn matching(
    connection: &Connection,
    collection: i64,
    filter: &Filter,
) -> Result<Vec<i64>, StoreError> {
    let clause = filters::clause(filter);
    let mut statement = connection.prepare_cached(&format!(
        "SELECT c.seq FROM contexts c
         WHERE c.collection = ? AND c.deleted_ms IS NULL AND {}",
        clause.sql
    ))?;
    let parameters = std::iter::once(Sql::Integer(collection)).chain(clause.parameters);
    let rows = statement.query_map(rusqlite::params_from_iter(parameters), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many contexts pass the filter, of those that are marked as deleted or of the others.
pub(super) fn count(
    connection: &Connection,
    collection: i64,
    filter: &Filter,
    deleted: bool,
) -> Result<u64, StoreError> {
    let clause = filters::clause(filter);
    let marked = if deleted { "NOT NULL" } else { "NULL" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT count(*) FROM contexts c
         WHERE c.collection = ? AND c.deleted_ms IS {marked} AND {}",
        clause.sql
    ))?;
    let parameters = std::iter::once(Sql::Integer(collection)).chain(clause.parameters);
    let count: i64 =
        statement.query_row(rusqlite::params_from_iter(parameters), |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// A page. The cursor is the row where the page before ended, so a row that stays is seen once
/// whatever is stored or removed around it.
pub(super) fn page(
    connection: &Connection,
    collection: i64,
    request: &ScrollRequest,
) -> Result<Page, StoreError> {
    let clause = filters::clause(&request.filter);
    let newest_first = request.order == Order::NewestFirst;
    let start = match &request.cursor {
        Some(cursor) => cursor
            .parse::<i64>()
            .ok()
            .filter(|seq| *seq >= 0)
            .ok_or_else(|| StoreError::BadCursor(cursor.clone()))?,
        None if newest_first => i64::MAX,
        None => 0,
    };
    let limit = request.limit.clamp(1, MAX_PAGE);
    let (compare, order) = if newest_first {
        ("<", "DESC")
    } else {
        (">", "ASC")
    };
    let deleted = if request.deleted { "NOT NULL" } else { "NULL" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {} FROM contexts c
         WHERE c.collection = ? AND c.deleted_ms IS {deleted} AND c.seq {compare} ? AND {}
         ORDER BY c.seq {order} LIMIT ?",
        contexts::COLUMNS,
        clause.sql
    ))?;
    let parameters = [Sql::Integer(collection), Sql::Integer(start)]
        .into_iter()
        .chain(clause.parameters)
        // One more than asked for tells whether there is another page.
        .chain([Sql::Integer(contexts::signed(limit + 1))]);
    let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
    let mut page = Page {
        contexts: Vec::new(),
        next_cursor: None,
    };
    let mut last: i64 = 0;
    while let Some(row) = rows.next()? {
        if page.contexts.len() == limit {
            page.next_cursor = Some(last.to_string());
            break;
        }
        last = row.get("seq")?;
        page.contexts.push(contexts::read(row)?);
    }
    Ok(page)
}
