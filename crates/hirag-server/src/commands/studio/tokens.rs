//! Tokens, and whether a provider takes them.

use std::time::{Duration, Instant};

use hirag::chat::{ChatProvider, OpenAiChat, OpenAiChatSettings};
use hirag::config::{ChatSettings, EmbeddingSettings, ProviderKind};
use hirag::embedding::{EmbeddingError, EmbeddingProvider, HttpProvider, HttpSettings};
use hirag::resilience::Retry;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::commands::{Error, Failure, Result};
use crate::secrets::{Keep, Secrets, TokenKind, TokenStatus};
use crate::studio::{Endpoint, Studio};

/// A test does not wait longer than a person does.
const PATIENCE: Duration = Duration::from_secs(15);

/// Which token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// The token.
    pub kind: TokenKind,
}

/// A token to keep. It is taken in and never given out again.
#[derive(Debug, Clone, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
pub struct TokenSetRequest {
    /// What it is for.
    pub kind: TokenKind,
    /// The token.
    #[ts(type = "string")]
    pub token: SecretString,
    /// Where to keep it.
    #[serde(default)]
    #[ts(as = "Option<Keep>", optional)]
    pub keep: Keep,
}

/// Which provider to try; without an address, the configured one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ts_rs::TS)]
#[serde(default, deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct TestProviderRequest {
    /// The address of an endpoint.
    pub api_url: Option<String>,
    /// The endpoint's name of the model; the configured one by default.
    pub model: Option<String>,
}

/// What came of trying a provider.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct ProviderTest {
    /// Whether it embedded a word.
    pub ok: bool,
    /// The model.
    pub model: Option<String>,
    /// Components of its vectors.
    #[ts(type = "number | null")]
    pub dimension: Option<usize>,
    /// Milliseconds that it took.
    pub ms: f64,
    /// Why it did not.
    pub problem: Option<Failure>,
}

/// Whether there is a token, and where it comes from.
///
/// # Errors
/// None; a keyring that does not answer is a part of the status.
pub async fn token_status(studio: &Studio, request: TokenRequest) -> Result<TokenStatus> {
    with(studio, move |secrets| Ok(secrets.status(request.kind))).await
}

/// Keeps a token; it is used from the next request to the endpoint on.
///
/// # Errors
/// As [`Secrets::set`].
pub async fn token_set(studio: &Studio, request: TokenSetRequest) -> Result<TokenStatus> {
    let TokenSetRequest { kind, token, keep } = request;
    let status = with(studio, move |secrets| {
        secrets.set(kind, token, keep)?;
        Ok(secrets.status(kind))
    })
    .await?;
    use_own(studio, kind).await;
    Ok(status)
}

/// Removes a token.
///
/// # Errors
/// As [`Secrets::clear`].
pub async fn token_clear(studio: &Studio, request: TokenRequest) -> Result<TokenStatus> {
    let kind = request.kind;
    let status = with(studio, move |secrets| {
        secrets.clear(kind)?;
        Ok(secrets.status(kind))
    })
    .await?;
    use_own(studio, kind).await;
    Ok(status)
}

/// Uses a token as it is now, after another program changed it.
///
/// # Errors
/// [`Error::Token`] when the keyring does not say what it has; the token before stays in use then.
pub async fn token_changed(studio: &Studio, request: TokenRequest) -> Result<()> {
    use_token(studio, request.kind).await
}

/// Whether the endpoint of a token takes it.
///
/// # Errors
/// [`Error::NotOpen`].
pub async fn token_test(studio: &Studio, request: TokenRequest) -> Result<ProviderTest> {
    let chat = &studio.config().chat;
    if request.kind == TokenKind::Chat && !chat.api_url.is_empty() {
        return Ok(try_chat(studio, chat).await);
    }
    let settings = studio.config().embedding.clone();
    if request.kind != TokenKind::Embedding || settings.api_url.is_empty() {
        let missing = EmbeddingError::Misconfigured(
            "there is no endpoint in the settings that this token is for".to_owned(),
        );
        return Ok(told(Instant::now(), Err(missing.into())));
    }
    Ok(try_endpoint(studio, settings).await)
}

