use super::{ConfigError, require, within};
use crate::import::ImportSettings;

/// Refuses values out of range, and an overlap that hardly moves on.
///
/// # Errors
/// [`ConfigError`] with the key, the value and the rule.
pub(super) fn validate(settings: &ImportSettings) -> Result<(), ConfigError> {
    within("import.chunk_tokens", settings.chunk_tokens, 16..=8_192)?;
    require(
        settings.chunk_overlap <= settings.chunk_tokens / 2,
        "import.chunk_overlap",
        settings.chunk_overlap,
        &format!(
            "must be at most half of `import.chunk_tokens` ({})",
            settings.chunk_tokens
        ),
    )?;
    within(
        "import.max_file_bytes",
        settings.max_file_bytes,
        1..=1 << 30,
    )?;
    within(
        "import.max_line_bytes",
        settings.max_line_bytes,
        1..=1 << 30,
    )
}
