//! Tokens: in the system's keyring, for this run, or from the environment; never in a file.

mod patient;
mod system;
mod token;
mod vault;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

pub use patient::PatientVault;
pub use system::system_vault;
pub use token::{MAX_TOKEN_BYTES, TokenError, check_token};
pub use vault::{MemoryVault, NoVault, Vault, VaultError};

/// Characters of a token that are shown, and only of one that has four times as many.
const SHOWN: usize = 4;

/// What a token is for.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ts_rs::TS,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// The embedding endpoint.
    Embedding,
    /// The chat endpoint.
    Chat,
    /// This program's own HTTP server.
    Server,
}

impl TokenKind {
    /// Its name, also its entry in the keyring.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Embedding => "embedding",
            Self::Chat => "chat",
            Self::Server => "server",
        }
    }

    /// The environment variable that gives it where no keyring does.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Embedding => "HIRAG_EMBEDDING_TOKEN",
            Self::Chat => "HIRAG_CHAT_TOKEN",
            Self::Server => "HIRAG_SERVER_TOKEN",
        }
    }
}

impl std::str::FromStr for TokenKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name.trim().to_lowercase().as_str() {
            "embedding" => Ok(Self::Embedding),
            "chat" => Ok(Self::Chat),
            "server" => Ok(Self::Server),
            _ => Err(format!(
                "unknown token `{name}`; use embedding, chat or server"
            )),
        }
    }
}

/// Where a token comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum TokenSource {
    /// The system's keyring.
    Keyring,
    /// An environment variable.
    Environment,
    /// Given to this run; gone with it.
    ThisRun,
}

/// Where to keep a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// In the system's keyring.
    #[default]
    Keyring,
    /// In memory, until the program ends.
    ThisRun,
}

/// Whether a keyring answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum KeyringState {
    /// It does.
    Available,
    /// It does not.
    Absent,
    /// It was asked and has not answered yet.
    Asking,
}

/// What may be told of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct TokenStatus {
    /// Which one.
    pub kind: TokenKind,
    /// Whether there is one.
    pub set: bool,
    /// Its last four characters, where it is long enough to give them away.
    pub last_four: Option<String>,
    /// Where it comes from.
    pub source: Option<TokenSource>,
    /// Whether a keyring answers.
    pub keyring: KeyringState,
    /// Why it does not.
    pub why_absent: Option<String>,
}

/// The tokens; a handle, all clones being one. Its calls block: a keyring may ask a person.
#[derive(Debug, Clone)]
pub struct Secrets {
    vault: Arc<dyn Vault>,
    environment: Arc<BTreeMap<TokenKind, SecretString>>,
    this_run: Arc<RwLock<BTreeMap<TokenKind, SecretString>>>,
}

impl Secrets {
    /// Tokens in `vault`, with what `variables` gives of them.
    #[must_use]
    pub fn new(vault: Arc<dyn Vault>, variables: impl Iterator<Item = (String, String)>) -> Self {
        let kinds = [TokenKind::Embedding, TokenKind::Chat, TokenKind::Server];
        let environment = variables.filter_map(|(name, value)| {
            let kind = kinds.into_iter().find(|kind| kind.variable() == name)?;
            (!value.is_empty()).then(|| (kind, SecretString::from(value)))
        });
        Self {
            vault,
            environment: Arc::new(environment.collect()),
            this_run: Arc::default(),
        }
    }

    /// The token and where it comes from: what was given to this run goes before the keyring, and
    /// that before the environment. A keyring that does not answer has none.
    #[must_use]
    pub fn get(&self, kind: TokenKind) -> Option<(SecretString, TokenSource)> {
        self.find(kind).0
    }

    /// The same, where it matters whether there is none or whether that is not known.
    ///
    /// # Errors
    /// Why the keyring that is there did not say whether it has one.
    pub(crate) fn look(
        &self,
        kind: TokenKind,
    ) -> Result<Option<(SecretString, TokenSource)>, VaultError> {
        match self.find(kind) {
            (Some(found), _) => Ok(Some(found)),
            (None, Ok(()) | Err(VaultError::Absent(_))) => Ok(None),
            (None, Err(error)) => Err(error),
        }
    }

    /// What may be told of a token.
    #[must_use]
    pub fn status(&self, kind: TokenKind) -> TokenStatus {
        let (found, keyring) = self.find(kind);
        let (token, source) = found.unzip();
        TokenStatus {
            kind,
            set: token.is_some(),
            last_four: token.as_ref().and_then(last_four),
            source,
            keyring: match keyring {
                Ok(()) => KeyringState::Available,
                Err(_) => KeyringState::Absent,
            },
            why_absent: keyring.err().map(|error| error.to_string()),
        }
    }

    /// Keeps a token, in place of the one before.
    ///
    /// # Errors
    /// [`TokenError::Bad`] for what cannot be a token, [`TokenError::Vault`] where the keyring
    /// does not take it; the old token stays then.
    pub fn set(&self, kind: TokenKind, token: SecretString, keep: Keep) -> Result<(), TokenError> {
        check_token(token.expose_secret())?;
        match keep {
            Keep::Keyring => {
                self.vault.set(kind.as_str(), &token)?;
                // Otherwise the older one of this run would hide it.
                self.this_run.write().remove(&kind);
            }
            Keep::ThisRun => {
                self.this_run.write().insert(kind, token);
            }
        }
        Ok(())
    }

    /// What `get` gives without asking the keyring: at once, and not always the same.
    #[must_use]
    pub fn at_hand(&self, kind: TokenKind) -> Option<SecretString> {
        let given = self.this_run.read().get(&kind).cloned();
        given.or_else(|| self.environment.get(&kind).cloned())
    }

    /// Removes a token from the keyring and from this run. One of the environment stays.
    ///
    /// # Errors
    /// [`TokenError::Vault`] where a keyring is there and does not let it go.
    pub fn clear(&self, kind: TokenKind) -> Result<(), TokenError> {
        match self.vault.remove(kind.as_str()) {
            Ok(()) | Err(VaultError::Absent(_)) => {
                self.this_run.write().remove(&kind);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether a keyring answers; nobody is asked to unlock it.
    ///
    /// # Errors
    /// Why it does not.
    pub fn keyring(&self) -> Result<(), VaultError> {
        self.vault.check()
    }

    fn find(
        &self,
        kind: TokenKind,
    ) -> (Option<(SecretString, TokenSource)>, Result<(), VaultError>) {
        let kept = self.vault.get(kind.as_str());
        let given = self.this_run.read().get(&kind).cloned();
        if let Some(token) = given {
            return (Some((token, TokenSource::ThisRun)), kept.map(drop));
        }
        let from_environment = || {
            let token = self.environment.get(&kind)?.clone();
            Some((token, TokenSource::Environment))
        };
        match kept {
            Ok(Some(token)) => (Some((token, TokenSource::Keyring)), Ok(())),
            Ok(None) => (from_environment(), Ok(())),
            Err(error) => {
                if !matches!(error, VaultError::Absent(_)) {
                    tracing::warn!(%error, token = kind.as_str(), "the keyring was asked in vain");
                }
                (from_environment(), Err(error))
            }
        }
    }
}

fn last_four(token: &SecretString) -> Option<String> {
    let token = token.expose_secret();
    let length = token.chars().count();
    (length >= 4 * SHOWN).then(|| token.chars().skip(length - SHOWN).collect())
}
