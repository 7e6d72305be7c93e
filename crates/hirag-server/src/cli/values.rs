//! Values of the command line: text to what is meant, or the rule that it breaks.

use std::ffi::OsString;
use std::io::Read;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use hirag::config::Period;
use hirag::context::{
    Condition, ContextError, ContextLevel, Filter, Metadata, SearchMode, parse_time,
};
use hirag::export::ExportFormat;
use hirag::import::Format;
use hirag::store::Order;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::args::{Owner, Which};
use crate::commands::Result;
use crate::load::{LoadError, Queries, Share, parse_mix};

/// `key=value` of metadata.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MetaPair {
    key: String,
    value: Value,
}

impl FromStr for MetaPair {
    type Err = String;

    fn from_str(pair: &str) -> Result<Self, String> {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| format!("`{pair}` has no `=`; write key=value"))?;
        let key = key.trim();
        if key.is_empty() {
            return Err(format!("`{pair}` has no key; write key=value"));
        }
        let value = read_value(value).ok_or_else(|| {
            format!("the value of `{key}` is nested too deep; metadata has at most 16 levels")
        })?;
        Ok(Self {
            key: key.to_owned(),
            value,
        })
    }
}

/// JSON where it is any but a string, which needs no quotes here; otherwise text. `None` for JSON
/// that is too deep to be read: kept as text, it would not be what was meant.
fn read_value(text: &str) -> Option<Value> {
    Some(match serde_json::from_str(text) {
        Err(error) if error.to_string().starts_with("recursion limit") => return None,
        Ok(Value::String(_)) | Err(_) => text.into(),
        // A number of many digits is an account or a telephone, and must keep them.
        Ok(Value::Number(n)) if n.is_f64() && !text.contains(['.', 'e', 'E']) => text.into(),
        Ok(value) => value,
    })
}

/// The metadata of pairs; of equal keys, the last counts.
pub(super) fn metadata(pairs: Vec<MetaPair>) -> Metadata {
    pairs
        .into_iter()
        .map(|pair| (pair.key, pair.value))
        .collect()
}

/// When something expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expiry {
    /// So long from now.
    After(Duration),
    /// At this time.
    At(Timestamp),
    /// Not at all.
    Never,
}

impl FromStr for Expiry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().eq_ignore_ascii_case("never") {
            return Ok(Self::Never);
        }
        if let Ok(period) = text.parse::<Period>() {
            return Ok(Self::After(period.duration()));
        }
        parse_time(text).map(Self::At).map_err(|_| {
            format!(
                "`{text}` is no length of time (30s, 12h, 7d) and no time (2026-01-31, \
                 2026-01-31T12:00:00Z), nor `never`"
            )
        })
    }
}

impl Expiry {
    /// The moment, seen from `now`; `None` is never.
    pub(super) fn moment(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::After(length) => {
                let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
                Some(now.saturating_add(length).unwrap_or(Timestamp::MAX))
            }
            Self::At(moment) => Some(moment),
            Self::Never => None,
        }
    }
}

/// An expiry to store with; what never expires is for the level to say.
pub(super) fn expiry_of_new(text: &str) -> Result<Expiry, String> {
    match text.parse()? {
        Expiry::Never => Err("a new context keeps as long as its level's settings say; \
                              afterwards, `hirag update ID --expires never` keeps it for ever"
            .to_owned()),
        expiry => Ok(expiry),
    }
}

pub(super) fn period(text: &str) -> Result<Period, String> {
    text.parse()
}

pub(super) fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("it must be a whole number, 1 or more".to_owned()),
    }
}

pub(super) fn condition(pair: &str) -> Result<Condition, ContextError> {
    Filter::parse_pair(pair)
}

pub(super) fn where_json(json: &str) -> Result<Filter, ContextError> {
    Filter::from_json(json)
}

pub(super) fn format() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::names()).try_map(|name| name.parse::<Format>())
}

pub(super) fn export_format() -> impl TypedValueParser<Value = ExportFormat> {
    PossibleValuesParser::new(ExportFormat::ALL.map(ExportFormat::name))
        .try_map(|name| name.parse::<ExportFormat>())
}

pub(super) fn mode() -> impl TypedValueParser<Value = SearchMode> {
    PossibleValuesParser::new(["hybrid", "vector", "text"]).map(|name| match name.as_str() {
        "vector" => SearchMode::Vector,
        "text" => SearchMode::Text,
        _ => SearchMode::Hybrid,
    })
}

/// The operations of a load with their weights.
#[derive(Debug, Clone)]
pub(super) struct Mix(pub(super) Vec<Share>);

pub(super) fn mix(text: &str) -> Result<Mix, LoadError> {
    parse_mix(text).map(Mix)
}

pub(super) fn queries() -> impl TypedValueParser<Value = Queries> {
    PossibleValuesParser::new(["repeated", "fresh"]).map(|name| match name.as_str() {
        "fresh" => Queries::Fresh,
        _ => Queries::Repeated,
    })
}

/// The orders of a list, by their names here.
const ORDERS: [(&str, Order); Order::ALL.len()] = [
    ("newest-first", Order::NewestFirst),
    ("oldest-first", Order::OldestFirst),
    ("recently-changed", Order::RecentlyChanged),
    ("recently-used", Order::RecentlyUsed),
    ("most-used", Order::MostUsed),
    ("longest-first", Order::LongestFirst),
];

