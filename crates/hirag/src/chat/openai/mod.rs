//! Any OpenAI-compatible `/v1/chat/completions` as a provider.

mod body;
mod dialect;
mod events;
mod reading;
mod settings;

#[cfg(test)]
mod tests;

pub use settings::OpenAiChatSettings;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Response;
use serde_json::json;
use tokio::time::{Instant, timeout};

use self::dialect::Dialect;
use self::reading::Reading;
use super::{ChatError, ChatPiece, ChatProvider, ChatRequest, ChatStream, Waiting};
use crate::clock::SharedClock;
use crate::endpoint::{Caller, CallerSettings, Trouble};

/// What is asked for.
const RESOURCE: &str = "chat/completions";

/// A model behind an OpenAI-compatible endpoint.
#[derive(Debug)]
pub struct OpenAiChat {
    settings: OpenAiChatSettings,
    caller: Arc<Caller>,
    dialect: Dialect,
}

impl OpenAiChat {
    /// Prepares the provider; nothing is sent yet.
    ///
    /// # Errors
    /// [`ChatError::Misconfigured`] when address or model cannot be used.
    pub fn new(settings: OpenAiChatSettings, clock: SharedClock) -> Result<Self, ChatError> {
        let caller = CallerSettings {
            section: "chat",
            api_url: &settings.api_url,
            resource: RESOURCE,
            model: &settings.model,
            token: settings.token.clone(),
            tls_verify: settings.tls_verify,
            connect: settings.connect,
            // An answer may go on for long: its parts have their times instead.
            timeout: None,
        };
        let caller = Caller::new(&caller, clock).map_err(ChatError::Misconfigured)?;
        Ok(Self {
            caller: Arc::new(caller),
            dialect: Dialect::default(),
            settings,
        })
    }

    /// Asks, and takes the first words.
    async fn begin(
        &self,
        request: &ChatRequest,
        ends: Instant,
    ) -> Result<(ChatPiece, Reading), ChatError> {
        let response = self.respond(request).await?;
        let caller = Arc::clone(&self.caller);
        let mut reading = Reading::new(response, caller, &self.settings, request.max_tokens, ends);
        let piece = reading.next().await?;
        Ok((piece, reading))
    }

    /// Asks, and again in the way that the endpoint wants, where it says that it wants another.
    async fn respond(&self, request: &ChatRequest) -> Result<Response, ChatError> {
        loop {
            let spoken = self.dialect.now();
            let (most, temperature) = (request.max_tokens, self.settings.temperature);
            let body = body::Body {
                model: &self.settings.model,
                messages: &request.messages,
                max_tokens: (!spoken.completion_tokens).then_some(most),
                max_completion_tokens: spoken.completion_tokens.then_some(most),
                temperature: (!spoken.own_temperature).then_some(temperature),
                stream: self.settings.stream,
            };
            match self.caller.send(self.caller.post().json(&body)).await {
                Err(Trouble::Refused {
                    status: 400,
                    reason,
                }) if self.dialect.learn(spoken, &reason) => {
                    tracing::debug!(reason, "the chat endpoint wants to be asked otherwise");
                }
                sent => return sent.map_err(|trouble| told(&self.caller, trouble)),
            }
        }
    }
}

#[async_trait]
impl ChatProvider for OpenAiChat {
    fn model(&self) -> &str {
        &self.settings.model
    }

    async fn answer(&self, request: &ChatRequest) -> Result<ChatStream, ChatError> {
        let settings = &self.settings;
        let ends = request.asked_at + settings.whole;
        let left = ends.saturating_duration_since(Instant::now());
        // What is not streamed begins when it is done.
        let (within, waiting, limit) = match settings.stream && settings.first < left {
            true => (settings.first, Waiting::First, settings.first),
            false => (left, Waiting::Whole, settings.whole),
        };
        let begun = timeout(within, self.begin(request, ends)).await;
        let begun = begun.unwrap_or_else(|_| Err(late(&self.caller, waiting, limit)));
        let (first, reading) = begun?;
        Ok(reading.after(first))
    }

    async fn check(&self) -> Result<(), ChatError> {
        // A question without words: whatever understands it refuses it, and no model has to work. A mere
        // GET of the address tells nothing, as some answer it with 404 although they word answers there.
        let nothing = json!({"model": self.settings.model, "messages": [], "max_tokens": 1});
        let sent = self.caller.send(self.caller.post().json(&nothing));
        match timeout(self.settings.first, sent).await {
            Ok(Ok(_) | Err(Trouble::Refused { .. })) => Ok(()),
            Ok(Err(trouble)) => Err(told(&self.caller, trouble)),
            Err(_) => Err(late(&self.caller, Waiting::First, self.settings.first)),
        }
    }
}

fn late(caller: &Caller, waiting: Waiting, after: Duration) -> ChatError {
    ChatError::Timeout {
        url: caller.shown().to_owned(),
        waiting,
        after,
    }
}

fn bad(caller: &Caller, reason: &str) -> ChatError {
    let (url, reason) = (caller.shown().to_owned(), caller.presentable(reason));
    // Some endpoints tell it in the place of an answer.
    match is_of_the_window(&reason) {
        true => ChatError::SmallWindow { url, reason },
        false => ChatError::BadAnswer { url, reason },
    }
}

/// Whether an endpoint says that its model takes fewer tokens, as llama.cpp ("context size") does, and
/// OpenAI, vLLM and LM Studio ("context length").
fn is_of_the_window(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    reason.contains("context size") || reason.contains("context length")
}

/// What an endpoint's trouble means for an answer.
fn told(caller: &Caller, trouble: Trouble) -> ChatError {
    let url = caller.shown().to_owned();
    match trouble {
        Trouble::Unreachable { reason } => ChatError::Unreachable { url, reason },
        // There is no time limit of a request but for the connection.
        Trouble::Timeout => ChatError::Unreachable {
            url,
            reason: "no connection within `chat.connect_timeout`".to_owned(),
        },
        Trouble::Unauthorized { status } => ChatError::Unauthorized { url, status },
        Trouble::Busy {
            status,
            retry_after,
        } => ChatError::Busy {
            url,
            status,
            retry_after,
        },
        Trouble::Redirects { status } => ChatError::Misconfigured(format!(
            "{url} redirects elsewhere (HTTP {status}); set `chat.api_url` to the final address"
        )),
        Trouble::NotThere { status, reason } => ChatError::Misconfigured(format!(
            "{url} answers HTTP {status} ({reason}); check `chat.api_url` and `chat.model`"
        )),
        Trouble::Refused { reason, .. } if is_of_the_window(&reason) => {
            ChatError::SmallWindow { url, reason }
        }
        Trouble::Refused { status, reason } => ChatError::Refused {
            url,
            status,
            reason,
        },
        Trouble::TooLong { limit } => bad(caller, &format!("more than {limit} bytes")),
    }
}
