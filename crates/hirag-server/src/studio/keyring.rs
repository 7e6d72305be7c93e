//! The keyring, asked beside everything else: one that hangs holds up nothing but its own answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use hirag::HiragManager;
use hirag::config::{ChatProviderKind, Config, ProviderKind};
use secrecy::SecretString;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::Studio;
use crate::secrets::{KeyringState, Secrets, TokenKind, VaultError};

/// A keyring that is open answers within milliseconds, and the first search has its token then. One
/// that asks a person does not hold up the window: the token follows.
const KEYRING_GRACE: Duration = Duration::from_millis(500);

/// What is known of the keyring.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    answer: watch::Sender<Option<KeyringAnswer>>,
    /// Whether it is being asked: one that hangs is asked once, not by everyone who looks.
    asking: AtomicBool,
    /// One token of an endpoint at a time is asked for: an older one must not come last.
    bringing: [tokio::sync::Mutex<()>; Endpoint::ALL.len()],
}

/// What the memory goes to with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// It gives vectors.
    Embedding,
    /// It words answers.
    Chat,
}

impl Endpoint {
    const ALL: [Self; 2] = [Self::Embedding, Self::Chat];

    const fn token(self) -> TokenKind {
        match self {
            Self::Embedding => TokenKind::Embedding,
            Self::Chat => TokenKind::Chat,
        }
    }

    /// Whether the settings want it; a model on this machine needs no token, and no keyring is
    /// unlocked for it.
    fn is_wanted(self, config: &Config) -> bool {
        match self {
            Self::Embedding => config.embedding.provider == ProviderKind::Http,
            Self::Chat => config.chat.provider != ChatProviderKind::None,
        }
    }

    fn give(self, manager: &HiragManager, token: Option<SecretString>) {
        match self {
            Self::Embedding => manager.set_embedding_token(token),
            Self::Chat => manager.set_chat_token(token),
        }
    }
}

