//! Takes connections, serves them, and ends without cutting anyone off who can be waited for.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hirag::config::ServerSettings;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::guard::Names;
use super::intake::Ends;
use super::listen::{acceptor, listen};
use super::{Api, router};
use crate::commands::Result;
use crate::running::{self, Announcement};
use crate::studio::{Studio, raised};

/// How long a connection may take for its headers, or rest between two requests.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// Headers of one request at most.
const MAX_HEADERS: usize = 64;
/// Bytes of them at most, and of the buffer that they are read into.
const MAX_HEADER_BYTES: usize = 32 * 1_024;
/// How long a connection may take to agree on its encryption.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// The rest after the system could not give a connection, e.g. for want of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A server that listens. Dropped, it stops at once; [`Server::stop`] waits for what was begun.
#[derive(Debug)]
pub struct Server {
    settings: ServerSettings,
    url: String,
    connections: Arc<Semaphore>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    /// Taken back when it stops.
    _announcement: Option<Announcement>,
    /// The same, where this process does not write yet.
    announcing: Option<JoinHandle<Option<Announcement>>>,
}

impl Server {
    /// Listens where `settings` say, which are valid. Whoever asks before the memory is open waits.
    ///
    /// # Errors
    /// [`super::ServerError`].
    pub async fn start(studio: &Studio, settings: ServerSettings) -> Result<Self> {
        let for_files = settings.clone();
        let tls = tokio::task::spawn_blocking(move || acceptor(&for_files)).await??;
        let listener = listen(&settings)?;
        let address = listener.local_addr()?;
        let (stop, stopping) = watch::channel(false);
        let names = Names {
            public_name: settings.public_name.clone(),
            port: address.port(),
            tls: tls.is_some(),
        };
        let connections = Arc::new(Semaphore::new(settings.max_connections));
        let api = Api::new(studio.clone(), names, stopping.clone())?;
        let work = Work {
            router: router(api.clone()),
            tls,
            connections: Arc::clone(&connections),
            drain: Duration::from_secs(settings.shutdown_secs),
            stopping,
            api,
        };
        let announce = announce(studio.clone(), settings.clone(), address);
        let writes = studio
            .host_now()
            .is_some_and(|host| host.manager().is_writable());
        let (announcement, announcing) = match writes {
            true => (announce.await, None),
            false => (None, Some(tokio::spawn(announce))),
        };
        Ok(Self {
            url: url(&settings, address),
            _announcement: announcement,
            announcing,
            settings,
            connections,
            stop,
            task: tokio::spawn(work.run(listener)),
        })
    }

    /// The address to ask at, e.g. `http://127.0.0.1:8080`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The settings that it was started with.
    #[must_use]
    pub fn settings(&self) -> &ServerSettings {
        &self.settings
    }

    /// How many are connected.
    #[must_use]
    pub fn connections(&self) -> usize {
        let free = self.connections.available_permits();
        self.settings.max_connections.saturating_sub(free)
    }

    /// Takes no more requests, and waits for those that were taken, `server.shutdown_secs` at most.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // A task that panicked has ended as well.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        // What was announced is taken back with the handle.
        if let Some(announcing) = &self.announcing {
            announcing.abort();
        }
    }
}

/// The address for people and programs on this machine.
fn url(settings: &ServerSettings, address: SocketAddr) -> String {
    let scheme = if settings.has_tls() { "https" } else { "http" };
    let port = address.port();
    match (settings.public_name.as_str(), local(address)) {
        (name, None) if !name.is_empty() => format!("{scheme}://{name}:{port}"),
        (_, local) => format!("{scheme}://{}", local.unwrap_or(address)),
    }
}

/// Where it is found from this machine alone, if it is.
fn local(address: SocketAddr) -> Option<SocketAddr> {
    match address.ip() {
        ip if ip.is_loopback() => Some(address),
        IpAddr::V4(ip) if ip.is_unspecified() => Some(([127, 0, 0, 1], address.port()).into()),
        IpAddr::V6(ip) if ip.is_unspecified() => {
            Some((std::net::Ipv6Addr::LOCALHOST, address.port()).into())
        }
        _ => None,
    }
}

/// Lets others on this machine find it once it writes; it serves without that, too. One that only
/// reads beside another writer is not the one to find: whoever joined it could store nothing.
async fn announce(
    studio: Studio,
    settings: ServerSettings,
    address: SocketAddr,
) -> Option<Announcement> {
    if !studio.writes().await {
        return None;
    }
    let scheme = if settings.has_tls() { "https" } else { "http" };
    let url = format!("{scheme}://{}", local(address)?);
    let announced = running::announce(studio.data_dir(), &url, studio.gives_way());
    announced
        .inspect_err(|error| tracing::warn!(%error, "other programs will not find the server"))
        .ok()
}

/// What the server's task does.
struct Work {
    router: Router,
    tls: Option<TlsAcceptor>,
    connections: Arc<Semaphore>,
    drain: Duration,
    stopping: watch::Receiver<bool>,
    api: Api,
}

impl Work {
    async fn run(mut self, listener: TcpListener) {
        let mut open = JoinSet::new();
        loop {
            let next = next(&listener, &self.connections);
            let (stream, peer, permit) = tokio::select! {
                () = raised(&mut self.stopping) => break,
                _ = open.join_next(), if !open.is_empty() => continue,
                next = next => next,
            };
            let connection = Connection {
                router: self.router.clone(),
                stopping: self.stopping.clone(),
                ends: Ends {
                    local: stream
                        .local_addr()
                        .map_or(peer.ip(), |local| local.ip())
                        .to_canonical(),
                    peer: peer.ip().to_canonical(),
                },
            };
            let tls = self.tls.clone();
            open.spawn(async move {
                connection.begin(stream, tls).await;
                drop(permit);
            });
        }
        drop(listener);
        let ended = timeout(self.drain, async {
            while open.join_next().await.is_some() {}
            self.api.changes_ended().await;
        });
        if ended.await.is_err() {
            tracing::warn!(
                connections = open.len(),
                "connections were cut off at the end"
            );
        }
        open.shutdown().await;
    }
}

/// The next connection, once there is room for it.
async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (
    TcpStream,
    SocketAddr,
    Option<tokio::sync::OwnedSemaphorePermit>,
) {
    // The semaphore is never closed.
    let permit = Arc::clone(room).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

struct Connection {
    router: Router,
    stopping: watch::Receiver<bool>,
    ends: Ends,
}

impl Connection {
    async fn begin(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        // Answers are whole; there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let Some(tls) = tls else {
            return self.serve(stream).await;
        };
        if let Ok(Ok(stream)) = timeout(HANDSHAKE_WITHIN, tls.accept(stream)).await {
            self.serve(stream).await;
        }
    }

    async fn serve(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let (router, ends) = (self.router, self.ends);
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ends);
            router.clone().oneshot(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEADER_BYTES)
            // Who has said everything may close its half, and still gets its answer.
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let served = tokio::select! {
            served = &mut connection => served,
            () = raised(&mut self.stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(%error, "a connection broke off");
        }
    }
}
