//! What is particular to SQLite; the behaviour of any store is tested in `tests/`.

use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::clock::FakeClock;
use crate::context::{ContextId, ContextLevel, Filter, Priority};
use crate::sources::SourceRules;
use crate::store::{Record, VectorStore};

mod large;

const NAME: &str = "c";

struct Place {
    folder: tempfile::TempDir,
    clock: Arc<FakeClock>,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: FakeClock::at("2026-01-01T00:00:00Z".parse().unwrap()),
        }
    }

    fn open(&self, access: Access) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(StoreOptions {
            path: self.folder.path().join("hirag.db"),
            access,
            lock_wait: Duration::ZERO,
            clock: self.clock.clone(),
        })
    }

    async fn store(&self) -> SqliteStore {
        let store = self.open(Access::Write).unwrap();
        let spec = VectorSpec {
            model: "m".into(),
            dimension: 2,
        };
        store.create_collection(NAME, &spec).await.unwrap();
        store
    }
}

/// A context as it is stored; the tests of the modules below take it too.
pub(super) fn record(text: &str, vector: Option<[f32; 2]>) -> Record {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    Record {
        id: ContextId::new(now),
        text: text.into(),
        level: ContextLevel::LongTerm,
        agent: None,
        session: None,
        created_at: now,
        updated_at: None,
        accessed_at: None,
        access_count: 0,
        token_count: 3,
        metadata: serde_json::Map::new(),
        source: None,
        source_key: None,
        position: None,
        expires_at: None,
        level_expiry: false,
        priority: Priority::Normal,
        vector: vector.map(Vec::from),
    }
}

/// Makes one change to one context.
async fn edited(store: &SqliteStore, id: ContextId, edit: Edit) {
    let change = LiveEdit {
        only_in: None,
        id,
        edit,
        merge: None,
    };
    let edited = store.edit_all(NAME, vec![change], rules()).await.unwrap();
    assert_eq!(edited, Ok(Vec::new()));
}

fn words(text: &str) -> CandidateQuery {
    CandidateQuery {
        text: Some(text.into()),
        ..CandidateQuery::default()
    }
}

async fn found(store: &SqliteStore, text: &str) -> Vec<ContextId> {
    let candidates = store.candidates(NAME, words(text)).await.unwrap();
    candidates
        .iter()
        .filter(|c| c.bm25.is_some())
        .map(|c| c.id)
        .collect()
}

fn rules() -> CleanUpRules {
    CleanUpRules {
        l1_size: 2,
        l2_size: 100,
        l3_enabled: true,
        promotion: Some(3),
        l2_expiry_ms: None,
        l3_expiry_ms: None,
        purge_before_ms: 0,
    }
}

