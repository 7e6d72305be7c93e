use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

/// The address that something is asked of.
#[derive(Clone)]
pub(crate) struct Endpoint {
    url: Url,
    shown: String,
}

impl Endpoint {
    /// Completes a base or `…/v1` to the full path of a resource, e.g. `embeddings`. The error says
    /// what is wrong, without repeating an address that may hold a password.
    pub(crate) fn parse(api_url: &str, resource: &str) -> Result<Self, String> {
        let mut url = Url::parse(api_url.trim()).map_err(|e| e.to_string())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("it starts with `{}:`", url.scheme()));
        }
        url.set_fragment(None);
        let path = url.path().trim_end_matches('/').to_owned();
        let last = path.rsplit('/').next().unwrap_or_default();
        let full = if path.ends_with(&format!("/{resource}")) {
            path
        } else if is_version(last) {
            format!("{path}/{resource}")
        } else {
            format!("{path}/v1/{resource}")
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
    pub(crate) fn without_credentials(mut self) -> Self {
        let _ = self.url.set_username("");
        let _ = self.url.set_password(None);
        self
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The address without credentials and query, for people.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether it is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
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
            let endpoint = Endpoint::parse(given, "embeddings").unwrap();
            assert_eq!(endpoint.url().as_str(), full, "{given}");
        }
    }

    #[test]
    fn a_resource_of_two_parts_is_completed_as_a_whole() {
        for (given, full) in [
            ("http://h:1/v1", "http://h:1/v1/chat/completions"),
            (
                "http://h/v1/chat/completions",
                "http://h/v1/chat/completions",
            ),
            (
                "http://h/completions",
                "http://h/completions/v1/chat/completions",
            ),
        ] {
            let endpoint = Endpoint::parse(given, "chat/completions").unwrap();
            assert_eq!(endpoint.url().as_str(), full, "{given}");
        }
    }

    #[test]
    fn credentials_and_query_are_not_shown() {
        let endpoint = Endpoint::parse("http://me:pass@h:1/v1?key=secret#x", "embeddings").unwrap();
        assert_eq!(endpoint.shown(), "http://h:1/v1/embeddings");
        assert_eq!(format!("{endpoint:?}"), "http://h:1/v1/embeddings");
    }

    #[test]
    fn what_is_no_web_address_is_refused_without_repeating_it() {
        for bad in ["", "h:1", "ftp://me:pass@h", "http://", "/v1"] {
            let reason = Endpoint::parse(bad, "embeddings").unwrap_err();
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
            let endpoint = Endpoint::parse(url, "embeddings").unwrap();
            assert_eq!(endpoint.is_loopback(), expected);
        }
    }
}
