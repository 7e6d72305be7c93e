use serde::{Deserialize, Serialize};

use super::{ConfigError, require, within};

/// What keeps the contexts and their vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// A SQLite file on this machine.
    Sqlite,
    /// A Qdrant server; not in this version.
    Qdrant,
}

/// How vectors are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// By the angle between them.
    Cosine,
}

/// The settings `[store]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// What keeps the contexts.
    pub backend: Backend,
    /// The address of a server; empty with SQLite.
    pub url: String,
    /// Starts the name of every collection: 1 to 64 of `a-z`, `0-9`, `_` and `-`.
    pub collection_prefix: String,
    /// How vectors are compared.
    pub distance: Distance,
    /// Seconds that a writer waits for another process, 0 to 3600.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub lock_wait_secs: u64,
}

impl StoreSettings {
    /// Refuses values out of range, and what this version cannot do.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        require(
            self.backend == Backend::Sqlite,
            "store.backend",
            "\"qdrant\"",
            "must be `sqlite`; this version cannot use a Qdrant server",
        )?;
        require(
            self.url.is_empty(),
            "store.url",
            "(hidden)",
            "must be empty with `store.backend = \"sqlite\"`; `--data-dir` says where the database is",
        )?;
        let prefix = &self.collection_prefix;
        let plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-');
        require(
            (1..=64).contains(&prefix.len()) && prefix.chars().all(plain),
            "store.collection_prefix",
            format!("{prefix:?}"),
            "must have 1 to 64 of the characters a-z, 0-9, `_` and `-`",
        )?;
        within("store.lock_wait_secs", self.lock_wait_secs, 0..=3_600)
    }
}
