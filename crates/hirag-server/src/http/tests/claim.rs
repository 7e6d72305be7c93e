//! Another process asks for the store.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::sync::Notify;

use super::{Served, told};
use crate::studio::JobKind;

const CLAIM: &str = "/api/v1/claim";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_keeps_its_store() {
    let served = Served::new().await;
    let (status, refused) = served.post(CLAIM, json!({ "pid": 7 })).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(refused["code"], "store_kept");
    served.store("a harbour").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_without_the_token_or_without_saying_who() {
    let served = Served::new().await;
    let mut claims = served.studio.give_way();
    let (status, _) = told(served.bare(Method::POST, CLAIM).json(&json!({ "pid": 7 }))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    for body in [
        json!({}),
        json!({ "pid": -1 }),
        json!({ "pid": 7, "url": "http://x" }),
    ] {
        let (status, _) = served.post(CLAIM, body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert!(claims.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_way_finishes_its_jobs_first() {
    let served = Served::new().await;
    let mut claims = served.studio.give_way();
    let finish = Arc::new(Notify::new());
    let finished = Arc::clone(&finish);
    let jobs = served.studio.jobs();
    let job = jobs.start(JobKind::Doctor, async move |_| {
        finished.notified().await;
        Ok(())
    });
    let (status, refused) = served.post(CLAIM, json!({ "pid": 7 })).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(refused["code"], "busy");
    finish.notify_one();
    while !jobs.are_idle() {
        tokio::task::yield_now().await;
    }
    assert!(jobs.get(&job.unwrap()).unwrap().problem.is_none());
    let agree = tokio::spawn(async move {
        let claim = claims.recv().await.unwrap();
        assert_eq!(claim.by(), 7);
        claim.answer(true);
    });
    let (status, own) = served.post(CLAIM, json!({ "pid": 7 })).await;
    assert_eq!(
        (status, &own["pid"]),
        (StatusCode::ACCEPTED, &json!(std::process::id()))
    );
    agree.await.unwrap();
}
