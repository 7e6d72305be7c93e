//! What happens, as it happens (server-sent events).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, stream};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::http::Api;
use crate::studio::StudioEvent;

/// Time between two signs of life: connections that nobody hears are noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What happens, as it happens
///
/// Server-sent events: `job`, `activity`, `startup`, `breaker`, `chat_breaker`, `settings`, `embedding`,
/// `answer` and `server`, each with its JSON, and `missed` with how many a client was too slow for. A comment comes every
/// 15 seconds.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "events",
    responses((status = 200, description = "One event after another, until the server ends",
        body = String, content_type = "text/event-stream")),
)]
pub(super) async fn events(
    State(api): State<Api>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let listening = api.studio().events();
    let events = stream::unfold(
        (api, listening, true),
        |(api, mut listening, first)| async move {
            // At once, so that the client knows that it hears everything from here on.
            if first {
                return Some((
                    Ok(Event::default().comment("listening")),
                    (api, listening, false),
                ));
            }
            let event = tokio::select! {
                () = api.stopped() => return None,
                event = next(&mut listening) => event?,
            };
            Some((Ok(event), (api, listening, false)))
        },
    );
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT))
}

/// The next event; a client that was too slow is told how many it missed.
async fn next(listening: &mut Receiver<StudioEvent>) -> Option<Event> {
    match listening.recv().await {
        Ok(event) => Some(told(event.name(), &event)),
        Err(RecvError::Lagged(missed)) => Some(told("missed", &json!({ "missed": missed }))),
        Err(RecvError::Closed) => None,
    }
}

fn told(name: &str, data: &impl serde::Serialize) -> Event {
    let event = Event::default().event(name);
    // What cannot be written down is told without its data.
    event
        .json_data(data)
        .unwrap_or_else(|_| Event::default().event(name).data("null"))
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::response::IntoResponse;
    use tokio::sync::broadcast;

    use super::*;
    use crate::commands::studio::PauseRequest;

    #[tokio::test]
    async fn a_client_that_was_too_slow_is_told_what_it_missed() {
        let (events, mut listening) = broadcast::channel(2);
        for paused in [true, false, true, false] {
            events
                .send(StudioEvent::Embedding(PauseRequest { paused }))
                .unwrap();
        }
        let mut told = Vec::new();
        for _ in 0..2 {
            told.push(Ok::<_, Infallible>(next(&mut listening).await.unwrap()));
        }
        drop(events);
        assert!(next(&mut listening).await.is_some() && next(&mut listening).await.is_none());
        let answer = Sse::new(stream::iter(told)).into_response();
        let text = to_bytes(answer.into_body(), 1_000).await.unwrap();
        let text = String::from_utf8_lossy(&text);
        let expected =
            "event: missed\ndata: {\"missed\":2}\n\nevent: embedding\ndata: {\"paused\":true}\n\n";
        assert_eq!(text, expected);
    }
}
