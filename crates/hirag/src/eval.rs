//! Retrieval quality on a golden set.

/// A golden set that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {}

impl EvalError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match *self {}
    }
}
