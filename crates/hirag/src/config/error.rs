use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// A settings file, a variable or a setting that is not allowed. Nothing was changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A key nobody knows.
    #[error("unknown setting `{key}`{}", suggestion(.closest))]
    UnknownKey {
        /// The key, its parts joined by dots.
        key: String,
        /// The known key that resembles it most.
        closest: Option<String>,
    },
    /// A `HIRAG_` variable nobody knows. Its value is not told: it may be a secret.
    #[error("unknown environment variable `{name}`{}", suggestion(.closest))]
    UnknownVariable {
        /// The variable.
        name: String,
        /// The known variable that resembles it most.
        closest: Option<String>,
    },
    /// A value of the wrong type, out of range, or at odds with another.
    #[error("the setting `{key}` = {value} is not allowed: it {rule}")]
    Invalid {
        /// The key, its parts joined by dots.
        key: String,
        /// The value as it would stand in the file.
        value: String,
        /// What is allowed, e.g. `must be between 1 and 100`.
        rule: String,
    },
    /// The text is not TOML.
    #[error("{} is not valid TOML (line {line}, column {column}): {reason}", origin(.path))]
    Syntax {
        /// The file; `None` for text from elsewhere.
        path: Option<PathBuf>,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// The settings file cannot be read.
    #[error("the settings file {} cannot be read: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
}

fn suggestion(closest: &Option<String>) -> String {
    closest.as_ref().map_or_else(String::new, |closest| {
        format!("; did you mean `{closest}`?")
    })
}

fn origin(path: &Option<PathBuf>) -> String {
    path.as_ref().map_or_else(
        || "the settings".to_owned(),
        |path| format!("the settings file {}", path.display()),
    )
}

impl ConfigError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "invalid_settings"
    }

    /// The key that is not allowed, its parts joined by dots, if it is about one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::UnknownKey { key, .. } | Self::Invalid { key, .. } => Some(key),
            Self::UnknownVariable { .. } | Self::Syntax { .. } | Self::Unreadable { .. } => None,
        }
    }
}

/// Refuses `value` unless `ok`; `rule` goes on after "it".
pub(crate) fn require(
    ok: bool,
    key: &str,
    value: impl Display,
    rule: &str,
) -> Result<(), ConfigError> {
    if ok {
        return Ok(());
    }
    Err(ConfigError::Invalid {
        key: key.to_owned(),
        value: value.to_string(),
        rule: rule.to_owned(),
    })
}

/// Refuses a value outside of `range`; NaN is outside of every range.
pub(crate) fn within<T: PartialOrd + Display>(
    key: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<(), ConfigError> {
    let rule = format!("must be between {} and {}", range.start(), range.end());
    require(range.contains(&value), key, value, &rule)
}

/// Refuses parts that are not all between 0 and 1, or that do not sum to 1.
pub(crate) fn sum_to_one(section: &str, parts: &[(&str, f64)]) -> Result<(), ConfigError> {
    /// Rounding of a few decimal fractions stays far below; a wrong digit does not.
    const TOLERANCE: f64 = 1e-6;
    for (name, part) in parts {
        within(&format!("{section}.{name}"), *part, 0.0..=1.0)?;
    }
    let sum: f64 = parts.iter().map(|(_, part)| part).sum();
    let values: Vec<_> = parts
        .iter()
        .map(|(name, part)| format!("{name} = {part}"))
        .collect();
    require(
        (sum - 1.0).abs() <= TOLERANCE,
        section,
        format!("{{ {} }}", values.join(", ")),
        &format!("must sum to 1, but sums to {}", (sum * 1e6).round() / 1e6),
    )
}
