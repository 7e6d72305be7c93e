//! One suite for any `VectorStore`, and the two implementations compared step by step.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hirag::context::{
    Condition, Context, ContextId, ContextLevel, Field, Filter, Metadata, Range, Test, Value,
};
use hirag::store::{Order, Record, ScrollRequest, VectorQuery, VectorStore};
use hirag_tests::store_suite::{NAME, Subject, filter, metadata, record, scrolled, spec, start};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

macro_rules! suite {
    ($($behaviour:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                hirag_tests::store_suite::$behaviour(super::Subject::sqlite()).await;
            })*
        }
        mod memory {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $behaviour() {
                hirag_tests::store_suite::$behaviour(super::Subject::memory()).await;
            })*
        }
    };
}

suite! {
    collections_are_made_listed_and_removed,
    another_model_or_dimension_is_refused,
    an_unknown_collection_is_an_error,
    what_is_inserted_comes_back_whole,
    a_bad_vector_is_refused_and_nothing_is_stored,
    a_known_id_is_refused_and_nothing_is_stored,
    concurrent_inserts_are_seen_whole,
    search_ranks_by_cosine,
    search_leaves_out_what_waits_or_has_expired,
    filters_hold_in_every_operation,
    get_keeps_the_order_of_the_ids,
    delete_forgets_for_good,
    scroll_shows_everything_once,
    each_order_sorts_by_its_value,
    skipping_shows_what_stands_behind,
    scroll_keeps_its_place_under_change,
    a_foreign_cursor_is_refused,
    collections_do_not_mix,
    positions_count_up_in_a_session,
}

/// One thing done to both stores.
#[derive(Debug, Clone)]
enum Step {
    Insert(Vec<Record>),
    /// Deletes one of the stored and stores it again, changed.
    Replace(prop::sample::Index, Record),
    Delete(Vec<prop::sample::Index>),
    Wait(u64),
    Search {
        vector: Vec<f32>,
        filter: Filter,
        limit: usize,
        threshold: Option<f32>,
    },
    Scroll {
        filter: Filter,
        order: Order,
        skip: usize,
        limit: usize,
    },
}

const DIMENSION: usize = 4;
const NAMES: [&str; 3] = ["ann", "bob", "Ann"];
const TIMES: [&str; 4] = [
    "2025-12-31T23:59:59.999Z",
    "2026-01-01T00:00:00Z",
    "2026-01-02",
    "2030-05-05T05:05:05",
];

fn name() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop::sample::select(&NAMES[..]).prop_map(str::to_owned))
}

fn level() -> impl Strategy<Value = ContextLevel> {
    prop::sample::select(&ContextLevel::ALL[..])
}

fn vector() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-10.0_f32..10.0, DIMENSION)
        .prop_filter("a direction", |v| v.iter().any(|x| x.abs() > 1e-3))
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-2_i64..3).prop_map(Json::from),
        prop::sample::select(&[0.5, -1.5, 2.0][..]).prop_map(Json::from),
        prop::sample::select(&["", "a", "b", "2", "true", "Ä"][..]).prop_map(Json::from),
    ]
}

fn any_metadata() -> impl Strategy<Value = Metadata> {
    let value = scalar().prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::hash_map(prop::sample::select(&["x", "y"][..]), inner, 0..3)
                .prop_map(|fields: HashMap<&str, Json>| {
                    Json::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
                }),
        ]
    });
    prop::collection::hash_map(prop::sample::select(&["k", "m", "level"][..]), value, 0..3)
        .prop_map(|fields| fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
}

fn any_record() -> impl Strategy<Value = Record> {
    let who = (name(), name(), name(), level());
    let when = (-3_i64..4, prop::option::of(1_i64..5), 0_u64..3, 0_u32..3);
    let what = (
        any_metadata(),
        prop::option::of(-2_i64..3),
        prop::option::weighted(0.9, vector()),
    );
    (who, when, what).prop_map(
        |(
            (agent, session, source, level),
            (day, expiry, accesses, tokens),
            (fields, position, vector),
        )| {
            let days = |n: i64| start() + jiff::SignedDuration::from_hours(24 * n);
            Record {
                level,
                agent,
                session,
                source,
                created_at: days(day),
                expires_at: expiry.map(days),
                access_count: accesses,
                token_count: tokens,
                metadata: fields,
                position,
                vector,
                ..record("text", &[])
            }
        },
    )
}

