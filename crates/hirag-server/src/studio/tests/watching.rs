//! What a window is told of the program itself.

use hirag::metrics::Front;

use super::*;
use crate::commands::studio::{Nothing, call};
use crate::studio::ActivityKind;

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_near_its_limit_is_told_as_an_activity() {
    let place = Place::with(&format!("{SETTINGS}[metrics]\nmemory_limit_mb = 1\n"));
    let studio = place.start();
    let mut events = studio.events();
    let told = next(&mut events, |event| match event {
        StudioEvent::Activity(one) if one.kind == ActivityKind::Memory => Some(one.summary),
        _ => None,
    });
    let told = told.await;
    assert!(told.starts_with("Memory is short: "), "{told}");
    assert!(told.contains("of the 1 MB"), "{told}");
    let latest = studio.activity().latest(10);
    assert!(latest.iter().any(|one| one.kind == ActivityKind::Memory));
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_counted_also_those_that_fail_and_unknown_names_are_not() {
    let place = Place::new();
    let studio = place.start();
    call(&studio, "startup", serde_json::json!({}))
        .await
        .unwrap();
    let bad = serde_json::json!({ "id": 7 });
    call(&studio, "get", bad.clone()).await.unwrap_err();
    call(&studio, "no_such_command", bad).await.unwrap_err();
    let counted = ask::requests(&studio, Nothing {}).await.unwrap().items;
    let named: Vec<_> = counted
        .iter()
        .map(|one| (one.front, one.name.as_str()))
        .collect();
    assert_eq!(
        named,
        [(Front::Command, "get"), (Front::Command, "startup")]
    );
    studio.shut_down().await.unwrap();
}
