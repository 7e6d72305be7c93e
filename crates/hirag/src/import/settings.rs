use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, require, within};

/// The settings `[import]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ImportSettings {
    /// Tokens of a chunk; 16 to 8,192. A code block stays whole up to four times as many.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub chunk_tokens: usize,
    /// Tokens at most that a chunk repeats from the one before; 0 to half of `chunk_tokens`.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub chunk_overlap: usize,
    /// Bytes of a Markdown or text file at most, 1 to 2³⁰; JSONL and BEIR files are streamed and exempt.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub max_file_bytes: u64,
    /// Bytes of a line of a JSONL or BEIR file at most, 1 to 2³⁰.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub max_line_bytes: usize,
}

impl ImportSettings {
    /// Refuses values out of range, and an overlap that hardly moves on.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within("import.chunk_tokens", self.chunk_tokens, 16..=8_192)?;
        require(
            self.chunk_overlap <= self.chunk_tokens / 2,
            "import.chunk_overlap",
            self.chunk_overlap,
            &format!(
                "must be at most half of `import.chunk_tokens` ({})",
                self.chunk_tokens
            ),
        )?;
        within("import.max_file_bytes", self.max_file_bytes, 1..=1 << 30)?;
        within("import.max_line_bytes", self.max_line_bytes, 1..=1 << 30)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_no_import_can_keep_are_refused_by_name() {
        let good = ImportSettings {
            chunk_tokens: 200,
            chunk_overlap: 30,
            max_file_bytes: 1,
            max_line_bytes: 1,
        };
        good.validate().unwrap();
        for (key, value) in [
            ("chunk_tokens", 15),
            ("chunk_overlap", 101),
            ("max_file_bytes", 0),
            ("max_file_bytes", (1 << 30) + 1),
            ("max_line_bytes", 0),
        ] {
            let mut bad = serde_json::to_value(&good).unwrap();
            bad[key] = value.into();
            let bad: ImportSettings = serde_json::from_value(bad).unwrap();
            let error = bad.validate().unwrap_err();
            assert_eq!(error.key(), Some(format!("import.{key}").as_str()));
        }
    }
}
