use std::time::Duration;

use hirag::context::{ContextLevel, ContextRequest};
use hirag::manager::ListRequest;
use hirag::retrieval::RankingWeights;
use hirag::store::Order;

use super::*;
use crate::commands::studio::Nothing;
use crate::commands::{DeleteRequest, UndoRequest};
use crate::studio::ActivityKind;

fn weights(similarity: f64, frequency: f64) -> RankingWeights {
    RankingWeights {
        similarity,
        frequency,
        recency: 0.0,
        level: 0.0,
    }
}

async fn three(studio: &Studio) -> [ContextId; 3] {
    [
        store(studio, "red apples on the table", ContextLevel::LongTerm).await,
        store(studio, "green apples in the garden", ContextLevel::LongTerm).await,
        store(studio, "a boat at sea", ContextLevel::ShortTerm).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_about_a_context_is_told() {
    let place = Place::new();
    let studio = place.start();
    let [red, green, boat] = three(&studio).await;
    let details = ask::details(&studio, ask::DetailsRequest { id: red })
        .await
        .unwrap();
    let vector = details.vector.unwrap();
    assert_eq!((vector.model.as_str(), vector.dimension), ("words", 32));
    assert!((vector.norm - 1.0).abs() < 1e-3);
    assert!(!details.pending);
    let near: Vec<ContextId> = details.neighbours.iter().map(|near| near.id).collect();
    assert_eq!(
        near,
        [green, boat],
        "the nearest comes first, and it is none of its own"
    );
    assert!(details.neighbours[0].score > details.neighbours[1].score);
    assert!(
        details.fate[0].sentence.contains("stays in"),
        "{:?}",
        details.fate
    );
    let details = ask::details(&studio, ask::DetailsRequest { id: boat })
        .await
        .unwrap();
    let in_30_days = "2026-01-31T00:00:00Z".parse().unwrap();
    assert_eq!(details.fate[0].at, Some(in_30_days));
    assert!(details.fate[1].sentence.contains("promoted to L3"));
    ask::delete(&studio, DeleteRequest { ids: vec![red] })
        .await
        .unwrap();
    let deleted = ask::details(&studio, ask::DetailsRequest { id: red })
        .await
        .unwrap();
    assert!(deleted.vector.is_none() && deleted.neighbours.is_empty());
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_of_a_session_know_what_stands_beside_them() {
    let place = Place::new();
    let studio = place.start();
    let mut ids = Vec::new();
    for text in ["first", "second", "third"] {
        let mut new = NewContext::new(text).at_level(ContextLevel::LongTerm);
        new.session = Some("talk".to_owned());
        ids.push(ask::store(&studio, new).await.unwrap().id);
    }
    let details = ask::details(&studio, ask::DetailsRequest { id: ids[1] })
        .await
        .unwrap();
    assert_eq!(details.session_neighbours.before, Some(ids[0]));
    assert_eq!(details.session_neighbours.after, Some(ids[2]));
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_tells_how_many_there_are_beyond_its_page() {
    let place = Place::new();
    let studio = place.start();
    let [red, ..] = three(&studio).await;
    let page = |deleted| ListRequest {
        limit: 1,
        deleted,
        ..ListRequest::default()
    };
    let list = ask::list(&studio, page(false)).await.unwrap();
    assert_eq!((list.page.contexts.len(), list.total), (1, 3));
    ask::delete(&studio, DeleteRequest { ids: vec![red] })
        .await
        .unwrap();
    assert_eq!(ask::list(&studio, page(false)).await.unwrap().total, 2);
    assert_eq!(ask::list(&studio, page(true)).await.unwrap().total, 1);
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn contexts_move_together_or_not_at_all() {
    let place = Place::new();
    let studio = place.start();
    let [red, green, boat] = three(&studio).await;
    let request = |ids: &[ContextId], level| ask::MoveAllRequest {
        ids: ids.to_vec(),
        level,
    };
    let moved = ask::move_to(
        &studio,
        request(&[red, green, red], ContextLevel::ShortTerm),
    )
    .await;
    assert_eq!(moved.unwrap().moved, 2);
    let context = ask::get(&studio, ask::GetRequest { id: red })
        .await
        .unwrap();
    assert_eq!(context.level, ContextLevel::ShortTerm);
    assert!(context.expires_at.is_some(), "it follows the level's rules");
    ask::delete(&studio, DeleteRequest { ids: vec![boat] })
        .await
        .unwrap();
    let error = ask::move_to(&studio, request(&[red, boat], ContextLevel::LongTerm)).await;
    assert_eq!(error.unwrap_err().code(), "not_found");
    let context = ask::get(&studio, ask::GetRequest { id: red })
        .await
        .unwrap();
    assert_eq!(context.level, ContextLevel::ShortTerm);
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_can_be_ranked_again_by_other_weights() {
    let place = Place::new();
    let studio = place.start();
    let [red, green, _] = three(&studio).await;
    let search = ask::search(&studio, ContextRequest::new("red apples"))
        .await
        .unwrap();
    let trace_id = search.response.metadata.trace_id;
    let request = |weights| ask::RerankRequest {
        trace_id,
        weights,
        strategy: None,
        relevance_threshold: None,
        max_tokens: None,
    };
    let same = ask::rerank(&studio, request(weights(1.0, 0.0)))
        .await
        .unwrap();
    assert_eq!(same.contexts[0].id, red);
    assert_eq!(same.contexts[0].previous_rank, Some(1));
    let strict = ask::RerankRequest {
        relevance_threshold: Some(0.6),
        ..request(weights(1.0, 0.0))
    };
    let strict = ask::rerank(&studio, strict).await.unwrap();
    assert!(strict.dropped.contains(&green), "{strict:?}");
    let bad = ask::rerank(&studio, request(weights(0.9, 0.9))).await;
    assert_eq!(bad.unwrap_err().code(), "invalid_settings");
    for _ in 0..8 {
        ask::search(&studio, ContextRequest::new("boat"))
            .await
            .unwrap();
    }
    let gone = ask::rerank(&studio, request(weights(1.0, 0.0))).await;
    assert_eq!(gone.unwrap_err().code(), "unknown_trace");
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_gets_the_best_of_many_candidates_and_the_count_of_all() {
    let place = Place::new();
    let studio = place.start();
    let many = (0..600)
        .map(|number| NewContext::new(format!("apples {number}")).at_level(ContextLevel::LongTerm));
    let host = studio.host().await.unwrap();
    host.manager().store_all(many.collect()).await.unwrap();
    let request = ContextRequest {
        explain: true,
        limit: Some(3),
        ..ContextRequest::new("apples")
    };
    let search = ask::search(&studio, request).await.unwrap();
    let trace = search.trace.unwrap();
    assert_eq!(trace.counts.searched, 600);
    assert!(trace.candidates.is_empty() && !trace.complete);
    let asked = ask::TraceRequest { id: trace.id };
    let held = ask::reasons(&studio, asked).await.unwrap();
    assert_eq!((held.candidates.len(), held.complete), (250, false));
    assert!(
        held.candidates
            .iter()
            .take(3)
            .all(|one| one.ranks.chosen.is_some())
    );
    studio.searches().lock().clear();
    let written = ask::reasons(&studio, asked).await.unwrap();
    assert_eq!(written, held);
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_tells_what_entered_left_and_moved_since() {
    let place = Place::new();
    let studio = place.start();
    let [red, green, _] = three(&studio).await;
    let request = ContextRequest {
        explain: true,
        limit: Some(2),
        ..ContextRequest::new("green apples")
    };
    let search = ask::search(&studio, request).await.unwrap();
    let id = search.response.metadata.trace_id;
    assert_eq!(search.response.contexts[0].context.id, green);
    ask::delete(&studio, DeleteRequest { ids: vec![green] })
        .await
        .unwrap();
    let new = store(&studio, "green apples", ContextLevel::LongTerm).await;
    let replay = ask::replay(&studio, ask::TraceRequest { id })
        .await
        .unwrap();
    assert_eq!(replay.left, [green]);
    assert_eq!(replay.entered, [new]);
    assert!(replay.moved.is_empty());
    assert!(replay.trace.explanation(red).is_some() && replay.trace.complete);
    let summaries = ask::traces(&studio, ask::TracesRequest { limit: 9 })
        .await
        .unwrap();
    let query = &summaries.traces.last().unwrap().query;
    assert_eq!(query, "green apples");
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_knows_the_searches_that_returned_it() {
    let place = Place::new();
    let studio = place.start();
    let [red, green, boat] = three(&studio).await;
    for query in ["red apples", "green apples"] {
        let request = ContextRequest {
            explain: true,
            limit: Some(1),
            ..ContextRequest::new(query)
        };
        ask::search(&studio, request).await.unwrap();
    }
    let uses = async |id| {
        let request = ask::UsesRequest { id, limit: 5 };
        ask::uses(&studio, request).await.unwrap()
    };
    let of_red = uses(red).await;
    assert_eq!(of_red.looked_at, 2);
    assert_eq!(of_red.uses.len(), 1);
    assert_eq!(
        (of_red.uses[0].query.as_str(), of_red.uses[0].rank),
        ("red apples", 1)
    );
    assert_eq!(uses(green).await.uses[0].query, "green apples");
    assert!(uses(boat).await.uses.is_empty());
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_looked_up_leaves_nothing_behind() {
    let place = Place::new();
    let studio = place.start();
    let [red, ..] = three(&studio).await;
    let before = ask::activity(&studio, ask::ActivityRequest { limit: 99 }).await;
    // A reason that is asked for would be kept with the trace.
    let request = ContextRequest {
        explain: true,
        ..ContextRequest::new("red apples")
    };
    let found = ask::look_up(&studio, request).await.unwrap().contexts;
    assert_eq!(found[0].context.id, red);
    studio.host().await.unwrap().manager().settle().await;
    let traces = ask::traces(&studio, ask::TracesRequest { limit: 9 }).await;
    assert!(traces.unwrap().traces.is_empty());
    let again = ask::get(&studio, ask::GetRequest { id: red })
        .await
        .unwrap();
    assert_eq!(again.access_count, 0);
    let after = ask::activity(&studio, ask::ActivityRequest { limit: 99 }).await;
    assert_eq!(after.unwrap(), before.unwrap());
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_what_was_used_follows_the_searches() {
    let place = Place::new();
    let studio = place.start();
    let [red, green, boat] = three(&studio).await;
    place.clock.advance(Duration::from_secs(1));
    let request = ContextRequest {
        limit: Some(1),
        ..ContextRequest::new("green apples")
    };
    ask::search(&studio, request).await.unwrap();
    studio.host().await.unwrap().manager().settle().await;
    let listed = async |order, skip| {
        let request = ListRequest {
            order,
            skip,
            ..ListRequest::default()
        };
        let list = ask::list(&studio, request).await.unwrap();
        assert_eq!(list.total, 3);
        let ids = list.page.contexts.iter().map(|context| context.id);
        ids.collect::<Vec<ContextId>>()
    };
    assert_eq!(listed(Order::RecentlyUsed, 0).await, [green, boat, red]);
    assert_eq!(listed(Order::MostUsed, 0).await, [green, boat, red]);
    assert_eq!(listed(Order::MostUsed, 2).await, [red]);
    assert_eq!(listed(Order::LongestFirst, 2).await, [boat]);
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_and_listed_newest_first() {
    let place = Place::new();
    let studio = place.start();
    let mut events = studio.events();
    let id = store(&studio, "<b>bold</b>\n words", ContextLevel::LongTerm).await;
    place.clock.advance(Duration::from_secs(1));
    ask::delete(&studio, DeleteRequest { ids: vec![id] })
        .await
        .unwrap();
    ask::undo(&studio, UndoRequest::default()).await.unwrap();
    let request = ask::ActivityRequest { limit: 10 };
    let items = ask::activity(&studio, request).await.unwrap().items;
    let kinds: Vec<ActivityKind> = items.iter().map(|item| item.kind).collect();
    assert_eq!(
        kinds,
        [
            ActivityKind::Restored,
            ActivityKind::Deleted,
            ActivityKind::Stored
        ]
    );
    assert_eq!(items[2].ids, [id]);
    assert!(items[2].summary.ends_with("<b>bold</b> words"));
    assert!(items[1].at > items[2].at);
    let told = next(&mut events, |event| match event {
        StudioEvent::Activity(activity) => Some(activity),
        _ => None,
    });
    assert_eq!(told.await, items[2]);
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn charts_reports_and_history_are_of_what_ran() {
    let place = Place::new();
    let studio = place.start();
    three(&studio).await;
    studio.sample();
    ask::search(&studio, ContextRequest::new("apples"))
        .await
        .unwrap();
    place.clock.advance(Duration::from_secs(5));
    studio.sample();
    let history = ask::history(&studio, ask::HistoryRequest { minutes: 5 })
        .await
        .unwrap();
    let retrieve = history
        .operations
        .iter()
        .find(|one| one.name == "retrieve")
        .unwrap();
    assert_eq!(retrieve.count.iter().sum::<u64>(), 1);
    let csv = ask::performance_csv(&studio, ask::HistoryRequest { minutes: 5 })
        .await
        .unwrap();
    assert!(csv.csv.contains("retrieve_p95_ms"));
    let request = ask::HistoryRequest { minutes: 5 };
    let html = ask::performance_report(&studio, request)
        .await
        .unwrap()
        .html;
    assert!(html.contains("Latency: retrieve"));
    let window = hirag::metrics::Span::Minute;
    let metrics = ask::performance(&studio, ask::PerformanceRequest { window })
        .await
        .unwrap();
    assert!(
        metrics
            .operations
            .iter()
            .any(|one| one.operation == "retrieve")
    );
    place.clock.advance(Duration::from_secs(120));
    let metrics = ask::performance(&studio, ask::PerformanceRequest { window })
        .await
        .unwrap();
    assert!(metrics.operations.is_empty());
    studio.shut_down().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_the_database_and_its_free_room_are_the_whole_file() {
    let place = Place::new();
    let studio = place.start();
    let before = ask::database_parts(&studio, Nothing {}).await.unwrap();
    for number in 0..40 {
        let text = format!("note {number}: ") + &"some words of a longer text ".repeat(40);
        store(&studio, &text, ContextLevel::LongTerm).await;
    }
    let parts = ask::database_parts(&studio, Nothing {}).await.unwrap();
    assert!(parts.context_bytes > before.context_bytes, "{parts:?}");
    assert!(parts.word_bytes > before.word_bytes, "{parts:?}");
    assert!(parts.vector_bytes > 0, "{parts:?}");
    let size = ask::stats(&studio, Nothing {})
        .await
        .unwrap()
        .stats
        .database;
    let all = parts.context_bytes
        + parts.vector_bytes
        + parts.word_bytes
        + parts.trace_bytes
        + parts.other_bytes;
    assert_eq!(all + size.free_bytes, size.file_bytes, "{parts:?} {size:?}");
    studio.shut_down().await.unwrap();
}
