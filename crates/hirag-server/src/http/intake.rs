//! The way of every request: named, let in, counted, read, run, and answered in one form.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, EXPECT,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures::{FutureExt, StreamExt};
use hirag::config::ChatSettings;
use hirag::metrics::Front;
use hirag::resilience::Retry;
use tokio::time::timeout;
use uuid::Uuid;

use super::guard::Caller;
use super::{Api, Problem, idempotency, limits, metrics, pages};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of a request's name that a client gives.
const REQUEST_ID_CHARS: usize = 128;

/// Between whom the connection is; put into every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    /// Who asks.
    pub(super) peer: IpAddr,
    /// The address that was asked.
    pub(super) local: IpAddr,
}

/// What a path needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    /// Nothing: it only says that the server lives.
    Open,
    /// It brings its own key.
    Link,
    /// A token or a session; shown as a page to people.
    Page,
    /// A token or a session; counted by the limiter.
    Interface,
}

impl Door {
    fn of(path: &str) -> Self {
        match path {
            "/health/live" => Self::Open,
            "/open" => Self::Link,
            "/" | "/docs" | "/docs.css" | "/index.html" => Self::Page,
            path if path.starts_with("/assets/") => Self::Page,
            _ => Self::Interface,
        }
    }
}

/// Serves a request, whatever becomes of it.
pub(super) async fn serve(State(api): State<Api>, request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let id = request_id(request.headers());
    let method = request.method().clone();
    let openai = request.uri().path().starts_with("/v1/");
    let route = request.extensions().get::<MatchedPath>().cloned();
    let wants_page = wants_page(&request);

    let served = AssertUnwindSafe(through(&api, request, next))
        .catch_unwind()
        .await;
    let mut response = match served {
        Ok(Ok(response)) => response,
        Ok(Err(problem)) => problem.answer(Some(&id)),
        Err(_) => Problem::internal().answer(Some(&id)),
    };
    // A handler does not know the request's name; and some clients know another form.
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let headers = std::mem::take(response.headers_mut());
        response = match problem.status() {
            StatusCode::UNAUTHORIZED if wants_page => pages::locked(&problem),
            _ if openai => problem.openai_answer(),
            _ => problem.answer(Some(&id)),
        };
        keep_missing(response.headers_mut(), headers);
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let route = route.as_ref().map_or("none", |route| route.as_str());
    let took = begin.elapsed();
    api.metrics().count(&method, route, response.status(), took);
    let asked = format!("{} {route}", metrics::name(&method));
    api.studio().requests().record(Front::Http, &asked, took);
    tracing::debug!(%method, route, status = response.status().as_u16(), ?took, request = id, "served");
    response
}

/// What a response had before it was told in another form, as `Allow` and the limits.
fn keep_missing(headers: &mut HeaderMap, before: HeaderMap) {
    for (name, value) in before {
        if let Some(name) = name
            && name != axum::http::header::CONTENT_TYPE
            && name != CONTENT_LENGTH
            && !headers.contains_key(&name)
        {
            headers.insert(name, value);
        }
    }
}

async fn through(api: &Api, mut request: Request, next: Next) -> Result<Response, Problem> {
    let (uri, headers) = (request.uri(), request.headers());
    let ends = request.extensions().get::<Ends>().copied();
    let Ends { peer, local } = ends.ok_or_else(Problem::internal)?;
    api.names().check(request.method(), uri, headers, local)?;
    let door = Door::of(uri.path());
    let mut limit = None;
    if matches!(door, Door::Page | Door::Interface) {
        let caller = admit(api, headers, peer).await?;
        if door == Door::Interface {
            limit = limits::check(api, &client(caller, headers, peer))?;
        }
        request.extensions_mut().insert(caller);
    }
    let mut response = match door {
        Door::Open | Door::Link | Door::Page => next.run(request).await,
        Door::Interface => read_and_run(api, request, next)
            .await
            .unwrap_or_else(|problem| {
                // With the limits that the request was counted by.
                problem.answer(None)
            }),
    };
    if let Some(limit) = limit {
        limit.tell(response.headers_mut());
    }
    Ok(response)
}

