mod counts;
mod failures;
mod server;
mod time;

use std::sync::Arc;

use hirag::clock::SystemClock;
use jiff::Timestamp;

use self::server::Server;
use super::run::run_over;
use super::*;

/// A plan with a seed, so that a failure comes again.
fn plan(concurrency: u32, duration_s: f64) -> LoadPlan {
    LoadPlan {
        seed: Some(7),
        ..LoadPlan::new(concurrency, duration_s)
    }
}

fn target(url: &str) -> Target {
    Target::new(url, Some("the-token-of-the-server".into())).unwrap()
}

/// A run over real sockets until its time is up.
async fn run_at(url: &str, plan: &LoadPlan) -> Result<LoadReport, LoadError> {
    let clock = SystemClock::shared();
    run(plan, &target(url), &clock, std::future::pending(), |_| ()).await
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// A run over no sockets, until its time is up.
async fn run_in_memory(server: &Server, plan: &LoadPlan) -> LoadReport {
    let target = target("http://127.0.0.1:1");
    let dial = Arc::new(server.clone());
    let never = std::future::pending();
    run_over(dial, plan, &target, now(), never, |_| ())
        .await
        .unwrap()
}
