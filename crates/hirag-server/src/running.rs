//! Where the server of a memory listens, for those on this machine who join it: the file
//! `server.json` in the data folder. There is no secret in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hirag::files::remove_if_there;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::time::{sleep, timeout};

use crate::commands::{Error, Result};
use crate::whole_file::WholeFile;

/// The file in the data folder.
pub const FILE: &str = "server.json";

/// Bytes of the file that are read; ours has a tenth of that.
const MOST_BYTES: u64 = 1_024;
/// A server on this machine that lives says so within this time, even under load.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often is looked again for what another process is about to do.
pub(crate) const LOOK: Duration = Duration::from_millis(50);

/// A server that listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its address on this machine, without a path, e.g. `http://127.0.0.1:8080`.
    pub url: String,
    /// Its process.
    pub pid: u32,
    /// Whether it closes the store for a window or a server that asks for it.
    #[serde(default)]
    pub gives_way: bool,
}

impl Running {
    /// A request to it with its token.
    pub(crate) fn post(
        &self,
        client: &reqwest::Client,
        path: &str,
        token: &SecretString,
    ) -> reqwest::RequestBuilder {
        let request = client.post(format!("{}{path}", self.url));
        request.bearer_auth(token.expose_secret())
    }
}

/// The word of this process that it listens; taken back when dropped.
#[derive(Debug)]
#[must_use = "the word is taken back when this is dropped"]
pub struct Announcement {
    place: PathBuf,
    running: Running,
}

/// Says that this process serves the memory in `data_dir` at `url`, in place of whoever said so
/// before. To be called once it listens.
///
/// # Errors
/// [`Error::BadRequest`] for an address that is not on this machine; [`Error::Unwritable`].
pub fn announce(data_dir: &Path, url: &str, gives_way: bool) -> Result<Announcement> {
    if local(url).is_none() {
        return Err(Error::BadRequest {
            key: "url",
            value: url.to_owned(),
            rule: "must be the address of a server on this machine",
        });
    }
    let running = Running {
        url: url.trim_end_matches('/').to_owned(),
        pid: std::process::id(),
        gives_way,
    };
    let text = serde_json::to_string(&running).map_err(|e| Error::Internal(e.to_string()))?;
    let place = data_dir.join(FILE);
    let mut file = WholeFile::begin(&place)?;
    file.put(text.as_bytes())?;
    file.finish()?;
    Ok(Announcement { place, running })
}

impl Drop for Announcement {
    /// The word of a later server stays. If ours cannot be taken back, [`find`] sees that nobody
    /// answers.
    fn drop(&mut self) {
        if read(&self.place).as_ref() == Some(&self.running) {
            let _ = remove_if_there(&self.place);
        }
    }
}

/// The server of the memory in `data_dir`, if there is one and it answers. What the file says of a
/// process that has ended, or of another machine, counts for nothing: a token goes to the address.
pub async fn find(data_dir: &Path) -> Option<Running> {
    let place = data_dir.join(FILE);
    let found = tokio::task::spawn_blocking(move || {
        let running = read(&place)?;
        let local = local(&running.url).is_some() && lives(running.pid);
        local.then_some(running)
    });
    let running = found.await.ok().flatten()?;
    let live = format!("{}/health/live", running.url);
    let answer = client().ok()?.get(live).timeout(PATIENCE).send().await;
    answer.ok()?.status().is_success().then_some(running)
}

/// Waits until the server of process `pid` is found, but no longer than `patience` or than the process
/// lives.
pub(crate) async fn wait_for(data_dir: &Path, pid: u32, patience: Duration) {
    let found = async {
        loop {
            match find(data_dir).await {
                Some(running) if running.pid == pid => return,
                _ => sleep(LOOK).await,
            }
            if !tokio::task::spawn_blocking(move || lives(pid))
                .await
                .unwrap_or(true)
            {
                return;
            }
        }
    };
    // Who waits looks for itself then.
    let _ = timeout(patience, found).await;
}

