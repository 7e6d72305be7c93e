use serde::{Deserialize, Serialize};

use super::ImportError;

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
    /// Bytes of a Markdown or text file at most; JSONL and BEIR files are streamed and exempt.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub max_file_bytes: u64,
    /// Bytes of a line of a JSONL or BEIR file at most.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub max_line_bytes: usize,
}

impl ImportSettings {
    /// Refuses settings that no import can keep.
    ///
    /// # Errors
    /// [`ImportError::Setting`] that names the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ImportError> {
        let refuse = |key, value, rule| Err(ImportError::Setting { key, value, rule });
        if !(16..=8_192).contains(&self.chunk_tokens) {
            let rule = "must be between 16 and 8192";
            return refuse("chunk_tokens", self.chunk_tokens as u64, rule);
        }
        if self.chunk_overlap > self.chunk_tokens / 2 {
            let rule = "must be at most half of `import.chunk_tokens`";
            return refuse("chunk_overlap", self.chunk_overlap as u64, rule);
        }
        if self.max_file_bytes == 0 {
            return refuse("max_file_bytes", 0, "must be at least 1");
        }
        if self.max_line_bytes == 0 {
            return refuse("max_line_bytes", 0, "must be at least 1");
        }
        Ok(())
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
            ("max_line_bytes", 0),
        ] {
            let mut bad = serde_json::to_value(&good).unwrap();
            bad[key] = value.into();
            let bad: ImportSettings = serde_json::from_value(bad).unwrap();
            let error = bad.validate().unwrap_err();
            assert_eq!(error.code(), "invalid_settings");
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}
