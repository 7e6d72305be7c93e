//! Tokens that another program changed.

use axum::Json as Answer;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::commands::studio::{self as ask, TokenRequest};
use crate::http::extract::Json;
use crate::http::{Api, Problem};
use crate::secrets::TokenKind;

/// Which token was changed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenChange {
    /// What it is for.
    kind: TokenKind,
}

/// Say that a token was changed
///
/// The token is read again, from where it is kept, and used from now on: `hirag token` says so. A
/// token of the server that was removed is replaced by a new one.
#[utoipa::path(
    post,
    path = "/api/v1/token-changes",
    tag = "status",
    request_body = TokenChange,
    responses((status = 200, description = "It is in use", body = TokenChange)),
)]
pub(super) async fn changed(
    State(api): State<Api>,
    Json(change): Json<TokenChange>,
) -> Result<Answer<TokenChange>, Problem> {
    let TokenChange { kind } = change;
    ask::token_changed(api.studio(), TokenRequest { kind }).await?;
    Ok(Answer(change))
}
