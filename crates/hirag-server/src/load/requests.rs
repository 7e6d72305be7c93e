//! The requests of a run.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::http::request::Parts;
use hyper::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use rand::{Rng, RngExt};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{LoadError, Operation, Queries, Target, words};

/// Who stores the texts.
const AGENT: &str = "load";
/// How long a stored text stays: past the longest look at what a run left, and no longer.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// Contexts that a search asks for, as an agent does.
const LIMIT: usize = 10;

/// What clients send: the heads are made once, and only what differs is made each time.
#[derive(Debug)]
pub(super) struct Requests {
    heads: [Parts; Operation::ALL.len()],
    queries: Queries,
    repeated: Vec<Bytes>,
    session: String,
    expires: String,
}

impl Requests {
    /// Requests to `target`. What is stored expires an hour after `now`, and belongs to a session of
    /// the seed, so that it can be told from what people keep.
    ///
    /// # Errors
    /// [`LoadError::BadUrl`] for an address or a token that no request can have.
    pub(super) fn new(
        target: &Target,
        queries: Queries,
        seed: u32,
        now: Timestamp,
    ) -> Result<Self, LoadError> {
        let [store, search, health, metrics] = Operation::ALL;
        let head = |operation| head(target, operation);
        let expires = now.saturating_add(KEPT).unwrap_or(now);
        Ok(Self {
            heads: [head(store)?, head(search)?, head(health)?, head(metrics)?],
            queries,
            repeated: words::REPEATED
                .iter()
                .map(|query| search_for(query))
                .collect(),
            session: session(seed),
            expires: expires.to_string(),
        })
    }

    /// A request that asks for this.
    pub(super) fn make(&self, operation: Operation, rng: &mut impl Rng) -> Request<Full<Bytes>> {
        let body = match operation {
            Operation::Search => match self.queries {
                Queries::Fresh => search_for(&words::query(rng)),
                Queries::Repeated => {
                    let place = rng.random_range(0..self.repeated.len().max(1));
                    self.repeated.get(place).cloned().unwrap_or_default()
                }
            },
            Operation::Store => self.store(&words::text(rng)),
            Operation::Health | Operation::Metrics => Bytes::new(),
        };
        let head = self.heads[operation as usize].clone();
        Request::from_parts(head, Full::new(body))
    }

    fn store(&self, text: &str) -> Bytes {
        let context = json!({
            "text": text,
            "level": "ShortTerm",
            "agent": AGENT,
            "session": self.session,
            "expires_at": self.expires,
        });
        Bytes::from(context.to_string())
    }
}

/// The session of what a run of this seed stores.
pub(super) fn session(seed: u32) -> String {
    format!("{AGENT}-{seed}")
}

fn search_for(query: &str) -> Bytes {
    Bytes::from(json!({ "query": query, "limit": LIMIT }).to_string())
}

fn head(target: &Target, operation: Operation) -> Result<Parts, LoadError> {
    let (method, path) = match operation {
        Operation::Store => (Method::POST, "/api/v1/contexts"),
        Operation::Search => (Method::POST, "/api/v1/contexts/search"),
        Operation::Health => (Method::GET, "/health"),
        Operation::Metrics => (Method::GET, "/metrics"),
    };
    let bad = |reason: &dyn std::fmt::Display| LoadError::BadUrl {
        url: target.url().to_owned(),
        reason: reason.to_string(),
    };
    let mut request = Request::builder()
        .method(&method)
        .uri(target.path(path))
        .header(HOST, target.authority())
        .header(
            USER_AGENT,
            concat!("hirag-load/", env!("CARGO_PKG_VERSION")),
        );
    if method == Method::POST {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    if let Some(token) = target.token() {
        let token = format!("Bearer {}", token.expose_secret());
        let token = HeaderValue::try_from(token);
        let mut token = token.map_err(|_| bad(&"the token has characters that none can have"))?;
        token.set_sensitive(true);
        request = request.header(AUTHORIZATION, token);
    }
    let request = request.body(()).map_err(|error| bad(&error))?;
    Ok(request.into_parts().0)
}
