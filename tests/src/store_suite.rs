//! What any [`VectorStore`] must do. Each function takes a fresh store of the implementation.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hirag::clock::FakeClock;
use hirag::context::{ContextId, ContextLevel, EmbeddingState, Filter, Metadata, Priority};
use hirag::store::sqlite::{Access, SqliteStore, StoreOptions};
use hirag::store::{
    CollectionInfo, Order, Record, ScrollRequest, StoreError, VectorQuery, VectorSpec, VectorStore,
};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::memory_store::MemoryStore;

/// The collection that the tests fill.
pub const NAME: &str = "contexts";

/// A fresh store with what it needs to live.
#[derive(Debug)]
pub struct Subject {
    /// The store.
    pub store: Arc<dyn VectorStore>,
    /// Its time.
    pub clock: Arc<FakeClock>,
    _folder: Option<TempDir>,
}

impl Subject {
    /// An empty database.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = FakeClock::at(start());
        let options = StoreOptions {
            path: folder.path().join("hirag.db"),
            access: Access::Write,
            lock_wait: Duration::ZERO,
            clock: clock.clone(),
        };
        Self {
            store: Arc::new(SqliteStore::open(options).unwrap()),
            clock,
            _folder: Some(folder),
        }
    }

    /// An empty store in memory.
    #[must_use]
    pub fn memory() -> Self {
        let clock = FakeClock::at(start());
        Self {
            store: Arc::new(MemoryStore::new(clock.clone())),
            clock,
            _folder: None,
        }
    }

    /// The store with the collection [`NAME`] of `dimension` components.
    pub async fn filled(&self, dimension: usize, records: Vec<Record>) -> &dyn VectorStore {
        let store = &*self.store;
        store
            .create_collection(NAME, &spec(dimension))
            .await
            .unwrap();
        store.insert(NAME, records).await.unwrap();
        store
    }
}

/// When the clock starts.
#[must_use]
pub fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// Vectors of the tests' model.
#[must_use]
pub fn spec(dimension: usize) -> VectorSpec {
    VectorSpec {
        model: "m".to_owned(),
        dimension,
    }
}

/// A context at L3 with a text and a vector, and nothing else.
#[must_use]
pub fn record(text: &str, vector: &[f32]) -> Record {
    Record {
        id: ContextId::new(start()),
        text: text.to_owned(),
        level: ContextLevel::LongTerm,
        agent: None,
        session: None,
        created_at: start(),
        updated_at: None,
        accessed_at: None,
        access_count: 0,
        token_count: 3,
        metadata: Metadata::new(),
        source: None,
        source_key: None,
        position: None,
        expires_at: None,
        level_expiry: false,
        priority: Priority::Normal,
        vector: Some(vector.to_vec()),
    }
}

/// The filter that JSON says.
#[must_use]
pub fn filter(json: &Json) -> Filter {
    Filter::from_json(&json.to_string()).unwrap()
}

/// Metadata from JSON.
#[must_use]
pub fn metadata(json: &Json) -> Metadata {
    json.as_object().unwrap().clone()
}

fn near(vector: &[f32], limit: usize) -> VectorQuery {
    VectorQuery {
        vector: vector.to_vec(),
        limit,
        ..VectorQuery::default()
    }
}

async fn ids_of(store: &dyn VectorStore, query: VectorQuery) -> Vec<ContextId> {
    let hits = store.search(NAME, query).await.unwrap();
    hits.into_iter().map(|hit| hit.id).collect()
}

async fn count(store: &dyn VectorStore) -> u64 {
    store.count(NAME, &Filter::default()).await.unwrap()
}

/// Follows the cursors to the end.
pub async fn scrolled(store: &dyn VectorStore, request: ScrollRequest) -> Vec<String> {
    let mut texts = Vec::new();
    let mut request = request;
    loop {
        let page = store.scroll(NAME, request.clone()).await.unwrap();
        assert!(page.contexts.len() <= request.limit);
        texts.extend(page.contexts.into_iter().map(|context| context.text));
        request.cursor = page.next_cursor;
        request.skip = 0;
        if request.cursor.is_none() {
            return texts;
        }
    }
}

