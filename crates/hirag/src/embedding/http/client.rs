//! One request and its answer.

use std::time::Duration;

use serde::Serialize;

use super::{HttpSettings, answer};
use crate::clock::SharedClock;
use crate::embedding::EmbeddingError;
use crate::endpoint::{Caller, CallerSettings, Trouble};

/// Bytes of one component in JSON at most, indented generously.
const COMPONENT_BYTES: usize = 64;
/// What is taken for the dimension while it is not known.
const LARGEST_DIMENSION: usize = 16_384;
/// Bytes of everything in an answer that is not a component.
const FRAME_BYTES: usize = 64 * 1024;
const ANSWER_BYTES: usize = 256 * 1024 * 1024;
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// What is asked for.
pub(super) const RESOURCE: &str = "embeddings";

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [String],
    encoding_format: &'static str,
}

#[derive(Debug)]
pub(super) struct Client {
    caller: Caller,
    model: String,
    timeout: Duration,
}

impl Client {
    pub(super) fn new(settings: &HttpSettings, clock: SharedClock) -> Result<Self, EmbeddingError> {
        let caller = CallerSettings {
            section: "embedding",
            api_url: &settings.api_url,
            resource: RESOURCE,
            model: &settings.model,
            token: settings.token.clone(),
            tls_verify: settings.tls_verify,
            connect: settings.timeout.min(CONNECT_LIMIT),
            timeout: Some(settings.timeout),
        };
        Ok(Self {
            caller: Caller::new(&caller, clock).map_err(EmbeddingError::Misconfigured)?,
            model: settings.model.clone(),
            timeout: settings.timeout,
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
        let limit = FRAME_BYTES
            .saturating_add(texts.len() * dimension.unwrap_or(LARGEST_DIMENSION) * COMPONENT_BYTES)
            .min(ANSWER_BYTES);
        let fetched = async {
            let response = self.caller.send(self.caller.post().json(&body)).await?;
            self.caller.body(response, limit).await
        };
        let body = fetched.await.map_err(|trouble| self.error(trouble))?;
        answer::read(&body, texts.len(), dimension).map_err(|reason| self.bad(&reason))
    }

    /// Whether anything answers there and takes the token; costs no embedding.
    pub(super) async fn check(&self) -> Result<(), EmbeddingError> {
        let checked = self.caller.check().await;
        checked.map_err(|trouble| self.error(trouble))
    }

    pub(super) fn bad(&self, reason: &str) -> EmbeddingError {
        EmbeddingError::BadAnswer {
            url: self.caller.shown().to_owned(),
            reason: self.caller.presentable(reason),
        }
    }

    fn error(&self, trouble: Trouble) -> EmbeddingError {
        let url = self.caller.shown().to_owned();
        match trouble {
            Trouble::Unreachable { reason } => EmbeddingError::Unreachable { url, reason },
            Trouble::Timeout => EmbeddingError::Timeout {
                url,
                after: self.timeout,
            },
            Trouble::Unauthorized { status } => EmbeddingError::Unauthorized { url, status },
            Trouble::Busy {
                status,
                retry_after,
            } => EmbeddingError::Busy {
                url,
                status,
                retry_after,
            },
            Trouble::Redirects { status } => EmbeddingError::Misconfigured(format!(
                "{url} redirects elsewhere (HTTP {status}); set `embedding.api_url` to the final address"
            )),
            Trouble::NotThere { status, reason } => EmbeddingError::Misconfigured(format!(
                "{url} answers HTTP {status} ({reason}); check `embedding.api_url` and `embedding.model`"
            )),
            Trouble::Refused { status, reason } => EmbeddingError::Refused {
                url,
                status,
                reason,
            },
            Trouble::TooLong { limit } => self.bad(&format!("more than {limit} bytes")),
        }
    }
}
