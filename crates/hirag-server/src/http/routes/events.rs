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
/// Server-sent events: `job`, `activity`, `startup`, `breaker`, `settings`, `embedding` and `server`,
/// each with its JSON, and `missed` with how many a client was too slow for. A comment comes every
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
