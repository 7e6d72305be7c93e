//! A chat endpoint on loopback that says what a test lets it say, when the test does.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures::stream;
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::{broadcast, mpsc};

use super::SETTINGS;

/// The endpoint. What it is to say goes to every request under way.
pub(crate) struct Chat {
    url: String,
    inner: Arc<Inner>,
    gone: mpsc::Receiver<()>,
}

struct Inner {
    words: broadcast::Sender<String>,
    tell_gone: mpsc::Sender<()>,
    tokens: Mutex<Vec<String>>,
}

/// A request under way; dropped at its end, or when the client has gone.
struct Saying {
    words: broadcast::Receiver<String>,
    tell_gone: mpsc::Sender<()>,
}

impl Drop for Saying {
    fn drop(&mut self) {
        let _ = self.tell_gone.try_send(());
    }
}

impl Chat {
    pub(crate) async fn start() -> Self {
        let (tell_gone, gone) = mpsc::channel(64);
        let inner = Arc::new(Inner {
            words: broadcast::Sender::new(256),
            tell_gone,
            tokens: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let app = Router::new()
            .route("/v1/chat/completions", post(complete))
            .with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, inner, gone }
    }

    /// Settings with which this endpoint words answers.
    pub(crate) fn settings(&self) -> String {
        format!(
            "{SETTINGS}[chat]\nprovider = \"openai-compatible\"\napi_url = \"{}\"\nmodel = \"tiny\"\nmax_retries = 0\n",
            self.url
        )
    }

    /// Says some words to all who asked.
    pub(crate) fn say(&self, words: &str) {
        let part = json!({"choices": [{"delta": {"content": words}}]});
        self.send(format!("data: {part}\n\n"));
    }

    /// Ends what it says.
    pub(crate) fn end(&self) {
        let part = json!({"choices": [{"delta": {}, "finish_reason": "stop"}]});
        self.send(format!("data: {part}\n\ndata: [DONE]\n\n"));
    }

    fn send(&self, event: String) {
        // Nobody may have asked.
        let _ = self.inner.words.send(event);
    }

    /// Waits until so many requests are under way.
    pub(crate) async fn asked(&self, many: usize) {
        let waited = async {
            while self.inner.words.receiver_count() < many {
                tokio::task::yield_now().await;
            }
        };
        let limit = std::time::Duration::from_secs(20);
        tokio::time::timeout(limit, waited).await.unwrap();
    }

    /// Waits until a request is over, whoever ended it.
    pub(crate) async fn gone(&mut self) {
        self.gone.recv().await.unwrap();
    }

    /// The tokens that the requests brought, `none` for one without.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.inner.tokens.lock().clone()
    }
}

async fn complete(State(inner): State<Arc<Inner>>, headers: HeaderMap) -> Response {
    let token = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok());
    inner.tokens.lock().push(token.unwrap_or("none").to_owned());
    let saying = Saying {
        words: inner.words.subscribe(),
        tell_gone: inner.tell_gone.clone(),
    };
    let events = stream::unfold(Some(saying), |saying| async {
        let mut saying = saying?;
        let event = saying.words.recv().await.ok()?;
        let more = (!event.contains("[DONE]")).then_some(saying);
        Some((Ok::<_, Infallible>(event), more))
    });
    let kind = [(CONTENT_TYPE, "text/event-stream")];
    (kind, Body::from_stream(events)).into_response()
}
