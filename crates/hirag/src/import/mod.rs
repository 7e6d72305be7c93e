//! Folders and files to contexts.

/// What can go wrong while importing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {}

impl ImportError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match *self {}
    }
}
