use std::path::Path;

use serde::{Deserialize, Serialize};

use super::endpoint::{is_at, validate_url};
use super::{ConfigError, require, within};

/// Which provider turns text into vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// The model on this machine.
    Local,
    /// An OpenAI-compatible endpoint.
    Http,
}

/// The settings `[embedding]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct EmbeddingSettings {
    /// The local model or an endpoint.
    pub provider: ProviderKind,
    /// The endpoint's name of the model; unused by the local one.
    pub model: String,
    /// The folder of the local model; empty is the usual places. See [`Self::model_dir`].
    pub model_dir: String,
    /// The endpoint, up to and without `/embeddings`.
    pub api_url: String,
    /// Texts a batch at most, 1 to 2048.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub batch_size: usize,
    /// Seconds that a request to the endpoint may take, 1 to 3600.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub timeout_secs: u64,
    /// Attempts after the first, 0 to 20.
    pub max_retries: u32,
    /// Whether vectors are cached.
    pub cache_enabled: bool,
    /// Seconds that a cached vector is used; 0 is for ever.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub cache_ttl_secs: u64,
    /// Vectors cached in memory at most; 0 leaves the memory layer out.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub cache_size: usize,
    /// Megabytes cached on disk at most; 0 leaves the disk layer out.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub cache_disk_mb: u64,
    /// Whether the endpoint's certificate is checked.
    pub tls_verify: bool,
    /// Milliseconds that a request waits for others to share its batch, 0 to 10000.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub batch_window_ms: u64,
    /// Requests that share a batch at most, 1 to 1000.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub batch_max_requests: usize,
    /// Threads of the local model, at most 1024; 0 is one for each core.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub threads: usize,
    /// Components of the endpoint's vectors, at most 65536; 0 is learnt from its first answer.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub dimension: usize,
    /// Tokens of a text to the endpoint at most; 0 leaves the limit to the endpoint.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub max_input_tokens: usize,
    /// What stands before a query, as the endpoint's model was trained.
    pub query_prefix: String,
    /// What stands before a passage, as the endpoint's model was trained.
    pub passage_prefix: String,
}

impl EmbeddingSettings {
    /// The folder of the local model, if one is set.
    #[must_use]
    pub fn model_dir(&self) -> Option<&Path> {
        (!self.model_dir.is_empty()).then(|| Path::new(&self.model_dir))
    }

    /// Whether an address is of the same scheme, host and port as the endpoint's: only there is its
    /// token shown.
    #[must_use]
    pub fn is_at(&self, address: &str) -> bool {
        is_at(&self.api_url, address)
    }

    /// Refuses values out of range, and an endpoint without its address or model.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within("embedding.batch_size", self.batch_size, 1..=2_048)?;
        within("embedding.timeout_secs", self.timeout_secs, 1..=3_600)?;
        within("embedding.max_retries", self.max_retries, 0..=20)?;
        within(
            "embedding.cache_ttl_secs",
            self.cache_ttl_secs,
            0..=3_153_600_000,
        )?;
        within("embedding.cache_size", self.cache_size, 0..=10_000_000)?;
        within("embedding.cache_disk_mb", self.cache_disk_mb, 0..=1_048_576)?;
        within(
            "embedding.batch_window_ms",
            self.batch_window_ms,
            0..=10_000,
        )?;
        within(
            "embedding.batch_max_requests",
            self.batch_max_requests,
            1..=1_000,
        )?;
        within("embedding.threads", self.threads, 0..=1_024)?;
        within("embedding.dimension", self.dimension, 0..=65_536)?;
        within(
            "embedding.max_input_tokens",
            self.max_input_tokens,
            0..=10_000_000,
        )?;
        self.validate_endpoint()
    }

    fn validate_endpoint(&self) -> Result<(), ConfigError> {
        if !self.api_url.is_empty() {
            validate_url("embedding.api_url", &self.api_url)?;
        }
        if self.provider == ProviderKind::Local {
            return Ok(());
        }
        require(
            !self.api_url.is_empty(),
            "embedding.api_url",
            "\"\"",
            "must be the endpoint's address, e.g. `http://127.0.0.1:8081/v1`, with `embedding.provider = \"http\"`",
        )?;
        require(
            !self.model.trim().is_empty(),
            "embedding.model",
            format!("{:?}", self.model),
            "must name the endpoint's model with `embedding.provider = \"http\"`",
        )
    }
}
