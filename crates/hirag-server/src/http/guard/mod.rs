//! Who may come in.

mod keys;
mod origin;

use std::net::IpAddr;
use std::time::Duration;

use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::{HeaderMap, StatusCode};
use hirag::clock::SharedClock;
use hirag::config::ConfigError;
use hirag::resilience::{Decision, RateLimitSettings, RateLimiter};

pub(crate) use keys::{Keys, new_secret};
pub(crate) use origin::Names;

use super::Problem;

/// Wrong tokens that one client may try in a minute. Each says `rate_limited` from there on.
const WRONG_TOKENS: u32 = 20;

/// Who asks, once the guard has let them in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A program with the token.
    Program,
    /// A browser with a session.
    Browser,
}

/// Looks at the keys that come in.
#[derive(Debug)]
pub(crate) struct Guard {
    /// Counts the wrong tokens of each client.
    wrong: RateLimiter,
}

impl Guard {
    /// A guard that has seen nobody.
    ///
    /// # Errors
    /// None; its own settings are valid.
    pub(crate) fn new(clock: SharedClock) -> Result<Self, ConfigError> {
        let settings = RateLimitSettings {
            enabled: true,
            requests_per_window: WRONG_TOKENS,
            window_secs: 60,
            burst_size: 1,
            cleanup_interval_secs: 300,
            max_clients: 1_000,
        };
        Ok(Self {
            wrong: RateLimiter::new(settings, clock)?,
        })
    }

    /// Lets in who has the token or a session.
    ///
    /// # Errors
    /// 401; 429 after too many wrong ones.
    pub(crate) fn admit(
        &self,
        keys: &Keys,
        headers: &HeaderMap,
        peer: IpAddr,
        port: u16,
    ) -> Result<Caller, Problem> {
        if let Some(given) = bearer(headers) {
            return match keys.is_token(given) {
                true => Ok(Caller::Program),
                false => Err(self.refuse_wrong(peer)),
            };
        }
        match session(headers, port) {
            Some(session) if keys.is_session(session) => Ok(Caller::Browser),
            Some(_) => Err(unauthorised("the session has ended; open a new link")),
            None => Err(unauthorised(
                "a token is needed: `Authorization: Bearer …`, with the token that `hirag serve` \
                 or the settings of HiRAG Studio name",
            )),
        }
    }

    /// Opens a session with the key of a link.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub(crate) fn open_session(
        &self,
        keys: &Keys,
        link: &str,
        peer: IpAddr,
    ) -> Result<secrecy::SecretString, Problem> {
        keys.open_session(link)
            .ok_or_else(|| match self.limited(peer) {
                Some(problem) => problem,
                None => unauthorised("the link was used or is too old; make a new one"),
            })
    }

    fn refuse_wrong(&self, peer: IpAddr) -> Problem {
        self.limited(peer)
            .unwrap_or_else(|| unauthorised("this is not the token"))
    }

    fn limited(&self, peer: IpAddr) -> Option<Problem> {
        match self.wrong.check(&peer.to_string()) {
            Decision::Allowed { .. } => None,
            Decision::Limited { retry_after } => Some(too_many_wrong(retry_after)),
        }
    }
}

fn unauthorised(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
}

fn too_many_wrong(wait: Duration) -> Problem {
    let detail = "too many wrong tokens; wait before you try another";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).after(wait)
}

/// The token of the header, whatever it is; a header of another kind is an empty one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(AUTHORIZATION)?.to_str().unwrap_or_default();
    let (scheme, token) = given.split_once(' ').unwrap_or_default();
    Some(match scheme.eq_ignore_ascii_case("bearer") {
        true => token.trim_start(),
        false => "",
    })
}

/// The name of the session's cookie. Cookies are the same for all ports of a host, so two servers
/// need two names.
pub(crate) fn cookie_name(port: u16) -> String {
    format!("hirag_session_{port}")
}

fn session(headers: &HeaderMap, port: u16) -> Option<&str> {
    let name = cookie_name(port);
    let cookies = headers.get_all(COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'));
    pairs.find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}
