//! How a browser gets in: a link that opens once, and a session that it leads to.

use axum::Json as Answer;
use axum::extract::{Extension, State};
use axum::http::header::{LOCATION, REFERRER_POLICY, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::commands::studio::{self as ask, Nothing, ServerLink};
use crate::http::extract::Query;
use crate::http::guard::cookie_name;
use crate::http::intake::Ends;
use crate::http::{Api, Problem};

/// The key of a link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    key: String,
}

/// Make a link that opens the interface in a browser
#[utoipa::path(
    post,
    path = "/api/v1/link",
    tag = "sign in",
    responses((status = 201, description = "It can be used once, within five minutes",
        body = ServerLink)),
)]
pub(super) async fn new_link(
    State(api): State<Api>,
) -> Result<(StatusCode, Answer<ServerLink>), Problem> {
    let link = ask::server_link(api.studio(), Nothing {}).await?;
    Ok((StatusCode::CREATED, Answer(link)))
}

/// Opens a session and shows the interface.
pub(super) async fn open(
    State(api): State<Api>,
    Extension(ends): Extension<Ends>,
    Query(Key { key }): Query<Key>,
) -> Result<Response, Problem> {
    let session = api
        .guard()
        .open_session(api.studio().door().keys(), &key, ends.peer)?;
    let (name, secure) = (
        cookie_name(api.names().port),
        if api.names().tls { "; Secure" } else { "" },
    );
    let cookie = format!(
        "{name}={}; Path=/; HttpOnly; SameSite=Strict{secure}",
        session.expose_secret()
    );
    let mut cookie = HeaderValue::try_from(cookie).map_err(|_| Problem::internal())?;
    cookie.set_sensitive(true);
    let headers = [
        (SET_COOKIE, cookie),
        (LOCATION, HeaderValue::from_static("/")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
