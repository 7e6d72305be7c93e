//! What opens the door: the token, one-time links, and sessions of a browser.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hirag::clock::SharedClock;
use parking_lot::{Mutex, RwLock};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Bytes of a token, of a link's key and of a session's: nobody guesses one.
const KEY_BYTES: usize = 32;
/// How long a link can be used: long enough to be copied from a terminal.
const LINK_LIFE: Duration = Duration::from_secs(5 * 60);
/// Links that wait for their use at most.
const LINKS: usize = 32;
/// How long a session lasts after its last request.
const SESSION_LIFE: Duration = Duration::from_secs(12 * 3_600);
/// Sessions at once at most; the one that was unused longest makes room.
const SESSIONS: usize = 64;

/// What is kept of a secret: enough to know it again.
type Print = [u8; 32];

/// A new secret: 32 random bytes as base64url.
pub(crate) fn new_secret() -> SecretString {
    let bytes: [u8; KEY_BYTES] = rand::random();
    SecretString::from(URL_SAFE_NO_PAD.encode(bytes))
}

/// The keys. No secret is in it, only the SHA-256 of each.
#[derive(Debug)]
pub(crate) struct Keys {
    clock: SharedClock,
    token: RwLock<Option<Print>>,
    /// Until when each can be used.
    links: Mutex<HashMap<Print, Duration>>,
    /// When each was last used.
    sessions: Mutex<HashMap<Print, Duration>>,
}

impl Keys {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            token: RwLock::default(),
            links: Mutex::default(),
            sessions: Mutex::default(),
        }
    }

    /// Lets this token in from now on, and no other; another token ends links and sessions. Whether it
    /// is another one.
    pub(crate) fn set_token(&self, token: &SecretString) -> bool {
        let print = print(token.expose_secret());
        let before = self.token.write().replace(print);
        if before.is_some_and(|before| before != print) {
            self.links.lock().clear();
            self.sessions.lock().clear();
        }
        before != Some(print)
    }

    /// Whether this is the token. It takes the same time for every wrong one.
    pub(crate) fn is_token(&self, given: &str) -> bool {
        let given = print(given);
        let token = *self.token.read();
        token.is_some_and(|token| token.ct_eq(&given).into())
    }

    /// A key that opens a session once, and how long it can.
    pub(crate) fn new_link(&self) -> (SecretString, Duration) {
        let key = new_secret();
        let now = self.clock.elapsed();
        let mut links = self.links.lock();
        links.retain(|_, until| *until > now);
        if links.len() >= LINKS {
            drop_least(&mut links);
        }
        links.insert(print(key.expose_secret()), now + LINK_LIFE);
        (key, LINK_LIFE)
    }

    /// Opens a session with a link's key, which is used up then.
    pub(crate) fn open_session(&self, link: &str) -> Option<SecretString> {
        let now = self.clock.elapsed();
        let until = self.links.lock().remove(&print(link))?;
        if until <= now {
            return None;
        }
        let session = new_secret();
        let mut sessions = self.sessions.lock();
        sessions.retain(|_, used| now.saturating_sub(*used) < SESSION_LIFE);
        if sessions.len() >= SESSIONS {
            drop_least(&mut sessions);
        }
        sessions.insert(print(session.expose_secret()), now);
        Some(session)
    }

    /// Whether this is a session; if so, it lasts on.
    pub(crate) fn is_session(&self, given: &str) -> bool {
        let now = self.clock.elapsed();
        let mut sessions = self.sessions.lock();
        match sessions.get_mut(&print(given)) {
            Some(used) if now.saturating_sub(*used) < SESSION_LIFE => {
                *used = now;
                true
            }
            _ => false,
        }
    }
}

fn drop_least(entries: &mut HashMap<Print, Duration>) {
    let least = entries
        .iter()
        .min_by_key(|(_, at)| **at)
        .map(|(key, _)| *key);
    if let Some(least) = least {
        entries.remove(&least);
    }
}

fn print(secret: &str) -> Print {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use hirag::clock::FakeClock;
    use std::sync::Arc;

    use super::*;

    fn keys() -> (Arc<FakeClock>, Keys) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        (clock.clone(), Keys::new(clock))
    }

    fn opened(keys: &Keys) -> SecretString {
        let (link, _) = keys.new_link();
        keys.open_session(link.expose_secret()).unwrap()
    }

    #[test]
    fn without_a_token_nothing_is_the_token() {
        let (_, keys) = keys();
        assert!(!keys.is_token(""));
        keys.set_token(&SecretString::from("right"));
        assert!(keys.is_token("right"));
        assert!(!keys.is_token("wrong"));
        assert!(!keys.is_token(""));
    }

    #[test]
    fn a_link_opens_one_session_and_only_within_its_time() {
        let (clock, keys) = keys();
        let (link, _) = keys.new_link();
        let session = keys.open_session(link.expose_secret()).unwrap();
        assert!(keys.is_session(session.expose_secret()));
        assert!(keys.open_session(link.expose_secret()).is_none());
        let (late, _) = keys.new_link();
        clock.advance(LINK_LIFE);
        assert!(keys.open_session(late.expose_secret()).is_none());
        assert!(keys.open_session("").is_none());
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_lasts_while_it_is() {
        let (clock, keys) = keys();
        let session = opened(&keys);
        for _ in 0..3 {
            clock.advance(SESSION_LIFE - Duration::from_secs(1));
            assert!(keys.is_session(session.expose_secret()));
        }
        clock.advance(SESSION_LIFE);
        assert!(!keys.is_session(session.expose_secret()));
    }

    #[test]
    fn another_token_ends_links_and_sessions_and_the_same_one_does_not() {
        let (_, keys) = keys();
        keys.set_token(&SecretString::from("one"));
        let session = opened(&keys);
        let (link, _) = keys.new_link();
        keys.set_token(&SecretString::from("one"));
        assert!(keys.is_session(session.expose_secret()));
        keys.set_token(&SecretString::from("two"));
        assert!(!keys.is_session(session.expose_secret()));
        assert!(keys.open_session(link.expose_secret()).is_none());
        assert!(!keys.is_token("one"));
    }

    #[test]
    fn links_and_sessions_stay_few_and_the_oldest_make_room() {
        let (clock, keys) = keys();
        let first = opened(&keys);
        for _ in 0..SESSIONS {
            clock.advance(Duration::from_secs(1));
            opened(&keys);
        }
        assert!(!keys.is_session(first.expose_secret()));
        assert_eq!(keys.sessions.lock().len(), SESSIONS);
        let (link, _) = keys.new_link();
        for _ in 0..LINKS {
            clock.advance(Duration::from_secs(1));
            keys.new_link();
        }
        assert!(keys.open_session(link.expose_secret()).is_none());
    }

    #[test]
    fn what_is_kept_tells_no_secret() {
        let (_, keys) = keys();
        let token = new_secret();
        keys.set_token(&token);
        assert_eq!(token.expose_secret().len(), 43);
        assert!(!format!("{keys:?}").contains(token.expose_secret()));
    }
}
