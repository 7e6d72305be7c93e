use super::{ConfigError, within};
use crate::context::Limits;

/// Refuses limits that nothing fits into, or that one text could fill the memory with.
///
/// # Errors
/// [`ConfigError`] with the key, the value and the rule.
pub(super) fn validate(limits: &Limits) -> Result<(), ConfigError> {
    const MB: usize = 1024 * 1024;
    within("limits.max_text_bytes", limits.max_text_bytes, 1..=256 * MB)?;
    within(
        "limits.max_metadata_bytes",
        limits.max_metadata_bytes,
        2..=16 * MB,
    )?;
    within("limits.max_query_bytes", limits.max_query_bytes, 1..=MB)
}
