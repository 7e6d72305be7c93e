//! The whole configuration.

/// A setting that is not allowed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A key nobody knows.
    #[error("unknown setting `{0}`")]
    UnknownKey(String),
}

impl ConfigError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "invalid_settings"
    }
}
