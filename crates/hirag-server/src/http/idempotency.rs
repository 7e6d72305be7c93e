//! Changes that are asked for again because their answer got lost are not made again: the same
//! `Idempotency-Key` gets the same answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use hirag::clock::SharedClock;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::Problem;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// How long an answer is kept.
const LIFE: Duration = Duration::from_secs(24 * 3_600);
/// Answers kept at most; the oldest make room.
const ENTRIES: usize = 2_000;
/// Bytes of all of them at most.
const BYTES: usize = 16 << 20;
const KEY_CHARS: usize = 255;

/// Bytes that say what was asked for.
type Fingerprint = [u8; 32];

/// The answers; a handle.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    clock: SharedClock,
    kept: Arc<Mutex<HashMap<String, Entry>>>,
}

#[derive(Debug)]
struct Entry {
    asked: Fingerprint,
    at: Duration,
    /// `None` while it is under way.
    answer: Option<Answer>,
}

#[derive(Debug, Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Whose turn it is.
#[derive(Debug)]
pub(super) enum Turn {
    /// It was not asked for before: do it, and end the turn with its answer.
    First(First),
    /// It was; this is what was answered.
    Again(Response),
}

/// A change under way. Dropped without an end, it may be asked for again.
#[derive(Debug)]
pub(super) struct First {
    answers: Answers,
    key: Option<String>,
}

/// The key of a request, if it has one.
///
/// # Errors
/// 400 for one that is empty, too long, or not of visible characters.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(given) = headers.get(&KEY) else {
        return Ok(None);
    };
    let text = given.to_str().unwrap_or_default();
    if !(1..=KEY_CHARS).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = "`Idempotency-Key` must have 1 to 255 visible ASCII characters";
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_idempotency_key",
            detail,
        ));
    }
    Ok(Some(text.to_owned()))
}

/// What a request asks for.
pub(super) fn fingerprint(method: &Method, uri: &Uri, body: &[u8]) -> Fingerprint {
    let mut hash = Sha256::new();
    hash.update(method.as_str());
    hash.update([0]);
    hash.update(uri.path_and_query().map_or("", |path| path.as_str()));
    hash.update([0]);
    hash.update(body);
    hash.finalize().into()
}

impl Answers {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            kept: Arc::default(),
        }
    }

    /// Begins a change, or gives what it was answered before.
    ///
    /// # Errors
    /// 409 while it is under way; 422 when the key was used for something else.
    pub(super) fn begin(&self, key: String, asked: Fingerprint) -> Result<Turn, Problem> {
        let now = self.clock.elapsed();
        let mut kept = self.kept.lock();
        match kept.get(&key) {
            Some(entry) if entry.answer.is_some() && now.saturating_sub(entry.at) >= LIFE => {}
            Some(entry) if entry.asked != asked => {
                let detail = "the `Idempotency-Key` was used for another request; take a new one";
                return Err(Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "idempotency_mismatch",
                    detail,
                ));
            }
            Some(Entry {
                answer: Some(answer),
                ..
            }) => return Ok(Turn::Again(answer.replay())),
            Some(_) => {
                let detail = "the request with this `Idempotency-Key` is under way; ask again soon";
                return Err(Problem::new(StatusCode::CONFLICT, "in_progress", detail)
                    .after(Duration::from_secs(1)));
            }
            None => {}
        }
        let entry = Entry {
            asked,
            at: now,
            answer: None,
        };
        kept.insert(key.clone(), entry);
        Ok(Turn::First(First {
            answers: self.clone(),
            key: Some(key),
        }))
    }

    fn keep(&self, key: String, answer: Answer) {
        let now = self.clock.elapsed();
        let mut kept = self.kept.lock();
        if let Some(entry) = kept.get_mut(&key) {
            entry.answer = Some(answer);
            entry.at = now;
        }
        make_room(&mut kept, now);
    }
}

/// Drops what is too old, and then the oldest until the rest keeps to its bounds.
fn make_room(kept: &mut HashMap<String, Entry>, now: Duration) {
    let size = |(key, entry): (&String, &Entry)| {
        key.len() + entry.answer.as_ref().map_or(0, |answer| answer.body.len())
    };
    let mut bytes: usize = kept.iter().map(size).sum();
    if kept.len() <= ENTRIES && bytes <= BYTES {
        return;
    }
    kept.retain(|_, entry| entry.answer.is_none() || now.saturating_sub(entry.at) < LIFE);
    let mut oldest: Vec<(Duration, String, usize)> = kept
        .iter()
        .filter(|(_, entry)| entry.answer.is_some())
        .map(|(key, entry)| (entry.at, key.clone(), size((key, entry))))
        .collect();
    oldest.sort_unstable();
    // A tenth more than need be, so that this is not done for each.
    let (most, most_bytes) = (ENTRIES - ENTRIES / 10, BYTES - BYTES / 10);
    for (_, key, size) in oldest {
        if kept.len() <= most && bytes <= most_bytes {
            return;
        }
        kept.remove(&key);
        bytes = bytes.saturating_sub(size);
    }
}

