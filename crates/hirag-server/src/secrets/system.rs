//! The system's keyring: Secret Service, Keychain, Credential Manager.

use std::sync::mpsc;
use std::time::Duration;

use keyring::Entry;
use secrecy::{ExposeSecret, SecretString};

use super::{Vault, VaultError};

/// The name of this program in the keyring.
const SERVICE: &str = "hirag";
/// A keyring that has not answered by then is asking someone who is not there.
const PATIENCE: Duration = Duration::from_secs(60);

/// The system's keyring. It is asked on a thread of its own: its client waits for the bus with
/// means that must not be used on the threads of an asynchronous program.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemVault;

impl SystemVault {
    fn ask<T: Send + 'static>(
        name: &str,
        question: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
    ) -> Result<T, VaultError> {
        let user = format!("{name}-token");
        let (answer, asked) = mpsc::channel();
        let ask = move || {
            let outcome = match Entry::store_status() {
                Err(error) => Err(VaultError::Absent(sentence(error))),
                Ok(()) => Entry::new(SERVICE, &user)
                    .and_then(|entry| question(&entry))
                    .map_err(|error| refusal(&error)),
            };
            // Nobody waits any longer: nothing is lost.
            let _ = answer.send(outcome);
        };
        std::thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(ask)
            .map_err(|error| VaultError::Refused(error.to_string()))?;
        asked.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let seconds = PATIENCE.as_secs();
            Err(VaultError::Refused(format!(
                "it did not answer within {seconds} seconds; is it waiting to be unlocked?"
            )))
        })
    }
}

impl Vault for SystemVault {
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
        let secret = secret.clone();
        Self::ask(name, move |entry| {
            entry.set_password(secret.expose_secret())
        })
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
        keyring::Error::NoDefaultStore => VaultError::Absent(sentence(error)),
        error => VaultError::Refused(sentence(error)),
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
