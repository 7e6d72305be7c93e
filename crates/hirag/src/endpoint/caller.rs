use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};

use super::{Endpoint, Trouble};
use crate::clock::SharedClock;
use crate::resilience::parse_retry_after;

/// Of a refusal, only an explanation is of interest.
const REFUSAL_BYTES: usize = 64 * 1024;
const REASON_CHARS: usize = 200;

/// What reaches an endpoint.
#[derive(Debug)]
pub(crate) struct CallerSettings<'a> {
    /// The section of the settings, to name them in errors.
    pub(crate) section: &'static str,
    /// The address, as the settings give it.
    pub(crate) api_url: &'a str,
    /// What is asked for there, e.g. `embeddings`.
    pub(crate) resource: &'static str,
    /// The model's name there.
    pub(crate) model: &'a str,
    /// Sent as `Authorization: Bearer`.
    pub(crate) token: Option<SecretString>,
    /// Whether the endpoint's certificate must be valid.
    pub(crate) tls_verify: bool,
    /// Time for the connection.
    pub(crate) connect: Duration,
    /// Time from connecting to the last byte; `None` where whoever asks keeps the time.
    pub(crate) timeout: Option<Duration>,
}

/// Asks one endpoint.
#[derive(Debug)]
pub(crate) struct Caller {
    http: reqwest::Client,
    endpoint: Endpoint,
    token: Option<SecretString>,
    clock: SharedClock,
}

impl Caller {
    /// A caller of the endpoint; nothing is sent yet. The error says which setting cannot be used.
    pub(crate) fn new(settings: &CallerSettings<'_>, clock: SharedClock) -> Result<Self, String> {
        let section = settings.section;
        let endpoint = Endpoint::parse(settings.api_url, settings.resource).map_err(|reason| {
            format!("`{section}.api_url` must be like http://host:port/v1, but {reason}")
        })?;
        let endpoint = if settings.token.is_some() {
            endpoint.without_credentials()
        } else {
            endpoint
        };
        if settings.model.trim().is_empty() {
            return Err(format!(
                "`{section}.model` is empty; name a model of the endpoint"
            ));
        }
        if settings.token.is_some() && !endpoint.is_encrypted() && !endpoint.is_loopback() {
            tracing::warn!(
                url = endpoint.shown(),
                "the {section} token travels unencrypted; use https"
            );
        }
        Ok(Self {
            http: build(settings, &endpoint)?,
            endpoint,
            token: settings.token.clone(),
            clock,
        })
    }

    /// The address without credentials and query, for people.
    pub(crate) fn shown(&self) -> &str {
        self.endpoint.shown()
    }

    /// A request that brings something.
    pub(crate) fn post(&self) -> RequestBuilder {
        self.http.post(self.endpoint.url().clone())
    }

    /// Whether anything answers there and does not refuse the token; costs no work of a model.
    pub(crate) async fn check(&self) -> Result<(), Trouble> {
        let request = self.http.get(self.endpoint.url().clone());
        match self.send(request).await {
            // Of course a GET is refused: what matters is that it answers.
            Err(Trouble::Refused { .. } | Trouble::Redirects { .. } | Trouble::NotThere { .. }) => {
                Ok(())
            }
            Err(Trouble::Busy { status, .. }) if status == StatusCode::NOT_IMPLEMENTED.as_u16() => {
                Ok(())
            }
            other => other.map(drop),
        }
    }

