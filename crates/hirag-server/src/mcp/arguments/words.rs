//! The words that several arguments share, and the filter that they make.

use rmcp::model::JsonObject;
use rmcp::schemars::{self, JsonSchema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A level of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(in crate::mcp) enum Level {
    #[serde(alias = "L1", alias = "immediate")]
    Immediate,
    #[serde(alias = "L2", alias = "short_term")]
    ShortTerm,
    #[serde(alias = "L3", alias = "long_term")]
    LongTerm,
}

/// What comes first in a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::mcp) enum Order {
    #[default]
    NewestFirst,
    OldestFirst,
    RecentlyChanged,
    RecentlyUsed,
    MostUsed,
    LongestFirst,
}

/// How candidates are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::mcp) enum Mode {
    #[default]
    Hybrid,
    Vector,
    Text,
}

/// The filter for what must all hold.
pub(in crate::mcp) fn filter(
    level: Option<Level>,
    session: Option<&String>,
    agent: Option<&String>,
    metadata: Option<&JsonObject>,
) -> Value {
    let mut must = Vec::new();
    if let Some(level) = level {
        must.push(json!({ "key": "level", "match": level }));
    }
    for (key, value) in [("session", session), ("agent", agent)] {
        if let Some(value) = value {
            must.push(json!({ "key": key, "match": value }));
        }
    }
    for (key, value) in metadata.into_iter().flatten() {
        let key = format!("metadata.{key}");
        must.push(match value {
            Value::Array(values) => json!({ "key": key, "any": values }),
            Value::Null => json!({ "key": key, "exists": false }),
            value => json!({ "key": key, "match": value }),
        });
    }
    json!({ "must": must })
}