/// Collections are made, listed by name, kept when made again, and removed with all they have.
pub async fn collections_are_made_listed_and_removed(subject: Subject) {
    let store = subject.filled(2, vec![record("a", &[1.0, 0.0])]).await;
    store.create_collection("another", &spec(3)).await.unwrap();
    store.create_collection(NAME, &spec(2)).await.unwrap();
    assert_eq!(count(store).await, 1);
    let names = |infos: Vec<CollectionInfo>| -> Vec<(String, usize)> {
        let pair = |info: CollectionInfo| (info.name, info.vectors.dimension);
        infos.into_iter().map(pair).collect()
    };
    assert_eq!(
        names(store.collections().await.unwrap()),
        [("another".to_owned(), 3), (NAME.to_owned(), 2)]
    );
    assert!(store.delete_collection(NAME).await.unwrap());
    assert!(!store.delete_collection(NAME).await.unwrap());
    assert_eq!(names(store.collections().await.unwrap()).len(), 1);
    store.create_collection(NAME, &spec(2)).await.unwrap();
    assert_eq!(count(store).await, 0);
    assert!(ids_of(store, near(&[1.0, 0.0], 10)).await.is_empty());
}

/// A collection keeps its model and its dimension.
pub async fn another_model_or_dimension_is_refused(subject: Subject) {
    let store = subject.filled(2, vec![record("a", &[1.0, 0.0])]).await;
    let other_model = VectorSpec {
        model: "n".to_owned(),
        dimension: 2,
    };
    for other in [spec(3), other_model] {
        let error = store.create_collection(NAME, &other).await.unwrap_err();
        assert_eq!(error.code(), "collection_differs");
        assert!(error.to_string().contains(&other.to_string()), "{error}");
    }
    assert_eq!(count(store).await, 1);
}

/// Nothing can be done with a collection that is not there, and it is named.
pub async fn an_unknown_collection_is_an_error(subject: Subject) {
    let store = &*subject.store;
    let id = ContextId::new(start());
    let errors = [
        store.insert("none", vec![]).await.unwrap_err(),
        store.search("none", near(&[1.0], 1)).await.unwrap_err(),
        store.get("none", &[id]).await.unwrap_err(),
        store.delete("none", &[id]).await.unwrap_err(),
        store.count("none", &Filter::default()).await.unwrap_err(),
        store
            .scroll("none", ScrollRequest::default())
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), "unknown_collection");
        assert!(error.to_string().contains("none"), "{error}");
    }
}

/// Every field of a context comes back as it went in.
pub async fn what_is_inserted_comes_back_whole(subject: Subject) {
    let full = Record {
        level: ContextLevel::ShortTerm,
        agent: Some("agent ✓".to_owned()),
        session: Some("session".to_owned()),
        created_at: "2020-02-03T04:05:06.789Z".parse().unwrap(),
        updated_at: None,
        accessed_at: Some("2021-01-01T00:00:00Z".parse().unwrap()),
        access_count: 7,
        token_count: 42,
        metadata: metadata(&json!({"a": {"b": [1, "two", null, {"c": true}]}, "ü": "ö"})),
        source: Some("/notes/a.md".to_owned()),
        source_key: Some("#1".to_owned()),
        position: Some(9),
        expires_at: Some("2030-01-01T00:00:00Z".parse().unwrap()),
        vector: None,
        ..record("two\r\nlines, 日本語, 👩‍👩‍👧", &[1.0, 0.0])
    };
    let store = subject.filled(2, vec![full.clone()]).await;
    let context = store.get(NAME, &[full.id]).await.unwrap().remove(0);
    assert_eq!(context.id, full.id);
    assert_eq!(context.text, full.text);
    assert_eq!(context.level, full.level);
    assert_eq!((context.agent, context.session), (full.agent, full.session));
    assert_eq!(context.created_at, full.created_at);
    assert_eq!(context.updated_at, full.created_at);
    assert_eq!(Some(context.accessed_at), full.accessed_at);
    assert_eq!((context.access_count, context.token_count), (7, 42));
    assert_eq!(context.metadata, full.metadata);
    assert_eq!(context.source, full.source);
    assert_eq!(context.source_key, full.source_key);
    assert_eq!(context.position, 9);
    assert_eq!(context.expires_at, full.expires_at);
    assert_eq!(context.deleted_at, None);
    assert_eq!(context.embedding, EmbeddingState::Pending);
}

