//! One client: a connection that is kept, and what a request on it came to.

mod dial;
mod tls;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

#[cfg(test)]
pub(super) use dial::Wire;
pub(super) use dial::{Dial, Network};

use super::ErrorKind;

/// Bytes of a refusal that are read to tell why.
const TOLD_BYTES: usize = 4_096;
/// Characters of a reason that are kept.
const TOLD_CHARS: usize = 200;

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Bytes of the answer's body.
    pub(super) bytes: u64,
    pub(super) failure: Option<Failure>,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    /// The status, where that is why.
    pub(super) status: Option<u16>,
    /// What the network or the server says.
    pub(super) reason: String,
}

impl Failure {
    fn new(kind: ErrorKind, reason: impl std::fmt::Display) -> Self {
        let reason = reason.to_string().chars().take(TOLD_CHARS).collect();
        Self {
            kind,
            status: None,
            reason,
        }
    }
}

/// A client with a connection of its own, which is opened when it is needed.
pub(super) struct Client {
    dial: Arc<dyn Dial>,
    open: Option<SendRequest<Full<Bytes>>>,
    time_out: Duration,
}

impl Client {
    pub(super) fn new(dial: Arc<dyn Dial>, time_out: Duration) -> Self {
        Self {
            dial,
            open: None,
            time_out,
        }
    }

    /// Opens its connection, if it has none that lives.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn connect(&mut self) -> Result<(), Failure> {
        let connected = timeout(self.time_out, self.connection()).await;
        connected.unwrap_or_else(|_| Err(late())).map(drop)
    }

    /// Sends a request and reads its answer to the end.
    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Outcome {
        let outcome = match timeout(self.time_out, self.exchange(request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(late()),
        };
        outcome.unwrap_or_else(|failure| {
            // Whatever comes on it after this would be taken for the answer to something else.
            self.open = None;
            Outcome {
                bytes: 0,
                failure: Some(failure),
            }
        })
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Outcome, Failure> {
        let connection = self.connection().await?;
        let response = connection.send_request(request).await.map_err(broken)?;
        let status = response.status();
        let (bytes, told) = read(response).await?;
        let failure = match status {
            status if status.is_success() => None,
            StatusCode::TOO_MANY_REQUESTS => Some(Failure::new(ErrorKind::Limited, reason(&told))),
            status => Some(Failure {
                status: Some(status.as_u16()),
                ..Failure::new(ErrorKind::Status, reason(&told))
            }),
        };
        Ok(Outcome { bytes, failure })
    }

    /// The connection. One that the server has closed since the last answer, as servers may, is
    /// opened again.
    async fn connection(&mut self) -> Result<&mut SendRequest<Full<Bytes>>, Failure> {
        let ready = match &mut self.open {
            Some(open) => open.ready().await.is_ok(),
            None => false,
        };
        if !ready {
            self.open = None;
            let refused = |error: &dyn std::fmt::Display| Failure::new(ErrorKind::Connect, error);
            let wire = self.dial.dial().await.map_err(|error| refused(&error))?;
            let made = handshake(TokioIo::new(wire)).await;
            let (mut connection, driver) = made.map_err(|error| refused(&error))?;
            // It ends with the connection, and that with its handle.
            tokio::spawn(async move {
                let _ = driver.await;
            });
            connection.ready().await.map_err(|error| refused(&error))?;
            self.open = Some(connection);
        }
        let open = self.open.as_mut();
        open.ok_or_else(|| Failure::new(ErrorKind::Connect, "there is no connection"))
    }
}

/// The body's length, and the beginning of one that tells why not.
async fn read(response: Response<Incoming>) -> Result<(u64, Vec<u8>), Failure> {
    let keep = !response.status().is_success();
    let mut body = response.into_body();
    let (mut bytes, mut told) = (0, Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(broken)?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        bytes += data.len() as u64;
        if keep && told.len() < TOLD_BYTES {
            told.extend_from_slice(data);
        }
    }
    Ok((bytes, told))
}

fn late() -> Failure {
    Failure::new(ErrorKind::TimeOut, "no whole answer came in time")
}

fn broken(error: hyper::Error) -> Failure {
    let kind = match error.is_parse() || error.is_parse_status() || error.is_parse_too_large() {
        true => ErrorKind::Malformed,
        false => ErrorKind::Dropped,
    };
    let cause = error.source().map(|cause| format!(": {cause}"));
    Failure::new(kind, format!("{error}{}", cause.unwrap_or_default()))
}

/// What a refusal says: its problem document's code and sentence, or its text.
fn reason(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let problem = serde_json::from_str::<serde_json::Value>(&text).ok();
    let part = |name: &str| {
        let part = problem.as_ref()?.get(name)?.as_str()?;
        Some(part.to_owned())
    };
    let parts: Vec<String> = ["code", "detail"].into_iter().filter_map(part).collect();
    match parts.is_empty() {
        true => text.trim().to_owned(),
        false => parts.join(": "),
    }
}
