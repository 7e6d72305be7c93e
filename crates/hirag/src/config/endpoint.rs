//! What the addresses of endpoints must be like.

use super::{ConfigError, require};

/// Whether an address is of the same scheme, host and port as an endpoint's.
pub(super) fn is_at(endpoint: &str, address: &str) -> bool {
    let origin = |address: &str| reqwest::Url::parse(address).ok().map(|url| url.origin());
    origin(endpoint).is_some_and(|own| origin(address) == Some(own))
}

/// Refuses what is no web address, or carries a password.
pub(super) fn validate_url(key: &str, url: &str) -> Result<(), ConfigError> {
    const RULE: &str = "must be an address that starts with `http://` or `https://`, has a host, \
                        and carries no user name or password (`hirag token set` keeps tokens)";
    let parsed = reqwest::Url::parse(url).ok();
    let carries_secret = url.contains('@');
    let ok = parsed.is_some_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    // What stands before an @ may be a password, and errors are logged.
    let shown = if carries_secret { "(hidden)" } else { url };
    require(ok, key, format!("{shown:?}"), RULE)
}