/// Rules by which L2 keeps what comes back.
fn lasting() -> CleanUpRules {
    CleanUpRules {
        l2_expiry_ms: Some(i64::MAX),
        ..rules()
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_database_and_its_copies_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::new();
    let store = place.store().await;
    store
        .insert(NAME, vec![record("a diary", None)])
        .await
        .unwrap();
    let copy = place.folder.path().join("copy.db");
    let copied = store.back_up(&copy, |_| ControlFlow::Continue(())).await;
    assert!(copied.unwrap().is_continue());
    for name in ["hirag.db", "hirag.db-wal", "copy.db"] {
        let facts = place.folder.path().join(name).metadata().unwrap();
        assert_eq!(facts.permissions().mode() & 0o077, 0, "{name}");
    }
}

#[tokio::test]
async fn a_backup_tells_how_far_it_is_and_leaves_nothing_when_it_is_broken_off() {
    let place = Place::new();
    let store = place.store().await;
    let records =
        (0..2_000).map(|i| record(&format!("entry {i} of a diary"), Some([1.0, i as f32])));
    store.insert(NAME, records.collect()).await.unwrap();
    let copy = place.folder.path().join("copy.db");
    let names = || {
        let entries = std::fs::read_dir(place.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    for checking in [false, true] {
        let looks = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&looks);
        let watch = move |progress: BackupProgress| {
            seen.lock().push(progress);
            let in_the_midst = seen
                .lock()
                .iter()
                .filter(|p| p.checking == checking)
                .count()
                > 1;
            match in_the_midst {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let end = store.back_up(&copy, watch).await.unwrap();
        assert_eq!(end, ControlFlow::Break(()), "{:?}", looks.lock());
        assert_eq!(names(), before);
    }
    let last = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&last);
    let watch = move |progress| {
        *seen.lock() = Some(progress);
        ControlFlow::Continue(())
    };
    let end = store.back_up(&copy, watch).await.unwrap();
    assert_eq!(end, ControlFlow::Continue(()));
    let last = last.lock().unwrap();
    assert!(
        last.checking && last.bytes_done > last.bytes_total / 2,
        "{last:?}"
    );
}

#[tokio::test]
async fn who_only_reads_is_told_who_writes() {
    let place = Place::new();
    let writer = place.store().await;
    let reader = place.open(Access::Read).unwrap();
    let error = reader.delete(NAME, &[]).await.unwrap_err();
    assert_eq!(error.code(), "store_locked");
    let process = std::process::id().to_string();
    assert!(error.to_string().contains(&process), "{error}");
    writer.shut_down();
    let error = reader.delete(NAME, &[]).await.unwrap_err();
    assert_eq!(error.code(), "store_read_only");
}

#[test]
fn what_is_no_file_is_told_as_such() {
    let place = Place::new();
    std::fs::create_dir(place.folder.path().join("hirag.db")).unwrap();
    for access in [Access::Read, Access::Write, Access::WriteIfFree] {
        let error = place.open(access).unwrap_err();
        assert_eq!(error.code(), "store_cannot_open");
        let told = error.to_string();
        assert!(
            told.contains("it is a folder, and must be a file"),
            "{told}"
        );
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_told_as_such() {
    let place = Place::new();
    // Nobody may open it as a file, whatever their rights.
    let _socket = std::os::unix::net::UnixListener::bind(place.folder.path().join("hirag.db"));
    let error = place.open(Access::Read).unwrap_err();
    assert_eq!(error.code(), "store_cannot_open");
    let told = error.to_string();
    assert!(told.contains("it is there, but cannot be read"), "{told}");
}

#[tokio::test]
async fn a_changed_text_is_found_by_its_new_words_only() {
    let place = Place::new();
    let store = place.store().await;
    let first = record("walking dogs", Some([1.0, 0.0]));
    let id = first.id;
    store.insert(NAME, vec![first]).await.unwrap();
    assert_eq!(found(&store, "dog").await, [id]);
    let edit = Edit {
        text: Some(("sleeping cats".into(), 2, None)),
        ..Edit::default()
    };
    edited(&store, id, edit).await;
    let context = store.get(NAME, &[id]).await.unwrap().remove(0);
    assert_eq!(context.embedding, crate::context::EmbeddingState::Pending);
    assert!(found(&store, "dog").await.is_empty());
    assert_eq!(found(&store, "cats").await, [id]);
    store.delete(NAME, &[id]).await.unwrap();
    assert!(found(&store, "cats").await.is_empty());
    assert!(store.inspect(NAME).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_reader_sees_what_the_writer_of_another_handle_commits() {
    let place = Place::new();
    let writer = place.store().await;
    assert_eq!(
        place.open(Access::Write).unwrap_err().code(),
        "store_locked"
    );
    let reader = place.open(Access::WriteIfFree).unwrap();
    assert!(!reader.is_writable());
    assert!(found(&reader, "fox").await.is_empty());
    writer
        .insert(NAME, vec![record("a fox", None)])
        .await
        .unwrap();
    assert_eq!(found(&reader, "fox").await.len(), 1);
    let refused = reader.insert(NAME, vec![record("x", None)]).await;
    assert_eq!(refused.unwrap_err().code(), "store_locked");
}

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let place = Place::new();
    let store = place.store().await;
    let mut one = record("a fox in the snow", Some([3.0, 4.0]));
    one.metadata = json!({"tags": ["a", "b"], "deep": {"er": 1}})
        .as_object()
        .unwrap()
        .clone();
    one.session = Some("s".into());
    store.insert(NAME, vec![one.clone()]).await.unwrap();
    store.shut_down();
    let store = place.open(Access::Write).unwrap();
    let context = store.get(NAME, &[one.id]).await.unwrap().remove(0);
    assert_eq!((context.text, context.metadata), (one.text, one.metadata));
    let query = CandidateQuery {
        vector: Some(vec![0.6, 0.8]),
        ..CandidateQuery::default()
    };
    let candidates = store.candidates(NAME, query).await.unwrap();
    assert!((candidates.get(0).cosine.unwrap() - 1.0).abs() < 1e-6);
}

#[tokio::test]
async fn a_new_vector_set_serves_only_after_the_switch() {
    let place = Place::new();
    let store = place.store().await;
    store
        .insert(
            NAME,
            vec![record("one", Some([1.0, 0.0])), record("two", None)],
        )
        .await
        .unwrap();
    let spec = VectorSpec {
        model: "n".into(),
        dimension: 3,
    };
    store.begin_building(NAME, &spec).await.unwrap();
    let missing = store.missing(NAME, 10).await.unwrap();
    assert_eq!(missing.len(), 2);
    let half = vec![(missing[0].clone(), vec![0.0, 0.0, 2.0])];
    store.build(NAME, half).await.unwrap();
    assert_eq!(store.vector_spec(NAME).await.unwrap().model, "m");
    let building = store.building(NAME).await.unwrap().unwrap();
    assert_eq!((building.done, building.total), (1, 2));
    store.switch(NAME).await.unwrap();
    assert_eq!(store.vector_spec(NAME).await.unwrap(), spec);
    assert_eq!(store.pending(NAME, 10).await.unwrap().len(), 1);
    assert!(store.inspect(NAME).await.unwrap().is_ok());
}

#[tokio::test]
async fn l1_keeps_its_size_and_moves_the_rest_to_l2() {
    let place = Place::new();
    let store = place.store().await;
    for text in ["one", "two", "three"] {
        let mut new = record(text, None);
        new.level = ContextLevel::Immediate;
        let batch = WriteBatch {
            insert: vec![new],
            ..WriteBatch::default()
        };
        store.apply(NAME, batch, rules()).await.unwrap();
    }
    let counts = store.counts(NAME).await.unwrap();
    assert_eq!(counts.contexts_per_level.immediate, 2);
    assert_eq!(counts.contexts_per_level.short_term, 1);
}

#[tokio::test]
async fn clean_up_marks_undo_brings_back_and_purge_removes() {
    let place = Place::new();
    let store = place.store().await;
    let mut short = record("short lived", None);
    short.level = ContextLevel::ShortTerm;
    short.expires_at = Some("2026-01-02T00:00:00Z".parse().unwrap());
    short.level_expiry = true;
    let mut used = record("often used", None);
    used.level = ContextLevel::ShortTerm;
    used.access_count = 3;
    let (short_id, used_id) = (short.id, used.id);
    store.insert(NAME, vec![short, used]).await.unwrap();
    place.clock.advance(Duration::from_secs(2 * 86_400));
    assert!(
        found(&store, "short").await.is_empty(),
        "expired before clean-up"
    );
    let plan = store.clean_up(NAME, rules(), true).await.unwrap();
    assert_eq!(plan.expired[0].id, short_id);
    assert_eq!(plan.promoted[0].id, used_id);
    assert_eq!(store.counts(NAME).await.unwrap().deleted, 0);
    let done = store.clean_up(NAME, rules(), false).await.unwrap();
    assert_eq!((done.expired, done.promoted), (plan.expired, plan.promoted));
    assert_eq!(store.counts(NAME).await.unwrap().deleted, 1);
    let restored = store.undo(NAME, None, lasting()).await.unwrap().unwrap();
    assert_eq!(restored.ids, [short_id]);
    assert_eq!(found(&store, "short").await, [short_id]);
    store
        .mark_deleted(NAME, vec![short_id])
        .await
        .unwrap()
        .unwrap();
    let purged = store.purge(NAME, i64::MAX).await.unwrap();
    assert_eq!(purged.texts, ["short lived"]);
    assert_eq!(
        store.undo(NAME, None, rules()).await.unwrap_err().code(),
        "nothing_to_undo"
    );
    assert!(store.inspect(NAME).await.unwrap().is_ok());
}

#[tokio::test]
async fn filters_reach_every_field_and_combine() {
    let place = Place::new();
    let store = place.store().await;
    let mut records = Vec::new();
    for number in 0..20 {
        let mut new = record(&format!("text {number}"), Some([1.0, number as f32]));
        new.metadata = json!({"n": number, "half": number as f64 / 2.0, "even": number % 2 == 0,
            "tags": [format!("t{}", number % 3), "all"], "deep": {"k": number}})
        .as_object()
        .unwrap()
        .clone();
        new.agent = (number % 4 == 0).then(|| "bot".into());
        records.push(new);
    }
    store.insert(NAME, records).await.unwrap();
    for (filter, expected) in [
        (json!({"must": [{"key": "n", "match": 3}]}), 1),
        (json!({"must": [{"key": "n", "match": "3"}]}), 0),
        (
            json!({"must": [{"key": "half", "range": {"gte": 1, "lt": 2.5}}]}),
            3,
        ),
        (json!({"must": [{"key": "even", "match": true}]}), 10),
        (json!({"must": [{"key": "even", "match": 1}]}), 0),
        (json!({"must": [{"key": "tags", "any": ["t0", "t1"]}]}), 14),
        (json!({"must": [{"key": "deep.k", "range": {"gt": 17}}]}), 2),
        (json!({"must": [{"key": "deep", "exists": true}]}), 20),
        (json!({"must": [{"key": "nothing", "exists": false}]}), 20),
        (json!({"must": [{"key": "agent", "match": "bot"}]}), 5),
        (json!({"must_not": [{"key": "agent", "match": "bot"}]}), 15),
        (json!({"must": [{"key": "agent", "exists": false}]}), 15),
        (
            json!({"should": [{"key": "n", "match": 1}, {"key": "n", "match": 2}]}),
            2,
        ),
        (
            json!({"must": [{"key": "level", "match": "L3"}],
                "must_not": [{"key": "n", "range": {"gt": 4}}]}),
            5,
        ),
        (
            json!({"must": [{"key": "created_at", "range": {"lt": "2026-01-01T00:00:01Z"}}]}),
            20,
        ),
        (
            json!({"must": [{"key": "token_count", "range": {"gte": 3}}]}),
            20,
        ),
    ] {
        let filter: Filter = serde_json::from_value(filter).unwrap();
        assert_eq!(
            store.count(NAME, &filter).await.unwrap(),
            expected,
            "{filter:?}"
        );
        let query = CandidateQuery {
            filter: filter.clone(),
            ..CandidateQuery::default()
        };
        let candidates = store.candidates(NAME, query).await.unwrap();
        assert_eq!(candidates.len() as u64, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn an_access_is_known_to_the_searches_after_it() {
    let place = Place::new();
    let store = place.store().await;
    let (used, other) = (record("apples", Some([1.0, 0.0])), record("pears", None));
    let id = used.id;
    store.insert(NAME, vec![used]).await.unwrap();
    let accesses = async |store: &SqliteStore| {
        let candidates = store.candidates(NAME, words("apples")).await.unwrap();
        let item = candidates.iter().find(|item| item.id == id).unwrap();
        assert!(item.bm25.is_some());
        let stored = store.get(NAME, &[id]).await.unwrap().remove(0);
        (item.access_count, stored.accessed_at.as_millisecond())
    };
    let (before, created_ms) = accesses(&store).await;
    place.clock.advance(Duration::from_secs(60));
    store.record_retrieval(&[id], None);
    // Nobody waits for a touch, but what is written after it is.
    store.insert(NAME, vec![other]).await.unwrap();
    assert_eq!(before, 0);
    assert_eq!(accesses(&store).await, (1, created_ms + 60_000));
}

#[tokio::test]
async fn only_the_words_in_their_order_are_the_phrase() {
    let place = Place::new();
    let store = place.store().await;
    let phrase = record("we saw the cat on the mat", None);
    let id = phrase.id;
    let shuffled = record("a mat was on the cat", None);
    store.insert(NAME, vec![shuffled, phrase]).await.unwrap();
    let marked = async |query: &str| -> Vec<ContextId> {
        let candidates = store.candidates(NAME, words(query)).await.unwrap();
        let phrases = candidates.iter().filter(|item| item.phrase);
        phrases.map(|item| item.id).collect()
    };
    assert_eq!(marked("the cat on the mat").await, [id]);
    assert!(marked("the cat on the roof").await.is_empty());
}

#[tokio::test]
async fn whatever_searches_can_notice_makes_another_generation() {
    let place = Place::new();
    let store = place.store().await;
    let mut short = record("short lived", Some([1.0, 0.0]));
    short.level = ContextLevel::ShortTerm;
    short.expires_at = Some("2026-01-02T00:00:00Z".parse().unwrap());
    short.level_expiry = true;
    let id = short.id;
    let mut last = store.generation().unwrap();
    let mut changed = |what: &str, expected: bool| {
        let now = store.generation().unwrap();
        assert_eq!(now != last, expected, "{what}");
        last = now;
    };
    store.insert(NAME, vec![short]).await.unwrap();
    changed("a new context", true);
    let other = Edit {
        metadata: json!({"kind": "note"}).as_object().cloned(),
        ..Edit::default()
    };
    edited(&store, id, other).await;
    changed("other metadata", true);
    let other = Edit {
        text: Some(("other words".into(), 2, None)),
        ..Edit::default()
    };
    edited(&store, id, other).await;
    changed("another text", true);
    let pending = store.pending(NAME, 10).await.unwrap();
    let vectors = pending.into_iter().map(|text| (text, vec![0.0, 1.0]));
    store.fulfil(NAME, vectors.collect()).await.unwrap();
    changed("a vector that was waited for", true);
    store.record_retrieval(&[id], None);
    store.written().await;
    changed("an access", true);
    store.written().await;
    store.counts(NAME).await.unwrap();
    changed("nothing", false);
    place.clock.advance(Duration::from_secs(2 * 86_400));
    store.clean_up(NAME, rules(), false).await.unwrap();
    changed("a clean-up", true);
    store.undo(NAME, None, lasting()).await.unwrap().unwrap();
    changed("what came back", true);
    let spec = VectorSpec {
        model: "n".into(),
        dimension: 3,
    };
    store.begin_building(NAME, &spec).await.unwrap();
    let missing = store.missing(NAME, 10).await.unwrap();
    let built = missing.into_iter().map(|text| (text, vec![0.0, 0.0, 1.0]));
    store.build(NAME, built.collect()).await.unwrap();
    changed("vectors that do not serve yet", false);
    store.switch(NAME).await.unwrap();
    changed("another model", true);
    let deleted = store.mark_deleted(NAME, vec![id]).await.unwrap();
    deleted.unwrap();
    changed("a deletion", true);
    assert!(place.open(Access::Read).unwrap().generation().is_none());
}

#[tokio::test]
async fn counting_is_done_once_until_something_is_written() {
    let place = Place::new();
    let store = place.store().await;
    store.slow_statements().set_least_ms(0);
    let counted = || {
        let all = store.slow_statements().latest();
        all.iter().filter(|one| one.operation == "counts").count()
    };
    let before = store.counts(NAME).await.unwrap();
    let ran = counted();
    assert!(ran > 0);
    assert_eq!(store.counts(NAME).await.unwrap(), before);
    assert_eq!(counted(), ran, "nothing was asked again");
    let one = record("one", Some([1.0, 0.0]));
    store.insert(NAME, vec![one]).await.unwrap();
    assert_eq!(store.counts(NAME).await.unwrap().total_contexts, 1);
    assert!(counted() > ran);
}

#[tokio::test]
async fn who_only_reads_counts_what_another_process_has_written() {
    let place = Place::new();
    let writer = place.store().await;
    let reader = place.open(Access::Read).unwrap();
    assert_eq!(reader.counts(NAME).await.unwrap().total_contexts, 0);
    let one = record("one", Some([1.0, 0.0]));
    writer.insert(NAME, vec![one]).await.unwrap();
    assert_eq!(reader.counts(NAME).await.unwrap().total_contexts, 1);
}

#[tokio::test]
async fn slow_reads_writes_and_commits_are_kept_by_what_they_were_for() {
    let place = Place::new();
    let store = place.store().await;
    store.slow_statements().set_least_ms(0);
    let one = record("the harbour", Some([1.0, 0.0]));
    store.insert(NAME, vec![one]).await.unwrap();
    found(&store, "harbour").await;
    let kept = store.slow_statements().latest();
    let of = |operation, statement: &str| {
        let mut all = kept.iter();
        all.any(|one| one.operation == operation && one.statement.starts_with(statement))
    };
    assert!(of("insert", "INSERT INTO contexts"), "{kept:#?}");
    assert!(of("commit", "COMMIT"), "{kept:#?}");
    let read = kept.iter().filter(|one| one.operation == "retrieve");
    let planned = |one: &&crate::metrics::SlowStatement| !one.plan.is_empty();
    assert!(read.filter(planned).count() > 0, "{kept:#?}");
    assert!(!format!("{kept:?}").contains("harbour"));
}

#[tokio::test]
async fn where_a_kept_file_stands_is_not_forgotten_when_it_is_imported_by_itself() {
    let place = Place::new();
    let store = place.store().await;
    let new = NewKept {
        name: None,
        path: "/notes".into(),
        watch: false,
        rules: SourceRules::default(),
    };
    let kept = store.keep(NAME, new).await.unwrap().unwrap();
    let read = async |kept_by, apart| {
        let batch = WriteBatch {
            source: Some(SourceState {
                source: "/notes/disk/a.md".into(),
                fingerprint: [1; 32],
                contexts: 0,
                kept_by,
                stamp: None,
                problem: None,
                apart,
            }),
            ..WriteBatch::default()
        };
        store.apply(NAME, batch, rules()).await.unwrap();
        let state = store.source(NAME, "/notes/disk/a.md").await.unwrap();
        let state = state.unwrap();
        (state.kept_by, state.apart)
    };
    let id = Some(kept.id);
    assert_eq!(read(id, true).await, (id, true));
    assert_eq!(read(None, false).await, (id, true));
    assert_eq!(read(id, false).await, (id, false));
}
