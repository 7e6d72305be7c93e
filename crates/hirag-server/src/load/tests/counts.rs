use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use hirag::clock::SystemClock;
use tokio::time::sleep;

use super::*;

/// A server whose every answer takes ten milliseconds.
fn steady() -> Server {
    Server::new(|_| async {
        sleep(Duration::from_millis(10)).await;
        "{}".into_response()
    })
}

#[tokio::test(start_paused = true)]
async fn a_run_counts_what_the_server_saw() {
    let server = steady();
    let plan = LoadPlan {
        mix: parse_mix("search=3,store,health,metrics").unwrap(),
        ..plan(20, 2.0)
    };
    let report = run_in_memory(&server, &plan).await;
    let seen = server.seen();
    assert_eq!(report.requests, seen.len() as u64);
    assert_eq!(report.succeeded, report.requests);
    assert_eq!(
        (report.failed, report.limited, report.unfinished),
        (0, 0, 0)
    );
    assert_eq!(report.success_rate, Some(1.0));
    for (operation, path) in [
        (Operation::Search, "/api/v1/contexts/search"),
        (Operation::Store, "/api/v1/contexts"),
        (Operation::Health, "/health"),
        (Operation::Metrics, "/metrics"),
    ] {
        let one = report
            .operations
            .iter()
            .find(|one| one.operation == operation);
        let saw = seen.iter().filter(|seen| seen.path == path).count();
        assert_eq!(one.unwrap().requests, saw as u64, "{path}");
    }
    // Twenty clients, each with an answer every ten or, as timers are that coarse, eleven
    // milliseconds.
    assert!(
        (1_800.0..=2_000.0).contains(&report.per_s),
        "{}",
        report.per_s
    );
    let ended: u64 = report.seconds.iter().map(|second| second.succeeded).sum();
    assert_eq!(ended, report.succeeded);
    assert!(
        (10.0..=12.0).contains(&report.latency.p50_ms),
        "{:?}",
        report.latency
    );
    let histogram: u64 = report.distribution.iter().map(|bucket| bucket.count).sum();
    assert_eq!(histogram, report.succeeded);
    assert_eq!(report.received_bytes, 2 * report.succeeded);
}

#[tokio::test(start_paused = true)]
async fn the_token_goes_along_and_what_is_stored_can_be_told_from_the_rest() {
    let server = steady();
    let plan = LoadPlan {
        mix: parse_mix("store").unwrap(),
        ..plan(1, 0.1)
    };
    let report = run_in_memory(&server, &plan).await;
    assert_eq!(report.stored_session.as_deref(), Some("load-7"));
    for seen in server.seen() {
        assert_eq!(seen.authorization, "Bearer the-token-of-the-server");
        let stored: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(stored["session"], "load-7");
        assert_eq!(stored["expires_at"], "2026-01-01T01:00:00Z");
        let new: Result<hirag::context::NewContext, _> = serde_json::from_value(stored);
        new.unwrap();
    }
    assert!(!format!("{report:?}").contains("the-token"));
}

#[tokio::test(start_paused = true)]
async fn repeated_queries_are_few_and_fresh_ones_never_come_again() {
    let queries = |of| async move {
        let server = steady();
        let plan = LoadPlan {
            queries: of,
            ..plan(10, 1.0)
        };
        run_in_memory(&server, &plan).await;
        let seen = server.seen();
        let bodies: HashSet<_> = seen.iter().map(|seen| seen.body.clone()).collect();
        for body in &bodies {
            let request: hirag::context::ContextRequest = serde_json::from_slice(body).unwrap();
            assert_eq!(request.limit, Some(10));
        }
        (seen.len(), bodies.len())
    };
    let (all, different) = queries(Queries::Repeated).await;
    assert!(all > 800 && different == 16, "{different} of {all}");
    let (all, different) = queries(Queries::Fresh).await;
    assert!(all > 800 && different == all, "{different} of {all}");
}

#[tokio::test]
async fn a_run_that_is_stopped_tells_what_it_has_measured_so_far() {
    // Answers two hundred, and holds what comes after them.
    let server = Server::new(|seen| async move {
        if seen.number > 200 {
            std::future::pending::<()>().await;
        }
        "{}".into_response()
    });
    let url = server.listen().await;
    let clock = SystemClock::shared();
    let stop = server.saw(220);
    let report = run(&plan(20, 600.0), &target(&url), &clock, stop, |_| ()).await;
    let report = report.unwrap();
    assert!(report.stopped);
    assert_eq!(
        (report.requests, report.succeeded, report.unfinished),
        (220, 200, 20)
    );
    assert_eq!((report.failed, report.success_rate), (0, Some(1.0)));
    assert!(report.measured_s < 600.0 && report.latency.max_ms > 0.0);
}

#[tokio::test]
async fn a_run_that_is_stopped_before_it_began_has_measured_nothing() {
    let server = Server::new(|_| std::future::pending());
    let url = server.listen().await;
    let clock = SystemClock::shared();
    let stop = server.saw(0);
    let report = run(&plan(20, 600.0), &target(&url), &clock, stop, |_| ()).await;
    let report = report.unwrap();
    assert!(report.stopped);
    assert_eq!((report.requests, report.success_rate), (0, None));
    page(&report).unwrap();
}

#[tokio::test(start_paused = true)]
async fn how_far_it_has_come_is_told() {
    let told = parking_lot::Mutex::new(Vec::new());
    let plan = LoadPlan {
        warm_up_s: 1.0,
        ..plan(4, 2.0)
    };
    let target = target("http://127.0.0.1:1");
    let progress = |at: LoadProgress| told.lock().push(at);
    let never = std::future::pending();
    let report = run_over(Arc::new(steady()), &plan, &target, now(), never, progress).await;
    let told = told.lock();
    let last = told.last().unwrap();
    assert_eq!(last.succeeded, report.unwrap().succeeded);
    assert_eq!(
        (last.elapsed, last.total),
        (last.total, Duration::from_secs(3))
    );
    assert!(told[0].warming_up && !last.warming_up && told.len() > 10);
    assert!(told.iter().all(|at| !at.warming_up || at.succeeded == 0));
}

#[tokio::test(start_paused = true)]
async fn a_page_has_all_in_words_too_and_shows_hostile_text_as_text() {
    let server = Server::new(|seen| async move {
        sleep(Duration::from_millis(10)).await;
        match seen.number % 10 {
            1 => (StatusCode::IM_A_TEAPOT, "<script>alert(1)</script>").into_response(),
            _ => "{}".into_response(),
        }
    });
    let report = run_in_memory(&server, &plan(3, 3.0)).await;
    let page = page(&report).unwrap();
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&lt;script&gt;") && page.contains("status 418"));
    assert_eq!(page.matches("<svg role=\"img\" aria-label=").count(), 6);
    assert!(page.contains("prefers-color-scheme:dark"));
    for words in [
        "Answers a second over 3 seconds.",
        "p99: between",
        "runs of the load",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for foreign in ["src=", "href=", "url(", "@import"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(serde_json::from_value::<LoadReport>(json).unwrap(), report);
}
