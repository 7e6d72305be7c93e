use serde::{Deserialize, Serialize};

use super::endpoint::validate_url;
use super::{ConfigError, Period, require, within};
use crate::resilience::{CircuitBreakerSettings, RateLimitSettings};

/// Who words answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ChatProviderKind {
    /// Nobody: answers are passages of the memory.
    None,
    /// An OpenAI-compatible endpoint.
    OpenaiCompatible,
}

/// The settings `[chat]`; `defaults.toml` gives each its unit and reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct ChatSettings {
    /// An endpoint or nobody.
    pub provider: ChatProviderKind,
    /// The endpoint, up to and without `/chat/completions`.
    pub api_url: String,
    /// The endpoint's name of the model.
    pub model: String,
    /// Whether the answer is taken as it comes.
    pub stream: bool,
    /// How freely the model words, 0 to 2.
    pub temperature: f64,
    /// Tokens that the model reads and writes together, 512 to 10 million.
    pub window_tokens: u32,
    /// Tokens of an answer at most, 16 to 100000; less than half of the window.
    pub max_answer_tokens: u32,
    /// Tokens of the conversation so far at most, 0 to a million.
    pub history_tokens: u32,
    /// Time for the connection, over 0 to 1 hour.
    pub connect_timeout: Period,
    /// Time until an answer begins, over 0 to 1 hour.
    pub first_token_timeout: Period,
    /// Time between two pieces of an answer, over 0 to 1 hour.
    pub token_timeout: Period,
    /// Time for a whole answer, over 0 to 1 hour.
    pub answer_timeout: Period,
    /// Attempts after the first, before an answer has begun, 0 to 20.
    pub max_retries: u32,
    /// Whether the endpoint's certificate is checked.
    pub tls_verify: bool,
    /// Requests a minute at most, 0 to 100000; 0 is no limit.
    pub requests_per_minute: u32,
    /// The breaker before the endpoint.
    pub circuit_breaker: CircuitBreakerSettings,
}

impl ChatSettings {
    /// Whether anybody words answers.
    #[must_use]
    pub fn words_answers(&self) -> bool {
        self.provider != ChatProviderKind::None
    }

    /// Whether the endpoint is asked as by `other`: what only the question or its guards go by may
    /// differ.
    #[must_use]
    pub(crate) fn asks_as(&self, other: &Self) -> bool {
        let other = other.clone();
        let like = Self {
            window_tokens: other.window_tokens,
            max_answer_tokens: other.max_answer_tokens,
            history_tokens: other.history_tokens,
            requests_per_minute: other.requests_per_minute,
            circuit_breaker: other.circuit_breaker.clone(),
            ..self.clone()
        };
        like == other
    }

    /// The limiter before the endpoint. There is one client of it: this program.
    #[must_use]
    pub fn rate_limit(&self) -> RateLimitSettings {
        let requests = self.requests_per_minute.max(1);
        RateLimitSettings {
            enabled: self.requests_per_minute > 0,
            requests_per_window: requests,
            window_secs: 60,
            burst_size: requests,
            cleanup_interval_secs: 3_600,
            max_clients: 1,
        }
    }

    /// Refuses values out of range, and an endpoint without its address or model.
    ///
    /// # Errors
    /// [`ConfigError`] with the key, the value and the rule.
    pub fn validate(&self) -> Result<(), ConfigError> {
        within("chat.temperature", self.temperature, 0.0..=2.0)?;
        within("chat.window_tokens", self.window_tokens, 512..=10_000_000)?;
        within(
            "chat.max_answer_tokens",
            self.max_answer_tokens,
            16..=100_000,
        )?;
        require(
            self.max_answer_tokens <= self.window_tokens / 2,
            "chat.max_answer_tokens",
            self.max_answer_tokens,
            &format!(
                "must be at most half of `chat.window_tokens` ({}), as the rest is for the sources",
                self.window_tokens
            ),
        )?;
        within("chat.history_tokens", self.history_tokens, 0..=1_000_000)?;
        for (key, period) in [
            ("chat.connect_timeout", self.connect_timeout),
            ("chat.first_token_timeout", self.first_token_timeout),
            ("chat.token_timeout", self.token_timeout),
            ("chat.answer_timeout", self.answer_timeout),
        ] {
            require(
                !period.is_zero() && period <= Period::from_secs(3_600),
                key,
                format!("\"{period}\""),
                "must be over 0 and at most 1h",
            )?;
        }
        within("chat.max_retries", self.max_retries, 0..=20)?;
        within(
            "chat.requests_per_minute",
            self.requests_per_minute,
            0..=100_000,
        )?;
        self.circuit_breaker.validate_as("chat.circuit_breaker")?;
        self.validate_endpoint()
    }

    fn validate_endpoint(&self) -> Result<(), ConfigError> {
        if !self.api_url.is_empty() {
            validate_url("chat.api_url", &self.api_url)?;
        }
        if self.provider == ChatProviderKind::None {
            return Ok(());
        }
        require(
            !self.api_url.is_empty(),
            "chat.api_url",
            "\"\"",
            "must be the endpoint's address, e.g. `http://127.0.0.1:11434/v1`, with \
             `chat.provider = \"openai-compatible\"`",
        )?;
        require(
            !self.model.trim().is_empty(),
            "chat.model",
            format!("{:?}", self.model),
            "must name the endpoint's model with `chat.provider = \"openai-compatible\"`",
        )
    }
}
