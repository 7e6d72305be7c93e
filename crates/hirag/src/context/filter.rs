use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{ContextError, ContextLevel};

/// Conditions on contexts, evaluated inside the search: all of `must`, at least one of `should`
/// (when there is any), none of `must_not`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// Every one must hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub must: Vec<Condition>,
    /// At least one must hold, if any is given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub should: Vec<Condition>,
    /// None may hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
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
    /// Present and not null (`true`), or absent or null (`false`).
    Exists(bool),
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
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

#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "ts", ts(rename = "Condition"))]
#[serde(deny_unknown_fields)]
struct WireCondition {
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    r#match: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    any: Option<Vec<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    range: Option<Range>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    exists: Option<bool>,
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

impl Condition {
    /// A condition, checked: levels must be known, time stamps well formed, lists not empty.
    ///
    /// # Errors
    /// [`ContextError::MalformedFilter`] with the key and the rule.
    pub fn new(field: Field, test: Test) -> Result<Self, ContextError> {
        let malformed =
            |rule: String| ContextError::MalformedFilter(format!("`{}`: {rule}", field.key()));
        if matches!(&field, Field::Metadata(path) if path.is_empty()) {
            return Err(malformed("the key is empty".to_owned()));
        }
        let values: Vec<&Value> = match &test {
            Test::AnyOf(values) if values.is_empty() => {
                return Err(malformed("`any` needs at least one value".to_owned()));
            }
            Test::AnyOf(values) => values.iter().collect(),
            Test::Range(range) => {
                let bounds: Vec<&Value> = range.bounds().map(|(_, value)| value).collect();
                if bounds.is_empty() {
                    return Err(malformed(
                        "`range` needs one of gt, gte, lt, lte".to_owned(),
                    ));
                }
                if bounds.iter().any(|bound| matches!(bound, Value::Bool(_))) {
                    return Err(malformed("`range` compares numbers or text".to_owned()));
                }
                // No value lies between a number and a text.
                let texts = bounds
                    .iter()
                    .filter(|b| matches!(b, Value::Text(_)))
                    .count();
                if texts > 0 && texts < bounds.len() {
                    return Err(malformed(
                        "the bounds of a `range` are all numbers or all text".to_owned(),
                    ));
                }
                bounds
            }
            Test::Exists(_) => Vec::new(),
        };
        for value in values {
            match (&field, value) {
                (Field::Level, Value::Text(level)) => {
                    level.parse::<ContextLevel>()?;
                }
                (Field::Level, _) => {
                    return Err(malformed("a level is text, e.g. `L2`".to_owned()));
                }
                (field, Value::Text(stamp)) if field.is_time() => {
                    parse_time(stamp).map_err(malformed)?;
                }
                (field, _) if field.is_time() => {
                    return Err(malformed(
                        "a time is text, e.g. `2026-01-31T12:00:00Z`".to_owned(),
                    ));
                }
                (Field::AccessCount | Field::TokenCount, Value::Text(_) | Value::Bool(_)) => {
                    return Err(malformed("compare it with a number".to_owned()));
                }
                (Field::Agent | Field::Session | Field::Source, value)
                    if !matches!(value, Value::Text(_)) =>
                {
                    return Err(malformed("compare it with text".to_owned()));
                }
                (_, Value::Float(number)) if !number.is_finite() => {
                    return Err(malformed("numbers must be finite".to_owned()));
                }
                _ => {}
            }
        }
        Ok(Self { field, test })
    }

    /// `field` equals `value`.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn equals(key: &str, value: impl Into<Value>) -> Result<Self, ContextError> {
        Self::new(Field::parse(key), Test::AnyOf(vec![value.into()]))
    }
}

/// A point in time from text: RFC 3339, a civil time (taken as UTC), or a date (its first moment).
///
/// # Errors
/// A sentence that shows the forms.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Ok(stamp);
    }
    let civil = text
        .parse::<jiff::civil::DateTime>()
        .or_else(|_| text.parse::<jiff::civil::Date>().map(Into::into));
    civil
        .and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC))
        .map(|zoned| zoned.timestamp())
        .map_err(|_| {
            format!("`{text}` is not a time; write 2026-01-31, 2026-01-31T12:00:00 or 2026-01-31T12:00:00Z")
        })
}

