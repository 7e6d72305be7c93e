use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use super::client::RESOURCE;
use crate::config::EmbeddingSettings;
use crate::endpoint::Endpoint;
use crate::resilience::Retry;

/// What reaches an OpenAI-compatible endpoint.
#[derive(Clone)]
pub struct HttpSettings {
    /// The endpoint: a base (`http://host:port`), `…/v1`, or the full path `…/v1/embeddings`.
    pub api_url: String,
    /// The model's name, as the endpoint knows it.
    pub model: String,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<SecretString>,
    /// Texts of one request at most, 1 or more.
    pub batch_size: usize,
    /// Time limit of one request, from connecting to the last byte.
    pub timeout: Duration,
    /// Further attempts after a 429, a 5xx, a time-out or a connection that failed.
    pub retry: Retry,
    /// Whether the endpoint's certificate must be valid.
    pub tls_verify: bool,
    /// Components of the model's vectors; 0 takes what the endpoint answers.
    pub dimension: usize,
    /// Tokens that the model takes at most, `usize::MAX` where only the endpoint knows.
    pub max_input_tokens: usize,
    /// What the model wants before a query.
    pub query_prefix: String,
    /// What the model wants before a passage.
    pub passage_prefix: String,
}

impl HttpSettings {
    /// The settings `[embedding]`, with the token from elsewhere: it never stands among them.
    #[must_use]
    pub fn new(settings: &EmbeddingSettings, token: Option<SecretString>) -> Self {
        Self {
            api_url: settings.api_url.clone(),
            model: settings.model.clone(),
            token,
            batch_size: settings.batch_size,
            timeout: Duration::from_secs(settings.timeout_secs),
            retry: Retry::from(settings),
            tls_verify: settings.tls_verify,
            dimension: settings.dimension,
            max_input_tokens: match settings.max_input_tokens {
                0 => usize::MAX,
                limit => limit,
            },
            query_prefix: settings.query_prefix.clone(),
            passage_prefix: settings.passage_prefix.clone(),
        }
    }
}

/// The token is redacted by its type, credentials in the URL by `Endpoint`.
impl fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = Endpoint::parse(&self.api_url, RESOURCE).ok();
        f.debug_struct("HttpSettings")
            .field("api_url", &endpoint)
            .field("model", &self.model)
            .field("token", &self.token)
            .field("batch_size", &self.batch_size)
            .field("timeout", &self.timeout)
            .field("retry", &self.retry)
            .field("tls_verify", &self.tls_verify)
            .field("dimension", &self.dimension)
            .field("max_input_tokens", &self.max_input_tokens)
            .field("query_prefix", &self.query_prefix)
            .field("passage_prefix", &self.passage_prefix)
            .finish()
    }
}