fn any_condition() -> impl Strategy<Value = Condition> {
    let path = prop::sample::select(
        &[
            "k",
            "m",
            "k.x",
            "m.y",
            "k.x.y",
            "nope",
            "metadata.level",
            "metadata.k",
        ][..],
    );
    let plain = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        (-2_i64..3).prop_map(Value::Int),
        prop::sample::select(&[0.5, -1.5, 2.0][..]).prop_map(Value::Float),
        prop::sample::select(&["", "a", "b", "2", "true", "Ä"][..]).prop_map(Value::from),
    ];
    let number = prop_oneof![(-2_i64..4).prop_map(Value::Int), Just(Value::Float(1.5))];
    let word = prop::sample::select(&["", "a", "b", "2", "Ä"][..]).prop_map(Value::from);
    let names = prop::sample::select(&NAMES[..]).prop_map(Value::from);
    let levels = prop::sample::select(&["L1", "short_term", "LongTerm"][..]).prop_map(Value::from);
    let times = prop::sample::select(&TIMES[..]).prop_map(Value::from);
    prop_oneof![
        3 => (path.clone(), tests(plain.boxed(), number.clone().boxed())),
        1 => (path, tests(word.clone().boxed(), word.boxed())),
        1 => (
            prop::sample::select(&["agent", "session", "source"][..]),
            tests(names.clone().boxed(), names.boxed())
        ),
        1 => (Just("level"), tests(levels.clone().boxed(), levels.boxed())),
        1 => (
            prop::sample::select(&["created_at", "updated_at", "accessed_at"][..]),
            tests(times.clone().boxed(), times.boxed())
        ),
        1 => (
            prop::sample::select(&["access_count", "token_count"][..]),
            tests(number.clone().boxed(), number.boxed())
        ),
    ]
    .prop_map(|(key, test)| Condition::new(Field::parse(key), test).unwrap())
}

fn tests(value: BoxedStrategy<Value>, bound: BoxedStrategy<Value>) -> BoxedStrategy<Test> {
    let bounds = (
        prop::option::of(bound.clone()),
        prop::option::of(bound.clone()),
        bound,
        any::<bool>(),
    );
    prop_oneof![
        prop::collection::vec(value, 1..3).prop_map(Test::AnyOf),
        bounds.prop_map(|(gt, lte, other, below)| {
            let (gte, lt) = if below {
                (None, Some(other))
            } else {
                (Some(other), None)
            };
            Test::Range(Range { gt, gte, lt, lte })
        }),
        any::<bool>().prop_map(Test::Exists),
    ]
    .boxed()
}