impl Filter {
    /// Whether it lets everything through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.must.is_empty() && self.should.is_empty() && self.must_not.is_empty()
    }

    /// A filter from its JSON text.
    ///
    /// # Errors
    /// [`ContextError::MalformedFilter`] with the place and the rule.
    pub fn from_json(json: &str) -> Result<Self, ContextError> {
        serde_json::from_str(json).map_err(|e| ContextError::MalformedFilter(e.to_string()))
    }

    /// The filter that a `key=value` word of the command line means. The value matches as text
    /// and, where it reads as a number or a truth value, as that too.
    ///
    /// # Errors
    /// [`ContextError::MalformedFilter`] when there is no `=`, or the field does not take the value.
    pub fn parse_pair(pair: &str) -> Result<Condition, ContextError> {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            ContextError::MalformedFilter(format!("`{pair}` has no `=`; write key=value"))
        })?;
        let field = Field::parse(key.trim());
        let number = value.trim().parse::<i64>().map(Value::Int);
        let number = number.or_else(|_| value.trim().parse::<f64>().map(Value::Float));
        let values = match (&field, number) {
            (Field::AccessCount | Field::TokenCount, Ok(number)) => vec![number],
            (Field::Metadata(_), Ok(number)) if !matches!(number, Value::Float(n) if !n.is_finite()) =>
            {
                vec![number, value.into()]
            }
            (Field::Metadata(_), _) if matches!(value, "true" | "false") => {
                vec![Value::Bool(value == "true"), value.into()]
            }
            _ => vec![value.into()],
        };
        Condition::new(field, Test::AnyOf(values))
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

impl TryFrom<WireCondition> for Condition {
    type Error = ContextError;

    fn try_from(wire: WireCondition) -> Result<Self, ContextError> {
        let tests = [
            wire.r#match.map(|value| Test::AnyOf(vec![value])),
            wire.any.map(Test::AnyOf),
            wire.range.map(Test::Range),
            wire.exists.map(Test::Exists),
        ];
        let mut given = tests.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(test), None) => Self::new(Field::parse(&wire.key), test),
            _ => Err(ContextError::MalformedFilter(format!(
                "`{}` needs exactly one of match, any, range, exists",
                wire.key
            ))),
        }
    }
}

impl From<Condition> for WireCondition {
    fn from(condition: Condition) -> Self {
        let mut wire = Self {
            key: condition.field.key(),
            r#match: None,
            any: None,
            range: None,
            exists: None,
        };
        match condition.test {
            Test::AnyOf(mut values) if values.len() == 1 => wire.r#match = values.pop(),
            Test::AnyOf(values) => wire.any = Some(values),
            Test::Range(range) => wire.range = Some(range),
            Test::Exists(exists) => wire.exists = Some(exists),
        }
        wire
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_reads_and_writes_its_json() {
        let text = r#"{"must":[{"key":"level","match":"L3"},{"key":"metadata.stars","range":{"gte":3}}],
            "should":[{"key":"tags","any":["rust","git"]}],"must_not":[{"key":"draft","exists":true}]}"#;
        let filter = Filter::from_json(text).unwrap();
        assert_eq!(filter.must[1].field, Field::Metadata("stars".to_owned()));
        let again = Filter::from_json(&serde_json::to_string(&filter).unwrap()).unwrap();
        assert_eq!(again, filter);
    }

    #[test]
    fn malformed_filters_are_refused_with_the_rule() {
        for (json, hint) in [
            (r#"{"must":[{"key":"a"}]}"#, "exactly one"),
            (
                r#"{"must":[{"key":"a","match":1,"exists":true}]}"#,
                "exactly one",
            ),
            (r#"{"must":[{"key":"a","any":[]}]}"#, "at least one"),
            (r#"{"must":[{"key":"a","range":{}}]}"#, "gt, gte"),
            (
                r#"{"must":[{"key":"a","range":{"gt":1,"lt":"z"}}]}"#,
                "all numbers or all text",
            ),
            (r#"{"must":[{"key":"level","match":"L9"}]}"#, "L9"),
            (
                r#"{"must":[{"key":"created_at","range":{"gt":"yesterday"}}]}"#,
                "yesterday",
            ),
            (r#"{"must":[{"key":"","match":1}]}"#, "empty"),
            (r#"{"musst":[]}"#, "musst"),
            ("[", "EOF"),
        ] {
            let error = Filter::from_json(json).unwrap_err();
            assert_eq!(error.code(), "invalid_filter");
            assert!(error.to_string().contains(hint), "{json}: {error}");
        }
    }

    #[test]
    fn a_pair_matches_as_text_and_as_number() {
        let condition = Filter::parse_pair("year=2024").unwrap();
        assert_eq!(
            condition.test,
            Test::AnyOf(vec![Value::Int(2024), Value::Text("2024".to_owned())])
        );
        assert!(Filter::parse_pair("no-equals-sign").is_err());
    }

    #[test]
    fn times_are_read_in_three_forms() {
        let expected = "2026-01-31T00:00:00Z".parse().unwrap();
        for text in [
            "2026-01-31",
            "2026-01-31T00:00:00",
            "2026-01-31T01:00:00+01:00",
        ] {
            assert_eq!(parse_time(text), Ok(expected), "{text}");
        }
    }
}
