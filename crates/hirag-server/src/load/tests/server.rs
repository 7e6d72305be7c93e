//! Servers that do as they are told: an axum router, on loopback or in memory, and one that writes
//! any bytes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::load::client::{Dial, Wire};

/// A request that came: its place among all, its path, and its body.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) number: u64,
    pub(super) path: String,
    pub(super) authorization: String,
    pub(super) body: Bytes,
}

type Script = dyn Fn(Seen) -> BoxFuture<'static, Response> + Send + Sync;

/// A server that keeps what it saw.
#[derive(Clone)]
pub(super) struct Server {
    script: Arc<Script>,
    seen: Arc<Mutex<Vec<Seen>>>,
    count: Arc<watch::Sender<u64>>,
}

impl Server {
    pub(super) fn new<F>(script: impl Fn(Seen) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response> + Send + 'static,
    {
        Self {
            script: Arc::new(move |seen| Box::pin(script(seen))),
            seen: Arc::default(),
            count: Arc::new(watch::Sender::new(0)),
        }
    }

    /// What came, without the question whether anybody is there.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().iter().skip(1).cloned().collect()
    }

    /// Waits until so many came.
    pub(super) async fn saw(&self, requests: u64) {
        let mut count = self.count.subscribe();
        count.wait_for(|count| *count > requests).await.unwrap();
    }

    fn note(&self, seen: Seen) -> Seen {
        let mut all = self.seen.lock();
        let number = all.len() as u64;
        let seen = Seen { number, ..seen };
        all.push(seen.clone());
        seen
    }

    fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    /// On a real socket; its address.
    pub(super) async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let router = self.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 1 << 20).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let token = head.headers.get("authorization");
    let seen = Seen {
        number: 0,
        path: head.uri.path().to_owned(),
        authorization: token.map_or("", |token| token.to_str().unwrap()).to_owned(),
        body,
    };
    let seen = server.note(seen);
    let told = (server.script)(seen);
    server.count.send_modify(|count| *count += 1);
    told.await
}

/// In memory, where tokio's paused time is the only time.
impl Dial for Server {
    fn dial(&self) -> BoxFuture<'_, io::Result<Box<dyn Wire>>> {
        let (ours, theirs) = duplex(64 * 1024);
        let service = TowerToHyperService::new(self.router());
        tokio::spawn(async move {
            let builder = Builder::new(TokioExecutor::new());
            let _ = builder
                .serve_connection(TokioIo::new(theirs), service)
                .await;
        });
        Box::pin(async move { Ok(Box::new(ours) as Box<dyn Wire>) })
    }
}

/// What a server of bytes does with a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Do {
    Write(&'static str),
    /// Ends the connection after writing.
    WriteAndEnd(&'static str),
    /// Never answers.
    Hold,
}

/// A server of bytes: what it does with each request, by its number, and which connections it
/// refuses, by theirs.
pub(super) struct Bytewise {
    pub(super) does: fn(u64) -> Do,
    pub(super) refuses: fn(u64) -> bool,
    pub(super) requests: Arc<AtomicU64>,
    pub(super) connections: AtomicU64,
}

impl Bytewise {
    pub(super) fn new(does: fn(u64) -> Do) -> Self {
        Self {
            does,
            refuses: |_| false,
            requests: Arc::default(),
            connections: AtomicU64::new(0),
        }
    }
}

impl Dial for Bytewise {
    fn dial(&self) -> BoxFuture<'_, io::Result<Box<dyn Wire>>> {
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        if (self.refuses)(number) {
            let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
            return Box::pin(async move { Err(refused) });
        }
        let (ours, theirs) = duplex(64 * 1024);
        tokio::spawn(serve(theirs, self.does, Arc::clone(&self.requests)));
        Box::pin(async move { Ok(Box::new(ours) as Box<dyn Wire>) })
    }
}

async fn serve(mut wire: DuplexStream, does: fn(u64) -> Do, requests: Arc<AtomicU64>) {
    let mut buffer = Vec::new();
    loop {
        // The clients of these tests ask for what has no body.
        while !buffer.windows(4).any(|end| end == b"\r\n\r\n") {
            match wire.read_buf(&mut buffer).await {
                Ok(bytes) if bytes > 0 => {}
                _ => return,
            }
        }
        buffer.clear();
        match does(requests.fetch_add(1, Ordering::Relaxed)) {
            Do::Write(bytes) => wire.write_all(bytes.as_bytes()).await.unwrap(),
            Do::WriteAndEnd(bytes) => return wire.write_all(bytes.as_bytes()).await.unwrap(),
            Do::Hold => std::future::pending().await,
        }
    }
}
