//! Which statements take long, as SQLite itself measures them: to the millisecond, from a
//! statement's begin to its end, and with what its reader does between two rows.

use std::cell::RefCell;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::metrics::SlowStatements;

thread_local! {
    /// What is found slow on this thread; `None` where nobody wants to know.
    static FOUND: RefCell<Option<Found>> = const { RefCell::new(None) };
}

#[derive(Debug)]
struct Found {
    least: Duration,
    statements: Vec<(String, Duration)>,
}

/// Slow statements of one piece of work that are told; the rest of a thousand would tell nothing new.
const TOLD: usize = 10;

/// Has a connection tell of every statement that ends. Without somebody who watches, that costs a
/// look at the clock.
pub(super) fn listen(connection: &Connection) {
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(ended));
}

fn ended(event: TraceEvent<'_>) {
    let TraceEvent::Profile(statement, took) = event else {
        return;
    };
    FOUND.with_borrow_mut(|found| {
        if let Some(found) = found
            && took >= found.least
            && found.statements.len() < TOLD
        {
            // The text as it was written, which has no values.
            found.statements.push((statement.sql().into_owned(), took));
        }
    });
}

/// Runs `work`, and keeps its slow statements with their plans. Asking for a plan takes some
/// microseconds, after a statement that took the limit, and once for each.
pub(super) fn watch<T>(
    slow: &SlowStatements,
    operation: &str,
    connection: &Connection,
    work: impl FnOnce() -> T,
) -> T {
    FOUND.set(Some(Found {
        least: Duration::from_millis(slow.least_ms()),
        statements: Vec::new(),
    }));
    let outcome = work();
    let found = FOUND.take();
    for (statement, took) in found.into_iter().flat_map(|found| found.statements) {
        let known = slow.plan_of(&statement);
        let plan = known.unwrap_or_else(|| plan(connection, &statement));
        slow.record(operation, &statement, took, plan);
    }
    outcome
}

/// How SQLite goes about a statement, a step each, indented under what it belongs to.
fn plan(connection: &Connection, statement: &str) -> Vec<String> {
    let explain = || -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}"))?;
        // Without values: a plan is made before there are any.
        let mut rows = statement.raw_query();
        let mut depths: Vec<(i64, usize)> = Vec::new();
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, parent): (i64, i64) = (row.get("id")?, row.get("parent")?);
            let above = depths.iter().find(|(known, _)| *known == parent);
            let depth = above.map_or(0, |(_, depth)| depth + 1);
            depths.push((id, depth));
            let step: String = row.get("detail")?;
            steps.push(format!("{}{step}", "  ".repeat(depth)));
        }
        Ok(steps)
    };
    // What cannot be explained, as a pragma, has no plan.
    explain().unwrap_or_default()
}

/// What work is done for: the function that it stands in, as the compiler calls it. It is for people
/// to read, and nothing is decided by it.
pub(super) fn operation<F>() -> &'static str {
    named(std::any::type_name::<F>())
}

fn named(path: &'static str) -> &'static str {
    let plain = |segment: &&str| !segment.is_empty() && !segment.starts_with('{');
    let bytes = path.as_bytes();
    let (mut depth, mut end) = (0_i32, bytes.len());
    let mut segments = Vec::new();
    // From the end, since a path may begin with the type that it belongs to, in brackets.
    for place in (0..bytes.len()).rev() {
        match bytes[place] {
            b'>' => depth += 1,
            b'<' => depth -= 1,
            b':' if depth == 0 => {
                segments.push(&path[place + 1..end]);
                end = place;
            }
            _ => {}
        }
    }
    segments.push(&path[..end]);
    let name = segments.into_iter().find(plain).unwrap_or(path);
    name.split('<').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn watched<T>(
        least_ms: u64,
        work: impl FnOnce(&Connection) -> T,
    ) -> Vec<crate::metrics::SlowStatement> {
        let connection = Connection::open_in_memory().unwrap();
        let tables = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
                      INSERT INTO notes (text) VALUES ('Jonas'), ('Mara');";
        connection.execute_batch(tables).unwrap();
        listen(&connection);
        let slow = SlowStatements::new(SystemClock::shared());
        slow.set_least_ms(least_ms);
        watch(&slow, "test", &connection, || work(&connection));
        slow.latest()
    }

    fn find(connection: &Connection, text: &str) -> i64 {
        let sql = "SELECT id FROM notes\n WHERE text = ?1";
        connection.query_row(sql, [text], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_slow_statement_is_kept_with_its_plan_and_without_its_values() {
        let found = watched(0, |connection| find(connection, "Jonas"));
        let [one] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(one.operation, "test");
        assert_eq!(one.statement, "SELECT id FROM notes WHERE text = ?1");
        assert_eq!(one.plan, ["SCAN notes"]);
        assert!(!format!("{found:?}").contains("Jonas"));
    }

    #[test]
    fn a_quick_statement_is_not_kept() {
        assert!(watched(60_000, |connection| find(connection, "Mara")).is_empty());
    }

    #[test]
    fn steps_of_a_plan_stand_under_what_they_belong_to() {
        let found = watched(0, |connection| {
            let sql = "SELECT id FROM notes WHERE id = 1 UNION SELECT id FROM notes";
            connection.execute_batch(&format!("{sql};")).unwrap();
        });
        let plan = &found[0].plan;
        assert!(!plan[0].starts_with(' '), "{plan:?}");
        let under = |step: &String| step.starts_with("  ") && step.ends_with("SCAN notes");
        assert!(plan.iter().any(under), "{plan:?}");
    }

    #[test]
    fn work_without_a_plan_has_none_and_much_work_is_told_in_part() {
        let found = watched(0, |connection| {
            for _ in 0..50 {
                connection.execute_batch("BEGIN; COMMIT").unwrap();
            }
        });
        assert_eq!(found.len(), TOLD);
        assert!(found.iter().all(|one| one.plan.is_empty()));
    }

    #[test]
    fn work_is_called_by_the_function_that_it_stands_in() {
        let inner = || ();
        fn of<F>(_: &F) -> &'static str {
            operation::<F>()
        }
        assert_eq!(
            of(&inner),
            "work_is_called_by_the_function_that_it_stands_in"
        );
        let module =
            "hirag::store::sqlite::upkeep::<impl hirag::store::sqlite::SqliteStore>::counts";
        assert_eq!(named(module), "counts");
        let generic = "hirag::Store::retrieve<hirag::A, hirag::B>::{{closure}}::{{closure}}";
        assert_eq!(named(generic), "retrieve");
        assert_eq!(
            named("<hirag::Store as hirag::Trait>::search::{{closure}}"),
            "search"
        );
    }
}
