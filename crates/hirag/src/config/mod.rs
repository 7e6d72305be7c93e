//! The whole configuration: the settings of every part, from `defaults.toml`, a file and the
//! environment, checked before anything uses them.

mod appearance;
mod chat;
mod embedding;
mod endpoint;
mod error;
mod hirag;
mod layers;
mod levels;
mod limits;
mod period;
mod server;
mod store;
#[cfg(test)]
mod tests;
mod traces;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use toml::Table;

pub use appearance::{AppearanceSettings, ThemeChoice};
pub use chat::{ChatProviderKind, ChatSettings};
pub use embedding::{EmbeddingSettings, ProviderKind};
pub use error::ConfigError;
pub(crate) use error::{require, sum_to_one, within};
pub use hirag::HiragSettings;
pub use levels::LevelsSettings;
pub use period::{Period, Ttl};
pub use server::{LogFormat, LogLevel, LoggingSettings, ServerSettings};
pub use store::{Backend, Distance, StoreSettings};
pub use traces::TracesSettings;

use crate::context::Limits;
use crate::import::ImportSettings;
use crate::metrics::MetricsSettings;
use crate::resilience::{CircuitBreakerSettings, RateLimitSettings};
use crate::sources::SourcesSettings;
use layers::Layers;

/// Every setting with its default, unit and reason, as TOML to read and to start from.
pub const DEFAULTS_TOML: &str = include_str!("../defaults.toml");

/// The whole configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[embedding]`
    pub embedding: EmbeddingSettings,
    /// `[chat]`
    pub chat: ChatSettings,
    /// `[store]`
    pub store: StoreSettings,
    /// `[limits]`
    #[cfg_attr(
        feature = "ts",
        ts(
            type = "{ max_text_bytes: number, max_metadata_bytes: number, max_query_bytes: number }"
        )
    )]
    pub limits: Limits,
    /// `[hirag]`
    pub hirag: HiragSettings,
    /// `[levels]`
    pub levels: LevelsSettings,
    /// `[traces]`
    pub traces: TracesSettings,
    /// `[circuit_breaker]`
    pub circuit_breaker: CircuitBreakerSettings,
    /// `[rate_limit]`
    pub rate_limit: RateLimitSettings,
    /// `[import]`
    pub import: ImportSettings,
    /// `[sources]`
    pub sources: SourcesSettings,
    /// `[metrics]`
    pub metrics: MetricsSettings,
    /// `[server]`
    pub server: ServerSettings,
    /// `[logging]`
    pub logging: LoggingSettings,
    /// `[appearance]`
    pub appearance: AppearanceSettings,
}

impl Config {
    /// The defaults, overridden by the file at `path`, overridden by the variables of `env`.
    ///
    /// # Errors
    /// [`ConfigError`] if the file is not there or not TOML, or for the first key or value that
    /// is not allowed.
    pub fn load(
        path: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let Some(path) = path else {
            return Self::of_text("", Path::new(""), env);
        };
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Self::of_text(&text, path, env)
    }

    /// Like [`load`](Self::load) from the usual place, where a file need not be.
    ///
    /// # Errors
    /// As [`load`](Self::load), but for the absent file.
    pub fn load_if_there(
        path: &Path,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        // Asking first keeps a file that is there but unreadable an error.
        let absent = matches!(path.metadata(), Err(e) if e.kind() == ErrorKind::NotFound);
        Self::load((!absent).then_some(path), env)
    }

    /// The defaults, overridden by TOML text.
    ///
    /// # Errors
    /// [`ConfigError`] if the text is not TOML, or for the first key or value that is not allowed.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let mut layers = Layers::over(defaults()?);
        layers.file(parse(text, None)?)?;
        let config = layers.finish()?;
        config.validate()?;
        Ok(config)
    }

    /// The defaults, overridden by the text of the file at `path`, overridden by the variables of
    /// `env`: what [`load`](Self::load) would read if the file said so.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn of_text(
        text: &str,
        path: &Path,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::over(defaults()?);
        layers.file(parse(text, Some(path))?)?;
        layers.environment(env)?;
        let config = layers.finish()?;
        config.validate()?;
        Ok(config)
    }

    /// Refuses the first value that is out of range or at odds with another.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.embedding.validate()?;
        self.chat.validate()?;
        self.store.validate()?;
        limits::validate(&self.limits)?;
        self.hirag.validate()?;
        self.levels.validate()?;
        self.traces.validate()?;
        self.circuit_breaker.validate()?;
        self.rate_limit.validate()?;
        self.import.validate()?;
        self.sources.validate()?;
        self.metrics.validate()?;
        self.server.validate()
    }
}

/// `defaults.toml`, read once.
static USUAL: LazyLock<Config> = LazyLock::new(usual);

#[expect(
    clippy::panic,
    reason = "the text is a part of the program, and a test reads it"
)]
fn usual() -> Config {
    match Config::from_toml("") {
        Ok(config) => config,
        Err(error) => panic!("defaults.toml is not usable: {error}"),
    }
}

impl Default for Config {
    fn default() -> Self {
        USUAL.clone()
    }
}

/// Each section's default is its part of `defaults.toml`.
macro_rules! default_from_config {
    ($($settings:ty => $section:ident),* $(,)?) => {$(
        impl Default for $settings {
            fn default() -> Self {
                Config::default().$section
            }
        }
    )*};
}

default_from_config! {
    EmbeddingSettings => embedding,
    ChatSettings => chat,
    StoreSettings => store,
    Limits => limits,
    HiragSettings => hirag,
    LevelsSettings => levels,
    TracesSettings => traces,
    CircuitBreakerSettings => circuit_breaker,
    RateLimitSettings => rate_limit,
    ImportSettings => import,
    SourcesSettings => sources,
    MetricsSettings => metrics,
    ServerSettings => server,
    LoggingSettings => logging,
    AppearanceSettings => appearance,
}

/// The process's environment; what is not UTF-8 is read as well as it can be, so that a bad
/// `HIRAG_` variable is refused by its name.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    })
}

fn defaults() -> Result<Table, ConfigError> {
    parse(DEFAULTS_TOML, None)
}

fn parse(text: &str, path: Option<&Path>) -> Result<Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| {
        let before = error
            .span()
            .and_then(|span| text.get(..span.start))
            .unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ConfigError::Syntax {
            path: path.map(PathBuf::from),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            reason: error.message().to_owned(),
        }
    })
}
