//! Patience, with an end, for a vault that may never answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use parking_lot::Mutex;
use secrecy::SecretString;

use super::{Vault, VaultError};

/// A vault that is given up on when it does not answer. Each question is asked on a thread of its
/// own, which waits for as long as the vault does.
///
/// What was given up is not done later behind one's back: a secret that the vault takes too late is
/// taken out again, and the one before put back, before the next change begins. So the answer that
/// the caller got, that it is not kept, becomes true.
#[derive(Debug)]
pub struct PatientVault {
    vault: Arc<dyn Vault>,
    patience: Duration,
    /// Held while an entry is changed: what is undone must not be a newer change.
    changing: Arc<Mutex<()>>,
}

/// Who comes first: the answer, or the end of the patience.
#[derive(Debug, Default)]
struct Race(AtomicBool);

impl Race {
    fn is_won(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }

    fn is_over(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl PatientVault {
    /// Asks `vault`, and waits for each answer for `patience`.
    #[must_use]
    pub fn new(vault: Arc<dyn Vault>, patience: Duration) -> Self {
        Self {
            vault,
            patience,
            changing: Arc::default(),
        }
    }

    fn ask<T: Send + 'static>(
        &self,
        later: &'static str,
        question: impl FnOnce(&dyn Vault, &Race) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        let (vault, race) = (Arc::clone(&self.vault), Arc::new(Race::default()));
        let (answer, answered) = mpsc::channel();
        let ask = {
            let race = Arc::clone(&race);
            // If nobody waits any longer, nothing is lost.
            move || drop(answer.send(question(&*vault, &race)))
        };
        std::thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(ask)
            .map_err(|error| VaultError::Refused(error.to_string()))?;
        let broke_off = || VaultError::Refused("the question broke off".to_owned());
        match answered.recv_timeout(self.patience) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Disconnected) => Err(broke_off()),
            Err(RecvTimeoutError::Timeout) if race.is_won() => Err(VaultError::NoAnswer {
                seconds: self.patience.as_secs(),
                later,
            }),
            // It has just been done.
            Err(RecvTimeoutError::Timeout) => answered.recv().unwrap_or_else(|_| Err(broke_off())),
        }
    }
}

impl Vault for PatientVault {
    fn check(&self) -> Result<(), VaultError> {
        self.ask("", |vault, _| vault.check())
    }

    fn get(&self, name: &str) -> Result<Option<SecretString>, VaultError> {
        let name = name.to_owned();
        self.ask("", move |vault, _| vault.get(&name))
    }

    fn set(&self, name: &str, secret: &SecretString) -> Result<(), VaultError> {
        const LATER: &str =
            "The token is not kept: should it be taken later, it is taken out again";
        let (name, secret) = (name.to_owned(), secret.clone());
        let changing = Arc::clone(&self.changing);
        self.ask(LATER, move |vault, race| {
            let _turn = changing.lock();
            set_in_turn(vault, race, &name, &secret)
        })
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        const LATER: &str = "Should it remove the token later, it stays removed";
        let name = name.to_owned();
        let changing = Arc::clone(&self.changing);
        self.ask(LATER, move |vault, race| {
            let _turn = changing.lock();
            if race.is_over() {
                return Ok(());
            }
            vault.remove(&name)
        })
    }
}

fn set_in_turn(
    vault: &dyn Vault,
    race: &Race,
    name: &str,
    secret: &SecretString,
) -> Result<(), VaultError> {
    // What cannot be read cannot be put back; it is to be replaced all the same.
    let before = vault.get(name).ok().flatten();
    if race.is_over() {
        return Ok(());
    }
    vault.set(name, secret)?;
    if !race.is_won() {
        take_out(vault, name, before.as_ref());
    }
    Ok(())
}

