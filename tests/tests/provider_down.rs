//! Without vectors for a while, or with those of another model: nothing is lost, mixed or faked.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hirag::HiragManager;
use hirag::context::{
    ContextId, ContextRequest, ContextResponse, Degradation, EmbeddingState, NewContext, Priority,
    SearchMode,
};
use hirag::embedding::LocalModel;
use hirag::manager::{HealthState, OpenOptions};
use hirag::resilience::BreakerState;
use hirag_tests::endpoint::{Endpoint, Mood, Port, settings};
use hirag_tests::place::{Place, assert_sound, everything, store_all, texts};
use hirag_tests::provider::POISON;

async fn open(place: &Place, url: &str, model: &str) -> HiragManager {
    let options = OpenOptions {
        config: settings(&place.config, url, model),
        provider: None,
        ..place.options()
    };
    HiragManager::open(options).await.unwrap()
}

async fn close(manager: HiragManager) {
    manager.shut_down().await.unwrap();
}

async fn pending(manager: &HiragManager) -> u64 {
    manager.stats().await.unwrap().counts.pending
}

async fn ask(manager: &HiragManager, query: &str) -> ContextResponse {
    let request = ContextRequest::new(query);
    manager.retrieve(request).await.unwrap()
}

/// How many vectors the database has of the set that serves: none for what waits, not even zeros.
fn vectors(place: &Place) -> u64 {
    let connection = rusqlite::Connection::open(place.database()).unwrap();
    let set: i64 = connection
        .query_row("SELECT id FROM vector_sets WHERE active = 1", [], |row| {
            row.get(0)
        })
        .unwrap();
    let count = format!("SELECT count(*) FROM vectors_{set}_rowids");
    let count: i64 = connection.query_row(&count, [], |row| row.get(0)).unwrap();
    count.unsigned_abs()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_away_at_the_first_start_costs_only_the_vectors() {
    let place = Place::new();
    let port = Port::free();
    let url = port.url();
    let port = port.close();
    let manager = open(&place, &url, "m").await;
    let stored = manager
        .store(NewContext::new("an early owl"))
        .await
        .unwrap();
    assert_eq!(stored.embedding, EmbeddingState::Pending);
    assert!(
        stored
            .pending_because
            .unwrap()
            .contains("cannot be reached")
    );
    let context = manager.get(stored.id).await.unwrap();
    assert_eq!(context.embedding, EmbeddingState::Pending);
    let response = ask(&manager, "owl").await;
    assert_eq!(response.contexts[0].context.id, stored.id);
    assert_eq!(response.metadata.degraded, [Degradation::Embedding]);
    assert_eq!(vectors(&place), 0);
    assert_eq!(manager.stats().await.unwrap().model, None);
    assert!(manager.embed_pending(|_| {}).await.is_err());

    // The queue survives a restart, still without the endpoint.
    close(manager).await;
    let manager = open(&place, &url, "m").await;
    assert_eq!(pending(&manager).await, 1);
    assert_eq!(
        texts(&manager, ContextRequest::new("owl")).await,
        ["an early owl"]
    );

    let endpoint = Endpoint::start_at(port).await;
    assert_eq!(manager.embed_pending(|_| {}).await.unwrap(), 1);
    assert_eq!((pending(&manager).await, vectors(&place)), (0, 1));
    assert_eq!(endpoint.take_asked()[0].texts, ["an early owl"]);
    let response = ask(&manager, "an early bird").await;
    assert!(response.metadata.degraded.is_empty());
    assert!(response.contexts[0].parts.vector.is_some());
    let model = manager.stats().await.unwrap().model.unwrap();
    assert_eq!((model.model.as_str(), model.dimension), ("http:m", 16));
    assert_sound(&manager).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_query_after_the_endpoint_is_back_is_whole() {
    let place = Place::new();
    let port = Port::free();
    let url = port.url();
    let port = port.close();
    let manager = open(&place, &url, "m").await;
    manager
        .store(NewContext::new("an early owl"))
        .await
        .unwrap();
    let _endpoint = Endpoint::start_at(port).await;
    assert!(ask(&manager, "owl").await.metadata.degraded.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_open_the_breaker_and_storing_goes_on() {
    let place = Place::with(
        "[circuit_breaker]\nfailure_threshold = 3\nsuccess_threshold = 2\ntimeout = \"10s\"",
    );
    let endpoint = Endpoint::start().await;
    let manager = open(&place, &endpoint.url(), "m").await;
    store_all(&manager, &["when all was well"]).await;
    endpoint.set(Mood::Down);
    endpoint.take_asked();
    for text in ["one", "two", "three", "four", "five"] {
        let stored = manager.store(NewContext::new(text)).await.unwrap();
        assert_eq!(stored.embedding, EmbeddingState::Pending);
    }
    assert_eq!(endpoint.take_asked().len(), 3);
    assert_eq!(manager.circuit_breaker().state(), BreakerState::Open);
    let stored = manager.store(NewContext::new("six")).await.unwrap();
    assert!(stored.pending_because.unwrap().contains("circuit breaker"));
    let response = ask(&manager, "six").await;
    assert_eq!(response.metadata.degraded, [Degradation::Embedding]);
    assert_eq!(response.contexts[0].context.id, stored.id);
    let error = manager.embed_pending(|_| {}).await.unwrap_err();
    assert_eq!(error.code(), "breaker_open");
    assert!(endpoint.take_asked().is_empty());
    assert_eq!((pending(&manager).await, vectors(&place)), (6, 1));

    endpoint.set(Mood::Up);
    place.clock.advance(Duration::from_secs(10));
    assert_eq!(manager.embed_pending(|_| {}).await.unwrap(), 6);
    assert_eq!((pending(&manager).await, vectors(&place)), (0, 7));
    ask(&manager, "another success").await;
    assert_eq!(manager.circuit_breaker().state(), BreakerState::Closed);
    assert_sound(&manager).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limiter_delays_vectors_and_nothing_else() {
    let place =
        Place::with("[rate_limit]\nrequests_per_window = 2\nwindow_secs = 60\nburst_size = 1");
    let endpoint = Endpoint::start().await;
    let manager = open(&place, &endpoint.url(), "m").await;
    let mut states = Vec::new();
    for text in ["one", "two", "three"] {
        let stored = manager.store(NewContext::new(text)).await.unwrap();
        states.push(stored.embedding);
    }
    use EmbeddingState::{Pending, Ready};
    assert_eq!(states, [Ready, Ready, Pending]);
    let error = manager.embed_pending(|_| {}).await.unwrap_err();
    assert_eq!(error.code(), "rate_limited");
    let response = ask(&manager, "three").await;
    assert_eq!(response.metadata.degraded, [Degradation::Embedding]);
    assert_eq!(response.contexts[0].context.text, "three");
    place.clock.advance(Duration::from_secs(60));
    assert_eq!(manager.embed_pending(|_| {}).await.unwrap(), 1);
    assert_eq!(vectors(&place), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_embedded_by_priority_even_when_it_breaks_off() {
    let mut place = Place::new();
    place.config.embedding.batch_size = 2;
    let endpoint = Endpoint::start().await;
    let manager = open(&place, &endpoint.url(), "m").await;
    endpoint.set(Mood::Down);
    let priorities = [
        Priority::Low,
        Priority::Normal,
        Priority::Critical,
        Priority::High,
    ];
    // The urgent ones are long: shorter texts must not overtake them.
    let mut new = Vec::new();
    for number in 0..24 {
        let priority = priorities[number % 4];
        let length = 1 + 20 * usize::from(priority.number());
        new.push(NewContext {
            priority,
            ..NewContext::new(format!("{priority:?} {number} {}", "word ".repeat(length)))
        });
    }
    manager.store_all(new).await.unwrap();
    assert_eq!(pending(&manager).await, 24);
    close(manager).await;
    let manager = open(&place, &endpoint.url(), "m").await;
    place.clock.advance(Duration::from_secs(600));
    endpoint.take_asked();
    endpoint.set(Mood::UpFor(10));
    assert!(manager.embed_pending(|_| {}).await.is_err());
    endpoint.set(Mood::Up);
    place.clock.advance(Duration::from_secs(600));
    manager.embed_pending(|_| {}).await.unwrap();
    assert_eq!(pending(&manager).await, 0);
    let answered: Vec<String> = endpoint
        .take_asked()
        .into_iter()
        .filter(|asked| asked.answered)
        .flat_map(|asked| asked.texts)
        .collect();
    assert_eq!(answered.len(), 24, "none twice");
    let order: Vec<&str> = answered
        .iter()
        .map(|t| t.split(' ').next().unwrap())
        .collect();
    let expected = ["Critical", "High", "Normal", "Low"].map(|name| [name; 6]);
    assert_eq!(order, expected.concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_text_waits_alone() {
    let mut place = Place::new();
    place.config.embedding.batch_size = 8;
    let endpoint = Endpoint::start().await;
    let manager = open(&place, &endpoint.url(), "m").await;
    let with_poison: Vec<String> = (0..20)
        .map(|n| {
            if n == 7 {
                format!("a {POISON} pill")
            } else {
                format!("text {n}")
            }
        })
        .collect();
    let new = with_poison.iter().map(NewContext::new).collect();
    let stored = manager.store_all(new).await.unwrap();
    let waiting: Vec<usize> = (0..20)
        .filter(|n| stored[*n].embedding == EmbeddingState::Pending)
        .collect();
    assert_eq!(waiting, [7]);
    assert!(
        stored[7]
            .pending_because
            .as_ref()
            .unwrap()
            .contains("not in the mood")
    );
    assert_eq!(vectors(&place), 19);

    // In the queue too, whatever its priority.
    endpoint.set(Mood::Down);
    let urgent = NewContext {
        priority: Priority::Critical,
        ..NewContext::new(format!("urgent {POISON}"))
    };
    manager.store(urgent).await.unwrap();
    store_all(&manager, &["later a", "later b", "later c"]).await;
    endpoint.set(Mood::Up);
    place.clock.advance(Duration::from_secs(600));
    assert_eq!(manager.embed_pending(|_| {}).await.unwrap(), 3);
    assert_eq!((pending(&manager).await, vectors(&place)), (2, 22));
    let found = texts(&manager, ContextRequest::new(POISON)).await;
    assert!(
        found[..2].iter().all(|text| text.contains(POISON)),
        "{found:?}"
    );
    assert_sound(&manager).await;
}

#[tokio::test]
async fn a_text_that_the_model_fails_on_does_not_hold_up_the_queue() {
    let place = Place::new();
    let manager = place.open().await;
    place.provider.set_away(true);
    let urgent = NewContext {
        priority: Priority::Critical,
        ..NewContext::new(POISON)
    };
    manager.store(urgent).await.unwrap();
    store_all(&manager, &["a", "b", "c"]).await;
    let error = manager.embed_pending(|_| {}).await.unwrap_err();
    assert_eq!(error.code(), "provider_unreachable");
    assert_eq!((pending(&manager).await, vectors(&place)), (4, 0));
    place.provider.set_away(false);
    assert_eq!(manager.embed_pending(|_| {}).await.unwrap(), 3);
    assert_eq!((pending(&manager).await, vectors(&place)), (1, 3));
    assert_eq!(
        texts(&manager, ContextRequest::new(POISON)).await[0],
        POISON
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_without_vectors_has_no_model_to_disagree_with() {
    let place = Place::new();
    let endpoint = Endpoint::start().await;
    close(open(&place, &endpoint.url(), "a").await).await;

    let manager = open(&place, &endpoint.url(), "b").await;
    let health = manager.health().await;
    let model = health.components.iter().find(|c| c.name == "model");
    let model = model.unwrap();
    assert_eq!(model.state, HealthState::Healthy, "{}", model.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_of_two_models_are_never_mixed() {
    let place = Place::new();
    let endpoint = Endpoint::start().await;
    let manager = open(&place, &endpoint.url(), "a").await;
    store_all(&manager, &["red fox", "blue whale"]).await;
    close(manager).await;

    // The same dimension, so that nothing but the name tells them apart.
    let manager = open(&place, &endpoint.url(), "b").await;
    endpoint.take_asked();
    let response = ask(&manager, "fox").await;
    assert_eq!(response.metadata.degraded, [Degradation::Model]);
    assert_eq!(response.contexts[0].context.text, "red fox");
    assert!(response.contexts.iter().all(|c| c.parts.vector.is_none()));
    let stored = manager.store(NewContext::new("green fox")).await.unwrap();
    assert_eq!(stored.embedding, EmbeddingState::Pending);
    assert!(stored.pending_because.unwrap().contains("hirag reembed"));
    assert_eq!(
        manager.embed_pending(|_| {}).await.unwrap_err().code(),
        "model_mismatch"
    );
    assert!(endpoint.take_asked().is_empty());
    assert_eq!(vectors(&place), 2);
    let health = manager.health().await;
    let model = health
        .components
        .iter()
        .find(|c| c.name == "model")
        .unwrap();
    assert!(model.detail.contains("hirag reembed"), "{}", model.detail);
    close(manager).await;

    // With its own model back, the old set serves as before and takes what waited.
    let manager = open(&place, &endpoint.url(), "a").await;
    assert!(ask(&manager, "fox").await.metadata.degraded.is_empty());
    assert_eq!(manager.embed_pending(|_| {}).await.unwrap(), 1);
    assert_eq!(vectors(&place), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_dimension_under_the_same_name_is_not_mixed_either() {
    let place = Place::new();
    let endpoint = Endpoint::start().await;
    let manager = open(&place, &endpoint.url(), "a").await;
    store_all(&manager, &["red fox"]).await;
    close(manager).await;
    endpoint.set_dimension("a", 24);
    let manager = open(&place, &endpoint.url(), "a").await;
    let response = ask(&manager, "fox").await;
    assert_eq!(response.contexts[0].context.text, "red fox");
    assert!(!response.metadata.degraded.is_empty());
    let stored = manager.store(NewContext::new("green fox")).await.unwrap();
    assert_eq!(stored.embedding, EmbeddingState::Pending);
    let done = manager.reembed(|_| {}).await.unwrap();
    assert_eq!(
        (done.from.dimension, done.to.dimension, done.embedded),
        (16, 24, 2)
    );
    assert!(ask(&manager, "fox").await.metadata.degraded.is_empty());
    assert_eq!((pending(&manager).await, vectors(&place)), (0, 2));
    assert_sound(&manager).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reembedding_goes_on_where_it_broke_off_and_switches_at_once() {
    const TEXTS: usize = 400;
    let mut place = Place::new();
    place.config.embedding.batch_size = 8;
    place.config.circuit_breaker.failure_threshold = 1_000;
    let endpoint = Endpoint::start().await;
    endpoint.set_dimension("b", 24);
    let manager = open(&place, &endpoint.url(), "a").await;
    let old: Vec<String> = (0..TEXTS).map(|n| format!("text number {n}")).collect();
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    store_all(&manager, &old).await;
    close(manager).await;

    let manager = open(&place, &endpoint.url(), "b").await;
    endpoint.take_asked();
    endpoint.set(Mood::UpFor(150));
    assert_eq!(
        manager.reembed(|_| {}).await.unwrap_err().code(),
        "provider_busy"
    );
    let first = answered(&endpoint, "b");
    assert!(first.len() > 128 && first.len() < TEXTS, "{}", first.len());
    assert_eq!(vectors(&place), TEXTS as u64);
    assert_eq!(
        ask(&manager, "number 7").await.metadata.degraded,
        [Degradation::Model]
    );
    let meanwhile = manager
        .store(NewContext::new("stored meanwhile"))
        .await
        .unwrap();
    assert_eq!(meanwhile.embedding, EmbeddingState::Pending);
    close(manager).await;

    // The old vectors serve whoever has their model.
    let manager = open(&place, &endpoint.url(), "a").await;
    endpoint.set(Mood::Up);
    let response = ask(&manager, "number 7").await;
    assert!(response.metadata.degraded.is_empty());
    assert!(response.contexts.iter().any(|c| c.parts.vector.is_some()));
    close(manager).await;

    let manager = open(&place, &endpoint.url(), "b").await;
    endpoint.take_asked();
    let running = Arc::new(AtomicBool::new(true));
    let watcher = tokio::spawn(watch(manager.clone(), Arc::clone(&running)));
    let mut steps = Vec::new();
    let done = manager
        .reembed(|progress| steps.push(progress.done))
        .await
        .unwrap();
    running.store(false, Ordering::SeqCst);
    let (before, after) = watcher.await.unwrap();
    assert!(
        before > 0,
        "{before} and {after} answers before and after the switch"
    );
    assert_eq!(
        (done.embedded, done.refused, done.up_to_date),
        (TEXTS as u64 + 1, 0, false)
    );
    assert!(steps[0] > first.len() as u64 && steps.is_sorted());

    // No text was embedded twice, but all were.
    let second = answered(&endpoint, "b");
    let queries = BTreeSet::from(["number 7".to_owned()]);
    let second: Vec<String> = second
        .into_iter()
        .filter(|t| !queries.contains(t))
        .collect();
    assert_eq!(first.len() + second.len(), TEXTS + 1);
    assert!(second.contains(&"stored meanwhile".to_owned()));
    let distinct: BTreeSet<&String> = first.iter().chain(&second).collect();
    assert_eq!(distinct.len(), TEXTS + 1);

    assert!(ask(&manager, "number 7").await.metadata.degraded.is_empty());
    assert_eq!(
        (pending(&manager).await, vectors(&place)),
        (0, TEXTS as u64 + 1)
    );
    let all = everything(&manager).await;
    assert!(all.iter().all(|c| c.embedding == EmbeddingState::Ready));
    assert_sound(&manager).await;
    let again = manager.reembed(|_| {}).await.unwrap();
    assert!(again.up_to_date);
}

/// Retrieves as long as it may; every answer is whole and of one model.
async fn watch(manager: HiragManager, running: Arc<AtomicBool>) -> (usize, usize) {
    let (mut before, mut after) = (0, 0);
    while running.load(Ordering::SeqCst) {
        let response = ask(&manager, "number 7").await;
        assert!(!response.contexts.is_empty());
        if response.metadata.degraded.is_empty() {
            after += 1;
        } else {
            assert_eq!(response.metadata.degraded, [Degradation::Model]);
            assert_eq!(after, 0, "there is no way back");
            before += 1;
        }
    }
    (before, after)
}

fn answered(endpoint: &Endpoint, model: &str) -> Vec<String> {
    let asked = endpoint.take_asked().into_iter();
    let answered = asked.filter(|asked| asked.answered && asked.model == model);
    answered.flat_map(|asked| asked.texts).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_of_the_built_in_model_serve_until_others_replace_them() {
    if let Err(error) = LocalModel::find(None) {
        println!("left out: {error}");
        return;
    }
    let place = Place::new();
    let local = OpenOptions {
        provider: None,
        ..place.options()
    };
    let manager = HiragManager::open(local).await.unwrap();
    store_all(
        &manager,
        &["the cat sat on the mat", "quarterly revenue grew"],
    )
    .await;
    close(manager).await;

    let endpoint = Endpoint::start().await;
    let manager = open(&place, &endpoint.url(), "m").await;
    let request = ContextRequest {
        mode: SearchMode::Vector,
        ..ContextRequest::new("a kitten on a rug")
    };
    let response = manager.retrieve(request.clone()).await.unwrap();
    assert!(response.metadata.degraded.is_empty());
    assert_eq!(response.contexts[0].context.text, "the cat sat on the mat");
    let stored = manager.store(NewContext::new("a dog")).await.unwrap();
    assert_eq!(stored.embedding, EmbeddingState::Ready);
    assert!(endpoint.take_asked().is_empty());
    let done = manager.reembed(|_| {}).await.unwrap();
    assert_eq!((done.to.model.as_str(), done.embedded), ("http:m", 3));
    let response = manager.retrieve(request).await.unwrap();
    assert!(response.metadata.degraded.is_empty());
    let ids: BTreeSet<ContextId> = response.contexts.iter().map(|c| c.context.id).collect();
    assert_eq!(ids.len(), 3);
    assert_sound(&manager).await;
}
