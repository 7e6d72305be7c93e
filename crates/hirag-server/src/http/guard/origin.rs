//! Which pages may ask: our own. A page elsewhere that a browser shows must not get in, neither by
//! a name that it lets point to this machine (DNS rebinding) nor by a request across sites.

use std::net::IpAddr;

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};

use crate::http::Problem;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// The names under which a server may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    /// The settings' name for others.
    pub(crate) public_name: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

impl Names {
    /// Refuses requests for another host, and those of a page elsewhere; `local` is the address that
    /// the connection came to.
    ///
    /// # Errors
    /// 421 for another host; 403 for a page elsewhere.
    pub(crate) fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        local: IpAddr,
    ) -> Result<(), Problem> {
        let host = host_of(uri, headers).filter(|host| self.is_own(host, local));
        let Some(host) = host else {
            let detail =
                "the request is for another host; ask by the address that the server names";
            return Err(Problem::new(
                StatusCode::MISDIRECTED_REQUEST,
                "foreign_host",
                detail,
            ));
        };
        let mut origins = headers.get_all(ORIGIN).iter();
        let own = match (origins.next(), origins.next()) {
            (None, _) => !is_of_another_site(method, headers),
            (Some(origin), None) => origin
                .to_str()
                .is_ok_and(|origin| self.is_own_origin(origin, &host)),
            (Some(_), Some(_)) => false,
        };
        if own {
            return Ok(());
        }
        let detail = "the request comes from a page elsewhere; only this server's own page may ask";
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "foreign_origin",
            detail,
        ))
    }

    /// Whether `host` is a name of this server, with its port; `local` is the address that the
    /// connection came to.
    fn is_own(&self, host: &Authority, local: IpAddr) -> bool {
        let default = if self.tls { 443 } else { 80 };
        if host.as_str().contains('@') || host.port_u16().unwrap_or(default) != self.port {
            return false;
        }
        let name = host.host().trim_start_matches('[').trim_end_matches(']');
        match name.parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || address == local,
            Err(_) => {
                name.eq_ignore_ascii_case("localhost")
                    || (!self.public_name.is_empty()
                        && name.eq_ignore_ascii_case(&self.public_name))
            }
        }
    }

    /// Whether `origin` is the page of the very host that is asked: a page of another port of this
    /// machine is another one's.
    fn is_own_origin(&self, origin: &str, host: &Authority) -> bool {
        let scheme = if self.tls { "https://" } else { "http://" };
        let named = origin
            .strip_prefix(scheme)
            .and_then(|name| name.parse::<Authority>().ok());
        named.is_some_and(|named| named == *host)
    }
}

/// The host that is asked for; `None` without one, or with several.
fn host_of(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next()?.to_str().ok()?.parse::<Authority>().ok()?;
    if hosts.next().is_some() || uri.authority().is_some_and(|named| *named != host) {
        return None;
    }
    Some(host)
}

/// What browsers say of requests that bear no origin, as those of a picture. Following a link is
/// no such request: it shows a page and tells the other one nothing.
fn is_of_another_site(method: &Method, headers: &HeaderMap) -> bool {
    let said = |name: &HeaderName| headers.get(name).map(|value| value.as_bytes());
    match said(&FETCH_SITE) {
        None | Some(b"same-origin" | b"none") => false,
        Some(_) => *method != Method::GET || said(&FETCH_MODE) != Some(b"navigate"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            public_name: String::new(),
            port: 8080,
            tls: false,
        }
    }

    fn asked(
        names: &Names,
        local: [u8; 4],
        method: Method,
        headers: &[(&str, &str)],
    ) -> Result<(), u16> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                value.parse().unwrap(),
            );
        }
        let answer = names.check(
            &method,
            &Uri::from_static("/api/v1/stats"),
            &map,
            local.into(),
        );
        answer.map_err(|problem| problem.status().as_u16())
    }

    fn get(headers: &[(&str, &str)]) -> Result<(), u16> {
        asked(&names(), [127, 0, 0, 1], Method::GET, headers)
    }

    #[test]
    fn only_names_of_this_machine_with_the_port_are_hosts() {
        for host in [
            "127.0.0.1:8080",
            "localhost:8080",
            "LOCALHOST:8080",
            "[::1]:8080",
            "127.0.0.2:8080",
        ] {
            assert_eq!(get(&[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example:8080",
            "localhost.evil.example:8080",
            "127.0.0.1.nip.io:8080",
            "127.0.0.1",
            "127.0.0.1:81",
            "192.168.0.7:8080",
            "user@127.0.0.1:8080",
            "0.0.0.0:8080",
            "",
        ] {
            assert_eq!(get(&[("host", host)]), Err(421), "{host}");
        }
        assert_eq!(get(&[]), Err(421));
        assert_eq!(
            get(&[("host", "127.0.0.1:8080"), ("host", "evil.example")]),
            Err(421)
        );
    }

    #[test]
    fn the_origin_must_be_absent_or_our_own() {
        let from = |origin| get(&[("host", "127.0.0.1:8080"), ("origin", origin)]);
        assert_eq!(from("http://127.0.0.1:8080"), Ok(()));
        for origin in [
            "http://evil.example",
            "http://localhost:8080",
            "http://127.0.0.1:3000",
            "https://127.0.0.1:8080",
            "http://127.0.0.1:8080/",
            "http://127.0.0.1:8080@evil.example",
            "null",
            "",
        ] {
            assert_eq!(from(origin), Err(403), "{origin}");
        }
    }

    #[test]
    fn pictures_and_forms_of_other_sites_are_refused_and_links_are_followed() {
        let host = ("host", "127.0.0.1:8080");
        for site in ["cross-site", "same-site"] {
            let picture = [
                host,
                ("sec-fetch-site", site),
                ("sec-fetch-mode", "no-cors"),
            ];
            assert_eq!(get(&picture), Err(403));
            let link = [
                host,
                ("sec-fetch-site", site),
                ("sec-fetch-mode", "navigate"),
            ];
            assert_eq!(get(&link), Ok(()));
            assert_eq!(
                asked(&names(), [127, 0, 0, 1], Method::POST, &link),
                Err(403)
            );
        }
        for site in ["same-origin", "none"] {
            assert_eq!(get(&[host, ("sec-fetch-site", site)]), Ok(()));
        }
    }

    #[test]
    fn a_public_name_is_asked_for_by_its_own_scheme_and_port() {
        let public = Names {
            public_name: "memory.example.org".to_owned(),
            port: 443,
            tls: true,
        };
        let ask = |headers: &[(&str, &str)]| asked(&public, [192, 168, 0, 7], Method::GET, headers);
        assert_eq!(ask(&[("host", "memory.example.org")]), Ok(()));
        assert_eq!(ask(&[("host", "192.168.0.7:443")]), Ok(()));
        assert_eq!(ask(&[("host", "192.168.0.8:443")]), Err(421));
        let own = ("origin", "https://memory.example.org");
        assert_eq!(ask(&[("host", "memory.example.org"), own]), Ok(()));
    }
}
