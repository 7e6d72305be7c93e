use std::collections::BTreeMap;
use std::fmt::Debug;

use parking_lot::Mutex;
use secrecy::SecretString;

/// A vault that did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// There is none.
    #[error("no keyring runs here: {0}")]
    Absent(String),
    /// It is there and refuses.
    #[error("the keyring refused: {0}")]
    Refused(String),
    /// It did not answer in time.
    #[error(
        "the keyring did not answer within {seconds} seconds; is it waiting to be unlocked? {later}"
    )]
    NoAnswer {
        /// How long it was waited for.
        seconds: u64,
        /// What becomes of an answer that still comes.
        later: &'static str,
    },
}

impl VaultError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Absent(_) => "keyring_absent",
            Self::Refused(_) => "keyring_refused",
            Self::NoAnswer { .. } => "keyring_no_answer",
        }
    }
}

/// Where tokens are kept between runs. What `set` and `remove` return `Ok` for, every later `get`
/// sees, in other processes too. Calls may block while a person is asked.
pub trait Vault: Send + Sync + Debug {
    /// Whether it answers, without opening it: no person is asked.
    ///
    /// # Errors
    /// [`VaultError`].
    fn check(&self) -> Result<(), VaultError>;

    /// The secret `name`, if there is one.
    ///
    /// # Errors
    /// [`VaultError`].
    fn get(&self, name: &str) -> Result<Option<SecretString>, VaultError>;

    /// Keeps a secret, in place of the one before.
    ///
    /// # Errors
    /// [`VaultError`]; the one before stays then.
    fn set(&self, name: &str, secret: &SecretString) -> Result<(), VaultError>;

    /// Removes a secret; that there is none is no error.
    ///
    /// # Errors
    /// [`VaultError`]; it stays then.
    fn remove(&self, name: &str) -> Result<(), VaultError>;
}

/// A vault in memory, for tests.
#[derive(Debug, Default)]
pub struct MemoryVault {
    secrets: Mutex<BTreeMap<String, SecretString>>,
}

impl Vault for MemoryVault {
    fn check(&self) -> Result<(), VaultError> {
        Ok(())
    }

    fn get(&self, name: &str) -> Result<Option<SecretString>, VaultError> {
        Ok(self.secrets.lock().get(name).cloned())
    }

    fn set(&self, name: &str, secret: &SecretString) -> Result<(), VaultError> {
        self.secrets.lock().insert(name.to_owned(), secret.clone());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.secrets.lock().remove(name);
        Ok(())
    }
}

/// The vault of a machine without a keyring.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoVault;

impl NoVault {
    fn error() -> VaultError {
        VaultError::Absent("this program was started without one".to_owned())
    }
}

impl Vault for NoVault {
    fn check(&self) -> Result<(), VaultError> {
        Err(Self::error())
    }

    fn get(&self, _: &str) -> Result<Option<SecretString>, VaultError> {
        Err(Self::error())
    }

    fn set(&self, _: &str, _: &SecretString) -> Result<(), VaultError> {
        Err(Self::error())
    }

    fn remove(&self, _: &str) -> Result<(), VaultError> {
        Err(Self::error())
    }
}
