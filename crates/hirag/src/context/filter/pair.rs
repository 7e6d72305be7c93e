//! The short form of filters on the command line.

use super::{Condition, Field, Filter, Test, Value};
use crate::context::ContextError;

impl Filter {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_matches_as_text_and_as_number() {
        let condition = Filter::parse_pair("year=2024").unwrap();
        assert_eq!(
            condition.test,
            Test::AnyOf(vec![Value::Int(2024), Value::Text("2024".to_owned())])
        );
        assert!(Filter::parse_pair("no-equals-sign").is_err());
    }
}
