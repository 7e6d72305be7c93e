use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::server::{Bytewise, Do, Server};
use super::*;
use crate::load::run::run_over;

const GOOD: Do = Do::Write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");

/// An open loop of one client, so that requests come in their order.
async fn one_by_one(server: Arc<Bytewise>) -> LoadReport {
    let plan = LoadPlan {
        rate: Some(10.0),
        mix: parse_mix("health").unwrap(),
        time_out_s: 0.05,
        ..plan(1, 2.0)
    };
    let target = target("http://127.0.0.1:1");
    let never = std::future::pending();
    run_over(server, &plan, &target, now(), never, |_| ())
        .await
        .unwrap()
}

fn count(report: &LoadReport, kind: ErrorKind, status: Option<u16>) -> u64 {
    let errors = report.errors.iter();
    errors
        .filter(|error| error.kind == kind && error.status == status)
        .map(|error| error.count)
        .sum()
}

#[tokio::test(start_paused = true)]
async fn failures_are_sorted_by_their_kind() {
    // The first is the question whether anybody is there.
    let server = Bytewise::new(|number| match number {
        1 => Do::Write("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\n\r\noops"),
        2..=4 => Do::Write("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n"),
        5 => Do::WriteAndEnd("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        6 => Do::WriteAndEnd(""),
        7 => Do::WriteAndEnd("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}"),
        8 => Do::Hold,
        9 => Do::Write(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 46\r\n\r\n\
             {\"code\":\"not_open\",\"detail\":\"it is not open\"}  ",
        ),
        _ => GOOD,
    });
    let report = one_by_one(Arc::new(server)).await;
    assert_eq!((report.requests, report.succeeded), (20, 11));
    assert_eq!((report.failed, report.limited), (6, 3));
    assert_eq!(report.success_rate, Some(11.0 / 17.0));
    assert_eq!(count(&report, ErrorKind::Status, Some(500)), 1);
    assert_eq!(count(&report, ErrorKind::Status, Some(503)), 1);
    assert_eq!(count(&report, ErrorKind::Limited, None), 3);
    assert_eq!(count(&report, ErrorKind::Malformed, None), 1);
    assert_eq!(count(&report, ErrorKind::Dropped, None), 2);
    assert_eq!(count(&report, ErrorKind::TimeOut, None), 1);
    assert_eq!(report.errors[0].kind, ErrorKind::Limited);
    let told = report.errors.iter().find(|error| error.status == Some(503));
    assert_eq!(told.unwrap().example, "not_open: it is not open");
    // A time-out has waited at least so long.
    assert!(
        (50.0..60.0).contains(&report.latency.max_ms),
        "{:?}",
        report.latency
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_the_server_closes_between_answers_is_opened_again() {
    let server = Arc::new(Bytewise::new(|_| {
        Do::WriteAndEnd("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
    }));
    let report = one_by_one(Arc::clone(&server)).await;
    assert_eq!((report.succeeded, report.failed), (20, 0));
    let connections = server
        .connections
        .load(std::sync::atomic::Ordering::Relaxed);
    assert!(connections >= 20, "{connections}");
}

#[tokio::test(start_paused = true)]
async fn connections_that_are_refused_are_counted_and_the_next_is_tried() {
    let server = Bytewise {
        refuses: |connection| (1..6).contains(&connection),
        ..Bytewise::new(|_| GOOD)
    };
    let report = one_by_one(Arc::new(server)).await;
    // One of the five was refused before the time began.
    assert_eq!(count(&report, ErrorKind::Connect, None), 4);
    assert_eq!((report.requests, report.succeeded), (20, 16));
}

#[tokio::test(start_paused = true)]
async fn a_closed_loop_does_not_ask_in_a_frenzy_where_nobody_listens() {
    let server = Bytewise {
        refuses: |connection| connection > 0,
        ..Bytewise::new(|_| GOOD)
    };
    let target = target("http://127.0.0.1:1");
    let never = std::future::pending();
    let plan = plan(2, 1.0);
    let report = run_over(Arc::new(server), &plan, &target, now(), never, |_| ()).await;
    let report = report.unwrap();
    assert_eq!(report.succeeded, 0);
    assert!((16..=20).contains(&report.failed), "{}", report.failed);
}

#[tokio::test]
async fn a_token_that_is_refused_is_told_before_the_run() {
    let server = Server::new(|_| async { StatusCode::UNAUTHORIZED.into_response() });
    let url = server.listen().await;
    let error = run_at(&url, &plan(10, 600.0)).await.unwrap_err();
    assert_eq!(error.code(), "unauthorized");
    assert!(
        error.to_string().contains("refuses the token (401)"),
        "{error}"
    );
    assert!(!error.to_string().contains("the-token"), "{error}");
    assert!(server.seen().is_empty());

    let none = Target::new(&url, None).unwrap();
    let clock = hirag::clock::SystemClock::shared();
    let never = std::future::pending();
    let error = run(&plan(10, 600.0), &none, &clock, never, |_| ()).await;
    let error = error.unwrap_err();
    assert_eq!(error.code(), "unauthorized");
    assert!(error.to_string().contains("none is at hand"), "{error}");
}

#[tokio::test]
async fn a_server_of_something_else_and_one_that_is_not_there_are_told_before_the_run() {
    let server = Server::new(|_| async { StatusCode::NOT_FOUND.into_response() });
    let error = run_at(&server.listen().await, &plan(10, 600.0)).await;
    assert_eq!(error.unwrap_err().code(), "not_a_hirag_server");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = run_at(&free, &plan(10, 600.0)).await.unwrap_err();
    assert_eq!(error.code(), "server_unreachable");
    assert!(
        error.to_string().contains("is the server running?"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_well_is_measured_all_the_same() {
    let server = Server::new(|seen| async move {
        if seen.number > 50 {
            std::future::pending::<()>().await;
        }
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    });
    let url = server.listen().await;
    let clock = hirag::clock::SystemClock::shared();
    let stop = server.saw(60);
    let report = run(&plan(10, 600.0), &target(&url), &clock, stop, |_| ()).await;
    let report = report.unwrap();
    assert_eq!((report.failed, report.success_rate), (50, Some(0.0)));
    assert_eq!(count(&report, ErrorKind::Status, Some(503)), 50);
}
