use std::fmt;

use sha2::{Digest, Sha256};

/// What a vector is kept under: SHA-256 of the model and the normalised text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    /// The key of `text` (normalised and prefixed) by `model`.
    ///
    /// The model's length goes first, so that no other model and text run together into the same
    /// bytes.
    #[must_use]
    pub fn of(model: &str, text: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update((model.len() as u64).to_le_bytes());
        hash.update(model.as_bytes());
        hash.update(text.as_bytes());
        Self(hash.finalize().into())
    }

    /// The key's thirty-two bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey(")?;
        self.0
            .iter()
            .take(4)
            .try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_and_text_cannot_run_together() {
        assert_ne!(CacheKey::of("ab", "c"), CacheKey::of("a", "bc"));
        assert_ne!(CacheKey::of("", "abc"), CacheKey::of("abc", ""));
        assert_eq!(CacheKey::of("ab", "c"), CacheKey::of("ab", "c"));
    }
}