/// A vector that is no direction takes the whole insert with it, and a query of that kind fails.
pub async fn a_bad_vector_is_refused_and_nothing_is_stored(subject: Subject) {
    let store = subject.filled(3, vec![]).await;
    let bad: [&[f32]; 7] = [
        &[1.0, 0.0],
        &[1.0, 0.0, 0.0, 0.0],
        &[],
        &[0.0, f32::NAN, 0.0],
        &[0.0, 0.0, f32::INFINITY],
        &[f32::NEG_INFINITY, 0.0, 0.0],
        &[0.0, 0.0, 0.0],
    ];
    for vector in bad {
        let records = vec![record("good", &[1.0, 0.0, 0.0]), record("bad", vector)];
        let error = store.insert(NAME, records).await.unwrap_err();
        assert_eq!(error.code(), "invalid_vector", "{vector:?}");
        let error = store.search(NAME, near(vector, 1)).await.unwrap_err();
        assert_eq!(error.code(), "invalid_vector", "{vector:?}");
        assert_eq!(count(store).await, 0, "{vector:?}");
    }
    // Tiny and huge ones do have a direction.
    let tiny = record("tiny", &[1e-20, 0.0, 0.0]);
    let huge = record("huge", &[f32::MAX, f32::MAX, 0.0]);
    store
        .insert(NAME, vec![tiny.clone(), huge.clone()])
        .await
        .unwrap();
    let hits = store.search(NAME, near(&[2.0, 0.0, 0.0], 2)).await.unwrap();
    assert_eq!([hits[0].id, hits[1].id], [tiny.id, huge.id]);
    assert!((hits[0].score - 1.0).abs() < 1e-5);
    assert!((hits[1].score - 0.5_f32.sqrt()).abs() < 1e-5);
}

/// An id that is stored takes the whole insert with it; what was there stays.
pub async fn a_known_id_is_refused_and_nothing_is_stored(subject: Subject) {
    let first = record("first", &[1.0, 0.0]);
    let store = subject.filled(2, vec![first.clone()]).await;
    let again = Record {
        text: "again".to_owned(),
        ..first.clone()
    };
    let records = vec![record("other", &[0.0, 1.0]), again];
    assert!(store.insert(NAME, records).await.is_err());
    let twin = record("twin", &[0.0, 1.0]);
    assert!(store.insert(NAME, vec![twin.clone(), twin]).await.is_err());
    assert_eq!(count(store).await, 1);
    let kept = store.get(NAME, &[first.id]).await.unwrap();
    assert_eq!(kept[0].text, "first");
    assert_eq!(ids_of(store, near(&[0.0, 1.0], 10)).await, [first.id]);
}

