//! The system's keyring: Secret Service, Keychain, Credential Manager.

use std::sync::Arc;
use std::time::Duration;

use keyring::Entry;
use secrecy::{ExposeSecret, SecretString};

use super::{PatientVault, Vault, VaultError};

/// The name of this program in the keyring.
const SERVICE: &str = "hirag";
/// A keyring that has not answered by then is asking someone who is not there.
const PATIENCE: Duration = Duration::from_secs(60);

/// The system's keyring.
#[must_use]
pub fn system_vault() -> Arc<dyn Vault> {
    Arc::new(PatientVault::new(Arc::new(Keyring), PATIENCE))
}

/// The system's keyring, which answers when it likes. Not for the threads of an asynchronous
/// program: its client waits for the bus with means that must not be used there.
#[derive(Debug, Clone, Copy)]
struct Keyring;

impl Keyring {
    fn ask<T>(
        name: &str,
        question: impl FnOnce(&Entry) -> keyring::Result<T>,
    ) -> Result<T, VaultError> {
        if let Err(error) = Entry::store_status() {
            return Err(VaultError::Absent(absence(error)));
        }
        Entry::new(SERVICE, &format!("{name}-token"))
            .and_then(|entry| question(&entry))
            .map_err(|error| refusal(&error))
    }
}

impl Vault for Keyring {
    fn check(&self) -> Result<(), VaultError> {
        Self::ask("any", |_| Ok(()))
    }

    fn get(&self, name: &str) -> Result<Option<SecretString>, VaultError> {
        Self::ask(name, |entry| match entry.get_password() {
            Ok(secret) => Ok(Some(SecretString::from(secret))),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn set(&self, name: &str, secret: &SecretString) -> Result<(), VaultError> {
        Self::ask(name, |entry| entry.set_password(secret.expose_secret()))
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        Self::ask(name, |entry| match entry.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(error),
        })
    }
}

fn refusal(error: &keyring::Error) -> VaultError {
    match error {
        keyring::Error::NoDefaultStore => VaultError::Absent(absence(error)),
        error => VaultError::Refused(sentence(error)),
    }
}

/// Why there is no keyring. What a bus says of a service that nobody offers helps no one.
fn absence(error: &keyring::Error) -> String {
    let told = sentence(error);
    if told.contains("org.freedesktop.DBus.Error.ServiceUnknown") {
        "no program of this session keeps secrets, as GNOME Keyring and KWallet do".to_owned()
    } else {
        told
    }
}

/// The error in a line, without the bytes that some variants carry: they are the secret.
fn sentence(error: &keyring::Error) -> String {
    match error {
        keyring::Error::BadEncoding(_) => "the entry is not text".to_owned(),
        keyring::Error::BadDataFormat(_, _) => "the entry is not readable".to_owned(),
        keyring::Error::PlatformFailure(source) | keyring::Error::NoStorageAccess(source) => {
            source.to_string()
        }
        other => other.to_string(),
    }
}
