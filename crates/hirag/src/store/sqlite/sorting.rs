//! An order as SQL over `contexts c`, and the cursors of its pages.

use rusqlite::Row;
use rusqlite::types::Value as Sql;

use super::filters::Clause;
use crate::store::{Order, StoreError};

/// What an order sorts by. The row's number decides among equals, so that no two rows have the same
/// place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sorting {
    order: Order,
    /// The column before the number, the greatest first; `None` where the number alone decides.
    column: Option<&'static str>,
    ascending: bool,
}

impl Sorting {
    pub(super) fn of(order: Order) -> Self {
        let column = match order {
            Order::NewestFirst | Order::OldestFirst => None,
            Order::RecentlyChanged => Some("updated_ms"),
            Order::RecentlyUsed => Some("accessed_ms"),
            Order::MostUsed => Some("access_count"),
            Order::LongestFirst => Some("token_count"),
        };
        Self {
            order,
            column,
            ascending: order == Order::OldestFirst,
        }
    }

    /// A query for the numbers of the rows where `condition` holds, in this order; the last two of
    /// its parameters are how many at most, and how many are passed over.
    pub(super) fn numbers(self, condition: &str) -> String {
        match self.column {
            None => format!(
                "SELECT c.seq FROM contexts c WHERE {condition} ORDER BY {} LIMIT ? OFFSET ?",
                self.order_by()
            ),
            // Sorting is quick where what comes first is met first: most values grow with the
            // number. The inner limit keeps the inner order.
            Some(column) => format!(
                "SELECT seq FROM (
                     SELECT c.seq, c.{column} AS value FROM contexts c WHERE {condition}
                     ORDER BY c.seq DESC LIMIT -1)
                 ORDER BY value DESC, seq DESC LIMIT ? OFFSET ?"
            ),
        }
    }

    /// What stands after `ORDER BY`.
    pub(super) fn order_by(self) -> String {
        let direction = if self.ascending { "ASC" } else { "DESC" };
        match self.column {
            Some(column) => format!("c.{column} DESC, c.seq DESC"),
            None => format!("c.seq {direction}"),
        }
    }

    /// The rows behind a cursor.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`] if it was not given out for this order.
    pub(super) fn after(self, cursor: &str) -> Result<Clause, StoreError> {
        let bad = || StoreError::BadCursor(cursor.to_owned());
        let (order, numbers) = cursor.split_once(':').ok_or_else(bad)?;
        let numbers: Option<Vec<i64>> = numbers.split(':').map(|n| n.parse().ok()).collect();
        let numbers = numbers.filter(|_| order == self.order.name());
        let sql = match (self.column, numbers.as_deref()) {
            (Some(column), Some([_, _])) => format!("(c.{column}, c.seq) < (?, ?)"),
            (None, Some([_])) if self.ascending => "c.seq > ?".to_owned(),
            (None, Some([_])) => "c.seq < ?".to_owned(),
            _ => return Err(bad()),
        };
        let parameters = numbers.into_iter().flatten().map(Sql::Integer).collect();
        Ok(Clause { sql, parameters })
    }

    /// The cursor of what comes after a row.
    pub(super) fn cursor(self, row: &Row<'_>) -> rusqlite::Result<String> {
        let (name, seq) = (self.order.name(), row.get::<_, i64>("seq")?);
        Ok(match self.column {
            Some(column) => format!("{name}:{}:{seq}", row.get::<_, i64>(column)?),
            None => format!("{name}:{seq}"),
        })
    }
}
