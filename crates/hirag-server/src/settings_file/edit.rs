//! Changes to TOML text that leave everything else as it is.

use std::path::Path;

use hirag::config::ConfigError;
use serde_json::Value as Json;
use toml_edit::{DocumentMut, Item, Table, Value};

use super::SettingChange;

/// The text after the changes.
pub(super) fn apply(
    text: &str,
    path: &Path,
    changes: &[SettingChange],
) -> Result<String, ConfigError> {
    let mut text = text.to_owned();
    for change in changes {
        let parts: Vec<&str> = change.key.split('.').collect();
        text = match &change.value {
            Json::Null => without(&text, path, &parts)?,
            value => with(&text, path, &change.key, &parts, value)?,
        };
    }
    Ok(text)
}

fn with(
    text: &str,
    path: &Path,
    key: &str,
    parts: &[&str],
    value: &Json,
) -> Result<String, ConfigError> {
    let mut document: DocumentMut = text.parse().map_err(|error| syntax(text, path, &error))?;
    let (name, sections) = match parts.split_last() {
        Some((name, sections)) if parts.iter().all(|part| !part.is_empty()) => (*name, sections),
        _ => return Err(unknown(key)),
    };
    let mut new = to_toml(value).ok_or_else(|| ConfigError::Invalid {
        key: key.to_owned(),
        value: value.to_string(),
        rule: "must be text, a number, `true` or `false`".to_owned(),
    })?;
    let mut at: &mut Item = document.as_item_mut();
    for section in sections {
        if at.get(section).is_none() {
            let mut made = Table::new();
            // A section that only holds sections needs no line of its own.
            made.set_implicit(true);
            let Some(table) = at.as_table_like_mut() else {
                return Err(unknown(key));
            };
            table.insert(section, Item::Table(made));
        }
        at = at.get_mut(section).ok_or_else(|| unknown(key))?;
    }
    let Some(table) = at.as_table_like_mut() else {
        return Err(unknown(key));
    };
    match table.get_mut(name) {
        Some(Item::Value(old)) => {
            // A comment behind the value is the person's.
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        _ => {
            table.insert(name, Item::Value(new));
        }
    }
    Ok(document.to_string())
}

/// Takes the lines of a key out of the text. Comments above it stay: they are the person's.
fn without(text: &str, path: &Path, parts: &[&str]) -> Result<String, ConfigError> {
    let document = toml_edit::Document::parse(text).map_err(|error| syntax(text, path, &error))?;
    let Some((name, sections)) = parts.split_last() else {
        return Ok(text.to_owned());
    };
    let mut at: &Item = document.as_item();
    for section in sections {
        match at.get(section) {
            Some(inner) => at = inner,
            None => return Ok(text.to_owned()),
        }
    }
    if at.is_inline_table() {
        // There is no line to take out.
        return removed_inline(text, path, sections, name);
    }
    let found = at
        .as_table_like()
        .and_then(|table| table.get_key_value(name));
    let Some((key, item)) = found else {
        return Ok(text.to_owned());
    };
    let (Some(key), Some(value)) = (key.span(), item.span()) else {
        return Ok(text.to_owned());
    };
    // A dotted key begins before its last part.
    let begin = text[..key.start].rfind('\n').map_or(0, |end| end + 1);
    let end = text[value.end..]
        .find('\n')
        .map_or(text.len(), |end| value.end + end + 1);
    Ok(format!("{}{}", &text[..begin], &text[end..]))
}

fn removed_inline(
    text: &str,
    path: &Path,
    sections: &[&str],
    name: &str,
) -> Result<String, ConfigError> {
    let mut document: DocumentMut = text.parse().map_err(|error| syntax(text, path, &error))?;
    let mut at: Option<&mut Item> = Some(document.as_item_mut());
    for section in sections {
        at = at.and_then(|item| item.get_mut(section));
    }
    if let Some(table) = at.and_then(Item::as_table_like_mut) {
        table.remove(name);
    }
    Ok(document.to_string())
}

fn to_toml(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Bool(value) => (*value).into(),
        Json::String(text) => text.as_str().into(),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Json::Null | Json::Array(_) | Json::Object(_) => return None,
    })
}

fn unknown(key: &str) -> ConfigError {
    ConfigError::UnknownKey {
        key: key.to_owned(),
        closest: None,
    }
}

fn syntax(text: &str, path: &Path, error: &toml_edit::TomlError) -> ConfigError {
    let before = error
        .span()
        .and_then(|span| text.get(..span.start))
        .unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    ConfigError::Syntax {
        path: Some(path.to_owned()),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        reason: error.message().to_owned(),
    }
}
