//! Explanations are complete, and what `why_not` suggests lets the context in.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::time::Duration;

use hirag::HiragManager;
use hirag::context::{ContextId, ContextLevel, ContextRequest, Filter, NewContext, SearchMode};
use hirag::retrieval::{Change, Outcome, Suggestion, WhyNot};
use hirag_tests::place::{Place, settled, until};
use serde_json::json;

struct Memory {
    place: Place,
    manager: HiragManager,
    ids: BTreeMap<&'static str, ContextId>,
}

/// One context for each fate.
async fn memory() -> Memory {
    let place = Place::with(
        "[hirag]\nrelevance_threshold = 0.3\n[hirag.retrieval_strategy]\nvector_weight = 0.0",
    );
    let manager = place.open().await;
    let mut ids = BTreeMap::new();
    let long = format!("violin concerto {}", "and so on ".repeat(300));
    let rows = [
        (
            "best",
            "violin concerto in the evening",
            ContextLevel::LongTerm,
            "music",
        ),
        (
            "second",
            "a concerto for the violin, with many words behind it to rank lower",
            ContextLevel::LongTerm,
            "music",
        ),
        ("long", long.as_str(), ContextLevel::LongTerm, "music"),
        (
            "twin",
            "violin concerto in the evening",
            ContextLevel::LongTerm,
            "music",
        ),
        (
            "unrelated",
            "the garden gate",
            ContextLevel::LongTerm,
            "music",
        ),
        (
            "other level",
            "violin concerto of yesterday",
            ContextLevel::ShortTerm,
            "music",
        ),
        (
            "other topic",
            "violin concerto recipe",
            ContextLevel::LongTerm,
            "food",
        ),
    ];
    for (name, text, level, topic) in rows {
        let new = NewContext {
            metadata: json!({"topic": topic}).as_object().unwrap().clone(),
            ..NewContext::new(text).at_level(level)
        };
        ids.insert(name, manager.store(new).await.unwrap().id);
    }
    Memory {
        place,
        manager,
        ids,
    }
}

