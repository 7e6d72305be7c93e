mod check;
mod pair;
mod time;
mod wire;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub use self::time::parse_time;
use self::wire::WireCondition;

/// Conditions on contexts, evaluated inside the search: all of `must`, at least one of `should`
/// (when there is any), none of `must_not`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// Every one must hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<WireCondition>))]
    pub must: Vec<Condition>,
    /// At least one must hold, if any is given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<WireCondition>))]
    pub should: Vec<Condition>,
    /// None may hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<WireCondition>))]
    pub must_not: Vec<Condition>,
}

/// One condition: a field and a test, e.g. `{"key": "topic", "any": ["rust", "git"]}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(try_from = "WireCondition", into = "WireCondition")]
#[cfg_attr(feature = "ts", ts(as = "WireCondition"))]
pub struct Condition {
    /// Which field.
    pub field: Field,
    /// What must be true of it.
    pub test: Test,
}

/// A field that a filter can ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// `level`
    Level,
    /// `agent`
    Agent,
    /// `session`
    Session,
    /// `source`
    Source,
    /// `created_at`
    CreatedAt,
    /// `updated_at`
    UpdatedAt,
    /// `accessed_at`
    AccessedAt,
    /// `access_count`
    AccessCount,
    /// `token_count`
    TokenCount,
    /// Any other key: a path into the metadata, its parts joined by dots. `metadata.x` is the
    /// same as `x`, and reaches keys that are named like a field above.
    Metadata(String),
}

/// What must be true of a field. On a metadata array, of one of its elements.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Equal to one of these.
    AnyOf(Vec<Value>),
    /// Within these bounds.
    Range(Range),
    /// Holds a value (`true`), or none (`false`). Null is no value, and neither is an array or an
    /// object without one inside: for a filter `{"tags": []}` has no `tags`.
    Exists(bool),
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`; differs from 1 and 0.
    Bool(bool),
    /// A whole number.
    Int(#[cfg_attr(feature = "ts", ts(type = "number"))] i64),
    /// Any other number.
    Float(f64),
    /// Text; for time fields a time stamp (RFC 3339), for levels a level.
    Text(String),
}

/// Bounds; those that are absent do not bind. Numbers compare as numbers, text as text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Greater than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gt: Option<Value>,
    /// Greater than or equal to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gte: Option<Value>,
    /// Less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lt: Option<Value>,
    /// Less than or equal to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lte: Option<Value>,
}

impl Range {
    /// The bounds that bind, each with its SQL comparison.
    pub fn bounds(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        [
            (">", &self.gt),
            (">=", &self.gte),
            ("<", &self.lt),
            ("<=", &self.lte),
        ]
        .into_iter()
        .filter_map(|(operator, bound)| bound.as_ref().map(|value| (operator, value)))
    }
}

impl Field {
    /// The field of a filter key.
    #[must_use]
    pub fn parse(key: &str) -> Self {
        match key {
            "level" => Self::Level,
            "agent" => Self::Agent,
            "session" => Self::Session,
            "source" => Self::Source,
            "created_at" => Self::CreatedAt,
            "updated_at" => Self::UpdatedAt,
            "accessed_at" => Self::AccessedAt,
            "access_count" => Self::AccessCount,
            "token_count" => Self::TokenCount,
            other => Self::Metadata(other.strip_prefix("metadata.").unwrap_or(other).to_owned()),
        }
    }

    /// The filter key of this field.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Level => "level".to_owned(),
            Self::Agent => "agent".to_owned(),
            Self::Session => "session".to_owned(),
            Self::Source => "source".to_owned(),
            Self::CreatedAt => "created_at".to_owned(),
            Self::UpdatedAt => "updated_at".to_owned(),
            Self::AccessedAt => "accessed_at".to_owned(),
            Self::AccessCount => "access_count".to_owned(),
            Self::TokenCount => "token_count".to_owned(),
            Self::Metadata(path) => format!("metadata.{path}"),
        }
    }

    fn is_time(&self) -> bool {
        matches!(self, Self::CreatedAt | Self::UpdatedAt | Self::AccessedAt)
    }
}

impl Filter {
    /// Whether it lets everything through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.must.is_empty() && self.should.is_empty() && self.must_not.is_empty()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl TryFrom<&Json> for Value {
    type Error = ();

    fn try_from(json: &Json) -> Result<Self, ()> {
        match json {
            Json::Bool(b) => Ok(Self::Bool(*b)),
            Json::Number(n) => n
                .as_i64()
                .map(Self::Int)
                .or_else(|| n.as_f64().map(Self::Float))
                .ok_or(()),
            Json::String(s) => Ok(Self::Text(s.clone())),
            _ => Err(()),
        }
    }
}
