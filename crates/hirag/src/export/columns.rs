//! The fields of a context, as columns.

use std::io;

use serde_json::{Map, Value};

use crate::context::Context;

/// A context as an object with every column.
pub(super) type Row = Map<String, Value>;

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Time,
    /// An object, as JSON.
    Object,
}

/// The columns in their order.
pub(super) const COLUMNS: [(&str, Kind); 18] = [
    ("id", Kind::Text),
    ("text", Kind::Text),
    ("level", Kind::Text),
    ("agent", Kind::Text),
    ("session", Kind::Text),
    ("metadata", Kind::Object),
    ("source", Kind::Text),
    ("source_key", Kind::Text),
    ("position", Kind::Number),
    ("created_at", Kind::Time),
    ("updated_at", Kind::Time),
    ("accessed_at", Kind::Time),
    ("access_count", Kind::Number),
    ("expires_at", Kind::Time),
    ("deleted_at", Kind::Time),
    ("token_count", Kind::Number),
    ("content_hash", Kind::Text),
    ("embedding", Kind::Text),
];

/// The fields of a context.
pub(super) fn row(context: &Context) -> io::Result<Row> {
    match serde_json::to_value(context)? {
        Value::Object(row) => Ok(row),
        _ => Err(io::Error::other("a context is no object")),
    }
}

/// A value from the text of a cell; what is not of its kind stays text, and is refused by name.
pub(super) fn value(kind: Kind, text: &str) -> Value {
    let parsed = match kind {
        _ if text.is_empty() => return Value::Null,
        Kind::Text | Kind::Time => None,
        Kind::Number => text.parse::<i64>().ok().map(Value::from),
        Kind::Object => serde_json::from_str(text).ok(),
    };
    parsed.unwrap_or_else(|| text.into())
}

/// The text of a cell.
pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
