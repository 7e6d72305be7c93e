//! What a condition may ask of a field.

use super::{Condition, Field, Test, Value, parse_time};
use crate::context::{ContextError, ContextLevel};

/// Bytes of a path into metadata at most: what sixteen keys of the longest have.
const MAX_PATH_BYTES: usize = 4_111;

impl Condition {
    /// A condition, checked: levels must be known, time stamps well formed, lists not empty.
    ///
    /// # Errors
    /// [`ContextError::MalformedFilter`] with the key and the rule.
    pub fn new(field: Field, test: Test) -> Result<Self, ContextError> {
        let malformed =
            |rule: String| ContextError::MalformedFilter(format!("`{}`: {rule}", field.key()));
        match &field {
            Field::Metadata(path) if path.is_empty() => {
                return Err(malformed("the key is empty".to_owned()));
            }
            Field::Metadata(path) if path.len() > MAX_PATH_BYTES => {
                let start: String = path.chars().take(24).collect();
                return Err(ContextError::MalformedFilter(format!(
                    "the key that starts with `{start}` has {} bytes, over the limit of \
                     {MAX_PATH_BYTES}",
                    path.len()
                )));
            }
            _ => {}
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
