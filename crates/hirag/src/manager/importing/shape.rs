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
            "{READERS} {:?} {:?} {:?} {:?} {:?} {:?}",
            config.import,
            config.limits,
            config.hirag.token_estimator,
            options.level,
            options.session,
            options.agent,
        );
        if let Some(kind) = doc_type {
            shape.push_str(&format!(" {kind:?}"));
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
