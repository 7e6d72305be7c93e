//! A filter as SQL over `contexts c`.

use std::fmt::Write as _;

use rusqlite::types::Value as Sql;

use crate::context::{Condition, ContextLevel, Field, Filter, Range, Test, Value, parse_time};

/// An SQL condition and its parameters, which stand in the text as `?`.
#[derive(Debug, Default)]
pub(super) struct Clause {
    pub(super) sql: String,
    pub(super) parameters: Vec<Sql>,
}

impl Clause {
    /// The condition that always holds.
    pub(super) fn everything() -> Self {
        Self {
            sql: "1".to_owned(),
            parameters: Vec::new(),
        }
    }
}

/// The filter as a condition; `1` when it lets everything through.
pub(super) fn clause(filter: &Filter) -> Clause {
    let mut clause = Clause::everything();
    for condition in &filter.must {
        clause.sql.push_str(" AND ");
        push_condition(&mut clause, condition);
    }
    for (place, condition) in filter.should.iter().enumerate() {
        clause
            .sql
            .push_str(if place == 0 { " AND (" } else { " OR " });
        push_condition(&mut clause, condition);
    }
    if !filter.should.is_empty() {
        clause.sql.push(')');
    }
    for condition in &filter.must_not {
        clause.sql.push_str(" AND NOT ");
        push_condition(&mut clause, condition);
    }
    clause
}

fn push_condition(clause: &mut Clause, condition: &Condition) {
    // An absent column compares as NULL, which neither holds nor fails; here it does not hold.
    clause.sql.push_str("coalesce(");
    match &condition.field {
        Field::Metadata(path) => push_metadata(clause, path, &condition.test),
        field => push_column(clause, field, &condition.test),
    }
    clause.sql.push_str(", 0)");
}

fn push_column(clause: &mut Clause, field: &Field, test: &Test) {
    let column = match field {
        Field::Level => "c.level",
        Field::Agent => "c.agent",
        Field::Session => "c.session",
        Field::CreatedAt => "c.created_ms",
        Field::UpdatedAt => "c.updated_ms",
        Field::AccessedAt => "c.accessed_ms",
        Field::AccessCount => "c.access_count",
        Field::TokenCount => "c.token_count",
        Field::Source | Field::Metadata(_) => "c.source",
    };
    match test {
        Test::AnyOf(values) => {
            let _ = write!(clause.sql, "{column} IN ({})", places(values.len()));
            clause
                .parameters
                .extend(values.iter().map(|value| column_value(field, value)));
        }
        Test::Range(range) => push_range(clause, column, range, |value| column_value(field, value)),
        Test::Exists(exists) => {
            let _ = write!(
                clause.sql,
                "{column} IS {}NULL",
                if *exists { "NOT " } else { "" }
            );
        }
    }
}

fn push_metadata(clause: &mut Clause, path: &str, test: &Test) {
    if matches!(test, Test::Exists(false)) {
        clause.sql.push_str("NOT ");
    }
    clause
        .sql
        .push_str("c.seq IN (SELECT f.seq FROM context_fields f WHERE ");
    match test {
        Test::AnyOf(values) => {
            clause.sql.push_str("f.path = ? AND (0");
            clause.parameters.push(Sql::Text(path.to_owned()));
            // A list for each kind: SQLite parses an OR for each value only up to a depth.
            for kind in ['b', 'n', 't'] {
                let alike: Vec<_> = values.iter().filter(|v| self::kind(v) == kind).collect();
                if alike.is_empty() {
                    continue;
                }
                let _ = write!(
                    clause.sql,
                    " OR (f.kind = '{kind}' AND f.value IN ({}))",
                    places(alike.len())
                );
                clause.parameters.extend(alike.into_iter().map(plain_value));
            }
            clause.sql.push(')');
        }
        Test::Range(range) => {
            let text = range
                .bounds()
                .all(|(_, value)| matches!(value, Value::Text(_)));
            let _ = write!(
                clause.sql,
                "f.path = ? AND f.kind = '{}' AND ",
                if text { 't' } else { 'n' }
            );
            clause.parameters.push(Sql::Text(path.to_owned()));
            push_range(clause, "f.value", range, plain_value);
        }
        Test::Exists(_) => {
            // Everything below the path lies between `path.` and the character after the dot.
            clause
                .sql
                .push_str("f.path = ? OR (f.path >= ? AND f.path < ?)");
            clause.parameters.extend([
                Sql::Text(path.to_owned()),
                Sql::Text(format!("{path}.")),
                Sql::Text(format!("{path}/")),
            ]);
        }
    }
    clause.sql.push(')');
}

fn push_range(clause: &mut Clause, column: &str, range: &Range, value: impl Fn(&Value) -> Sql) {
    for (place, (operator, bound)) in range.bounds().enumerate() {
        if place > 0 {
            clause.sql.push_str(" AND ");
        }
        let _ = write!(clause.sql, "{column} {operator} ?");
        clause.parameters.push(value(bound));
    }
}

fn column_value(field: &Field, value: &Value) -> Sql {
    match (field, value) {
        (Field::Level, Value::Text(level)) => level
            .parse::<ContextLevel>()
            .map_or(Sql::Null, |level| Sql::Integer(level.number().into())),
        (Field::CreatedAt | Field::UpdatedAt | Field::AccessedAt, Value::Text(time)) => {
            parse_time(time).map_or(Sql::Null, |at| Sql::Integer(at.as_millisecond()))
        }
        _ => plain_value(value),
    }
}

fn plain_value(value: &Value) -> Sql {
    match value {
        Value::Bool(b) => Sql::Integer((*b).into()),
        Value::Int(i) => Sql::Integer(*i),
        Value::Float(f) => Sql::Real(*f),
        Value::Text(t) => Sql::Text(t.clone()),
    }
}

fn kind(value: &Value) -> char {
    match value {
        Value::Bool(_) => 'b',
        Value::Int(_) | Value::Float(_) => 'n',
        Value::Text(_) => 't',
    }
}

fn places(count: usize) -> String {
    vec!["?"; count].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_never_stand_in_the_sql() {
        let filter = Filter::from_json(
            r#"{"must":[{"key":"agent","match":"x' OR 1"}],
                "should":[{"key":"a'b","any":[1,"two",true]},{"key":"n","range":{"gte":1,"lt":2.5}}],
                "must_not":[{"key":"session","exists":true},{"key":"m.n","exists":false}]}"#,
        )
        .unwrap();
        let clause = clause(&filter);
        assert!(!clause.sql.contains("OR 1") && !clause.sql.contains("a'b"));
        assert_eq!(
            clause.sql.matches('?').count(),
            clause.parameters.len(),
            "{}",
            clause.sql
        );
    }
}
