//! One request and its answer.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::endpoint::Endpoint;
use super::{HttpSettings, answer};
use crate::clock::SharedClock;
use crate::embedding::EmbeddingError;
use crate::resilience::parse_retry_after;

/// Bytes of one component in JSON at most, indented generously.
const COMPONENT_BYTES: usize = 64;
/// What is taken for the dimension while it is not known.
const LARGEST_DIMENSION: usize = 16_384;
/// Bytes of everything in an answer that is not a component.
const FRAME_BYTES: usize = 64 * 1024;
const ANSWER_BYTES: usize = 256 * 1024 * 1024;
/// Of a refusal, only an explanation is of interest.
const REFUSAL_BYTES: usize = 64 * 1024;
const REASON_CHARS: usize = 200;
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
}

#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    endpoint: Endpoint,
    model: String,
    token: Option<SecretString>,
    timeout: Duration,
    clock: SharedClock,
}

impl Client {
    pub(super) fn new(settings: &HttpSettings, clock: SharedClock) -> Result<Self, EmbeddingError> {
        let endpoint = Endpoint::parse(&settings.api_url).map_err(|reason| {
            EmbeddingError::Misconfigured(format!(
                "`embedding.api_url` must be like http://host:port/v1, but {reason}"
            ))
        })?;
        let endpoint = if settings.token.is_some() {
            endpoint.without_credentials()
        } else {
            endpoint
        };
        if settings.model.trim().is_empty() {
            return Err(EmbeddingError::Misconfigured(
                "`embedding.model` is empty; name a model of the endpoint".to_owned(),
            ));
        }
        if settings.token.is_some() && !endpoint.is_encrypted() && !endpoint.is_loopback() {
            tracing::warn!(
                url = endpoint.shown(),
                "the embedding token travels unencrypted; use https"
            );
        }
        Ok(Self {
            http: build(settings, &endpoint)?,
            endpoint,
            model: settings.model.clone(),
            token: settings.token.clone(),
            timeout: settings.timeout,
            clock,
        })
    }

    /// Asks once for the vectors of `texts`, which are as many as the answer's.
    pub(super) async fn ask(
        &self,
        texts: &[String],
        dimension: Option<usize>,
    ) -> Result<Vec<answer::Checked>, EmbeddingError> {
        let body = Body {
            model: &self.model,
            input: texts,
            encoding_format: "float",
        };
        let request = self.http.post(self.endpoint.url().clone()).json(&body);
        let response = self.send(request).await?;
        let response = self.refuse(response).await?;
        let limit = FRAME_BYTES
            .saturating_add(texts.len() * dimension.unwrap_or(LARGEST_DIMENSION) * COMPONENT_BYTES)
            .min(ANSWER_BYTES);
        let body = self.body(response, limit).await?;
        answer::read(&body, texts.len(), dimension).map_err(|reason| self.bad(&reason))
    }

    /// Whether anything answers there and takes the token; costs no embedding.
    pub(super) async fn check(&self) -> Result<(), EmbeddingError> {
        let request = self.http.get(self.endpoint.url().clone());
        let response = self.send(request).await?;
        if response.status() == StatusCode::NOT_IMPLEMENTED {
            return Ok(());
        }
        match self.refuse(response).await {
            // Of course a GET is refused: what matters is that it answers.
            Err(EmbeddingError::Refused { .. } | EmbeddingError::Misconfigured(_)) => Ok(()),
            other => other.map(drop),
        }
    }

    pub(super) fn bad(&self, reason: &str) -> EmbeddingError {
        EmbeddingError::BadAnswer {
            url: self.endpoint.shown().to_owned(),
            reason: self.presentable(reason),
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, EmbeddingError> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        };
        request.send().await.map_err(|error| self.failed(error))
    }

    /// The response if it is a success, otherwise the error that its status means.
    async fn refuse(&self, response: Response) -> Result<Response, EmbeddingError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let url = self.endpoint.shown().to_owned();
        let retry_after = self.retry_after(response.headers());
        let number = status.as_u16();
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => EmbeddingError::Unauthorized {
                url,
                status: number,
            },
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => {
                EmbeddingError::Busy {
                    url,
                    status: number,
                    retry_after,
                }
            }
            status if status.is_server_error() => EmbeddingError::Busy {
                url,
                status: number,
                retry_after,
            },
            status if status.is_redirection() => EmbeddingError::Misconfigured(format!(
                "{url} redirects elsewhere (HTTP {number}); set `embedding.api_url` to the final address"
            )),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                let reason = self.explanation(response).await;
                EmbeddingError::Misconfigured(format!(
                    "{url} answers HTTP {number} ({reason}); check `embedding.api_url` and `embedding.model`"
                ))
            }
            _ => EmbeddingError::Refused {
                url,
                status: number,
                reason: self.explanation(response).await,
            },
        })
    }

    fn retry_after(&self, headers: &HeaderMap) -> Option<Duration> {
        let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
        parse_retry_after(value, self.clock.now())
    }

    /// The whole body, unless it is over `limit` bytes.
    async fn body(&self, mut response: Response, limit: usize) -> Result<Vec<u8>, EmbeddingError> {
        let too_long = || self.bad(&format!("more than {limit} bytes"));
        let announced = response.content_length().unwrap_or_default();
        if usize::try_from(announced).is_ok_and(|n| n > limit) {
            return Err(too_long());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| self.failed(e))? {
            if body.len() + chunk.len() > limit {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// What a refusal says of itself: the message of an OpenAI error, or the text.
    async fn explanation(&self, response: Response) -> String {
        let Ok(body) = self.body(response, REFUSAL_BYTES).await else {
            return "no explanation".to_owned();
        };
        let json: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
        let message = json.as_ref().and_then(|json| {
            ["/error/message", "/error", "/message", "/detail"]
                .iter()
                .find_map(|path| json.pointer(path)?.as_str())
        });
        match message {
            Some(message) => self.presentable(message),
            None => self.presentable(&String::from_utf8_lossy(&body)),
        }
    }

    fn failed(&self, error: reqwest::Error) -> EmbeddingError {
        let url = self.endpoint.shown().to_owned();
        if error.is_timeout() {
            return EmbeddingError::Timeout {
                url,
                after: self.timeout,
            };
        }
        let error = error.without_url();
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            reason = inner.to_string();
            cause = inner.source();
        }
        EmbeddingError::Unreachable {
            url,
            reason: self.presentable(&reason),
        }
    }

    /// Text from outside for an error: one short line that does not repeat the token.
    fn presentable(&self, text: &str) -> String {
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

fn build(settings: &HttpSettings, endpoint: &Endpoint) -> Result<reqwest::Client, EmbeddingError> {
    // Fails only when another one was installed meanwhile, which serves as well.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("hirag/", env!("CARGO_PKG_VERSION")))
        .timeout(settings.timeout)
        .connect_timeout(settings.timeout.min(CONNECT_LIMIT))
        // A redirected POST becomes a GET or takes the texts to another host.
        .redirect(reqwest::redirect::Policy::none());
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
        EmbeddingError::Misconfigured(format!("no HTTP client can be made: {reason}"))
    })
}
