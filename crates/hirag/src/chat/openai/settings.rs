use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use super::RESOURCE;
use crate::config::ChatSettings;
use crate::endpoint::Endpoint;

/// What reaches an OpenAI-compatible endpoint, and how long it may take.
#[derive(Clone)]
pub struct OpenAiChatSettings {
    /// The endpoint: a base (`http://host:port`), `…/v1`, or the full path `…/v1/chat/completions`.
    pub api_url: String,
    /// The model's name, as the endpoint knows it.
    pub model: String,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<SecretString>,
    /// Whether the answer is taken as it comes.
    pub stream: bool,
    /// How freely the model words, 0 to 2.
    pub temperature: f64,
    /// Time for the connection.
    pub connect: Duration,
    /// Time until the first words.
    pub first: Duration,
    /// Time between two pieces.
    pub between: Duration,
    /// Time for everything.
    pub whole: Duration,
    /// Whether the endpoint's certificate must be valid.
    pub tls_verify: bool,
}

impl OpenAiChatSettings {
    /// The settings `[chat]`, with the token from elsewhere: it never stands among them.
    #[must_use]
    pub fn new(settings: &ChatSettings, token: Option<SecretString>) -> Self {
        Self {
            api_url: settings.api_url.clone(),
            model: settings.model.clone(),
            token,
            stream: settings.stream,
            temperature: settings.temperature,
            connect: settings.connect_timeout.duration(),
            first: settings.first_token_timeout.duration(),
            between: settings.token_timeout.duration(),
            whole: settings.answer_timeout.duration(),
            tls_verify: settings.tls_verify,
        }
    }
}

/// The token is redacted by its type, credentials in the URL by `Endpoint`.
impl fmt::Debug for OpenAiChatSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = Endpoint::parse(&self.api_url, RESOURCE).ok();
        f.debug_struct("OpenAiChatSettings")
            .field("api_url", &endpoint)
            .field("model", &self.model)
            .field("token", &self.token)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}
