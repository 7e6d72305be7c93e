//! Load on the server that the memory says is running: a small one that stands in for it.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::jobs::ended;
use super::*;
use crate::commands::studio::{JobRequest, JobsResponse, Nothing};
use crate::load::LoadPlan;
use crate::running::{self, Announcement};
use crate::secrets::{Keep, TokenKind};
use crate::studio::JobState;

const TOKEN: &str = "a-token-of-thirty-two-characters";

/// Lets in who has the token, and holds what comes after `most` requests.
#[derive(Clone)]
struct Small {
    most: u64,
    seen: Arc<watch::Sender<u64>>,
}

async fn answer(State(server): State<Small>, headers: HeaderMap) -> StatusCode {
    let token = headers.get("authorization").map(|token| token.as_bytes());
    if token != Some(format!("Bearer {TOKEN}").as_bytes()) {
        return StatusCode::UNAUTHORIZED;
    }
    // Its own number: others come at the same time.
    let mut number = 0;
    server.seen.send_modify(|seen| {
        *seen += 1;
        number = *seen;
    });
    if number > server.most {
        std::future::pending::<()>().await;
    }
    StatusCode::OK
}

async fn small(place: &Place, most: u64) -> (Small, Announcement) {
    let server = Small {
        most,
        seen: Arc::new(watch::Sender::new(0)),
    };
    let health = "/health/live";
    let router = Router::new()
        .route(health, axum::routing::get(|| async { StatusCode::OK }))
        .fallback(answer)
        .with_state(server.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    std::fs::create_dir_all(place.path("data")).unwrap();
    (
        server,
        running::announce(&place.path("data"), &url, false).unwrap(),
    )
}

async fn with_token(place: &Place, token: &str) -> Studio {
    let studio = place.start();
    let token = SecretString::from(token);
    let kept = studio
        .secrets()
        .set(TokenKind::Server, token, Keep::ThisRun);
    kept.unwrap();
    studio
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_test_that_is_stopped_keeps_what_it_measured() {
    let place = Place::new();
    // One of them asks whether the server lets this memory in.
    let (server, _announcement) = small(&place, 101).await;
    let studio = with_token(&place, TOKEN).await;
    let started = ask::load_start(&studio, LoadPlan::new(10, 600.0)).await;
    let job = started.unwrap().job;
    let again = ask::load_start(&studio, LoadPlan::new(10, 600.0)).await;
    assert_eq!(again.unwrap_err().code(), "busy");
    let request = || JobRequest { job: job.clone() };
    let early = ask::load_result(&studio, request()).await;
    assert_eq!(early.unwrap_err().code(), "invalid_request");
    let mut seen = server.seen.subscribe();
    seen.wait_for(|seen| *seen >= 111).await.unwrap();
    ask::job_cancel(&studio, request()).await.unwrap();
    let ended = ended(&studio, &job).await;
    assert_eq!(ended.state, JobState::Cancelled, "{ended:?}");
    assert_eq!(ended.progress.unit, "seconds");
    let report = ask::load_result(&studio, request()).await.unwrap();
    assert_eq!((report.succeeded, report.unfinished), (100, 10));
    let page = ask::load_page(&studio, request()).await.unwrap();
    assert!(page.html.contains("stopped before 600 s"));
    let JobsResponse { jobs } = ask::jobs(&studio, Nothing {}).await.unwrap();
    assert!(!format!("{jobs:?}{report:?}{}", page.html).contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_test_that_is_not_let_in_fails_with_the_reason() {
    let place = Place::new();
    let (_server, _announcement) = small(&place, 0).await;
    let studio = with_token(&place, "another-token-of-32-characters!!").await;
    let started = ask::load_start(&studio, LoadPlan::new(10, 600.0)).await;
    let job = ended(&studio, &started.unwrap().job).await;
    assert_eq!(job.state, JobState::Failed);
    assert_eq!(job.problem.unwrap().code, "unauthorized");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_or_with_a_bad_plan_no_load_test_begins() {
    let place = Place::new();
    let studio = place.start();
    let bad = ask::load_start(&studio, LoadPlan::new(0, 1.0)).await;
    assert_eq!(bad.unwrap_err().code(), "invalid_load");
    let alone = ask::load_start(&studio, LoadPlan::new(1, 1.0)).await;
    assert_eq!(alone.unwrap_err().code(), "no_server");
    assert!(
        ask::jobs(&studio, Nothing {})
            .await
            .unwrap()
            .jobs
            .is_empty()
    );
    let job = "load-1".to_owned();
    let unknown = ask::load_result(&studio, JobRequest { job }).await;
    assert_eq!(unknown.unwrap_err().code(), "unknown_job");
}