fn any_filter() -> impl Strategy<Value = Filter> {
    let some = |most| prop::collection::vec(any_condition(), 0..=most);
    (some(2), some(2), some(1)).prop_map(|(must, should, must_not)| Filter {
        must,
        should,
        must_not,
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let order = prop::sample::select(&Order::ALL[..]);
    // Thresholds at which no cosine of these vectors is likely to lie.
    let threshold = prop::option::of(prop::sample::select(
        &[-0.512_34_f32, 0.123_47, 0.703_11][..],
    ));
    prop_oneof![
        3 => prop::collection::vec(any_record(), 1..6).prop_map(Step::Insert),
        1 => (any::<prop::sample::Index>(), any_record()).prop_map(|(i, r)| Step::Replace(i, r)),
        1 => prop::collection::vec(any::<prop::sample::Index>(), 1..3).prop_map(Step::Delete),
        1 => (1_u64..40).prop_map(Step::Wait),
        4 => (vector(), any_filter(), 0_usize..12, threshold).prop_map(
            |(vector, filter, limit, threshold)| Step::Search { vector, filter, limit, threshold }
        ),
        4 => (any_filter(), order, 0_usize..4, 1_usize..5).prop_map(
            |(filter, order, skip, limit)| Step::Scroll { filter, order, skip, limit }
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn sqlite_and_memory_agree_step_by_step(
        steps in prop::collection::vec(any_step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(both(steps));
    }
}

async fn both(steps: Vec<Step>) {
    let (sqlite, memory) = (Subject::sqlite(), Subject::memory());
    let real = sqlite.filled(DIMENSION, vec![]).await;
    let model = memory.filled(DIMENSION, vec![]).await;
    let mut ids: Vec<ContextId> = Vec::new();
    for step in steps {
        match step {
            Step::Insert(records) => {
                // Each needs a text of its own, by which pages are compared.
                let records: Vec<Record> = records.into_iter().map(with_own_id).collect();
                ids.extend(records.iter().map(|record| record.id));
                real.insert(NAME, records.clone()).await.unwrap();
                model.insert(NAME, records).await.unwrap();
            }
            Step::Replace(index, changed) if !ids.is_empty() => {
                let id = *index.get(&ids);
                let changed = Record { id, ..changed };
                for store in [real, model] {
                    store.delete(NAME, &[id]).await.unwrap();
                    store.insert(NAME, vec![changed.clone()]).await.unwrap();
                }
            }
            Step::Delete(indices) if !ids.is_empty() => {
                let gone: Vec<ContextId> = indices.iter().map(|i| *i.get(&ids)).collect();
                let removed = real.delete(NAME, &gone).await.unwrap();
                assert_eq!(removed, model.delete(NAME, &gone).await.unwrap());
            }
            Step::Replace(..) | Step::Delete(_) => {}
            Step::Wait(hours) => {
                for clock in [&sqlite.clock, &memory.clock] {
                    clock.advance(Duration::from_secs(3_600 * hours));
                }
            }
            Step::Search {
                vector,
                filter,
                limit,
                threshold,
            } => {
                let query = VectorQuery {
                    vector,
                    filter,
                    limit,
                    score_threshold: threshold,
                };
                compare_search(real, model, query).await;
            }
            Step::Scroll {
                filter,
                order,
                skip,
                limit,
            } => {
                let counted = real.count(NAME, &filter).await.unwrap();
                assert_eq!(
                    counted,
                    model.count(NAME, &filter).await.unwrap(),
                    "{filter:?}"
                );
                let request = ScrollRequest {
                    filter,
                    order,
                    skip,
                    limit,
                    ..ScrollRequest::default()
                };
                let found = scrolled(real, request.clone()).await;
                assert_eq!(found.len() as u64, counted.saturating_sub(skip as u64));
                assert_eq!(found, scrolled(model, request.clone()).await, "{request:?}");
            }
        }
    }
    let found: Vec<Context> = real.get(NAME, &ids).await.unwrap();
    assert_eq!(found, model.get(NAME, &ids).await.unwrap());
}

fn with_own_id(record: Record) -> Record {
    let id = ContextId::new(start());
    Record {
        id,
        text: id.to_string(),
        ..record
    }
}

/// The same hits with the same scores; within the precision of a score, the order may differ.
async fn compare_search(real: &dyn VectorStore, model: &dyn VectorStore, query: VectorQuery) {
    const PRECISION: f32 = 1e-5;
    let found = real.search(NAME, query.clone()).await.unwrap();
    let expected = model.search(NAME, query.clone()).await.unwrap();
    assert_eq!(found.len(), expected.len(), "{query:?}");
    for (hit, expected) in found.iter().zip(&expected) {
        assert!((hit.score - expected.score).abs() < PRECISION, "{query:?}");
    }
    let unbounded = VectorQuery {
        limit: usize::MAX,
        ..query
    };
    let all = model.search(NAME, unbounded).await.unwrap();
    let scores: HashMap<ContextId, f32> = all.iter().map(|hit| (hit.id, hit.score)).collect();
    for hit in found {
        assert!((hit.score - scores[&hit.id]).abs() < PRECISION);
    }
}

#[tokio::test]
async fn a_filter_that_leaves_three_of_a_hundred_thousand_returns_those_three() {
    const COUNT: usize = 100_000;
    const BATCH: usize = 5_000;
    let begin = Instant::now();
    let subject = Subject::sqlite();
    let store = &*subject.store;
    store.create_collection(NAME, &spec(8)).await.unwrap();
    let rare = [17, 50_001, 99_999];
    let mut expected = Vec::new();
    for batch in 0..COUNT / BATCH {
        let records: Vec<Record> = (batch * BATCH..(batch + 1) * BATCH)
            .map(|n| {
                // The rare ones point away from the query: no window of the best has them.
                let sign = if rare.contains(&n) { -1.0 } else { 1.0 };
                let mut vector = [0.0; 8];
                vector[0] = sign;
                vector[1 + n % 7] = (n % 97) as f32 / 97.0;
                Record {
                    agent: Some(format!("agent {}", n % 10)),
                    metadata: if rare.contains(&n) {
                        metadata(&json!({"rare": true}))
                    } else {
                        Metadata::new()
                    },
                    ..record("short", &vector)
                }
            })
            .collect();
        let wanted = records.iter().filter(|record| !record.metadata.is_empty());
        expected.extend(wanted.map(|record| record.id));
        store.insert(NAME, records).await.unwrap();
    }
    assert_eq!(
        store.count(NAME, &Filter::default()).await.unwrap(),
        COUNT as u64
    );
    let query = VectorQuery {
        vector: vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        filter: filter(&json!({"must": [{"key": "rare", "match": true}]})),
        limit: 10,
        score_threshold: None,
    };
    let mut found: Vec<ContextId> = Vec::new();
    found.extend(
        store
            .search(NAME, query)
            .await
            .unwrap()
            .iter()
            .map(|hit| hit.id),
    );
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    println!("{COUNT} contexts in {:?}", begin.elapsed());
}