/// Undoes a change whose caller was told that it was not made.
fn take_out(vault: &dyn Vault, name: &str, before: Option<&SecretString>) {
    let undone = match before {
        Some(before) => vault.set(name, before),
        None => vault.remove(name),
    };
    match undone {
        Ok(()) => tracing::warn!(
            token = name,
            "the keyring took a token after it was given up; it was taken out again"
        ),
        Err(error) => tracing::error!(
            token = name,
            %error,
            "the keyring took a token after it was given up, and does not let it go: \
             `hirag token clear` removes it"
        ),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::secrets::MemoryVault;

    /// A vault of which a test says when it answers.
    #[derive(Debug, Default)]
    struct Scripted {
        inner: MemoryVault,
        /// Held by the test while the vault shall hang.
        reading: Mutex<()>,
        writing: Mutex<()>,
    }

    impl Vault for Scripted {
        fn check(&self) -> Result<(), VaultError> {
            let _answer = self.reading.lock();
            self.inner.check()
        }

        fn get(&self, name: &str) -> Result<Option<SecretString>, VaultError> {
            let _answer = self.reading.lock();
            self.inner.get(name)
        }

        fn set(&self, name: &str, secret: &SecretString) -> Result<(), VaultError> {
            let _answer = self.writing.lock();
            self.inner.set(name, secret)
        }

        fn remove(&self, name: &str) -> Result<(), VaultError> {
            let _answer = self.writing.lock();
            self.inner.remove(name)
        }
    }

    const NAME: &str = "embedding";

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    /// A vault for which there is no patience, and one on the same entries for which there is.
    fn vaults() -> (Arc<Scripted>, PatientVault, PatientVault) {
        let scripted = Arc::new(Scripted::default());
        let hasty = PatientVault::new(scripted.clone(), Duration::from_millis(1));
        let patient = PatientVault {
            vault: scripted.clone(),
            patience: Duration::from_secs(20),
            changing: Arc::clone(&hasty.changing),
        };
        (scripted, hasty, patient)
    }

    /// What is kept once every change so far has ended.
    fn kept(scripted: &Scripted, vault: &PatientVault) -> Option<String> {
        drop(vault.changing.lock());
        let kept = scripted.inner.get(NAME).unwrap();
        kept.map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn what_answers_in_time_is_as_without_patience() {
        let (scripted, _, vault) = vaults();
        vault.check().unwrap();
        vault.set(NAME, &secret("one")).unwrap();
        vault.set(NAME, &secret("two")).unwrap();
        assert_eq!(kept(&scripted, &vault).as_deref(), Some("two"));
        assert!(vault.get(NAME).unwrap().is_some());
        vault.remove(NAME).unwrap();
        assert!(vault.get(NAME).unwrap().is_none());
    }

    #[test]
    fn a_question_that_hangs_is_given_up() {
        let (scripted, hasty, _) = vaults();
        let _hangs = scripted.reading.lock();
        for error in [hasty.check().unwrap_err(), hasty.get(NAME).unwrap_err()] {
            assert_eq!(error.code(), "keyring_no_answer");
        }
    }

    /// A vault that is given up while it takes a secret.
    #[derive(Debug, Default)]
    struct Late {
        inner: MemoryVault,
        race: Race,
    }

    impl Vault for Late {
        fn check(&self) -> Result<(), VaultError> {
            self.inner.check()
        }

        fn get(&self, name: &str) -> Result<Option<SecretString>, VaultError> {
            self.inner.get(name)
        }

        fn set(&self, name: &str, secret: &SecretString) -> Result<(), VaultError> {
            self.race.is_won();
            self.inner.set(name, secret)
        }

        fn remove(&self, name: &str) -> Result<(), VaultError> {
            self.inner.remove(name)
        }
    }

    #[test]
    fn a_token_that_is_taken_too_late_is_taken_out_again() {
        let late = Late::default();
        set_in_turn(&late, &late.race, NAME, &secret("late")).unwrap();
        assert!(late.inner.get(NAME).unwrap().is_none());
    }

    #[test]
    fn the_token_before_one_that_is_taken_too_late_comes_back() {
        let late = Late::default();
        late.inner.set(NAME, &secret("before")).unwrap();
        set_in_turn(&late, &late.race, NAME, &secret("late")).unwrap();
        let kept = late.inner.get(NAME).unwrap().unwrap();
        assert_eq!(kept.expose_secret(), "before");
    }

    #[test]
    fn a_newer_token_stays_whatever_comes_of_an_older_one() {
        let (scripted, hasty, patient) = vaults();
        let hangs = scripted.writing.lock();
        let error = hasty.set(NAME, &secret("late")).unwrap_err();
        assert!(error.to_string().contains("not kept"), "{error}");
        drop(hangs);
        patient.set(NAME, &secret("newer")).unwrap();
        assert_eq!(kept(&scripted, &patient).as_deref(), Some("newer"));
    }

    #[test]
    fn a_change_that_was_given_up_before_its_turn_is_not_made() {
        let (scripted, hasty, patient) = vaults();
        patient.set(NAME, &secret("before")).unwrap();
        let turn = hasty.changing.lock();
        hasty.set(NAME, &secret("late")).unwrap_err();
        let error = hasty.remove(NAME).unwrap_err();
        assert!(error.to_string().contains("stays removed"), "{error}");
        drop(turn);
        assert_eq!(kept(&scripted, &patient).as_deref(), Some("before"));
    }
}
