//! The server of this program: how it is, its token, and the way in for a browser.

use secrecy::ExposeSecret;
use serde::Serialize;

use super::Nothing;
use crate::commands::{Error, Result};
use crate::http::{ServerError, ServerStatus};
use crate::secrets::TokenSource;
use crate::studio::{ActivityKind, Studio};

/// A new token. This is the one time that it is told.
#[derive(Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct NewServerToken {
    /// The token.
    pub token: String,
    /// Where it is kept: without a keyring, for this run only.
    pub source: TokenSource,
}

impl std::fmt::Debug for NewServerToken {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewServerToken")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// A link that opens the interface in a browser, once.
#[derive(Clone, PartialEq, Eq, Serialize, ts_rs::TS, utoipa::ToSchema)]
pub struct ServerLink {
    /// The address with its key.
    #[schema(example = "http://127.0.0.1:8080/open?key=…")]
    pub url: String,
    /// Seconds until it can be used no more.
    #[ts(type = "number")]
    #[schema(example = 300)]
    pub expires_in_secs: u64,
}

impl std::fmt::Debug for ServerLink {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerLink").finish_non_exhaustive()
    }
}

/// How the server is; never waits.
///
/// # Errors
/// None.
pub async fn server(studio: &Studio, _request: Nothing) -> Result<ServerStatus> {
    Ok(studio.server_status())
}

/// Tries again to listen where the settings say, e.g. after another program has left the port.
///
/// # Errors
/// None; what is wrong stands in the status.
pub async fn server_retry(studio: &Studio, _request: Nothing) -> Result<ServerStatus> {
    // It is a part of the status.
    let _ = studio.apply_server_settings().await;
    Ok(studio.server_status())
}

/// Replaces the token. The one before lets nobody in any more, and browsers need a new link.
///
/// # Errors
/// [`Error::Token`].
pub async fn server_token_replace(studio: &Studio, _request: Nothing) -> Result<NewServerToken> {
    let (token, source) = studio.replace_server_token().await?;
    let summary = "Replaced the server's token".to_owned();
    studio.activity().note(ActivityKind::Settings, summary, &[]);
    Ok(NewServerToken {
        token: token.expose_secret().to_owned(),
        source,
    })
}

/// A link that opens the interface in a browser.
///
/// # Errors
/// [`ServerError::NotRunning`].
pub async fn server_link(studio: &Studio, _request: Nothing) -> Result<ServerLink> {
    let link = studio.door().new_link();
    let (url, life) = link.ok_or(Error::Server(ServerError::NotRunning))?;
    Ok(ServerLink {
        url,
        expires_in_secs: life.as_secs(),
    })
}
