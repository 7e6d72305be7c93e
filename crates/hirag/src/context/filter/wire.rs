//! The JSON of filters.

use serde::{Deserialize, Serialize};

use super::{Condition, Field, Filter, Range, Test, Value};
use crate::context::ContextError;

/// A condition as it is written: a key and exactly one of the tests.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Condition))]
#[cfg_attr(feature = "ts", ts(rename = "Condition"))]
#[serde(deny_unknown_fields)]
pub(super) struct WireCondition {
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

impl Filter {
    /// A filter from its JSON text.
    ///
    /// # Errors
    /// [`ContextError::MalformedFilter`] with the place and the rule.
    pub fn from_json(json: &str) -> Result<Self, ContextError> {
        let malformed = |e: serde_json::Error| ContextError::MalformedFilter(e.to_string());
        let filter = serde_json::from_str(json).map_err(malformed)?;
        // A list is read as the fields in their order; an empty one would let everything through.
        if json.trim_start().starts_with('[') {
            let rule =
                "it must be an object: {\"must\": [...], \"should\": [...], \"must_not\": [...]}";
            return Err(ContextError::MalformedFilter(rule.to_owned()));
        }
        Ok(filter)
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
        let long = format!(
            r#"{{"must":[{{"key":"{}","match":1}}]}}"#,
            "k".repeat(20_000)
        );
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
            ("[]", "must be an object"),
            (" [[], [], []]", "must be an object"),
            (&long, "over the limit of 4111"),
        ] {
            let error = Filter::from_json(json).unwrap_err();
            assert_eq!(error.code(), "invalid_filter");
            assert!(error.to_string().contains(hint), "{json}: {error}");
            assert!(error.to_string().len() < 1_000, "{error}");
        }
    }
}
