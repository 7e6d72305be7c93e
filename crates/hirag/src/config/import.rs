use serde::{Deserialize, Serialize};

use super::{ConfigError, require, within};

/// The settings `[import]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ImportSettings {
    /// Tokens of a chunk at most, 16 to 100000.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub chunk_tokens: usize,
    /// Tokens that a chunk repeats of the one before; at most half of `chunk_tokens`.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub chunk_overlap: usize,
    /// Bytes of a file at most, 1 to 1 GB.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub max_file_bytes: u64,
}

impl ImportSettings {
    /// Refuses values out of range, and an overlap that hardly moves on.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within("import.chunk_tokens", self.chunk_tokens, 16..=100_000)?;
        require(
            self.chunk_overlap <= self.chunk_tokens / 2,
            "import.chunk_overlap",
            self.chunk_overlap,
            &format!(
                "must be at most half of `import.chunk_tokens` ({})",
                self.chunk_tokens
            ),
        )?;
        within("import.max_file_bytes", self.max_file_bytes, 1..=1 << 30)
    }
}