/// Has a provider embed a word.
///
/// # Errors
/// [`Error::NotOpen`]. What is wrong with the provider is a part of the answer.
pub async fn test_provider(studio: &Studio, request: TestProviderRequest) -> Result<ProviderTest> {
    let mut settings = studio.config().embedding.clone();
    let asked = request.api_url.is_some() || request.model.is_some();
    if asked {
        settings.provider = ProviderKind::Http;
        settings.api_url = request.api_url.unwrap_or(settings.api_url);
        settings.model = request.model.unwrap_or(settings.model);
    }
    if settings.provider == ProviderKind::Http {
        return Ok(try_endpoint(studio, settings).await);
    }
    let host = studio.host().await?;
    let begin = Instant::now();
    let tried = host.manager().probe_provider().await;
    let tried = tried.map(|spec| (spec.model, spec.dimension));
    Ok(told(begin, tried.map_err(Error::from)))
}

async fn try_endpoint(studio: &Studio, settings: EmbeddingSettings) -> ProviderTest {
    // The token is for the endpoint of the settings, once there is one, and is shown to no other.
    let configured = &studio.config().embedding;
    let token = match configured.api_url.is_empty() || configured.is_at(&settings.api_url) {
        true => studio.token(TokenKind::Embedding).await,
        false => None,
    };
    let begin = Instant::now();
    let tried = async {
        settings.validate()?;
        let http = HttpSettings {
            timeout: Duration::from_secs(settings.timeout_secs).min(PATIENCE),
            retry: Retry::new(0),
            // Whatever the settings say of the dimension: the answer tells.
            dimension: 0,
            ..HttpSettings::new(&settings, token)
        };
        let provider = HttpProvider::connect(http, Some(0), studio.clock().clone()).await?;
        let vector = provider.embed_single("probe").await?;
        Ok((settings.model.clone(), vector.len()))
    };
    told(begin, tried.await)
}

/// Whether the chat endpoint takes the token; no answer is worded for that.
async fn try_chat(studio: &Studio, settings: &ChatSettings) -> ProviderTest {
    let token = studio.token(TokenKind::Chat).await;
    let begin = Instant::now();
    let chat = OpenAiChatSettings::new(settings, token);
    let chat = OpenAiChatSettings {
        first: chat.first.min(PATIENCE),
        ..chat
    };
    let tried = match OpenAiChat::new(chat, studio.clock().clone()) {
        Ok(chat) => chat.check().await,
        Err(error) => Err(error),
    };
    let problem = tried.err().map(|error| Failure {
        code: error.code().to_owned(),
        message: error.to_string(),
    });
    ProviderTest {
        ok: problem.is_none(),
        model: problem.is_none().then(|| settings.model.clone()),
        dimension: None,
        ms: begin.elapsed().as_secs_f64() * 1_000.0,
        problem,
    }
}

fn told(begin: Instant, tried: Result<(String, usize)>) -> ProviderTest {
    let ms = begin.elapsed().as_secs_f64() * 1_000.0;
    match tried {
        Ok((model, dimension)) => ProviderTest {
            ok: true,
            model: Some(model),
            dimension: Some(dimension),
            ms,
            problem: None,
        },
        Err(error) => ProviderTest {
            ok: false,
            model: None,
            dimension: None,
            ms,
            problem: Some(Failure::from(&error)),
        },
    }
}

/// Lets the memory's provider, or the server, use the token as it is now.
async fn use_token(studio: &Studio, kind: TokenKind) -> Result<()> {
    match kind {
        TokenKind::Embedding => studio.bring_token(Endpoint::Embedding).await,
        TokenKind::Server => studio.server_token_changed().await?,
        TokenKind::Chat => studio.bring_token(Endpoint::Chat).await,
    }
    Ok(())
}

/// The same after this program changed it: that has been done, whatever comes of the use.
async fn use_own(studio: &Studio, kind: TokenKind) {
    if let Err(error) = use_token(studio, kind).await {
        tracing::warn!(%error, "the new token is not known to those who need it");
    }
}

/// Works with the tokens on a thread that may block.
async fn with<T: Send + 'static>(
    studio: &Studio,
    work: impl FnOnce(&Secrets) -> Result<T> + Send + 'static,
) -> Result<T> {
    let worked = crate::studio::ask(studio.secrets(), work).await;
    worked.unwrap_or_else(|| {
        Err(Error::Internal(
            "the tokens could not be asked for".to_owned(),
        ))
    })
}
