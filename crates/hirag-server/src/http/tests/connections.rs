//! Connections that are slow, half closed, cut off, or too many.

use std::time::Duration;

use hirag::context::ContextLevel;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Held, PATIENCE, Served, TOKEN, place, rest};
use crate::studio::tests::next;
use crate::studio::{ActivityKind, StudioEvent};

fn store_request(served: &Served, text: &str) -> String {
    let body = json!({ "text": text }).to_string();
    format!(
        "POST /api/v1/contexts HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        served.address(),
        body.len()
    )
}

/// Closes it as a process that is killed does.
fn cut_off(stream: TcpStream) {
    stream.set_zero_linger().unwrap();
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_said_everything_may_close_its_half() {
    let served = Served::new().await;
    let mut stream = served.connect().await;
    stream
        .write_all(store_request(&served, "half").as_bytes())
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let mut half = served.connect().await;
    half.write_all(b"GET /health/live HTTP/1.1\r\nHo")
        .await
        .unwrap();
    half.shutdown().await.unwrap();
    rest(&mut half).await;
    served.serves_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_headers_is_refused() {
    let served = Served::new().await;
    let many: String = (0..200)
        .map(|number| format!("X-{number}: y\r\n"))
        .collect();
    let large = format!("X-Large: {}\r\n", "y".repeat(100_000));
    for headers in [many, large] {
        let head = format!(
            "GET /health/live HTTP/1.1\r\nHost: {}\r\n{headers}\r\n",
            served.address()
        );
        let mut stream = served.connect().await;
        // It may be refused before it has said everything.
        let _ = stream.write_all(head.as_bytes()).await;
        let answer = rest(&mut stream).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{answer}"
        );
    }
    let nonsense = served.raw("\u{1}\u{2}nonsense\r\n\r\n").await;
    assert!(nonsense.starts_with("HTTP/1.1 400"), "{nonsense}");
    served.serves_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_idle_connections_leave_room_for_the_next() {
    let _ = rlimit::increase_nofile_limit(16_384);
    let served = Served::new().await;
    let mut idle = Vec::new();
    for _ in 0..2_000 {
        idle.push(served.connect().await);
    }
    served.serves_on().await;
    let begun = b"GET /health/live HTTP/1.1\r\n";
    for stream in &mut idle {
        stream.write_all(begun).await.unwrap();
    }
    served.serves_on().await;
    assert!(served.studio.server_status().connections >= 2_000);
    drop(idle);
    served.serves_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_limit_of_connections_the_next_waits_for_one_to_end() {
    let served = Served::with("[server]\nmax_connections = 2\n").await;
    let first = served.connect().await;
    let second = served.connect().await;
    let mut third = served.connect().await;
    let request = format!(
        "GET /health/live HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        served.address()
    );
    third.write_all(request.as_bytes()).await.unwrap();
    let mut byte = [0];
    let early = timeout(Duration::from_millis(100), third.read(&mut byte)).await;
    assert!(early.is_err(), "it was served over the limit");
    drop((first, second));
    let answer = rest(&mut third).await;
    assert!(
        answer.starts_with("TTP/1.1 200") || answer.starts_with("HTTP/1.1 200"),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_given_up() {
    let served = Served::with("[server]\nrequest_timeout_secs = 1\n").await;
    let mut stream = served.connect().await;
    let request = store_request(&served, "slow");
    stream
        .write_all(&request.as_bytes()[..request.len() - 3])
        .await
        .unwrap();
    let answer = rest(&mut stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 408") && answer.contains("slow_request"),
        "{answer}"
    );
    served.serves_on().await;
    assert_eq!(served.get("/api/v1/contexts").await.1["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_told_and_a_change_goes_on_to_its_end() {
    let held = Held::new();
    let mut place = place("[server]\nrequest_timeout_secs = 1\n");
    place.provider = Some(held.clone());
    let served = Served::at(place).await;
    let mut events = served.studio.events();
    let (status, problem) = served
        .post("/api/v1/contexts", json!({ "text": "late" }))
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("timeout"))
    );
    held.go_on();
    stored(&mut events).await;
    assert_eq!(served.get("/api/v1/contexts").await.1["total"], 1);
}

async fn stored(events: &mut tokio::sync::broadcast::Receiver<StudioEvent>) {
    next(events, |event| match event {
        StudioEvent::Activity(activity) if activity.kind == ActivityKind::Stored => Some(()),
        _ => None,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_disconnects_in_the_middle_of_a_store_leaves_all_of_it_or_nothing() {
    let held = Held::new();
    let mut place = place("");
    place.provider = Some(held.clone());
    let served = Served::at(place).await;
    let mut events = served.studio.events();
    let mut stream = served.connect().await;
    stream
        .write_all(store_request(&served, "whole").as_bytes())
        .await
        .unwrap();
    held.is_asked().await;
    cut_off(stream);
    // Half of a body is nothing.
    let mut half = served.connect().await;
    let request = store_request(&served, "a half that never comes to its end");
    half.write_all(&request.as_bytes()[..request.len() - 9])
        .await
        .unwrap();
    cut_off(half);
    held.go_on();
    stored(&mut events).await;
    let (_, list) = served.get("/api/v1/contexts").await;
    assert_eq!(
        (&list["total"], &list["contexts"][0]["text"]),
        (&json!(1), &json!("whole"))
    );
    served.store("next").await;
}

/// A stream of events that has begun.
async fn listen(served: &Served) -> TcpStream {
    let mut stream = served.connect().await;
    let request = format!(
        "GET /api/v1/events HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n",
        served.address()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let begun = until(&mut stream, ": listening").await;
    assert!(begun.contains("text/event-stream"), "{begun}");
    stream
}

async fn until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut heard = String::new();
    let read = async {
        while !heard.contains(wanted) {
            let mut bytes = [0; 4_096];
            let count = stream.read(&mut bytes).await.unwrap();
            assert!(count > 0, "it ended: {heard}");
            heard += &String::from_utf8_lossy(&bytes[..count]);
        }
    };
    timeout(PATIENCE, read).await.unwrap();
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_to_those_who_listen_and_nobody_misses_one_who_left() {
    let served = Served::new().await;
    let gone = listen(&served).await;
    let mut stays = listen(&served).await;
    cut_off(gone);
    served.store("told to all").await;
    let heard = until(&mut stays, "told to all").await;
    assert!(heard.contains("event: activity"), "{heard}");
    for number in 0..50 {
        let new = hirag::context::NewContext::new(format!("text {number}"))
            .at_level(ContextLevel::LongTerm);
        crate::commands::studio::store(&served.studio, new)
            .await
            .unwrap();
    }
    until(&mut stays, "text 49").await;
    served.studio.shut_down().await.unwrap();
    // The stream ends with the server, and in order.
    assert!(rest(&mut stays).await.ends_with("0\r\n\r\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_compressed_for_those_who_ask_and_events_never() {
    let served = Served::new().await;
    let zipped = |path: &str| {
        served
            .ask(Method::GET, path)
            .header("accept-encoding", "gzip")
            .send()
    };
    let description = zipped("/openapi.json").await.unwrap();
    assert_eq!(description.headers()["content-encoding"], "gzip");
    let events = zipped("/api/v1/events").await.unwrap();
    assert!(!events.headers().contains_key("content-encoding"));
}