/// A client for a server on this machine. No proxy comes between, and nothing redirects it. A
/// certificate is not checked: it is made out to the name that others use.
///
/// # Errors
/// [`Error::Internal`] where none can be made.
pub(crate) fn client() -> Result<reqwest::Client> {
    // Fails only when another one was installed meanwhile, which serves as well.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(PATIENCE)
        .tls_danger_accept_invalid_certs(true)
        .build()
        .map_err(|error| Error::Internal(format!("no HTTP client can be made: {error}")))
}

fn read(place: &Path) -> Option<Running> {
    let file = fs::File::open(place).ok()?;
    let mut text = String::new();
    io::Read::read_to_string(&mut io::Read::take(file, MOST_BYTES), &mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// An address of this machine's loopback, by number.
fn local(url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && matches!(url.path(), "" | "/")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let host = url.host_str()?.trim_matches(['[', ']']);
    let address: std::net::IpAddr = host.parse().ok()?;
    (plain && address.is_loopback()).then_some(url)
}

/// Where the system does not tell, the server's own answer has to do.
fn lives(pid: u32) -> bool {
    let pid = Pid::from_u32(pid);
    let Ok(mut system) = System::new() else {
        return true;
    };
    let which = ProcessesToUpdate::Some(&[pid]);
    system.refresh_processes_specifics(which, true, ProcessRefreshKind::nothing()) > 0
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    async fn server(status: u16) -> MockServer {
        let server = MockServer::start().await;
        let live = Mock::given(method("GET")).and(path("/health/live"));
        live.respond_with(ResponseTemplate::new(status))
            .mount(&server)
            .await;
        server
    }

    #[tokio::test]
    async fn a_server_is_found_while_it_says_that_it_listens() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find(folder.path()).await, None);
        let server = server(200).await;
        let announcement = announce(folder.path(), &format!("{}/", server.uri()), false).unwrap();
        let running = find(folder.path()).await.unwrap();
        assert_eq!(running.url, server.uri());
        assert_eq!(running.pid, std::process::id());
        drop(announcement);
        assert!(!folder.path().join(FILE).exists());
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_well_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let server = server(503).await;
        let _announcement = announce(folder.path(), &server.uri(), false).unwrap();
        assert_eq!(find(folder.path()).await, None);
    }

    #[tokio::test]
    async fn the_word_of_a_process_that_has_ended_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let server = server(200).await;
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        let running = Running {
            url: server.uri(),
            pid: ended.id(),
            gives_way: false,
        };
        let text = serde_json::to_string(&running).unwrap();
        fs::write(folder.path().join(FILE), text).unwrap();
        assert_eq!(find(folder.path()).await, None);
        assert!(server.received_requests().await.unwrap().is_empty());
    }

    #[test]
    fn the_word_of_a_later_server_stays() {
        let folder = tempfile::tempdir().unwrap();
        let first = announce(folder.path(), "http://127.0.0.1:1", false).unwrap();
        let _second = announce(folder.path(), "http://[::1]:2", false).unwrap();
        drop(first);
        assert!(folder.path().join(FILE).exists());
    }

    #[test]
    fn only_an_address_of_this_machine_is_announced() {
        let folder = tempfile::tempdir().unwrap();
        for url in [
            "http://example.org",
            "http://192.168.0.7:80",
            "http://127.0.0.1@example.org",
            "http://127.0.0.1:80/path",
            "ftp://127.0.0.1",
            "127.0.0.1:80",
            "",
        ] {
            let error = announce(folder.path(), url, false).unwrap_err();
            assert_eq!(error.code(), "invalid_request", "{url}");
        }
        assert!(!folder.path().join(FILE).exists());
    }

    #[tokio::test]
    async fn what_is_no_word_of_a_server_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let long = " ".repeat(100_000);
        for text in ["", "{", "[]", r#"{"url":7,"pid":-1}"#, &long] {
            fs::write(folder.path().join(FILE), text).unwrap();
            assert_eq!(find(folder.path()).await, None);
        }
    }
}
