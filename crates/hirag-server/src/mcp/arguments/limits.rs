//! The limits of arguments, and how they are held.

use std::fmt::Display;
use std::ops::RangeInclusive;

use rmcp::model::JsonObject;
use rmcp::schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::commands::Failure;

/// Characters of a text: as many as the memory's own limit has bytes.
pub(super) const TEXT: usize = 1_048_576;
/// Characters of a query.
pub(super) const QUERY: usize = 4_096;
/// Characters of a name.
pub(super) const NAME: usize = 256;
/// Characters of a source.
pub(super) const SOURCE: usize = 2_048;
/// Characters of an id, with the address before it.
pub(super) const ID: usize = 64;
/// Characters of a cursor.
pub(super) const CURSOR: usize = 1_024;
/// Characters of a time.
pub(super) const TIME: usize = 64;
/// Keys of metadata.
pub(super) const KEYS: usize = 64;
/// Contexts of one answer.
pub(super) const LISTED: u32 = 50;
/// Contexts that are deleted at once.
pub(super) const DELETED: usize = 100;
/// Tokens of one answer.
pub(super) const LEAST_TOKENS: u32 = 64;
pub(in crate::mcp) const MOST_TOKENS: u32 = 20_000;

/// Arguments with limits.
pub(in crate::mcp) trait Checked: DeserializeOwned + JsonSchema {
    /// Refuses what is over a limit.
    fn check(&self) -> Result<(), Failure>;
}

/// Reads arguments and holds them to their limits.
///
/// # Errors
/// `invalid_arguments` with the name, what is wrong with it, and the rule.
pub(in crate::mcp) fn read<T: Checked>(arguments: Option<JsonObject>) -> Result<T, Failure> {
    let arguments = Value::Object(arguments.unwrap_or_default());
    let arguments: T = serde_json::from_value(arguments)
        .map_err(|error| bad(format!("the arguments are not understood: {error}")))?;
    arguments.check()?;
    Ok(arguments)
}

pub(super) fn bad(message: String) -> Failure {
    Failure {
        code: "invalid_arguments".to_owned(),
        message,
    }
}

pub(super) fn within<T: PartialOrd + Display + Copy>(
    name: &str,
    value: Option<T>,
    range: RangeInclusive<T>,
) -> Result<(), Failure> {
    match value {
        Some(value) if !range.contains(&value) => Err(bad(format!(
            "`{name}` is {value}; it must be between {} and {}",
            range.start(),
            range.end()
        ))),
        _ => Ok(()),
    }
}

/// A text that says something, `most` characters at most.
pub(super) fn text(name: &str, value: Option<&String>, most: usize) -> Result<(), Failure> {
    let Some(value) = value else { return Ok(()) };
    let chars = value.chars().count();
    if value.trim().is_empty() || chars > most {
        return Err(bad(format!(
            "`{name}` has {chars} characters; it must have 1 to {most} and not be blank"
        )));
    }
    Ok(())
}

pub(super) fn keys(name: &str, value: Option<&JsonObject>) -> Result<(), Failure> {
    within(name, value.map(serde_json::Map::len), 0..=KEYS).map_err(|_| {
        bad(format!(
            "`{name}` has more than {KEYS} keys; leave some out"
        ))
    })
}
