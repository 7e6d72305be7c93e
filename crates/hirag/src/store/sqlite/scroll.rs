//! Listing: pages, counts, and the rows that pass a filter.

use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use super::filters::Clause;
use super::sorting::Sorting;
use super::{contexts, filters};
use crate::context::Filter;
use crate::store::{Page, ScrollRequest, StoreError};

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

/// A page. The cursor is the place where the page before ended, so a row that stays where it is in
/// the order is seen once whatever is stored or removed around it.
pub(super) fn page(
    connection: &Connection,
    collection: i64,
    request: &ScrollRequest,
) -> Result<Page, StoreError> {
    let sorting = Sorting::of(request.order);
    let after = match &request.cursor {
        Some(cursor) => sorting.after(cursor)?,
        None => Clause::everything(),
    };
    let clause = filters::clause(&request.filter);
    let limit = request.limit.clamp(1, MAX_PAGE);
    let deleted = if request.deleted { "NOT NULL" } else { "NULL" };
    let condition = format!(
        "c.collection = ? AND c.deleted_ms IS {deleted} AND {} AND {}",
        after.sql, clause.sql
    );
    // The rows are chosen by their numbers, from an index: what is passed over or sorted away is
    // never read.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {} FROM contexts c WHERE c.seq IN ({}) ORDER BY {}",
        contexts::COLUMNS,
        sorting.numbers(&condition),
        sorting.order_by()
    ))?;
    let parameters = std::iter::once(Sql::Integer(collection))
        .chain(after.parameters)
        .chain(clause.parameters)
        // One more than asked for tells whether there is another page.
        .chain([limit + 1, request.skip].map(|count| Sql::Integer(contexts::signed(count))));
    let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
    let mut page = Page {
        contexts: Vec::new(),
        next_cursor: None,
    };
    let mut last = None;
    while let Some(row) = rows.next()? {
        if page.contexts.len() == limit {
            page.next_cursor = last;
            break;
        }
        page.contexts.push(contexts::read(row)?);
        if page.contexts.len() == limit {
            last = Some(sorting.cursor(row)?);
        }
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Order;

    #[test]
    fn a_page_is_chosen_from_an_index_without_reading_rows() {
        super::super::register_vector_functions();
        let mut connection = Connection::open_in_memory().unwrap();
        super::super::schema::migrate(&mut connection, std::path::Path::new("memory")).unwrap();
        let filter = r#"{"must":[{"key":"level","match":"L3"},{"key":"agent","match":"a"},
            {"key":"created_at","range":{"gte":"2026-01-01"}},{"key":"topic","match":"owls"}]}"#;
        let clause = filters::clause(&Filter::from_json(filter).unwrap());
        for (order, deleted) in Order::ALL
            .into_iter()
            .flat_map(|o| [(o, "NULL"), (o, "NOT NULL")])
        {
            let condition = format!(
                "c.collection = ? AND c.deleted_ms IS {deleted} AND {}",
                clause.sql
            );
            let sql = Sorting::of(order).numbers(&condition);
            let mut statement = connection
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            // What is not bound is NULL, which changes no plan.
            let plan: Vec<String> = statement
                .raw_query()
                .mapped(|row| row.get("detail"))
                .collect::<Result<_, _>>()
                .unwrap();
            let index = "SEARCH c USING COVERING INDEX contexts_listed";
            assert!(
                plan.iter().any(|step| step.starts_with(index)),
                "{order:?}: {plan:?}"
            );
        }
    }
}
