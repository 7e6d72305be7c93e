//! Each client's share, by the limiter of the settings `[rate_limit]`, and what it is told of it.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use hirag::resilience::{Decision, RateLimitSettings};

use super::{Api, Problem};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What a client may still do (draft-ietf-httpapi-ratelimit-headers).
#[derive(Debug, Clone)]
pub(super) struct Limit {
    settings: RateLimitSettings,
    remaining: u32,
}

/// Counts a request of `client`; `None` where nobody is limited.
///
/// # Errors
/// 429 with the time to wait.
pub(super) fn check(api: &Api, client: &str) -> Result<Option<Limit>, Problem> {
    // While the memory is not open nothing is served that could be limited.
    let Some(host) = api.studio().host_now() else {
        return Ok(None);
    };
    let manager = host.manager();
    let settings = manager.config().rate_limit.clone();
    match manager.rate_limiter().check(client) {
        _ if !settings.enabled => Ok(None),
        Decision::Allowed { remaining } => Ok(Some(Limit {
            settings,
            remaining,
        })),
        Decision::Limited { retry_after } => Err(limited(settings, retry_after)),
    }
}

fn limited(settings: RateLimitSettings, wait: Duration) -> Problem {
    let detail = format!(
        "more than {} requests in {} seconds; wait, or change `[rate_limit]`",
        settings.requests_per_window, settings.window_secs
    );
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
        .after(wait)
        .limited_by(Limit {
            settings,
            remaining: 0,
        })
}

impl Limit {
    /// Puts it into the headers of an answer.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let settings = &self.settings;
        let at_once = settings.at_once();
        let used = at_once.saturating_sub(self.remaining);
        let each = settings.window_secs as f64 / f64::from(settings.requests_per_window);
        let refilled = (f64::from(used) * each).ceil() as u64;
        let policy = format!(
            "\"client\";q={at_once};w={}",
            (f64::from(at_once) * each).ceil()
        );
        let limit = format!("\"client\";r={};t={refilled}", self.remaining);
        for (name, value) in [(POLICY, policy), (LIMIT, limit)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}