/// Lets in who may; once more where the token that is refused may be newer than the one known here.
async fn admit(api: &Api, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, Problem> {
    let keys = api.studio().door().keys();
    let admit = || api.guard().admit(keys, headers, peer, api.names().port);
    match admit() {
        Err(problem)
            if problem.status() == StatusCode::UNAUTHORIZED
                && headers.contains_key(AUTHORIZATION)
                && api.studio().server_token_is_another().await =>
        {
            admit()
        }
        admitted => admitted,
    }
}

async fn read_and_run(api: &Api, request: Request, next: Next) -> Result<Response, Problem> {
    let settings = api.studio().config().server.clone();
    let mut patience = Duration::from_secs(settings.request_timeout_secs);
    let (parts, body) = request.into_parts();
    let read = timeout(
        patience,
        read(&parts.headers, body, settings.max_body_bytes),
    )
    .await;
    let body = read.map_err(|_| slow_body(patience))??;
    check_encoding(&parts.headers)?;
    if parts.uri.path().ends_with("/ask") {
        patience += longest_answer(&api.studio().config().chat);
    }

    let route = parts.extensions.get::<MatchedPath>();
    let keeps_answers =
        route.is_some_and(|route| idempotency::applies(&parts.method, route.as_str()));
    let changes = is_change(&parts.method, parts.uri.path());
    let remembered = match idempotency::key(&parts.headers)? {
        Some(key) if keeps_answers => {
            let asked = idempotency::fingerprint(&parts.method, &parts.uri, &body);
            match api.idempotency().begin(key, asked)? {
                idempotency::Turn::First(turn) => Some(turn),
                idempotency::Turn::Again(answer) => return Ok(answer),
            }
        }
        _ => None,
    };
    let request = Request::from_parts(parts, Body::from(body));
    if !changes {
        let ran = timeout(patience, next.run(request)).await;
        return ran.map_err(|_| slow_work(patience, ""));
    }
    // A change goes on to its end, whether or not somebody still waits for its answer.
    let held = api.hold_open();
    let work = tokio::spawn(async move {
        let response = next.run(request).await;
        let response = match remembered {
            Some(turn) => turn.end(response).await,
            None => response,
        };
        drop(held);
        response
    });
    match timeout(patience, work).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(_)) => Err(Problem::internal()),
        Err(_) => Err(slow_work(patience, "; it goes on, and may still be done")),
    }
}

/// How long a model may word an answer by its own limits: each attempt has all its time, after the
/// wait that the endpoint asked for.
fn longest_answer(chat: &ChatSettings) -> Duration {
    let retry = Retry::new(chat.max_retries);
    let attempt = retry.max_wait + chat.answer_timeout.duration();
    attempt.saturating_mul(retry.max_retries.saturating_add(1))
}

/// Whether a request may change something, and so is not broken off.
fn is_change(method: &Method, path: &str) -> bool {
    let asks = ["/search", "/explain", "/embeddings", "/ask"];
    matches!(*method, Method::POST | Method::PATCH | Method::DELETE)
        && !asks.iter().any(|end| path.ends_with(end))
}

/// The body, if it keeps to the limit. Of one that does not, a part is still taken in, so that a
/// client that sends before it listens gets to hear why.
async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    let most = limit.saturating_mul(2);
    if announced > Some(most) || (announced > Some(limit) && headers.contains_key(EXPECT)) {
        return Err(too_large(limit));
    }
    let mut stream = body.into_data_stream();
    let mut kept = Vec::with_capacity(announced.unwrap_or(0).min(limit));
    let mut taken = 0_usize;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| {
            let detail = "the body ended before its end";
            Problem::new(StatusCode::BAD_REQUEST, "unreadable_body", detail)
        })?;
        taken = taken.saturating_add(chunk.len());
        if taken > most {
            break;
        }
        if taken <= limit {
            kept.extend_from_slice(&chunk);
        }
    }
    if taken > limit {
        return Err(too_large(limit));
    }
    Ok(kept.into())
}

/// Refuses a body that would have to be unpacked: a small one can become as large as it likes.
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    if encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    let detail = "a compressed body is not read; send it as it is, without Content-Encoding";
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Err(Problem::new(status, "unsupported_encoding", detail))
}

fn too_large(limit: usize) -> Problem {
    let detail = format!(
        "the body has more than {limit} bytes; send less at once, or raise `server.max_body_bytes`"
    );
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

fn slow_body(patience: Duration) -> Problem {
    let detail = format!(
        "the body did not come within {} seconds",
        patience.as_secs()
    );
    Problem::new(StatusCode::REQUEST_TIMEOUT, "slow_request", detail)
}

fn slow_work(patience: Duration, besides: &str) -> Problem {
    let detail = format!(
        "the request was not served within {} seconds (`server.request_timeout_secs`){besides}",
        patience.as_secs()
    );
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail).after(Duration::from_secs(1))
}

/// The name that the client gave, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    let fits = |id: &&str| {
        (1..=REQUEST_ID_CHARS).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    given
        .filter(fits)
        .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// Whether a person looks at the answer, in a browser.
fn wants_page(request: &Request) -> bool {
    let accepts = request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    let html = accepts.is_some_and(|accept| accept.contains("text/html"));
    html && matches!(Door::of(request.uri().path()), Door::Page | Door::Link)
}

/// Whose requests the limiter counts together: the same program on the same machine.
fn client(caller: Caller, headers: &HeaderMap, peer: IpAddr) -> String {
    const PRODUCT_CHARS: usize = 64;
    if caller == Caller::Browser {
        return format!("browser at {peer}");
    }
    let agent = headers
        .get(axum::http::header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    let product = agent
        .and_then(|agent| agent.split(['/', ' ']).next())
        .unwrap_or_default();
    match product.is_empty() || product.len() > PRODUCT_CHARS {
        true => format!("program at {peer}"),
        false => format!("{product} at {peer}"),
    }
}
