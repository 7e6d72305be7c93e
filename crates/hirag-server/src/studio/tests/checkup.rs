use std::time::Duration;

use super::*;
use crate::commands::studio::Nothing;

/// What the health of the store says.
async fn told(studio: &Studio) -> String {
    let health = ask::recent_health(studio, Nothing {}).await.unwrap();
    let store = health
        .components
        .into_iter()
        .find(|one| one.name == "store");
    store.unwrap().detail
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_is_told_at_once_and_nothing_old() {
    let place = Place::new();
    let studio = place.start();
    assert_eq!(told(&studio).await, "0 contexts");
    store(&studio, "a note", ContextLevel::LongTerm).await;
    assert_eq!(told(&studio).await, "0 contexts", "it is as good as new");

    // The last one is told while the next is under way.
    place.clock.advance(Duration::from_secs(5));
    assert_eq!(told(&studio).await, "0 contexts");
    while told(&studio).await != "1 context" {
        tokio::task::yield_now().await;
    }

    // One that is too old is waited past.
    store(&studio, "another note", ContextLevel::LongTerm).await;
    place.clock.advance(Duration::from_secs(11));
    assert_eq!(told(&studio).await, "2 contexts");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_memory_that_was_closed_no_health_is_told() {
    let place = Place::new();
    let studio = place.start();
    told(&studio).await;
    studio.shut_down().await.unwrap();
    let error = ask::recent_health(&studio, Nothing {}).await.unwrap_err();
    assert_eq!(error.code(), "not_open");
}
