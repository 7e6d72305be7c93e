//! Answers that are given again: the same while nothing changes, and never one that is out of date.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::time::Duration;

use hirag::HiragManager;
use hirag::clock::Clock as _;
use hirag::config::Config;
use hirag::context::{
    Context, ContextId, ContextLevel, ContextPatch, ContextRequest, ContextResponse, NewContext,
    RetrievedContext, SearchMode,
};
use hirag_tests::place::{Place, SETTINGS, everything, settled, store_all};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

async fn ask(manager: &HiragManager, query: &str) -> ContextResponse {
    manager.retrieve(ContextRequest::new(query)).await.unwrap()
}

async fn hits(manager: &HiragManager) -> u64 {
    manager.stats().await.unwrap().answer_cache.hits
}

fn texts(response: &ContextResponse) -> Vec<&str> {
    let contexts = response.contexts.iter();
    contexts.map(|found| &*found.context.text).collect()
}

#[tokio::test]
async fn who_asks_again_gets_the_same_answer_and_each_time_counts() {
    let place = Place::new();
    let manager = place.open().await;
    let ids = store_all(&manager, &["owls hunt at night", "owls sleep by day"]).await;
    let mut pairs = 0;
    let (first, again) = loop {
        settled(&manager).await;
        let first = ask(&manager, "owls").await;
        let again = ask(&manager, "owls").await;
        pairs += 1;
        // Accesses that are written between the two make it another answer.
        if hits(&manager).await > 0 || pairs == 100 {
            break (first, again);
        }
    };
    assert_eq!(again.contexts, first.contexts);
    assert_eq!(again.metadata.trace_id, first.metadata.trace_id);
    assert_eq!(again.metadata.cache_hits, first.metadata.cache_hits + 1);
    settled(&manager).await;
    for id in &ids {
        assert_eq!(manager.get(*id).await.unwrap().access_count, 2 * pairs);
    }
    let trace = manager.trace(again.metadata.trace_id).await.unwrap();
    assert_eq!(trace.request.query, "owls");
    // The accesses count in the ranking from now on.
    let third = ask(&manager, "owls").await;
    assert!(third.contexts[0].parts.frequency > first.contexts[0].parts.frequency);
}

#[tokio::test]
async fn another_request_has_another_answer() {
    let place = Place::new();
    let manager = place.open().await;
    store_all(&manager, &["owls hunt at night", "owls sleep by day"]).await;
    let whole = ContextRequest::new("owls");
    let one = ContextRequest {
        limit: Some(1),
        ..whole.clone()
    };
    let other_level = ContextRequest {
        levels: vec![ContextLevel::ShortTerm],
        ..whole.clone()
    };
    for (request, count) in [(whole, 2), (one, 1), (other_level, 0)] {
        let response = manager.retrieve(request).await.unwrap();
        assert_eq!(response.contexts.len(), count);
    }
    assert_eq!(hits(&manager).await, 0);
}

#[tokio::test]
async fn spaces_make_no_other_question_and_capitals_only_where_vectors_are_compared() {
    let place = Place::new();
    let manager = place.open().await;
    store_all(&manager, &["owls hunt at night"]).await;
    let by = async |mode: SearchMode, query: &str| {
        let mut request = ContextRequest::new(query);
        request.mode = mode;
        let response = manager.retrieve(request).await.unwrap();
        assert_eq!(texts(&response), ["owls hunt at night"]);
        response.metadata.trace_id
    };
    let trace = by(SearchMode::Hybrid, "when do owls hunt?").await;
    let spaces = by(SearchMode::Hybrid, "  when\tdo  owls\n hunt? ").await;
    assert_eq!(spaces, trace);
    let capitals = by(SearchMode::Hybrid, "When do OWLS hunt?").await;
    assert_ne!(capitals, trace, "the model in use may see capitals");
    let trace = by(SearchMode::Text, "when do owls hunt?").await;
    assert_eq!(by(SearchMode::Text, "When do OWLS hunt?").await, trace);
}

#[tokio::test]
async fn answers_that_a_change_ended_are_counted() {
    let place = Place::new();
    let manager = place.open().await;
    store_all(&manager, &["owls hunt at night"]).await;
    let invalidated = async || {
        let stats = manager.stats().await.unwrap();
        stats.answer_cache.invalidations
    };
    ask(&manager, "owls").await;
    settled(&manager).await;
    ask(&manager, "mice").await;
    let before = invalidated().await;
    store_all(&manager, &["mice hide by day"]).await;
    ask(&manager, "owls").await;
    assert!(invalidated().await > before);
}