    /// Sends a request; the response, if it is a success, of which only the head has come.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Trouble> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        };
        let response = request.send().await.map_err(|error| self.failed(error))?;
        self.refuse(response).await
    }

    /// The whole body, unless it is over `limit` bytes.
    pub(crate) async fn body(
        &self,
        mut response: Response,
        limit: usize,
    ) -> Result<Vec<u8>, Trouble> {
        let announced = response.content_length().unwrap_or_default();
        if usize::try_from(announced).is_ok_and(|n| n > limit) {
            return Err(Trouble::TooLong { limit });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.failed(e))? {
            if body.len() + chunk.len() > limit {
                return Err(Trouble::TooLong { limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn refuse(&self, response: Response) -> Result<Response, Trouble> {
        let code = response.status();
        if code.is_success() {
            return Ok(response);
        }
        let retry_after = self.retry_after(response.headers());
        let status = code.as_u16();
        Err(match code {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Trouble::Unauthorized { status },
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => {
                Trouble::Busy {
                    status,
                    retry_after,
                }
            }
            code if code.is_server_error() => Trouble::Busy {
                status,
                retry_after,
            },
            code if code.is_redirection() => Trouble::Redirects { status },
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Trouble::NotThere {
                status,
                reason: self.explanation(response).await,
            },
            _ => Trouble::Refused {
                status,
                reason: self.explanation(response).await,
            },
        })
    }

    fn retry_after(&self, headers: &HeaderMap) -> Option<Duration> {
        let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
        parse_retry_after(value, self.clock.now())
    }

    /// What a refusal says of itself: the message of an OpenAI error, or the text.
    async fn explanation(&self, response: Response) -> String {
        let Ok(body) = self.body(response, REFUSAL_BYTES).await else {
            return "no explanation".to_owned();
        };
        let json: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
        match json.as_ref().and_then(message) {
            Some(message) => self.presentable(message),
            None => self.presentable(&String::from_utf8_lossy(&body)),
        }
    }

    /// What a failed transfer means.
    pub(crate) fn failed(&self, error: reqwest::Error) -> Trouble {
        if error.is_timeout() {
            return Trouble::Timeout;
        }
        let error = error.without_url();
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            reason = inner.to_string();
            cause = inner.source();
        }
        Trouble::Unreachable {
            reason: self.presentable(&reason),
        }
    }

    /// Text from outside for an error: one short line that does not repeat the token.
    pub(crate) fn presentable(&self, text: &str) -> String {
        let text = match &self.token {
            Some(token) if !token.expose_secret().is_empty() => {
                text.replace(token.expose_secret(), "[token]")
            }
            _ => text.to_owned(),
        };
        let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        line.retain(|c| !c.is_control());
        if let Some((end, _)) = line.char_indices().nth(REASON_CHARS) {
            line.truncate(end);
            line.push('…');
        }
        if line.is_empty() {
            "no explanation".to_owned()
        } else {
            line
        }
    }
}

/// Whether one token is the other.
pub(crate) fn same_token(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(ExposeSecret::expose_secret) == other.map(ExposeSecret::expose_secret)
}

/// The sentence of an error, where endpoints of all kinds put it.
pub(crate) fn message(json: &serde_json::Value) -> Option<&str> {
    ["/error/message", "/error", "/message", "/detail"]
        .iter()
        .find_map(|path| json.pointer(path)?.as_str())
}

fn build(settings: &CallerSettings<'_>, endpoint: &Endpoint) -> Result<reqwest::Client, String> {
    // Fails only when another one was installed meanwhile, which serves as well.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("hirag/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(settings.connect)
        // A redirected POST becomes a GET or takes the texts to another host.
        .redirect(reqwest::redirect::Policy::none());
    if let Some(timeout) = settings.timeout {
        builder = builder.timeout(timeout);
    }
    if endpoint.is_loopback() {
        builder = builder.no_proxy();
    }
    builder = if !endpoint.is_encrypted() {
        // Without TLS the machine's certificates are not needed, and may be absent.
        builder.tls_certs_only(std::iter::empty())
    } else if settings.tls_verify {
        builder
    } else {
        builder.tls_danger_accept_invalid_certs(true)
    };
    builder.build().map_err(|error| {
        let reason = error
            .source()
            .map_or_else(|| error.to_string(), ToString::to_string);
        format!("no HTTP client can be made: {reason}")
    })
}
