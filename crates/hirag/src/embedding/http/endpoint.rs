use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

/// The address that embeddings are asked of.
#[derive(Clone)]
pub(super) struct Endpoint {
    url: Url,
    shown: String,
}

impl Endpoint {
    /// Completes a base or `…/v1` to the full path. The error says what is wrong, without
    /// repeating an address that may hold a password.
    pub(super) fn parse(api_url: &str) -> Result<Self, String> {
        let mut url = Url::parse(api_url.trim()).map_err(|e| e.to_string())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("it starts with `{}:`", url.scheme()));
        }
        url.set_fragment(None);
        let path = url.path().trim_end_matches('/').to_owned();
        let last = path.rsplit('/').next().unwrap_or_default();
        let full = if last == "embeddings" {
            path
        } else if is_version(last) {
            format!("{path}/embeddings")
        } else {
            format!("{path}/v1/embeddings")
        };
        url.set_path(&full);

        let mut shown = url.clone();
        shown.set_query(None);
        // Fails only for addresses without a host, which `http` never is.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        Ok(Self {
            url,
            shown: shown.into(),
        })
    }

    /// Leaves out user and password, for when a token goes instead.
    pub(super) fn without_credentials(mut self) -> Self {
        let _ = self.url.set_username("");
        let _ = self.url.set_password(None);
        self
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The address without credentials and query, for people.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        host.eq_ignore_ascii_case("localhost")
            || host
                .trim_matches(['[', ']'])
                .parse::<IpAddr>()
                .is_ok_and(|ip| ip.is_loopback())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// `v1`, `v2`, …
fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_a_version_and_the_full_path_are_all_understood() {
        for (given, full) in [
            ("http://h:1", "http://h:1/v1/embeddings"),
            ("http://h:1/", "http://h:1/v1/embeddings"),
            (" http://h:1/v1 ", "http://h:1/v1/embeddings"),
            ("http://h:1/v1/", "http://h:1/v1/embeddings"),
            ("https://h/v1/embeddings", "https://h/v1/embeddings"),
            ("https://h/v1/embeddings/", "https://h/v1/embeddings"),
            ("https://h/api/v3", "https://h/api/v3/embeddings"),
            ("https://h/gateway", "https://h/gateway/v1/embeddings"),
            (
                "https://h/x/embeddings?api-version=2",
                "https://h/x/embeddings?api-version=2",
            ),
        ] {
            let endpoint = Endpoint::parse(given).unwrap();
            assert_eq!(endpoint.url().as_str(), full, "{given}");
        }
    }

    #[test]
    fn credentials_and_query_are_not_shown() {
        let endpoint = Endpoint::parse("http://me:pass@h:1/v1?key=secret#x").unwrap();
        assert_eq!(endpoint.shown(), "http://h:1/v1/embeddings");
        assert_eq!(format!("{endpoint:?}"), "http://h:1/v1/embeddings");
    }

    #[test]
    fn what_is_no_web_address_is_refused_without_repeating_it() {
        for bad in ["", "h:1", "ftp://me:pass@h", "http://", "/v1"] {
            let reason = Endpoint::parse(bad).unwrap_err();
            assert!(!reason.contains("pass"), "{reason}");
        }
    }

    #[test]
    fn this_machine_is_recognised() {
        for (url, expected) in [
            ("http://localhost:1", true),
            ("http://127.0.0.1", true),
            ("http://[::1]:8080", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().is_loopback(), expected);
        }
    }
}