/// Inserts that run at once are each seen whole or not at all, and by every search that begins
/// after their answer.
pub async fn concurrent_inserts_are_seen_whole(subject: Subject) {
    subject.filled(2, vec![]).await;
    let answered = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (store, answered) = (Arc::clone(&subject.store), Arc::clone(&answered));
            tokio::spawn(async move {
                for batch in 0..5 {
                    let text = |n| format!("{writer}-{batch}-{n}");
                    let records = (0..5).map(|n| record(&text(n), &[1.0, n as f32]));
                    store.insert(NAME, records.collect()).await.unwrap();
                    answered.fetch_add(5, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let mut before = 0;
    while before < 200 {
        before = answered.load(Ordering::SeqCst);
        let counted = count(&*subject.store).await as usize;
        let hits = ids_of(&*subject.store, near(&[1.0, 0.0], 1_000))
            .await
            .len();
        assert_eq!((counted % 5, hits % 5), (0, 0));
        assert!(
            counted >= before && hits >= before,
            "{counted}, {hits} of {before}"
        );
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

/// The nearest come first, by cosine, no more than asked for and none below the threshold.
pub async fn search_ranks_by_cosine(subject: Subject) {
    let records = vec![
        record("opposite", &[-2.0, 0.0]),
        record("same", &[5.0, 0.0]),
        record("diagonal", &[1.0, 1.0]),
        record("across", &[0.0, 3.0]),
    ];
    let ids: Vec<ContextId> = records.iter().map(|record| record.id).collect();
    let store = subject.filled(2, records).await;
    let hits = store.search(NAME, near(&[0.5, 0.0], 10)).await.unwrap();
    let found: Vec<ContextId> = hits.iter().map(|hit| hit.id).collect();
    assert_eq!(found, [ids[1], ids[2], ids[3], ids[0]]);
    for (hit, cosine) in hits.iter().zip([1.0, 0.5_f32.sqrt(), 0.0, -1.0]) {
        assert!((hit.score - cosine).abs() < 1e-6, "{hit:?}");
    }
    assert_eq!(ids_of(store, near(&[1.0, 0.0], 2)).await, [ids[1], ids[2]]);
    assert!(ids_of(store, near(&[1.0, 0.0], 0)).await.is_empty());
    let over = VectorQuery {
        score_threshold: Some(0.7),
        ..near(&[1.0, 0.0], 10)
    };
    assert_eq!(ids_of(store, over).await, [ids[1], ids[2]]);
}

/// What has no vector or has expired is no hit, but is still there.
pub async fn search_leaves_out_what_waits_or_has_expired(subject: Subject) {
    let mut waiting = record("waiting", &[1.0, 0.0]);
    waiting.vector = None;
    let mut short = record("short-lived", &[1.0, 0.0]);
    short.expires_at = Some("2026-01-01T00:00:10Z".parse().unwrap());
    let lasting = record("lasting", &[0.0, 1.0]);
    let all = vec![waiting, short.clone(), lasting.clone()];
    let store = subject.filled(2, all).await;
    let query = near(&[1.0, 0.0], 10);
    assert_eq!(ids_of(store, query.clone()).await, [short.id, lasting.id]);
    subject.clock.advance(Duration::from_secs(10));
    assert_eq!(ids_of(store, query).await, [lasting.id]);
    assert_eq!(count(store).await, 3);
}

/// Every kind of condition on every kind of field, in search, count and scroll.
pub async fn filters_hold_in_every_operation(subject: Subject) {
    let made = |name: &str, level, at: &str, fields: Json| Record {
        level,
        created_at: at.parse().unwrap(),
        metadata: metadata(&fields),
        ..record(name, &[1.0, 0.5])
    };
    let mut records = vec![
        made(
            "a",
            ContextLevel::Immediate,
            "2024-01-01T00:00:00Z",
            json!({"n": 1, "tags": ["rust", "git"], "deep": {"er": "x"}, "done": true}),
        ),
        made(
            "b",
            ContextLevel::ShortTerm,
            "2024-06-01T00:00:00Z",
            json!({"n": 2.5, "tags": ["git"], "deep": {"er": 7}, "done": false}),
        ),
        made(
            "c",
            ContextLevel::LongTerm,
            "2025-01-01T00:00:00Z",
            json!({"n": "2", "tags": [], "deep": null, "done": 1}),
        ),
        made(
            "d",
            ContextLevel::LongTerm,
            "2025-06-01T00:00:00Z",
            json!({"list": [{"k": 1}, {"k": "v"}], "level": "own", "pct%_": "it's"}),
        ),
    ];
    records[0].agent = Some("ann".to_owned());
    records[1].agent = Some("bob".to_owned());
    records[1].session = Some("s1".to_owned());
    records[2].session = Some("s2".to_owned());
    records[2].access_count = 5;
    records[3].token_count = 100;
    records[3].source = Some("f.md".to_owned());
    let store = subject.filled(2, records.clone()).await;
    let must = |condition: Json| json!({"must": [condition]});
    // As many values as a filter may have, of two kinds.
    let mut many: Vec<serde_json::Value> = (0..9_000).map(serde_json::Value::from).collect();
    many.extend((0..999).map(|i| json!(format!("word {i}"))));
    many.push(json!("rust"));
    let cases = [
        (json!({}), "abcd"),
        (must(json!({"key": "level", "match": "L3"})), "cd"),
        (
            must(json!({"key": "level", "any": ["Immediate", "short_term"]})),
            "ab",
        ),
        (must(json!({"key": "agent", "match": "ann"})), "a"),
        (must(json!({"key": "agent", "exists": true})), "ab"),
        (must(json!({"key": "session", "exists": false})), "ad"),
        (must(json!({"key": "session", "range": {"gt": "s1"}})), "c"),
        (must(json!({"key": "source", "match": "f.md"})), "d"),
        (
            must(json!({"key": "created_at", "range": {"gte": "2024-06-01", "lt": "2025-06-01"}})),
            "bc",
        ),
        (
            must(json!({"key": "created_at", "match": "2025-01-01T01:00:00+01:00"})),
            "c",
        ),
        (
            must(json!({"key": "access_count", "range": {"gte": 1}})),
            "c",
        ),
        (must(json!({"key": "token_count", "match": 100})), "d"),
        (must(json!({"key": "n", "match": 1})), "a"),
        (must(json!({"key": "n", "match": 1.0})), "a"),
        (must(json!({"key": "n", "match": "2"})), "c"),
        (must(json!({"key": "n", "range": {"gt": 1}})), "b"),
        (must(json!({"key": "n", "range": {"gte": "1"}})), "c"),
        (must(json!({"key": "tags", "match": "git"})), "ab"),
        (must(json!({"key": "tags", "any": ["rust", "nope"]})), "a"),
        (must(json!({"key": "tags", "exists": true})), "ab"),
        (must(json!({"key": "deep.er", "match": "x"})), "a"),
        (must(json!({"key": "deep.er", "range": {"lte": 7}})), "b"),
        (must(json!({"key": "deep", "exists": true})), "ab"),
        (must(json!({"key": "deep", "exists": false})), "cd"),
        (must(json!({"key": "done", "match": true})), "a"),
        (must(json!({"key": "done", "match": 1})), "c"),
        (must(json!({"key": "list.k", "any": ["v", 9]})), "d"),
        (must(json!({"key": "tags", "any": many})), "a"),
        (must(json!({"key": "metadata.level", "match": "own"})), "d"),
        (must(json!({"key": "pct%_", "match": "it's"})), "d"),
        (must(json!({"key": "nothing", "match": "x' OR 1=1 --"})), ""),
        (
            json!({"must_not": [{"key": "nothing", "match": 1}]}),
            "abcd",
        ),
        (
            json!({"must_not": [{"key": "agent", "match": "ann"}]}),
            "bcd",
        ),
        (
            json!({"should": [{"key": "agent", "match": "ann"}, {"key": "n", "match": "2"}]}),
            "ac",
        ),
        (
            json!({"must": [{"key": "level", "match": "L3"}],
                "should": [{"key": "n", "match": "2"}, {"key": "list.k", "match": 1}],
                "must_not": [{"key": "session", "match": "s2"}]}),
            "d",
        ),
    ];
    for (json, expected) in cases {
        let filter = filter(&json);
        let request = ScrollRequest {
            filter: filter.clone(),
            order: Order::OldestFirst,
            limit: 2,
            ..ScrollRequest::default()
        };
        assert_eq!(scrolled(store, request).await.concat(), expected, "{json}");
        let query = VectorQuery {
            filter: filter.clone(),
            ..near(&[1.0, 0.5], 10)
        };
        let hits: BTreeSet<ContextId> = ids_of(store, query).await.into_iter().collect();
        let wanted = records.iter().filter(|r| expected.contains(&r.text));
        assert_eq!(hits, wanted.map(|r| r.id).collect(), "{json}");
        let counted = store.count(NAME, &filter).await.unwrap();
        assert_eq!(counted, expected.len() as u64, "{json}");
    }
}

/// Contexts come in the order of the ids; unknown ones are left out, repeated ones repeated.
pub async fn get_keeps_the_order_of_the_ids(subject: Subject) {
    let records = vec![record("a", &[1.0, 0.0]), record("b", &[0.0, 1.0])];
    let (a, b) = (records[0].id, records[1].id);
    let store = subject.filled(2, records).await;
    let unknown = ContextId::new(start());
    let found = store.get(NAME, &[b, unknown, a, b]).await.unwrap();
    let found: Vec<ContextId> = found.iter().map(|context| context.id).collect();
    assert_eq!(found, [b, a, b]);
    assert!(store.get(NAME, &[]).await.unwrap().is_empty());
}

/// What is deleted is gone from everything; how many there were is told.
pub async fn delete_forgets_for_good(subject: Subject) {
    let records: Vec<Record> = (0..4)
        .map(|n| record(&n.to_string(), &[1.0, n as f32]))
        .collect();
    let ids: Vec<ContextId> = records.iter().map(|record| record.id).collect();
    let store = subject.filled(2, records.clone()).await;
    assert_eq!(ids_of(store, near(&[1.0, 0.0], 9)).await, ids);
    let unknown = ContextId::new(start());
    let removed = store.delete(NAME, &[ids[1], unknown, ids[3], ids[1]]).await;
    assert_eq!(removed.unwrap(), 2);
    assert_eq!(store.delete(NAME, &[ids[1]]).await.unwrap(), 0);
    assert_eq!(count(store).await, 2);
    assert!(store.get(NAME, &[ids[1]]).await.unwrap().is_empty());
    assert_eq!(ids_of(store, near(&[1.0, 0.0], 9)).await, [ids[0], ids[2]]);
    // Its id is free again.
    store.insert(NAME, vec![records[1].clone()]).await.unwrap();
    assert_eq!(count(store).await, 3);
}

/// Pages show everything once, in the order of storing or the other way round.
pub async fn scroll_shows_everything_once(subject: Subject) {
    let names: Vec<String> = (0..7).map(|n| n.to_string()).collect();
    let records = names.iter().map(|name| record(name, &[1.0, 0.0]));
    let store = subject.filled(2, records.collect()).await;
    for limit in [1, 3, 7, 100] {
        let request = |order| ScrollRequest {
            order,
            limit,
            ..ScrollRequest::default()
        };
        assert_eq!(scrolled(store, request(Order::OldestFirst)).await, names);
        let mut newest = scrolled(store, request(Order::NewestFirst)).await;
        newest.reverse();
        assert_eq!(newest, names);
    }
}

/// Contexts by whose values the orders differ, with ties in each.
fn various(count: u64) -> Vec<Record> {
    (0..count)
        .map(|n| {
            let hours = |n: u64| start() - jiff::SignedDuration::from_hours(n as i64);
            Record {
                created_at: hours(n * 5 % 4),
                updated_at: None,
                accessed_at: Some(hours(n * 7 % 3)),
                access_count: n * 3 % 5,
                token_count: (n * 11 % 6) as u32,
                ..record(&n.to_string(), &[1.0, 0.0])
            }
        })
        .collect()
}

/// Each order sorts by what its name says; among equals, what was stored last comes first.
pub async fn each_order_sorts_by_its_value(subject: Subject) {
    let records = various(30);
    let store = subject.filled(2, records.clone()).await;
    for order in Order::ALL {
        let mut expected: Vec<(i64, usize)> = records
            .iter()
            .enumerate()
            .map(|(seq, record)| {
                let value = match order {
                    Order::NewestFirst => seq as i64,
                    Order::OldestFirst => -(seq as i64),
                    Order::RecentlyChanged => record.created_at.as_millisecond(),
                    Order::RecentlyUsed => record.accessed_at.unwrap().as_millisecond(),
                    Order::MostUsed => record.access_count as i64,
                    Order::LongestFirst => record.token_count.into(),
                };
                (value, seq)
            })
            .collect();
        expected.sort_unstable();
        let expected: Vec<String> = expected.iter().rev().map(|(_, n)| n.to_string()).collect();
        for limit in [1, 4, 30, 31] {
            let request = ScrollRequest {
                order,
                limit,
                ..ScrollRequest::default()
            };
            assert_eq!(scrolled(store, request).await, expected, "{order:?}");
        }
    }
}

/// Passing over contexts gives what stands behind them, from the start and from any cursor, under
/// any filter; behind the end there is nothing.
pub async fn skipping_shows_what_stands_behind(subject: Subject) {
    let mut records = various(24);
    for record in records.iter_mut().step_by(3) {
        record.agent = Some("ann".to_owned());
    }
    let store = subject.filled(2, records).await;
    let of_ann = filter(&json!({"must": [{"key": "agent", "match": "ann"}]}));
    for (order, filter) in Order::ALL
        .into_iter()
        .flat_map(|order| [(order, Filter::default()), (order, of_ann.clone())])
    {
        let request = ScrollRequest {
            filter,
            order,
            limit: 3,
            ..ScrollRequest::default()
        };
        let whole = scrolled(store, request.clone()).await;
        for skip in [0, 1, 5, whole.len(), usize::MAX] {
            let from = |cursor, skip| ScrollRequest {
                cursor,
                skip,
                ..request.clone()
            };
            let rest = scrolled(store, from(None, skip)).await;
            assert_eq!(rest, whole[skip.min(whole.len())..], "{order:?}, {skip}");
            let first = store.scroll(NAME, request.clone()).await.unwrap();
            let rest = scrolled(store, from(first.next_cursor, skip)).await;
            let behind = skip.saturating_add(3).min(whole.len());
            assert_eq!(rest, whole[behind..], "{order:?}, {skip} after a cursor");
        }
    }
}

/// Contexts that are there throughout are shown exactly once, whatever comes and goes meanwhile.
pub async fn scroll_keeps_its_place_under_change(subject: Subject) {
    for order in Order::ALL {
        let subject = &subject;
        let records = various(30);
        let ids: Vec<ContextId> = records.iter().map(|record| record.id).collect();
        subject.store.delete_collection(NAME).await.unwrap();
        let store = subject.filled(2, records).await;
        let mut shown: Vec<ContextId> = Vec::new();
        let mut request = ScrollRequest {
            order,
            limit: 4,
            ..ScrollRequest::default()
        };
        for page in 0.. {
            let found = store.scroll(NAME, request.clone()).await.unwrap();
            shown.extend(found.contexts.iter().map(|context| context.id));
            // The one that the cursor stands on goes, one before it, and new ones come.
            let gone: Vec<ContextId> = found.contexts.last().map(|c| c.id).into_iter().collect();
            store.delete(NAME, &gone).await.unwrap();
            store.delete(NAME, &ids[page * 3..=page * 3]).await.unwrap();
            if page < 3 {
                let fresh = record(&format!("fresh {page}"), &[1.0, 0.0]);
                store.insert(NAME, vec![fresh]).await.unwrap();
            }
            request.cursor = found.next_cursor;
            if request.cursor.is_none() {
                break;
            }
        }
        let distinct: BTreeSet<ContextId> = shown.iter().copied().collect();
        assert_eq!(distinct.len(), shown.len(), "{order:?}");
        for context in store.get(NAME, &ids).await.unwrap() {
            assert!(
                distinct.contains(&context.id),
                "{order:?}: {}",
                context.text
            );
        }
    }
}

/// A cursor that nobody gave out, or that was given out for another order, is refused and named.
pub async fn a_foreign_cursor_is_refused(subject: Subject) {
    let records = ["a", "b"].map(|text| record(text, &[1.0, 0.0]));
    let store = subject.filled(2, records.to_vec()).await;
    let request = |order, cursor| ScrollRequest {
        order,
        cursor,
        limit: 1,
        ..ScrollRequest::default()
    };
    for order in Order::ALL {
        let mut foreign: Vec<String> = ["", "x", "7", "-1", "1.5", "99999999999999999999"]
            .into_iter()
            .flat_map(|text| {
                let name = order.name();
                [
                    text.to_owned(),
                    format!("{name}:{text}:"),
                    format!("{name}:1:{text}:1"),
                ]
            })
            .collect();
        for other in Order::ALL.into_iter().filter(|other| *other != order) {
            let page = store.scroll(NAME, request(other, None)).await.unwrap();
            foreign.extend(page.next_cursor);
        }
        for cursor in foreign {
            let asked = request(order, Some(cursor.clone()));
            let error = store.scroll(NAME, asked).await.unwrap_err();
            assert!(
                matches!(&error, StoreError::BadCursor(c) if *c == cursor),
                "{order:?}: {error}"
            );
        }
    }
}

/// What stands in one collection is not seen from another, nor removed with it.
pub async fn collections_do_not_mix(subject: Subject) {
    let mine = record("mine", &[1.0, 0.0]);
    let store = subject.filled(2, vec![mine.clone()]).await;
    store.create_collection("other", &spec(2)).await.unwrap();
    let theirs = record("theirs", &[1.0, 0.0]);
    store.insert("other", vec![theirs.clone()]).await.unwrap();
    assert_eq!(ids_of(store, near(&[1.0, 0.0], 9)).await, [mine.id]);
    assert!(store.get(NAME, &[theirs.id]).await.unwrap().is_empty());
    assert_eq!(store.delete(NAME, &[theirs.id]).await.unwrap(), 0);
    store.delete_collection("other").await.unwrap();
    assert_eq!(count(store).await, 1);
    assert_eq!(ids_of(store, near(&[1.0, 0.0], 9)).await, [mine.id]);
}

/// Without a position of its own, a context stands after those of its session.
pub async fn positions_count_up_in_a_session(subject: Subject) {
    let turn = |text: &str, session: &str, position| Record {
        session: Some(session.to_owned()),
        position,
        ..record(text, &[1.0, 0.0])
    };
    let store = subject.filled(2, vec![]).await;
    let records = vec![
        turn("a", "s", None),
        turn("b", "s", None),
        turn("c", "t", None),
        turn("d", "s", Some(10)),
        turn("e", "s", None),
        record("f", &[1.0, 0.0]),
    ];
    let ids: Vec<ContextId> = records.iter().map(|record| record.id).collect();
    store.insert(NAME, records).await.unwrap();
    let found = store.get(NAME, &ids).await.unwrap();
    let positions: Vec<i64> = found.iter().map(|context| context.position).collect();
    assert_eq!(positions, [0, 1, 0, 10, 11, 0]);
}
