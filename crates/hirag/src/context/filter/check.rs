//! What a condition may ask of a field.

use super::{Condition, Field, Filter, Test, Value, parse_time};
use crate::context::{ContextError, ContextLevel};

/// Bytes of a path into metadata at most: what sixteen keys of the longest have.
const MAX_PATH_BYTES: usize = 4_111;
/// Conditions of a filter at most. SQLite nests them, and goes a thousand deep.
const MAX_CONDITIONS: usize = 256;
/// Values in all of them at most; SQLite takes some 32,000.
const MAX_VALUES: usize = 10_000;

impl Filter {
    /// Checks how much it asks; what each condition may ask is known since [`Condition::new`].
    ///
    /// # Errors
    /// [`ContextError::MalformedFilter`] with the number and the limit.
    pub fn check_size(&self) -> Result<(), ContextError> {
        let conditions = || self.must.iter().chain(&self.should).chain(&self.must_not);
        let values = conditions().map(|condition| match &condition.test {
            Test::AnyOf(values) => values.len(),
            Test::Range(_) | Test::Exists(_) => 0,
        });
        for (number, limit, things) in [
            (conditions().count(), MAX_CONDITIONS, "conditions"),
            (values.sum(), MAX_VALUES, "values to compare with"),
        ] {
            if number > limit {
                return Err(ContextError::MalformedFilter(format!(
                    "it has {number} {things}, over the limit of {limit}"
                )));
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_asks_too_much_is_refused_with_the_number_and_the_limit() {
        let one = || Condition::equals("topic", "owls").unwrap();
        let many = |conditions: usize| Filter {
            must: (0..conditions / 2).map(|_| one()).collect(),
            must_not: (0..conditions.div_ceil(2)).map(|_| one()).collect(),
            ..Filter::default()
        };
        many(256).check_size().unwrap();
        let error = many(257).check_size().unwrap_err();
        assert_eq!(error.code(), "invalid_filter");
        assert!(error.to_string().contains("257 conditions"), "{error}");
        let values = |number: i64| Filter {
            should: vec![
                Condition::new(
                    Field::parse("year"),
                    Test::AnyOf((0..number).map(Value::Int).collect()),
                )
                .unwrap(),
            ],
            ..Filter::default()
        };
        values(10_000).check_size().unwrap();
        let error = values(10_001).check_size().unwrap_err();
        assert!(error.to_string().contains("10001 values"), "{error}");
    }
}
