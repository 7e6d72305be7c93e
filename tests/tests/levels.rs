//! The levels through the façade: what is evicted, expires, is promoted, undone and purged.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::time::Duration;

use hirag::HiragManager;
use hirag::clock::Clock as _;
use hirag::config::Config;
use hirag::context::{
    Context, ContextId, ContextLevel, ContextPatch, ContextRequest, LevelCounts, NewContext,
};
use hirag::embedding::CACHE_FILE;
use hirag::store::sqlite::CleanUpItem;
use hirag_tests::place::{Place, assert_sound, settled, store_all, texts};

const DAY: Duration = Duration::from_secs(24 * 3_600);

async fn store(manager: &HiragManager, text: &str, level: ContextLevel) -> ContextId {
    let new = NewContext::new(text).at_level(level);
    manager.store(new).await.unwrap().id
}

async fn level_of(manager: &HiragManager, id: ContextId) -> ContextLevel {
    manager.get(id).await.unwrap().level
}

async fn per_level(manager: &HiragManager) -> [u64; 3] {
    let LevelCounts {
        immediate,
        short_term,
        long_term,
    } = manager.stats().await.unwrap().counts.contexts_per_level;
    [immediate, short_term, long_term]
}

async fn use_it(manager: &HiragManager, query: &str, times: usize) {
    for _ in 0..times {
        let request = ContextRequest {
            limit: Some(1),
            ..ContextRequest::new(query)
        };
        manager.retrieve(request).await.unwrap();
    }
    settled(manager).await;
}

#[tokio::test]
async fn what_l1_cannot_hold_moves_to_l2_least_recently_used_first() {
    let place = Place::with("[hirag]\nl1_size = 2");
    let manager = place.open().await;
    let first = store(&manager, "apple", ContextLevel::Immediate).await;
    place.clock.advance(Duration::from_secs(1));
    let second = store(&manager, "pear", ContextLevel::Immediate).await;
    place.clock.advance(Duration::from_secs(1));
    use_it(&manager, "apple", 1).await;
    place.clock.advance(Duration::from_secs(1));
    let third = store(&manager, "plum", ContextLevel::Immediate).await;
    assert_eq!(level_of(&manager, first).await, ContextLevel::Immediate);
    assert_eq!(level_of(&manager, second).await, ContextLevel::ShortTerm);
    assert_eq!(level_of(&manager, third).await, ContextLevel::Immediate);
    assert_eq!(per_level(&manager).await, [2, 1, 0]);
    // It expires as what is in L2 does.
    let evicted = manager.get(second).await.unwrap();
    assert!(evicted.expires_at.is_some());
    assert!(
        texts(&manager, ContextRequest::new("pear"))
            .await
            .contains(&"pear".to_owned())
    );
}

#[tokio::test]
async fn moving_into_a_full_l1_evicts_and_everyone_sees_it() {
    let place = Place::with("[hirag]\nl1_size = 2");
    let manager = place.open().await;
    let old = store(&manager, "apple", ContextLevel::Immediate).await;
    place.clock.advance(Duration::from_secs(1));
    store(&manager, "pear", ContextLevel::Immediate).await;
    place.clock.advance(Duration::from_secs(1));
    let moved = store(&manager, "plum", ContextLevel::LongTerm).await;
    use_it(&manager, "plum", 1).await;
    manager
        .move_to(moved, ContextLevel::Immediate)
        .await
        .unwrap();
    assert_eq!(per_level(&manager).await, [2, 1, 0]);
    assert_eq!(level_of(&manager, old).await, ContextLevel::ShortTerm);
    assert_eq!(level_of(&manager, moved).await, ContextLevel::Immediate);
    let response = manager
        .retrieve(ContextRequest::new("apple"))
        .await
        .unwrap();
    let apple = response
        .contexts
        .iter()
        .find(|c| c.context.id == old)
        .unwrap();
    assert_eq!(apple.context.level, ContextLevel::ShortTerm);
    assert_eq!(manager.stats().await.unwrap().working_set, 2);
}

/// The contexts of which a part of their fate is that the next clean-up moves them.
async fn told_to_move(manager: &HiragManager, ids: &[ContextId], to: &str) -> Vec<ContextId> {
    let mut told = Vec::new();
    for id in ids {
        let fate = manager.details(*id).await.unwrap().fate;
        let moves = format!("the next clean-up moves it to {to}");
        if fate.iter().any(|fate| fate.sentence.contains(&moves)) {
            told.push(*id);
        }
    }
    told
}

