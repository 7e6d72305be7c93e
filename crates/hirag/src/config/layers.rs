//! Settings laid over each other: defaults, then a file, then the environment.

use serde::Deserialize;
use toml::{Table, Value};

use super::{Config, ConfigError};

/// Starts the name of every environment variable that is ours.
const PREFIX: &str = "HIRAG_";

/// The path of a setting, and its value.
type Change = (Vec<String>, Value);

/// A tree of settings that has exactly the keys of the defaults.
pub(super) struct Layers {
    /// Tells the keys and their types; a file may have put a number where the default is text.
    defaults: Table,
    table: Table,
}

impl Layers {
    pub(super) fn over(defaults: Table) -> Self {
        Self {
            table: defaults.clone(),
            defaults,
        }
    }

    /// Lays a file's settings over these.
    pub(super) fn file(&mut self, file: Table) -> Result<(), ConfigError> {
        let mut changes = Vec::new();
        self.collect(&file, &mut Vec::new(), &mut changes)?;
        self.apply(changes)
    }

    /// Lays the variables that start with `HIRAG_` over these.
    pub(super) fn environment(
        &mut self,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        let known: Vec<_> = leaves(&self.defaults)
            .into_iter()
            .map(|path| (variable(&path), path))
            .collect();
        let mut changes = Vec::new();
        for (name, text) in variables.filter(|(name, _)| name.starts_with(PREFIX)) {
            if let Some((_, path)) = known.iter().find(|(known, _)| *known == name) {
                changes.push((path.clone(), self.read(path, text)));
            } else if !is_reserved(&name) {
                let closest = closest(&name, known.iter().map(|(name, _)| name.as_str()));
                return Err(ConfigError::UnknownVariable { name, closest });
            }
        }
        self.apply(changes)
    }

    /// The settings, their ranges not yet checked.
    pub(super) fn finish(self) -> Result<Config, ConfigError> {
        Config::deserialize(self.table).map_err(|error| invalid("", "", error.message()))
    }

    /// The known keys that `file` gives, with their values.
    fn collect(
        &self,
        file: &Table,
        at: &mut Vec<String>,
        changes: &mut Vec<Change>,
    ) -> Result<(), ConfigError> {
        for (name, value) in file {
            at.push(name.clone());
            match (get(&self.defaults, at), value) {
                (None, _) => return Err(self.unknown(&at.join("."))),
                (Some(Value::Table(_)), Value::Table(inner)) => self.collect(inner, at, changes)?,
                (Some(Value::Table(_)), other) => {
                    let key = at.join(".");
                    let rule = format!("is a section; write its keys below `[{key}]`");
                    return Err(invalid(&key, other, &rule));
                }
                (Some(_), _) => changes.push((at.clone(), value.clone())),
            }
            at.pop();
        }
        Ok(())
    }

    /// Puts the values in place, or says which one cannot be.
    fn apply(&mut self, changes: Vec<Change>) -> Result<(), ConfigError> {
        let before = self.table.clone();
        for (path, value) in &changes {
            self.set(path, value)?;
        }
        if Config::deserialize(self.table.clone()).is_ok() {
            return Ok(());
        }
        // A choice or a length of time is wrong, and the error does not tell where: it is the one
        // with which the settings stop being readable.
        self.table = before;
        for (path, value) in &changes {
            self.set(path, value)?;
            if let Err(error) = Config::deserialize(self.table.clone()) {
                return Err(invalid(&path.join("."), value, &rule_of(error.message())));
            }
        }
        Ok(())
    }

    fn set(&mut self, path: &[String], value: &Value) -> Result<(), ConfigError> {
        let key = path.join(".");
        let (Some(default), Some(place)) =
            (get(&self.defaults, path), get_mut(&mut self.table, path))
        else {
            return Err(self.unknown(&key));
        };
        if let Some(rule) = wrong_type(default, value) {
            return Err(invalid(&key, value, rule));
        }
        *place = match (default, value) {
            // `1` is as good as `1.0` where a fraction is asked for.
            (Value::Float(_), Value::Integer(whole)) => Value::Float(*whole as f64),
            _ => value.clone(),
        };
        Ok(())
    }

