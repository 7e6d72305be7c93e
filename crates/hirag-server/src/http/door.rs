//! Opens and closes the server as the settings say while the program runs, and keeps its token.

use std::time::Duration;

use hirag::clock::SharedClock;
use hirag::config::{Config, ServerSettings};
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::guard::{Keys, new_secret};
use super::{Server, ServerError};
use crate::commands::{Error, Failure, Result};
use crate::secrets::{Keep, Secrets, TokenError, TokenKind, TokenSource};
use crate::studio::{Studio, StudioEvent, ask};

/// Time between two looks into the keyring for tokens that were refused.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long such a look may take: who brings a wrong token waits for it.
const LOOK_WITHIN: Duration = Duration::from_millis(500);

/// What the command line says in place of the settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instead {
    /// The address to listen on.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// Whether to listen, whatever `server.enabled` says.
    pub always: bool,
}

impl Instead {
    fn of(&self, config: &Config) -> Result<ServerSettings> {
        let mut settings = config.server.clone();
        if let Some(host) = &self.host {
            settings.host.clone_from(host);
        }
        settings.port = self.port.unwrap_or(settings.port);
        settings.enabled |= self.always;
        settings.validate()?;
        Ok(settings)
    }
}

/// How the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct ServerStatus {
    /// Whether the settings want it.
    pub enabled: bool,
    /// Whether it listens.
    pub running: bool,
    /// Where it listens, e.g. `http://127.0.0.1:8080`.
    pub url: Option<String>,
    /// Whether other machines reach it.
    pub remote: bool,
    /// Why it does not listen, or not where the settings say.
    pub problem: Option<Failure>,
    /// How many connections there are.
    #[ts(type = "number")]
    pub connections: usize,
    /// Where its token comes from; `None` before it is known.
    pub token: Option<TokenSource>,
}

/// The door of a studio: closed until it is opened.
#[derive(Debug)]
pub(crate) struct Door {
    keys: Keys,
    instead: Mutex<Instead>,
    told: Mutex<Told>,
    /// When the keyring was last looked into because a token was refused.
    looked: Mutex<Option<Duration>>,
    changed: Notify,
    /// One opening or closing at a time.
    turn: tokio::sync::Mutex<()>,
    /// One look for the token at a time: an older one must not come last.
    token_turn: tokio::sync::Mutex<()>,
    server: Mutex<Option<Server>>,
    following: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Told {
    problem: Option<Failure>,
    token: Option<TokenSource>,
}

impl Door {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self {
            keys: Keys::new(clock),
            instead: Mutex::default(),
            told: Mutex::default(),
            looked: Mutex::default(),
            changed: Notify::new(),
            turn: tokio::sync::Mutex::default(),
            token_turn: tokio::sync::Mutex::default(),
            server: Mutex::default(),
            following: Mutex::default(),
        }
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The settings may be others now.
    pub(crate) fn look_again(&self) {
        self.changed.notify_one();
    }

    /// Where it listens, while it does.
    pub(crate) fn url(&self) -> Option<String> {
        self.server
            .lock()
            .as_ref()
            .map(|server| server.url().to_owned())
    }

    /// A link for a browser, and how long it lasts; `None` while nobody listens.
    pub(crate) fn new_link(&self) -> Option<(String, Duration)> {
        let url = self.url()?;
        let (key, life) = self.keys.new_link();
        Some((format!("{url}/open?key={}", key.expose_secret()), life))
    }

    /// Whether it is time to look into the keyring after a token was refused.
    fn may_look(&self, now: Duration) -> bool {
        let mut looked = self.looked.lock();
        let due = looked.is_none_or(|at| now.saturating_sub(at) >= LOOK_AGAIN);
        if due {
            *looked = Some(now);
        }
        due
    }

    fn is_followed(&self) -> bool {
        self.following.lock().is_some()
    }

