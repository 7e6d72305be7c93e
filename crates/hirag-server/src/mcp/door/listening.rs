//! What lets other processes join the store that this one has opened: a server for them alone, on
//! a port of its own.

use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::commands::{Error, Failure, Result, studio};
use crate::running;
use crate::secrets::{Keep, Secrets, TokenKind};
use crate::studio::{Studio, ask};

/// Bytes of a request: the largest text, all of it escaped.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A server that begins in the background, and listens as soon as there is a token.
#[derive(Debug)]
pub(super) struct Listening {
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Listening {
    /// Begins to listen. Where that fails the log says why: this process has the memory all the
    /// same, and the others read it.
    pub(super) fn begin(studio: &Studio) -> Self {
        let (stop, stopped) = watch::channel(false);
        let studio = studio.clone();
        let task = tokio::spawn(async move {
            if let Err(error) = listen(studio, stopped).await {
                tracing::warn!(code = error.code(), "other processes cannot join: {error}");
            }
        });
        Self {
            stop,
            task: Mutex::new(Some(task)),
        }
    }

    /// Ends, once what was begun is answered.
    pub(super) async fn end(&self) {
        self.stop.send_replace(true);
        let task = self.task.lock().take();
        if let Some(task) = task {
            // A task that panicked has ended as well.
            let _ = task.await;
        }
    }
}

async fn listen(studio: Studio, mut stopped: watch::Receiver<bool>) -> Result<()> {
    let token = tokio::select! {
        token = ask(studio.secrets(), token) => token,
        _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
    };
    let token = token.unwrap_or_else(|| Err(Error::Internal("no thread to ask on".to_owned())))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let announcement = running::announce(studio.data_dir(), &url)?;
    let app = routes(studio, token);
    let served = axum::serve(listener, app).with_graceful_shutdown(async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
        // Who looks for the server now finds none.
        drop(announcement);
    });
    Ok(served.await?)
}

/// The token of the server; one is made where there is none and a keyring can keep it.
fn token(secrets: &Secrets) -> Result<SecretString> {
    if let Some((token, _)) = secrets.get(TokenKind::Server) {
        return Ok(token);
    }
    let made = SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
    secrets.set(TokenKind::Server, made.clone(), Keep::Keyring)?;
    Ok(made)
}

fn routes(studio: Studio, token: SecretString) -> Router {
    let commands = Router::new()
        .route("/api/v1/commands/{name}", post(command))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn_with_state(std::sync::Arc::new(token), bearer))
        .with_state(studio);
    Router::new()
        .route("/health/live", get(|| async { StatusCode::OK }))
        .merge(commands)
        .layer(axum::middleware::from_fn(here))
}

/// Lets in programs of this machine that ask for it by number, and no page of a browser.
async fn here(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let here = host.is_some_and(|host| host.starts_with("127.0.0.1:"));
    if !here || headers.contains_key(ORIGIN) {
        return problem(StatusCode::FORBIDDEN, "forbidden", "only for this machine");
    }
    next.run(request).await
}

async fn bearer(
    State(token): State<std::sync::Arc<SecretString>>,
    request: Request,
    next: Next,
) -> Response {
    let given = given(request.headers());
    let right = given.is_some_and(|given| {
        let right = token.expose_secret().as_bytes().ct_eq(given.as_bytes());
        right.into()
    });
    if !right {
        let sentence = "this needs the token of the server";
        return problem(StatusCode::UNAUTHORIZED, "unauthorized", sentence);
    }
    next.run(request).await
}

fn given(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    header.strip_prefix("Bearer ")
}

async fn command(
    State(studio): State<Studio>,
    Path(name): Path<String>,
    axum::Json(request): axum::Json<Value>,
) -> Response {
    match studio::call(&studio, &name, request).await {
        Ok(answer) => ([(CONTENT_TYPE, "application/json")], Body::from(answer)).into_response(),
        Err(Failure { code, message }) => {
            let status = match code.as_str() {
                "not_open" | "store_closed" => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            problem(status, &code, &message)
        }
    }
}

fn problem(status: StatusCode, code: &str, detail: &str) -> Response {
    let body = json!({ "code": code, "detail": detail }).to_string();
    let kind = [(CONTENT_TYPE, "application/problem+json")];
    (status, kind, body).into_response()
}
