use std::time::Duration;

use axum::response::IntoResponse;
use tokio::time::{Instant, sleep, sleep_until};

use super::*;

/// A server that answers in ten milliseconds but for the second after the first.
fn stalling() -> Server {
    let start = Instant::now();
    Server::new(move |_| async move {
        let since = start.elapsed();
        let stall = Duration::from_secs(1)..Duration::from_secs(2);
        match stall.contains(&since) {
            true => sleep_until(start + stall.end).await,
            false => sleep(Duration::from_millis(10)).await,
        }
        "{}".into_response()
    })
}

#[tokio::test(start_paused = true)]
async fn an_open_loop_shows_a_stall_to_all_who_would_have_waited() {
    let plan = LoadPlan {
        rate: Some(100.0),
        ..plan(10, 4.0)
    };
    let report = run_in_memory(&stalling(), &plan).await;
    let open = report.open_loop.unwrap();
    assert_eq!((open.due, open.not_started), (400, 0));
    assert_eq!(report.succeeded, 400);
    // A hundred were due in the stall, and waited for its end: half a second, one with the other.
    assert!(report.latency.p50_ms < 15.0, "{:?}", report.latency);
    assert!(
        (550.0..700.0).contains(&report.latency.p90_ms),
        "{:?}",
        report.latency
    );
    assert!(
        (940.0..1_010.0).contains(&report.latency.p99_ms),
        "{:?}",
        report.latency
    );
    assert!(open.delay.p99_ms > 800.0, "{open:?}");
    let most: Vec<f64> = report
        .seconds
        .iter()
        .filter_map(|second| second.max_ms)
        .collect();
    assert!(
        most[0] < 15.0 && most.iter().any(|ms| *ms > 900.0),
        "{most:?}"
    );
    // In the stall, nothing ended but what was under way when it began or ended.
    assert!(report.seconds[1].succeeded <= 20, "{:?}", report.seconds);
    let ended: u64 = report.seconds.iter().map(|second| second.succeeded).sum();
    assert_eq!(ended, 400);
}

#[tokio::test(start_paused = true)]
async fn a_closed_loop_has_each_client_wait_for_the_stall_once() {
    let report = run_in_memory(&stalling(), &plan(10, 4.0)).await;
    assert_eq!(report.open_loop, None);
    assert!(report.latency.p99_ms < 15.0, "{:?}", report.latency);
    assert!(report.latency.max_ms > 900.0, "{:?}", report.latency);
}

#[tokio::test(start_paused = true)]
async fn what_an_open_loop_could_not_begin_is_told() {
    let server = Server::new(|_| async {
        sleep(Duration::from_secs(1)).await;
        "{}".into_response()
    });
    let plan = LoadPlan {
        rate: Some(100.0),
        ..plan(5, 2.0)
    };
    let report = run_in_memory(&server, &plan).await;
    let open = report.open_loop.unwrap();
    assert_eq!((open.due, report.requests), (200, 10));
    assert_eq!(open.not_started, 190);
}

#[tokio::test(start_paused = true)]
async fn the_warm_up_is_not_counted() {
    let start = Instant::now();
    // Slow while it is cold.
    let server = Server::new(move |_| async move {
        let ms = match start.elapsed() < Duration::from_millis(1_500) {
            true => 400,
            false => 10,
        };
        sleep(Duration::from_millis(ms)).await;
        "{}".into_response()
    });
    for rate in [None, Some(200.0)] {
        let before = server.seen().len();
        let plan = LoadPlan {
            warm_up_s: 2.0,
            rate,
            ..plan(10, 1.0)
        };
        let report = run_in_memory(&server, &plan).await;
        assert!(report.latency.max_ms < 20.0, "{:?}", report.latency);
        assert!((report.measured_s - 1.0).abs() < 1e-9);
        let seen = (server.seen().len() - before) as u64;
        assert!(
            report.requests > 100 && report.requests < seen,
            "{}",
            report.requests
        );
        assert!(report.seconds.len() <= 2, "{}", report.seconds.len());
        if let Some(open) = report.open_loop {
            assert_eq!((open.due, open.not_started, report.requests), (200, 0, 200));
        }
    }
}