fn request() -> ContextRequest {
    ContextRequest {
        max_tokens: Some(200),
        limit: Some(1),
        levels: vec![ContextLevel::LongTerm],
        filter: Filter::from_json(r#"{"must": [{"key": "topic", "match": "music"}]}"#).unwrap(),
        ..ContextRequest::new("violin concerto")
    }
}

#[tokio::test]
async fn every_context_is_explained_with_the_stage_that_dropped_it() {
    let memory = memory().await;
    let (response, trace) = memory.manager.explain(request()).await.unwrap();
    assert!(trace.complete);
    assert_eq!(trace.candidates.len(), memory.ids.len());
    let outcome = |name: &str| trace.explanation(memory.ids[name]).unwrap().outcome;
    let of = response.contexts[0].context.id;
    let (kept, folded) = if of == memory.ids["best"] {
        ("best", "twin")
    } else {
        ("twin", "best")
    };
    assert_eq!(outcome(kept), Outcome::Chosen { rank: 1 });
    assert_eq!(outcome(folded), Outcome::Duplicate { of });
    assert_eq!(outcome("second"), Outcome::Outranked { limit: 1 });
    assert!(matches!(outcome("long"), Outcome::Budget { tokens, .. } if tokens > 200));
    assert!(matches!(outcome("unrelated"), Outcome::Threshold { .. }));
    assert_eq!(outcome("other level"), Outcome::Level);
    assert_eq!(outcome("other topic"), Outcome::Filter);
    let counts = trace.counts;
    assert_eq!(
        [
            counts.chosen,
            counts.duplicate,
            counts.outranked,
            counts.budget
        ],
        [1, 1, 1, 1]
    );
    assert_eq!([counts.threshold, counts.level, counts.filter], [1, 1, 1]);
    assert_eq!(response.contexts[0].same_text.len(), 1);

    // The parts add up to the score.
    let weights = trace.settings.weights;
    for candidate in &trace.candidates {
        let parts = &candidate.parts;
        let sum = weights.similarity * f64::from(parts.similarity)
            + weights.recency * f64::from(parts.recency)
            + weights.level * f64::from(parts.level)
            + weights.frequency * f64::from(parts.frequency);
        assert!(
            (sum - f64::from(candidate.score)).abs() < 1e-4,
            "{candidate:?}"
        );
    }
    // Explaining is no use.
    settled(&memory.manager).await;
    for id in memory.ids.values() {
        assert_eq!(memory.manager.get(*id).await.unwrap().access_count, 0);
    }
}

#[tokio::test]
async fn what_is_suggested_works() {
    let memory = memory().await;
    let manager = &memory.manager;
    let mut tried = 0;
    let requests = [
        request(),
        ContextRequest {
            limit: None,
            max_tokens: Some(20),
            ..request()
        },
        ContextRequest {
            mode: SearchMode::Text,
            limit: Some(2),
            ..request()
        },
    ];
    for request in requests {
        for (name, id) in &memory.ids {
            let why = manager.why_not(request.clone(), *id).await.unwrap();
            let chosen = matches!(why.explanation.outcome, Outcome::Chosen { .. });
            assert_eq!(chosen, is_returned(manager, &request, *id).await.is_some());
            for suggestion in &why.suggestions {
                assert!(!chosen);
                let rank = with(manager, &request, suggestion, *id).await;
                assert_eq!(rank, Some(suggestion.rank), "{name}: {suggestion:?}");
                tried += 1;
            }
            check(name, &request, &why);
        }
    }
    assert!(tried >= 10, "{tried}");
}

/// What must be suggested for the first request.
fn check(name: &str, asked: &ContextRequest, why: &WhyNot) {
    if *asked != request() {
        return;
    }
    let has =
        |kind: fn(&Change) -> bool| why.suggestions.iter().any(|s| s.changes.iter().any(kind));
    match name {
        "second" => assert!(has(|c| matches!(c, Change::Limit { to: 2, .. })), "{why:?}"),
        "long" => assert!(has(|c| matches!(c, Change::Tokens { .. })), "{why:?}"),
        "other level" => assert!(has(|c| matches!(c, Change::Level { .. })), "{why:?}"),
        "other topic" => assert!(
            has(
                |c| matches!(c, Change::Filter { condition: Some(words) } if words.contains("topic"))
            ),
            "{why:?}"
        ),
        _ => {}
    }
}

/// The place of a context in the answer with a suggestion carried out, its settings put back.
async fn with(
    manager: &HiragManager,
    request: &ContextRequest,
    suggestion: &Suggestion,
    id: ContextId,
) -> Option<usize> {
    let before = manager.config();
    let mut config = (*before).clone();
    let mut request = request.clone();
    for change in &suggestion.changes {
        match change {
            Change::Level { level } => request.levels.push(*level),
            Change::Filter { .. } => request.filter = Filter::default(),
            Change::Threshold { to, .. } => config.hirag.relevance_threshold = *to,
            Change::Tokens { to, .. } => request.max_tokens = Some(*to),
            Change::Limit { to, .. } => request.limit = Some(*to),
            Change::Weight { weights, .. } => config.hirag.ranking_weights = *weights,
            Change::VectorWeight { to, .. } => config.hirag.retrieval_strategy.vector_weight = *to,
        }
    }
    manager.update_config(config).unwrap();
    let rank = is_returned(manager, &request, id).await;
    manager.update_config((*before).clone()).unwrap();
    rank
}

async fn is_returned(
    manager: &HiragManager,
    request: &ContextRequest,
    id: ContextId,
) -> Option<usize> {
    // Not by `retrieve`: it would count the access.
    let (response, _) = manager.explain(request.clone()).await.unwrap();
    let mut contexts = response.contexts.iter();
    contexts.find(|c| c.context.id == id).map(|c| c.rank)
}

#[tokio::test]
async fn who_is_unknown_deleted_or_expired_is_not_explained() {
    let memory = memory().await;
    let stranger = ContextId::from_bytes([7; 16]);
    let error = memory
        .manager
        .why_not(request(), stranger)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "not_found");
    let gone = memory.ids["best"];
    memory.manager.delete(vec![gone]).await.unwrap();
    let error = memory.manager.why_not(request(), gone).await.unwrap_err();
    assert_eq!(error.code(), "not_found");
    let way_back = format!("is deleted; `hirag undo {gone}`");
    assert!(error.to_string().contains(&way_back), "{error}");
    let (_, trace) = memory.manager.explain(request()).await.unwrap();
    assert_eq!(trace.candidates.len(), memory.ids.len() - 1);

    let short_lived = NewContext {
        expires_at: Some("2026-01-01T01:00:00Z".parse().unwrap()),
        ..NewContext::new("violin concerto for an hour").at_level(ContextLevel::LongTerm)
    };
    let past = memory.manager.store(short_lived).await.unwrap().id;
    memory.place.clock.advance(Duration::from_secs(3_600));
    let error = memory.manager.why_not(request(), past).await.unwrap_err();
    assert_eq!(error.code(), "not_found");
    assert!(error.to_string().contains("has expired"), "{error}");
}

#[tokio::test]
async fn traces_are_kept_by_count_and_age_and_survive_a_restart() {
    let place = Place::with("[traces]\nkeep = 3\nmax_age = \"1h\"\nmax_candidates = 2");
    let manager = place.open().await;
    let texts = ["red fox", "red hen", "red cow", "red owl", "blue whale"];
    hirag_tests::place::store_all(&manager, &texts).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let request = ContextRequest {
            limit: Some(2),
            ..ContextRequest::new("red")
        };
        let response = manager.retrieve(request).await.unwrap();
        let id = response.metadata.trace_id;
        until("the trace is kept", async || {
            manager.trace(id).await.is_ok()
        })
        .await;
        ids.push(id);
        place.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(manager.stats().await.unwrap().counts.traces, 3);
    let kept: Vec<_> = manager.recent_traces(10).await.unwrap();
    let kept: Vec<_> = kept.iter().map(|trace| trace.id).collect();
    assert_eq!(kept, [ids[4], ids[3], ids[2]]);
    let error = manager.trace(ids[0]).await.unwrap_err();
    assert_eq!(error.code(), "trace_not_found");
    let trace = manager.trace(ids[4]).await.unwrap();
    assert_eq!(trace.request.query, "red");
    assert!(!trace.complete);
    assert_eq!((trace.candidates.len(), trace.counts.searched), (2, 5));

    manager.shut_down().await.unwrap();
    drop(manager);
    let manager = place.open().await;
    assert_eq!(manager.trace(ids[4]).await.unwrap(), trace);
    place.clock.advance(Duration::from_secs(3_600));
    let response = manager.explain(ContextRequest::new("red")).await.unwrap().0;
    settled(&manager).await;
    let kept = manager.recent_traces(10).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].id, response.metadata.trace_id);
    assert!(kept[0].complete);
    assert_eq!(kept[0].candidates.len(), texts.len());
}
