//! What tells whether a file would give the same again.

use std::fmt;

use super::ImportOptions;
use crate::config::Config;
use crate::context::ContentHash;
use crate::import::{ImportError, Reader, SourceFile};

/// Counts the changes to what the readers make of one and the same file, so that an import after one
/// reads again what it would otherwise know by its hash.
const READERS: u32 = 2;

/// Every setting that shapes what a file gives, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manager) struct Shape(String);

impl Shape {
    pub(in crate::manager) fn of(
        config: &Config,
        options: &ImportOptions,
        doc_type: Option<&str>,
    ) -> Self {
        let mut shape = format!(
            "{READERS} {:?} {:?} {:?} {:?} {:?}",
            config.import,
            config.hirag.token_estimator,
            options.level,
            options.session,
            options.agent,
        );
        if let Some(kind) = doc_type {
            shape.push_str(&format!(" {kind:?}"));
        }
        // Only where they are set, so that what was read before they counted is still known.
        let (limits, usual) = (&config.limits, Config::default().limits);
        for (key, limit, usual) in [
            ("text", limits.max_text_bytes, usual.max_text_bytes),
            (
                "metadata",
                limits.max_metadata_bytes,
                usual.max_metadata_bytes,
            ),
        ] {
            if limit != usual {
                shape.push_str(&format!(" {key} {limit}"));
            }
        }
        Self(shape)
    }

    /// Hash of the file's content and of the settings.
    ///
    /// # Errors
    /// As [`Reader::content_hash`].
    pub(in crate::manager) fn fingerprint(
        &self,
        reader: &Reader,
        file: &SourceFile,
    ) -> Result<[u8; 32], ImportError> {
        let content = reader.content_hash(file)?;
        let shape = format!("{content} {:?} {self}", file.kind);
        Ok(*ContentHash::of(&shape).as_bytes())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(config: &Config) -> String {
        Shape::of(config, &ImportOptions::default(), Some("note")).to_string()
    }

    #[test]
    fn what_was_read_by_an_earlier_version_is_known_again() {
        // Another text here has every file read anew, and brings back what people deleted of them.
        assert_eq!(
            shape(&Config::default()),
            "2 ImportSettings { chunk_tokens: 200, chunk_overlap: 30, max_file_bytes: 10485760, \
             max_line_bytes: 8388608 } TokenSettings { kind: Tiktoken, chars_per_token: 4.0, \
             tokens_per_word: 1.3 } None None None \"note\""
        );
    }

    #[test]
    fn only_limits_that_shape_what_a_file_gives_have_it_read_anew() {
        let usual = shape(&Config::default());
        let limited = |set: fn(&mut Config)| {
            let mut config = Config::default();
            set(&mut config);
            shape(&config)
        };
        assert_eq!(limited(|config| config.limits.max_query_bytes = 100), usual);
        let text = limited(|config| config.limits.max_text_bytes = 100);
        let metadata = limited(|config| config.limits.max_metadata_bytes = 100);
        assert!(text != usual && metadata != usual && text != metadata);
    }
}
