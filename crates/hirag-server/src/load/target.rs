//! Whom the load is put on.

use std::net::IpAddr;
use std::path::Path;

use reqwest::Url;
use secrecy::SecretString;

use super::LoadError;
use crate::running;

/// A server and the way into it.
#[derive(Debug, Clone)]
pub struct Target {
    url: Url,
    token: Option<SecretString>,
}

impl Target {
    /// The server at `url`, which may have a path in front of the server's own.
    ///
    /// # Errors
    /// [`LoadError::BadUrl`]; [`LoadError::TokenInClear`] where the token would leave this machine
    /// unencrypted.
    pub fn new(url: &str, token: Option<SecretString>) -> Result<Self, LoadError> {
        let bad = |reason: String| LoadError::BadUrl {
            url: url.to_owned(),
            reason,
        };
        let parsed = Url::parse(url).map_err(|error| bad(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(bad("it is neither http nor https".to_owned()));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            // Not told again: it has a password.
            return Err(LoadError::BadUrl {
                url: format!("{}://…", parsed.scheme()),
                reason: "it has a name or a password in it".to_owned(),
            });
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(bad("it has more than a path".to_owned()));
        }
        let target = Self { url: parsed, token };
        if target.token.is_some() && !target.is_tls() && !target.is_on_this_machine() {
            return Err(LoadError::TokenInClear(url.to_owned()));
        }
        Ok(target)
    }

    /// The running server of the memory in `data_dir`.
    ///
    /// # Errors
    /// [`LoadError::NoServer`].
    pub async fn own(data_dir: &Path, token: Option<SecretString>) -> Result<Self, LoadError> {
        let running = running::find(data_dir).await.ok_or(LoadError::NoServer)?;
        Self::new(&running.url, token)
    }

    /// Whether only this machine can be meant.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        let host = self.host();
        let address = host.parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    pub(super) fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The name or the address, without the brackets of one of IPv6.
    pub(super) fn host(&self) -> &str {
        let host = self.url.host_str().unwrap_or_default();
        host.trim_matches(['[', ']'])
    }

    pub(super) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// What the `Host` header says.
    pub(super) fn authority(&self) -> &str {
        self.url.authority()
    }

    /// `path` behind the address's own.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.url.path().trim_end_matches('/'))
    }

    pub(super) const fn token(&self) -> Option<&SecretString> {
        self.token.as_ref()
    }

    /// The address as it is told.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Option<SecretString> {
        Some(SecretString::from("secret-token-of-the-server"))
    }

    #[test]
    fn addresses_are_taken_apart() {
        let target = Target::new("http://[::1]:8080/memory/", token()).unwrap();
        assert_eq!((target.host(), target.port()), ("::1", 8080));
        assert_eq!(target.authority(), "[::1]:8080");
        assert_eq!(target.path("/health"), "/memory/health");
        assert_eq!(target.url(), "http://[::1]:8080/memory");
        assert!(target.is_on_this_machine());
        let target = Target::new("https://memory.example", token()).unwrap();
        assert_eq!((target.port(), target.is_tls()), (443, true));
        assert_eq!(target.path("/health"), "/health");
        assert!(!target.is_on_this_machine());
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        for url in [
            "",
            "127.0.0.1:8080",
            "localhost:8080",
            "ftp://127.0.0.1",
            "file:///etc/passwd",
            "http://",
            "http://127.0.0.1:99999",
            "http://127.0.0.1/?a=b",
            "http://ada:hunter2@127.0.0.1",
        ] {
            let error = Target::new(url, None).unwrap_err();
            assert_eq!(error.code(), "invalid_url", "{url}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_token_leaves_this_machine_only_encrypted() {
        let error = Target::new("http://192.168.0.7:8080", token()).unwrap_err();
        assert_eq!(error.code(), "token_in_clear");
        assert!(!format!("{error:?}").contains("secret-token"));
        Target::new("http://192.168.0.7:8080", None).unwrap();
        Target::new("http://localhost:8080", token()).unwrap();
    }

    #[tokio::test]
    async fn a_memory_without_a_server_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = Target::own(folder.path(), None).await.unwrap_err();
        assert_eq!(error.code(), "no_server");
    }
}