impl First {
    /// Keeps the answer, unless it says to try again.
    pub(super) async fn end(mut self, response: Response) -> Response {
        let status = response.status();
        let again = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        if again {
            return response;
        }
        let (parts, body) = response.into_parts();
        let Ok(body) = to_bytes(body, BYTES).await else {
            return Problem::internal().answer(None);
        };
        if let Some(key) = self.key.take() {
            let answer = Answer {
                status,
                headers: parts.headers.clone(),
                body: body.clone(),
            };
            self.answers.keep(key, answer);
        }
        Response::from_parts(parts, Body::from(body))
    }
}

impl Drop for First {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.answers.kept.lock().remove(&key);
        }
    }
}

impl Answer {
    fn replay(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use hirag::clock::FakeClock;

    use super::*;

    fn answers() -> (Arc<FakeClock>, Answers) {
        let clock = FakeClock::at("2026-01-01T00:00:00Z".parse().unwrap());
        (clock.clone(), Answers::new(clock))
    }

    fn begin(answers: &Answers, key: &str, body: &str) -> Result<Turn, Problem> {
        let uri = Uri::from_static("/api/v1/contexts");
        answers.begin(
            key.to_owned(),
            fingerprint(&Method::POST, &uri, body.as_bytes()),
        )
    }

    async fn answer(answers: &Answers, key: &str, body: &str, response: impl IntoResponse) {
        match begin(answers, key, body).unwrap() {
            Turn::First(turn) => drop(turn.end(response.into_response()).await),
            Turn::Again(_) => panic!("it was asked for before"),
        }
    }

    #[tokio::test]
    async fn the_same_key_and_request_get_the_same_answer() {
        let (clock, answers) = answers();
        answer(&answers, "a", "{}", (StatusCode::CREATED, "one")).await;
        let Turn::Again(again) = begin(&answers, "a", "{}").unwrap() else {
            panic!("it is done twice");
        };
        assert_eq!(again.status(), StatusCode::CREATED);
        assert_eq!(again.headers()[REPLAYED], "true");
        assert_eq!(to_bytes(again.into_body(), 9).await.unwrap(), "one");
        assert_eq!(
            begin(&answers, "a", "[]").unwrap_err().code(),
            "idempotency_mismatch"
        );
        clock.advance(LIFE);
        assert!(matches!(begin(&answers, "a", "{}"), Ok(Turn::First(_))));
    }

    #[tokio::test]
    async fn what_is_under_way_is_a_conflict_and_what_broke_off_may_be_done_again() {
        let (_, answers) = answers();
        let turn = begin(&answers, "a", "{}").unwrap();
        assert_eq!(
            begin(&answers, "a", "{}").unwrap_err().code(),
            "in_progress"
        );
        drop(turn);
        answer(&answers, "a", "{}", StatusCode::SERVICE_UNAVAILABLE).await;
        answer(&answers, "a", "{}", StatusCode::OK).await;
        assert!(matches!(begin(&answers, "a", "{}"), Ok(Turn::Again(_))));
    }

    #[tokio::test]
    async fn answers_stay_within_their_bounds_and_the_oldest_make_room() {
        let (clock, answers) = answers();
        for number in 0..=ENTRIES {
            clock.advance(Duration::from_millis(1));
            answer(&answers, &number.to_string(), "", StatusCode::OK).await;
        }
        assert!(answers.kept.lock().len() <= ENTRIES);
        assert!(matches!(begin(&answers, "0", ""), Ok(Turn::First(_))));
        let last = ENTRIES.to_string();
        assert!(matches!(begin(&answers, &last, ""), Ok(Turn::Again(_))));
        for number in 0..20 {
            let large = vec![b'x'; 1 << 20];
            answer(&answers, &format!("large {number}"), "", large).await;
        }
        let kept = answers.kept.lock();
        let bytes: usize = kept
            .values()
            .flat_map(|e| &e.answer)
            .map(|a| a.body.len())
            .sum();
        assert!(bytes <= BYTES, "{bytes}");
    }

    #[test]
    fn keys_that_are_empty_long_or_not_visible_are_refused() {
        let with = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(KEY, HeaderValue::from_bytes(value).unwrap());
            key(&headers)
        };
        assert_eq!(with(b"k-1").unwrap().as_deref(), Some("k-1"));
        assert_eq!(key(&HeaderMap::new()).unwrap(), None);
        for bad in [&b""[..], b"a b", b"\xff", &[b'x'; 256]] {
            assert_eq!(with(bad).unwrap_err().code(), "invalid_idempotency_key");
        }
    }
}