    /// Takes no more requests and waits for those under way.
    pub(crate) async fn close(&self) {
        if let Some(following) = self.following.lock().take() {
            following.abort();
        }
        let _turn = self.turn.lock().await;
        let server = self.server.lock().take();
        if let Some(server) = server {
            server.stop().await;
        }
    }
}

impl Studio {
    /// Listens as the settings say, from now on until the end; a problem is told, and nothing else
    /// suffers from it.
    pub fn open_door(&self) {
        let studio = self.clone();
        let follow = tokio::spawn(async move {
            loop {
                // What is wrong stands in the status.
                let _ = studio.apply_server_settings().await;
                studio.door().changed.notified().await;
            }
        });
        *self.door().following.lock() = Some(follow);
    }

    /// Listens now, and follows the settings from then on, but for what is said `instead`. Returns
    /// the address.
    ///
    /// # Errors
    /// [`ServerError`], or [`hirag::config::ConfigError`] for an address that needs more.
    pub async fn open_door_at(&self, instead: Instead) -> Result<String> {
        *self.door().instead.lock() = instead;
        self.apply_server_settings().await?;
        self.open_door();
        self.door()
            .url()
            .ok_or(Error::Server(ServerError::NotRunning))
    }

    /// How the server is.
    #[must_use]
    pub fn server_status(&self) -> ServerStatus {
        let door = self.door();
        let wanted = door.instead.lock().of(&self.config());
        let server = door.server.lock();
        let told = door.told.lock();
        ServerStatus {
            enabled: wanted.is_ok_and(|settings| settings.enabled),
            running: server.is_some(),
            url: server.as_ref().map(|server| server.url().to_owned()),
            remote: server
                .as_ref()
                .is_some_and(|server| !server.settings().address().is_loopback()),
            problem: told.problem.clone(),
            connections: server.as_ref().map_or(0, Server::connections),
            token: told.token,
        }
    }

    /// Brings the server to where the settings want it; again, if it could not be brought there
    /// before.
    ///
    /// # Errors
    /// As [`Self::open_door_at`].
    pub(crate) async fn apply_server_settings(&self) -> Result<()> {
        let door = self.door();
        let _turn = door.turn.lock().await;
        let outcome = self.apply_in_turn().await;
        if let Err(error) = &outcome {
            tracing::warn!(%error, "the server does not listen as the settings say");
        }
        door.told.lock().problem = outcome.as_ref().err().map(Failure::from);
        self.tell(StudioEvent::Server(self.server_status()));
        outcome
    }

    async fn apply_in_turn(&self) -> Result<()> {
        let door = self.door();
        let wanted = door.instead.lock().of(&self.config())?;
        let before = door
            .server
            .lock()
            .as_ref()
            .map(|server| server.settings().clone());
        if !wanted.enabled {
            let server = door.server.lock().take();
            if let Some(server) = server {
                server.stop().await;
            }
            return Ok(());
        }
        if before
            .as_ref()
            .is_some_and(|before| listens_alike(before, &wanted))
        {
            return Ok(());
        }
        self.bring_server_token().await?;
        let place = |settings: &ServerSettings| (settings.address(), settings.port);
        // Where it moves, the new one comes first: if it cannot be, the old one stays.
        let moves = before.is_some_and(|before| place(&before) != place(&wanted));
        if !moves {
            let server = door.server.lock().take();
            if let Some(server) = server {
                server.stop().await;
            }
        }
        let server = Server::start(self, wanted).await?;
        let before = door.server.lock().replace(server);
        if let Some(before) = before {
            before.stop().await;
        }
        Ok(())
    }

    /// Makes sure that there is a token, and lets it in.
    ///
    /// # Errors
    /// [`Error::Internal`] when it could not be asked for.
    pub(crate) async fn bring_server_token(&self) -> Result<()> {
        self.let_in(find_or_make).await.map(drop)
    }