/// What the keyring answered last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyringAnswer {
    /// Whether it can be used.
    pub(crate) outcome: Result<(), VaultError>,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Studio {
    /// Whether the keyring can be used, as far as it is known. It is asked again for the next who
    /// looks; an answer that is another than before is told as an event.
    pub(super) fn keyring_state(&self) -> KeyringState {
        self.begin_to_ask_keyring();
        let answer = self.inner.keyring.answer.borrow();
        match answer.as_ref().map(|answer| &answer.outcome) {
            Some(Ok(())) => KeyringState::Available,
            Some(Err(_)) => KeyringState::Absent,
            None => KeyringState::Asking,
        }
    }

    /// What the keyring answers now, if it does so soon, or else answered last, if it ever has.
    pub(crate) async fn keyring(&self) -> Option<KeyringAnswer> {
        let mut answer = self.inner.keyring.answer.subscribe();
        self.begin_to_ask_keyring();
        let _ = timeout(KEYRING_GRACE, answer.changed()).await;
        let answer = answer.borrow();
        answer.clone()
    }

    fn begin_to_ask_keyring(&self) {
        if !self.inner.keyring.asking.swap(true, Ordering::AcqRel) {
            tokio::spawn(self.clone().ask_keyring());
        }
    }

    async fn ask_keyring(self) {
        let begin = Instant::now();
        let outcome = ask(&self.inner.secrets, Secrets::keyring).await;
        let outcome = outcome.unwrap_or_else(|| {
            let reason = "it could not be asked".to_owned();
            Err(VaultError::Refused(reason))
        });
        let took = begin.elapsed();
        let keyring = &self.inner.keyring;
        // Before it is told: who looks then has it asked again.
        keyring.asking.store(false, Ordering::Release);
        let now = KeyringAnswer { outcome, took };
        let before = keyring.answer.send_replace(Some(now.clone()));
        if before.is_none_or(|before| before.outcome != now.outcome) {
            self.tell_startup();
        }
    }

    /// A token, if there is one. The keyring may be unlocked for it.
    pub(crate) async fn token(&self, kind: TokenKind) -> Option<SecretString> {
        let found = ask(&self.inner.secrets, move |secrets| secrets.get(kind)).await;
        found.flatten().map(|(token, _)| token)
    }

    /// The token for the provider of `config` that is to be had without the keyring; a model on this
    /// machine needs none.
    pub(super) fn token_at_hand(&self, config: &Config) -> Option<SecretString> {
        let needed = config.embedding.provider == ProviderKind::Http;
        let secrets = &self.inner.secrets;
        needed.then(|| secrets.at_hand(TokenKind::Embedding))?
    }

    /// Asks for the tokens that the endpoints of `config` need, in the background. One that nobody
    /// waited for goes to its endpoint when it comes.
    pub(super) fn ask_for_tokens(&self, config: &Config) -> TokensToCome {
        TokensToCome(Endpoint::ALL.map(|endpoint| self.ask_for_token(endpoint, config)))
    }

    fn ask_for_token(&self, endpoint: Endpoint, config: &Config) -> TokenToCome {
        let (sender, token) = oneshot::channel();
        if endpoint.is_wanted(config) {
            let studio = self.clone();
            tokio::spawn(async move {
                let _bringing = studio.inner.keyring.bringing[endpoint as usize]
                    .lock()
                    .await;
                let token = studio.token(endpoint.token()).await;
                if let Err(token) = sender.send(token) {
                    studio.give_token(endpoint, token).await;
                }
            });
        }
        TokenToCome { endpoint, token }
    }

    /// Lets an endpoint be gone to with its token as it is now, after a change. Returns when it is, or
    /// goes on in the background where the keyring takes its time.
    pub(crate) async fn bring_token(&self, endpoint: Endpoint) {
        let token = self.ask_for_token(endpoint, &self.config());
        if let Some(token) = token.within_grace().await {
            self.give_token(endpoint, token).await;
        }
    }

    /// The same for all endpoints.
    pub(super) async fn bring_tokens(&self) {
        join_all(Endpoint::ALL.map(|endpoint| self.bring_token(endpoint))).await;
    }

    async fn give_token(&self, endpoint: Endpoint, token: Option<SecretString>) {
        let _turn = self.inner.turn.lock().await;
        if let Some(host) = self.host_now()
            && endpoint.is_wanted(&self.config())
        {
            endpoint.give(host.manager(), token);
        }
    }
}

/// Tokens that were asked for.
#[derive(Debug)]
pub(super) struct TokensToCome([TokenToCome; Endpoint::ALL.len()]);

impl TokensToCome {
    /// Gives a memory those that the keyring says soon, before anybody uses it.
    pub(super) async fn give_to(self, manager: &HiragManager) {
        let each = self.0.map(|token| async {
            let endpoint = token.endpoint;
            if let Some(token) = token.within_grace().await {
                endpoint.give(manager, token);
            }
        });
        join_all(each).await;
    }
}

#[derive(Debug)]
struct TokenToCome {
    endpoint: Endpoint,
    token: oneshot::Receiver<Option<SecretString>>,
}

impl TokenToCome {
    /// What the keyring says, if it says so soon.
    async fn within_grace(mut self) -> Option<Option<SecretString>> {
        if let Ok(asked) = timeout(KEYRING_GRACE, &mut self.token).await {
            return asked.ok();
        }
        // From here on it comes in the background, unless it has just come.
        self.token.close();
        self.token.try_recv().ok()
    }
}

/// Asks on a thread of its own; `None` where there is none to be had. The end of the program does
/// not wait for it, as it would for tokio's.
pub(crate) async fn ask<T: Send + 'static>(
    secrets: &Secrets,
    question: impl FnOnce(&Secrets) -> T + Send + 'static,
) -> Option<T> {
    let (answer, asked) = oneshot::channel();
    let secrets = secrets.clone();
    std::thread::Builder::new()
        .name("secrets".to_owned())
        // If nobody waits any longer, nothing is lost.
        .spawn(move || drop(answer.send(question(&secrets))))
        .ok()?;
    asked.await.ok()
}