pub(super) fn order() -> impl TypedValueParser<Value = Order> {
    PossibleValuesParser::new(ORDERS.map(|(name, _)| name)).map(|given| {
        let named = ORDERS.into_iter().find(|(name, _)| *name == given);
        named.map_or_else(Order::default, |(_, order)| order)
    })
}

/// All conditions of the options in one filter.
pub(super) fn filter_of(which: Which, level: Option<ContextLevel>) -> Result<Filter, ContextError> {
    let mut filter = which.where_.unwrap_or_default();
    filter.must.extend(which.filter);
    let Owner { agent, session } = which.owner;
    let level = level.map(|level| level.to_string());
    for (key, value) in [("agent", agent), ("session", session), ("level", level)] {
        if let Some(value) = value {
            filter.must.push(Condition::equals(key, value.as_str())?);
        }
    }
    Ok(filter)
}

/// The text of an argument; `-` is all of standard input.
pub(super) fn text_or_stdin(argument: OsString, limit: usize) -> Result<String> {
    if argument != "-" {
        return text(argument, "the text");
    }
    // One byte more than is allowed tells that there are too many, however many there are.
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        let bytes = bytes.len();
        return Err(ContextError::TextTooLong { bytes, limit }.into());
    }
    utf8(bytes, "standard input")
}

/// The text of an argument.
pub(super) fn text(argument: OsString, what: &str) -> Result<String> {
    utf8(argument.into_encoded_bytes(), what)
}

fn utf8(bytes: Vec<u8>, what: &str) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        ContextError::InvalidUtf8 {
            what: what.to_owned(),
            offset: error.utf8_error().valid_up_to(),
        }
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn value_of(pair: &str) -> Value {
        pair.parse::<MetaPair>().unwrap().value
    }

    #[test]
    fn json_that_is_too_deep_to_be_read_is_no_text() {
        let deep = format!("k={}{}", "[".repeat(500), "]".repeat(500));
        let error = deep.parse::<MetaPair>().unwrap_err();
        assert!(error.contains("`k`") && error.contains("16"), "{error}");
        assert_eq!(value_of("k=[[["), json!("[[["));
    }

    #[test]
    fn metadata_is_json_where_it_reads_as_such_and_text_otherwise() {
        assert_eq!(value_of("year=2024"), json!(2024));
        assert_eq!(value_of("ratio=-1.5"), json!(-1.5));
        assert_eq!(value_of("draft=false"), json!(false));
        assert_eq!(value_of("gone=null"), Value::Null);
        assert_eq!(value_of("tags=[\"a\",1]"), json!(["a", 1]));
        assert_eq!(
            value_of("author={\"name\":\"Ada\"}"),
            json!({"name": "Ada"})
        );
        assert_eq!(value_of("name=\"Ada\""), json!("\"Ada\""));
        assert_eq!(value_of("formula=a=b"), json!("a=b"));
        assert_eq!(value_of("zip=00501"), json!("00501"));
        let long = "123456789012345678901234567890";
        assert_eq!(value_of(&format!("account={long}")), json!(long));
        assert_eq!(value_of("empty="), json!(""));
    }

    #[test]
    fn metadata_needs_a_key_and_an_equals_sign() {
        assert!("novalue".parse::<MetaPair>().is_err());
        assert!("=value".parse::<MetaPair>().is_err());
    }

    #[test]
    fn an_expiry_is_a_length_a_time_or_never() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let moment = |text: &str| text.parse::<Expiry>().unwrap().moment(now);
        assert_eq!(moment("2d").unwrap().to_string(), "2026-01-03T00:00:00Z");
        assert_eq!(moment("90").unwrap().to_string(), "2026-01-01T00:01:30Z");
        assert_eq!(
            moment("2027-05-01").unwrap().to_string(),
            "2027-05-01T00:00:00Z"
        );
        assert_eq!(moment("Never"), None);
        assert!("soon".parse::<Expiry>().unwrap_err().contains("soon"));
    }

    #[test]
    fn filters_of_all_options_must_all_hold() {
        let which = Which {
            filter: vec![condition("topic=git").unwrap()],
            where_: Some(where_json(r#"{"must": [{"key": "year", "exists": true}]}"#).unwrap()),
            owner: Owner {
                agent: Some("a".to_owned()),
                session: None,
            },
        };
        let filter = filter_of(which, Some(ContextLevel::ShortTerm)).unwrap();
        let keys: Vec<String> = filter.must.iter().map(|c| c.field.key()).collect();
        assert_eq!(keys, ["metadata.year", "metadata.topic", "agent", "level"]);
    }

    #[cfg(unix)]
    #[test]
    fn an_argument_that_is_not_utf8_is_an_invalid_text() {
        use std::os::unix::ffi::OsStringExt;
        let error = text(OsString::from_vec(vec![b'a', 0xff]), "the query").unwrap_err();
        assert_eq!(error.code(), "invalid_text");
        assert!(error.to_string().contains("offset 1"), "{error}");
    }
}