#[tokio::test]
async fn those_who_ask_at_once_share_one_search() {
    let place = Place::new();
    let manager = place.open().await;
    store_all(&manager, &["owls hunt at night"]).await;
    let asked = (0..20).map(|_| ask(&manager, "when do owls hunt?"));
    let answers = futures::future::join_all(asked).await;
    let first = answers[0].metadata.trace_id;
    assert!(answers.iter().all(|one| one.metadata.trace_id == first));
    settled(&manager).await;
    assert_eq!(manager.recent_traces(100).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_context_that_has_expired_is_in_no_answer() {
    let place = Place::new();
    let manager = place.open().await;
    let soon = place.clock.now() + Duration::from_secs(5);
    let mut new = NewContext::new("owls hunt tonight");
    new.expires_at = Some(soon);
    manager.store(new).await.unwrap();
    assert_eq!(ask(&manager, "owls").await.contexts.len(), 1);
    place.clock.advance(Duration::from_secs(5));
    assert!(ask(&manager, "owls").await.contexts.is_empty());
}

#[tokio::test]
async fn other_settings_and_a_new_text_in_l1_are_seen_at_once() {
    let place = Place::new();
    let manager = place.open().await;
    let new = NewContext::new("owls hunt at night").at_level(ContextLevel::Immediate);
    let id = manager.store(new).await.unwrap().id;
    assert_eq!(texts(&ask(&manager, "owls").await), ["owls hunt at night"]);
    let patch = ContextPatch {
        text: Some("owls hunt at dusk".to_owned()),
        ..ContextPatch::default()
    };
    manager.update(id, patch).await.unwrap();
    assert_eq!(texts(&ask(&manager, "owls").await), ["owls hunt at dusk"]);
    let strict = Config::from_toml(&format!("{SETTINGS}[hirag]\nrelevance_threshold = 1.0"));
    manager.update_config(strict.unwrap()).unwrap();
    assert!(ask(&manager, "owls and mice").await.contexts.is_empty());
}

#[tokio::test]
async fn what_was_found_without_the_model_is_not_kept() {
    let place = Place::new();
    let manager = place.open().await;
    store_all(&manager, &["owls hunt at night"]).await;
    place.provider.set_away(true);
    let without = ask(&manager, "owls").await;
    assert!(!without.metadata.degraded.is_empty());
    place.provider.set_away(false);
    let with = ask(&manager, "owls").await;
    assert!(with.metadata.degraded.is_empty());
}

/// Something that happens to the memory. Numbers choose among what is stored.
#[derive(Debug, Clone)]
enum Step {
    Store(usize, ContextLevel),
    Rewrite(usize, usize),
    Move(usize, ContextLevel),
    Delete(usize),
    Undo,
    Clear(ContextLevel),
    CleanUp,
    Wait(u64),
    Ask(usize),
}

const TEXTS: [&str; 6] = [
    "owls hunt at night",
    "owls and mice",
    "mice eat grain",
    "grain ripens in summer",
    "summer nights are short",
    "the night is dark",
];
const QUERIES: [&str; 3] = ["owls at night", "grain", "summer mice"];

fn step() -> impl Strategy<Value = Step> {
    let level = || prop::sample::select(ContextLevel::ALL.to_vec());
    prop_oneof![
        (0..TEXTS.len(), level()).prop_map(|(text, level)| Step::Store(text, level)),
        (0..20_usize, 0..TEXTS.len()).prop_map(|(which, text)| Step::Rewrite(which, text)),
        (0..20_usize, level()).prop_map(|(which, level)| Step::Move(which, level)),
        (0..20_usize).prop_map(Step::Delete),
        Just(Step::Undo),
        level().prop_map(Step::Clear),
        Just(Step::CleanUp),
        (1..5_000_000_u64).prop_map(Step::Wait),
        (0..QUERIES.len()).prop_map(Step::Ask),
        (0..QUERIES.len()).prop_map(Step::Ask),
    ]
}

async fn take(manager: &HiragManager, place: &Place, step: Step) {
    let stored = everything(manager).await;
    let id = |which: usize| -> Option<ContextId> {
        let context: Option<&Context> = stored.get(which % stored.len().max(1));
        context.map(|context| context.id)
    };
    match step {
        Step::Store(text, level) => {
            let new = NewContext::new(TEXTS[text]).at_level(level);
            manager.store(new).await.unwrap();
        }
        Step::Rewrite(which, text) => {
            if let Some(id) = id(which) {
                let patch = ContextPatch {
                    text: Some(TEXTS[text].to_owned()),
                    ..ContextPatch::default()
                };
                manager.update(id, patch).await.unwrap();
            }
        }
        Step::Move(which, level) => {
            if let Some(id) = id(which) {
                manager.move_to(id, level).await.unwrap();
            }
        }
        Step::Delete(which) => {
            if let Some(id) = id(which) {
                manager.delete(vec![id]).await.unwrap();
            }
        }
        Step::Undo => {
            let _ = manager.undo(None).await;
        }
        Step::Clear(level) => {
            manager.clear(level).await.unwrap();
        }
        Step::CleanUp => {
            manager.clean_up(false).await.unwrap();
        }
        Step::Wait(seconds) => place.clock.advance(Duration::from_secs(seconds)),
        Step::Ask(query) => compare(manager, QUERIES[query]).await,
    }
}

/// Asks, and compares with what a search finds that is never kept.
async fn compare(manager: &HiragManager, query: &str) {
    settled(manager).await;
    let found = manager.look_up(ContextRequest::new(query)).await.unwrap();
    for _ in 0..2 {
        let given = ask(manager, query).await.contexts;
        let order = |contexts: &[RetrievedContext]| -> Vec<(ContextId, String)> {
            let contexts = contexts.iter().map(|found| &found.context);
            contexts.map(|one| (one.id, one.text.clone())).collect()
        };
        assert_eq!(order(&given), order(&found), "{query}");
    }
}

#[test]
fn whatever_happens_an_answer_is_what_a_search_finds() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
    let steps = prop::collection::vec(step(), 1..40);
    runner
        .run(&steps, |steps| {
            runtime.block_on(async {
                let place = Place::with("[hirag]\nl1_size = 3\n[levels]\nl2_ttl = \"30d\"");
                let manager = place.open().await;
                for step in steps {
                    take(&manager, &place, step).await;
                }
                for query in QUERIES {
                    compare(&manager, query).await;
                }
            });
            Ok(())
        })
        .unwrap();
}
