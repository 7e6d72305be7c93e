use super::VaultError;

/// Bytes of a token at most: more than any service gives out, and less than a pasted file.
pub const MAX_TOKEN_BYTES: usize = 4_096;

/// A token that is not kept. The token itself is never told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It cannot be a token.
    #[error("this cannot be a token: {0}")]
    Bad(&'static str),
    /// The keyring did not do it.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl TokenError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bad(_) => "bad_token",
            Self::Vault(error) => error.code(),
        }
    }
}

/// Refuses what cannot be a token: what was pasted with the line's end or a space is a mistake
/// that the endpoint would only call unauthorised.
///
/// # Errors
/// [`TokenError::Bad`] with the rule.
pub fn check_token(token: &str) -> Result<(), TokenError> {
    let rule = if token.is_empty() {
        "it is empty"
    } else if token.len() > MAX_TOKEN_BYTES {
        "it has more than 4096 bytes"
    } else if token.contains(['\n', '\r']) {
        "it contains a line end; paste it without"
    } else if token.contains(char::is_whitespace) {
        "it contains a space; paste it without"
    } else if token.contains(char::is_control) {
        "it contains a control character"
    } else if !token.is_ascii() {
        "it contains a character that no HTTP header carries; tokens are ASCII"
    } else {
        return Ok(());
    };
    Err(TokenError::Bad(rule))
}