    /// The same after a change of the token, while somebody listens.
    ///
    /// # Errors
    /// [`Error::Token`] when the keyring does not say what it has; the token before stays then.
    pub(crate) async fn server_token_changed(&self) -> Result<()> {
        // Who refused the one before may take this one.
        self.claim_anew();
        match self.door().is_followed() {
            true => self.let_in(find_again).await.map(drop),
            false => Ok(()),
        }
    }

    /// Lets the token in that `find` comes back with, and no other.
    async fn let_in(
        &self,
        find: impl FnOnce(&Secrets) -> Result<(SecretString, TokenSource)> + Send + 'static,
    ) -> Result<(SecretString, TokenSource)> {
        let door = self.door();
        let _turn = door.token_turn.lock().await;
        let found = ask(self.secrets(), find).await;
        let (token, source) = found.ok_or_else(not_asked)??;
        door.keys.set_token(&token);
        door.told.lock().token = Some(source);
        Ok((token, source))
    }

    /// Whether another program has changed the token that the keyring keeps; it is let in then. To be
    /// asked after one was refused. The keyring is looked into once a second at most.
    pub(super) async fn server_token_is_another(&self) -> bool {
        let door = self.door();
        if !door.may_look(self.clock().elapsed()) {
            return false;
        }
        let _turn = door.token_turn.lock().await;
        let kept = ask(self.secrets(), |secrets| secrets.get(TokenKind::Server));
        // What comes from elsewhere is not changed by others, or the keyring does not answer now.
        let Ok(Some(Some((token, TokenSource::Keyring)))) = timeout(LOOK_WITHIN, kept).await else {
            return false;
        };
        door.told.lock().token = Some(TokenSource::Keyring);
        door.keys.set_token(&token)
    }

    /// A new token in place of the one before, which lets nobody in any more. This is the one time
    /// that it is told.
    ///
    /// # Errors
    /// [`Error::Token`].
    pub(crate) async fn replace_server_token(&self) -> Result<(SecretString, TokenSource)> {
        let (token, source) = self.let_in(make).await?;
        self.tell(StudioEvent::Server(self.server_status()));
        Ok((token, source))
    }
}

fn not_asked() -> Error {
    Error::Internal("the tokens could not be asked for".to_owned())
}

/// Whether a server of these settings serves as one of the others would; the rest is read with
/// each request.
fn listens_alike(one: &ServerSettings, other: &ServerSettings) -> bool {
    let at_once = |settings: &ServerSettings| ServerSettings {
        max_body_bytes: 0,
        request_timeout_secs: 0,
        ..settings.clone()
    };
    at_once(one) == at_once(other)
}

fn find_or_make(secrets: &Secrets) -> Result<(SecretString, TokenSource)> {
    match secrets.look(TokenKind::Server) {
        Ok(Some(found)) => Ok(found),
        Ok(None) => make(secrets),
        // What the keyring may have is not to be lost to a new one.
        Err(_) => for_this_run(secrets, new_secret()),
    }
}

/// The token after a change: a new one only where the keyring says that there is none.
fn find_again(secrets: &Secrets) -> Result<(SecretString, TokenSource)> {
    match secrets.look(TokenKind::Server) {
        Ok(Some(found)) => Ok(found),
        Ok(None) => make(secrets),
        Err(error) => Err(TokenError::from(error).into()),
    }
}

/// Makes a token and keeps it where it can be kept.
fn make(secrets: &Secrets) -> Result<(SecretString, TokenSource)> {
    let token = new_secret();
    if secrets
        .set(TokenKind::Server, token.clone(), Keep::Keyring)
        .is_ok()
    {
        return Ok((token, TokenSource::Keyring));
    }
    for_this_run(secrets, token)
}

fn for_this_run(secrets: &Secrets, token: SecretString) -> Result<(SecretString, TokenSource)> {
    secrets.set(TokenKind::Server, token.clone(), Keep::ThisRun)?;
    Ok((token, TokenSource::ThisRun))
}