    /// A variable's text as the type that its key has. What does not parse stays text, for
    /// [`Self::set`] to refuse.
    fn read(&self, path: &[String], text: String) -> Value {
        let trimmed = text.trim();
        let parsed = match get(&self.defaults, path) {
            Some(Value::Integer(_)) => trimmed.parse().ok().map(Value::Integer),
            Some(Value::Float(_)) => trimmed.parse().ok().map(Value::Float),
            Some(Value::Boolean(_)) => match trimmed {
                "true" | "1" => Some(Value::Boolean(true)),
                "false" | "0" => Some(Value::Boolean(false)),
                _ => None,
            },
            _ => None,
        };
        parsed.unwrap_or(Value::String(text))
    }

    fn unknown(&self, key: &str) -> ConfigError {
        let known: Vec<_> = leaves(&self.defaults)
            .iter()
            .map(|path| path.join("."))
            .collect();
        ConfigError::UnknownKey {
            key: key.to_owned(),
            closest: closest(key, known.iter().map(String::as_str)),
        }
    }
}

fn get<'a>(table: &'a Table, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(table.get(first)?, |at, name| at.as_table()?.get(name))
}

fn get_mut<'a>(table: &'a mut Table, path: &[String]) -> Option<&'a mut Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get_mut(first)?, |at, name| {
        at.as_table_mut()?.get_mut(name)
    })
}

/// The paths of all settings.
pub(super) fn leaves(table: &Table) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(inner) => paths.extend(leaves(inner).into_iter().map(|mut path| {
                path.insert(0, name.clone());
                path
            })),
            _ => paths.push(vec![name.clone()]),
        }
    }
    paths
}

/// The environment variable of a setting.
pub(super) fn variable(path: &[String]) -> String {
    format!("{PREFIX}{}", path.join("_").to_uppercase())
}

/// Variables that other parts of the program read.
fn is_reserved(name: &str) -> bool {
    matches!(name, "HIRAG_CONFIG" | "HIRAG_DATA_DIR") || name.ends_with("_TOKEN")
}

/// What is wrong with the type of `value` where `default` stands. Text is left to the setting's
/// own type, as it may be a choice or a length of time.
fn wrong_type(default: &Value, value: &Value) -> Option<&'static str> {
    match (default, value) {
        (Value::Integer(_), Value::Integer(n)) if *n < 0 => Some("must not be negative"),
        (Value::Integer(_), Value::Integer(_))
        | (Value::Float(_), Value::Float(_) | Value::Integer(_))
        | (Value::Boolean(_), Value::Boolean(_)) => None,
        (Value::Integer(_), _) => Some("must be a whole number"),
        (Value::Float(_), _) => Some("must be a number"),
        (Value::Boolean(_), _) => Some("must be `true` or `false`"),
        _ => None,
    }
}

/// The deserializer's sentence as a rule that goes on after "it".
fn rule_of(message: &str) -> String {
    let message = message.trim();
    if message.starts_with("must ") {
        return message.to_owned();
    }
    match message.split_once("expected ") {
        Some((_, "a string")) => "must be text in quotation marks".to_owned(),
        Some((_, "u8")) => at_most(u8::MAX.into()),
        Some((_, "u16")) => at_most(u16::MAX.into()),
        Some((_, "u32")) => at_most(u32::MAX),
        Some((_, expected)) if expected.starts_with("must ") => expected.to_owned(),
        Some((_, expected)) => format!("must be {}", expected.trim_start_matches("one of ")),
        None => format!("is refused: {message}"),
    }
}

fn at_most(most: u32) -> String {
    format!("must be at most {most}")
}

fn invalid(key: &str, value: impl std::fmt::Display, rule: &str) -> ConfigError {
    ConfigError::Invalid {
        key: key.to_owned(),
        value: value.to_string(),
        rule: rule.to_owned(),
    }
}

/// The known name that resembles `name` most, if any does.
fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    /// Below this, names have little in common and a suggestion misleads.
    const ALIKE: f64 = 0.6;
    let last = |key: &str| key.rsplit('.').next().map(str::to_owned);
    known
        .map(|known| {
            let whole = strsim::normalized_damerau_levenshtein(name, known);
            // The right key in the wrong section.
            let moved = name.contains('.') && last(name) == last(known);
            (if moved { whole.max(0.9) } else { whole }, known)
        })
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known.to_owned())
}