#[tokio::test]
async fn the_fate_that_is_told_is_what_the_clean_up_does_of_equally_old_ones_too() {
    let place = Place::with("[levels]\npromotion = 2\nl2_ttl = \"30d\"");
    let manager = place.open().await;
    // All at one moment, and one of each level used.
    let mut ids = Vec::new();
    for level in [ContextLevel::Immediate, ContextLevel::ShortTerm] {
        for word in ["apple", "pear", "plum", "fig", "quince"] {
            ids.push(store(&manager, &format!("{word} {level}"), level).await);
        }
    }
    use_it(&manager, "pear ShortTerm", 2).await;
    let passing = NewContext {
        expires_at: Some(place.clock.now() + Duration::from_secs(1)),
        ..NewContext::new("passing").at_level(ContextLevel::ShortTerm)
    };
    ids.push(manager.store(passing).await.unwrap().id);
    place.clock.advance(Duration::from_secs(1));
    let mut config = (*manager.config()).clone();
    config.hirag.l1_size = 2;
    config.hirag.l2_size = 3;
    manager.update_config(config).unwrap();

    let plan = manager.clean_up(true).await.unwrap();
    let ids_of = |items: &[CleanUpItem]| -> Vec<ContextId> {
        let mut ids: Vec<ContextId> = items.iter().map(|item| item.id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!((plan.evicted.len(), plan.promoted.len()), (3, 1));
    assert_eq!((plan.overflowed.len(), plan.expired.len()), (1, 1));
    let mut to_l2 = told_to_move(&manager, &ids, "L2").await;
    to_l2.sort_unstable();
    assert_eq!(to_l2, ids_of(&plan.evicted));
    let mut to_l3 = told_to_move(&manager, &ids, "L3").await;
    to_l3.sort_unstable();
    let leaving = [plan.promoted, plan.overflowed].concat();
    assert_eq!(to_l3, ids_of(&leaving));
}

#[tokio::test]
async fn two_changes_of_the_metadata_at_once_are_both_there() {
    let place = Place::new();
    let manager = place.open().await;
    let id = store(&manager, "apple", ContextLevel::LongTerm).await;
    let set = |key: &str| {
        let patch = ContextPatch {
            merge_metadata: Some([(key.to_owned(), true.into())].into_iter().collect()),
            ..ContextPatch::default()
        };
        manager.update(id, patch)
    };
    let (one, other) = tokio::join!(set("red"), set("ripe"));
    one.unwrap();
    other.unwrap();
    let metadata = manager.get(id).await.unwrap().metadata;
    assert!(
        metadata.contains_key("red") && metadata.contains_key("ripe"),
        "{metadata:?}"
    );
}

#[tokio::test]
async fn moving_many_of_which_one_is_gone_moves_none() {
    let place = Place::new();
    let manager = place.open().await;
    let kept = store(&manager, "apple", ContextLevel::LongTerm).await;
    let gone = store(&manager, "pear", ContextLevel::LongTerm).await;
    manager.delete(vec![gone]).await.unwrap();
    let error = manager
        .move_all(&[kept, gone], ContextLevel::ShortTerm)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "not_found");
    assert_eq!(level_of(&manager, kept).await, ContextLevel::LongTerm);
    manager.undo(None).await.unwrap();
    let both = [kept, gone, kept];
    let moved = manager.move_all(&both, ContextLevel::ShortTerm);
    assert_eq!(moved.await.unwrap(), 2);
    assert_eq!(level_of(&manager, gone).await, ContextLevel::ShortTerm);
}

#[tokio::test]
async fn undoing_an_unknown_context_brings_nothing_back() {
    let place = Place::new();
    let manager = place.open().await;
    let id = store(&manager, "apple", ContextLevel::LongTerm).await;
    manager.delete(vec![id]).await.unwrap();
    let unknown = ContextId::new(place.clock.now());
    let error = manager.undo(Some(vec![id, unknown])).await.unwrap_err();
    assert_eq!(error.code(), "not_found");
    assert!(manager.get(id).await.unwrap().deleted_at.is_some());
    assert_eq!(manager.undo(Some(vec![id])).await.unwrap().ids, [id]);
}

#[tokio::test]
async fn a_restart_restores_l1() {
    let place = Place::new();
    let manager = place.open().await;
    let id = store(&manager, "apple", ContextLevel::Immediate).await;
    store(&manager, "pear", ContextLevel::LongTerm).await;
    let before = manager.get(id).await.unwrap();
    manager.shut_down().await.unwrap();
    drop(manager);
    let manager = place.open().await;
    assert_eq!(manager.stats().await.unwrap().working_set, 1);
    assert_eq!(manager.get(id).await.unwrap(), before);
    let response = manager
        .retrieve(ContextRequest::new("apple"))
        .await
        .unwrap();
    assert_eq!(response.contexts[0].context, before);
}

#[tokio::test]
async fn a_reader_sees_what_the_writer_changed_in_l1() {
    let place = Place::new();
    let writer = place.open().await;
    let id = store(&writer, "apple", ContextLevel::Immediate).await;
    let reader = place.open_to_read().await.unwrap();
    assert_eq!(reader.get(id).await.unwrap().text, "apple");
    let patch = ContextPatch {
        text: Some("quince".to_owned()),
        ..ContextPatch::default()
    };
    writer.update(id, patch).await.unwrap();
    assert_eq!(reader.get(id).await.unwrap().text, "quince");
    assert_eq!(
        texts(&reader, ContextRequest::new("quince")).await,
        ["quince"]
    );
    writer.delete(vec![id]).await.unwrap();
    assert!(reader.get(id).await.unwrap().deleted_at.is_some());
}

#[tokio::test]
async fn use_promotes_from_l2_to_l3() {
    let place = Place::with("[levels]\npromotion = 3");
    let manager = place.open().await;
    let used = store(&manager, "apple", ContextLevel::ShortTerm).await;
    let idle = store(&manager, "pear", ContextLevel::ShortTerm).await;
    use_it(&manager, "apple", 2).await;
    assert!(manager.clean_up(false).await.unwrap().promoted.is_empty());
    use_it(&manager, "apple", 1).await;
    assert_eq!(manager.get(used).await.unwrap().access_count, 3);
    let planned = manager.clean_up(true).await.unwrap();
    assert_eq!(planned.promoted[0].id, used);
    assert_eq!(level_of(&manager, used).await, ContextLevel::ShortTerm);
    let done = manager.clean_up(false).await.unwrap();
    assert_eq!(done.promoted, planned.promoted);
    assert_eq!(level_of(&manager, used).await, ContextLevel::LongTerm);
    assert_eq!(level_of(&manager, idle).await, ContextLevel::ShortTerm);
    // What is kept for ever does not expire with what it was promoted from.
    assert_eq!(manager.get(used).await.unwrap().expires_at, None);
}

#[tokio::test]
async fn l2_expires_is_undone_and_is_purged_with_its_cached_vector() {
    let mut place = Place::new();
    place.config = Config::from_toml(
        "[embedding]\ncache_ttl_secs = 0\n[hirag.token_estimator]\nkind = \"chars\"\n[levels]\nl2_ttl = \"30d\"\npurge_after = \"7d\"",
    )
    .unwrap();
    let manager = place.open().await;
    let id = store(&manager, "a fleeting thought", ContextLevel::ShortTerm).await;
    let kept = store(&manager, "a lasting one", ContextLevel::LongTerm).await;
    place.clock.advance(30 * DAY - Duration::from_secs(1));
    assert!(manager.clean_up(true).await.unwrap().expired.is_empty());
    place.clock.advance(Duration::from_secs(1));
    // Expired, it is no longer returned, even before the clean-up marks it.
    let query = || ContextRequest::new("fleeting thought");
    assert!(
        !texts(&manager, query())
            .await
            .contains(&"a fleeting thought".to_owned())
    );

    let planned = manager.clean_up(true).await.unwrap();
    assert!(planned.dry_run && planned.operation.is_none());
    assert_eq!(planned.expired[0].id, id);
    assert_eq!(manager.get(id).await.unwrap().deleted_at, None);
    let done = manager.clean_up(false).await.unwrap();
    assert_eq!(done.expired, planned.expired);
    assert!(done.operation.is_some());
    assert!(manager.get(id).await.unwrap().deleted_at.is_some());

    let restored = manager.undo(None).await.unwrap();
    assert_eq!(restored.ids, [id]);
    assert!(
        texts(&manager, query())
            .await
            .contains(&"a fleeting thought".to_owned())
    );
    assert_eq!(
        manager.undo(None).await.unwrap_err().code(),
        "nothing_to_undo"
    );

    place.clock.advance(30 * DAY);
    manager.clean_up(false).await.unwrap();
    place.clock.advance(7 * DAY);
    assert_eq!(manager.purge(None).await.unwrap().purged, 0);
    place.clock.advance(Duration::from_secs(1));
    assert_eq!(manager.clean_up(true).await.unwrap().due_for_purge, 1);
    assert_eq!(manager.purge(None).await.unwrap().purged, 1);
    assert_eq!(manager.get(id).await.unwrap_err().code(), "not_found");
    assert_eq!(
        manager.undo(None).await.unwrap_err().code(),
        "nothing_to_undo"
    );
    manager.get(kept).await.unwrap();
    assert_sound(&manager).await;

    // The cache has forgotten the purged text, and it alone.
    place.provider.take_asked();
    store(&manager, "a lasting one", ContextLevel::LongTerm).await;
    store(&manager, "a fleeting thought", ContextLevel::LongTerm).await;
    assert_eq!(place.provider.take_asked(), ["a fleeting thought"]);
    assert!(place.data_dir().join(CACHE_FILE).exists());
}

#[tokio::test]
async fn a_purged_text_that_another_context_has_keeps_its_vector() {
    let mut place = Place::new();
    place.config = Config::from_toml("[hirag.token_estimator]\nkind = \"chars\"").unwrap();
    let manager = place.open().await;
    let ids = store_all(&manager, &["twice", "twice"]).await;
    manager.delete(vec![ids[0]]).await.unwrap();
    assert_eq!(manager.purge(Some(Duration::ZERO)).await.unwrap().purged, 1);
    place.provider.take_asked();
    store_all(&manager, &["twice"]).await;
    assert!(place.provider.take_asked().is_empty());
}

#[tokio::test]
async fn deleting_and_clearing_are_undone_one_by_one() {
    let place = Place::new();
    let manager = place.open().await;
    let ids = store_all(&manager, &["a", "b", "c"]).await;
    let l1 = store(&manager, "in l1", ContextLevel::Immediate).await;
    let before: Vec<Context> = futures::future::join_all(ids.iter().map(|id| manager.get(*id)))
        .await
        .into_iter()
        .map(|context| context.unwrap())
        .collect();
    manager.delete(vec![ids[0]]).await.unwrap();
    for error in [
        manager.delete(vec![ids[1], ids[0]]).await.unwrap_err(),
        manager
            .move_to(ids[0], ContextLevel::ShortTerm)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.code(), "not_found");
        let way_back = format!("`hirag undo {}`", ids[0]);
        assert!(error.to_string().contains(&way_back), "{error}");
    }
    assert_eq!(per_level(&manager).await, [1, 0, 2]);
    let cleared = manager.clear(ContextLevel::LongTerm).await.unwrap();
    assert_eq!(cleared.ids.len(), 2);
    manager.clear(ContextLevel::Immediate).await.unwrap();
    assert_eq!(manager.stats().await.unwrap().working_set, 0);

    assert_eq!(manager.undo(None).await.unwrap().ids, [l1]);
    assert_eq!(manager.stats().await.unwrap().working_set, 1);
    assert_eq!(manager.undo(None).await.unwrap().ids.len(), 2);
    assert_eq!(
        manager.undo(Some(vec![ids[0]])).await.unwrap().ids,
        [ids[0]]
    );
    for context in before {
        assert_eq!(manager.get(context.id).await.unwrap(), context);
    }
    assert_sound(&manager).await;
}

#[tokio::test]
async fn what_l2_cannot_hold_moves_to_l3() {
    let place = Place::with("[hirag]\nl2_size = 2");
    let manager = place.open().await;
    let mut ids = Vec::new();
    for text in ["a", "b", "c"] {
        ids.push(store(&manager, text, ContextLevel::ShortTerm).await);
        place.clock.advance(Duration::from_secs(1));
    }
    let report = manager.clean_up(false).await.unwrap();
    assert_eq!(report.overflowed[0].id, ids[0]);
    assert_eq!(per_level(&manager).await, [0, 2, 1]);
}
