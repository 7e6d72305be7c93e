//! The watch on the process's memory, by the clock of the tests.

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::time::{Duration, Instant};

use super::*;
use crate::clock::FakeClock;
use crate::config::Config;
use crate::context::{ContextRequest, NewContext, Priority};
use crate::manager::OpenOptions;
use crate::manager::testing::one_thought;

async fn memory(limit_mb: u64) -> (HiragManager, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.metrics.memory_limit_mb = limit_mb;
    let manager = HiragManager::open(OpenOptions {
        clock: FakeClock::at(Timestamp::UNIX_EPOCH),
        provider: one_thought(),
        ..OpenOptions::new(config, folder.path())
    });
    (manager.await.unwrap(), folder)
}

#[tokio::test]
async fn near_the_limit_caches_drop_their_less_used_half_and_who_listens_is_told_once() {
    let (manager, _folder) = memory(1).await;
    let mut told = manager.memory_strains();
    manager.store(NewContext::new("a harbour")).await.unwrap();
    for query in ["one", "two", "three", "four"] {
        manager.retrieve(ContextRequest::new(query)).await.unwrap();
    }
    let held = || async {
        let stats = manager.stats().await.unwrap();
        (
            stats.embedding_cache.unwrap().memory.entries,
            stats.answer_cache.entries,
        )
    };
    let (vectors, answers) = held().await;
    assert_eq!((vectors, answers), (5, 4));
    manager.watch_memory().await;
    assert_eq!(held().await, (2, 2));
    let strain = told.try_recv().unwrap();
    assert_eq!((strain.dropped, strain.limit_bytes), (5, 1 << 20));
    assert!(strain.resident_bytes > strain.limit_bytes);
    manager.watch_memory().await;
    assert_eq!(held().await, (1, 1));
    assert!(told.try_recv().is_err(), "it is told once");
    let embedder = manager.inner.models.configured(None).await.unwrap();
    let last = embedder
        .embed_query("four", Priority::Normal)
        .await
        .unwrap();
    assert_eq!(last.cache, crate::embedding::CacheOutcome::Memory);
}

#[tokio::test]
async fn without_a_limit_nothing_is_dropped_and_nobody_told() {
    let (manager, _folder) = memory(0).await;
    let mut told = manager.memory_strains();
    manager.store(NewContext::new("a harbour")).await.unwrap();
    manager.watch_memory().await;
    let stats = manager.stats().await.unwrap();
    assert_eq!(stats.embedding_cache.unwrap().memory.entries, 1);
    assert!(!stats.process.unwrap().near_limit);
    assert!(told.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn the_memory_is_looked_at_every_five_minutes() {
    let (manager, _folder) = memory(1).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut told = manager.memory_strains();
    let working = manager.clone();
    let work = tokio::spawn(async move {
        let stopped = async move { drop(stopped.await) };
        working.run_background(stopped).await;
    });
    let begun = Instant::now();
    told.recv().await.unwrap();
    // The clock of the test goes on while something else is waited for, as the queue.
    let first = begun.elapsed();
    assert!(first < Duration::from_secs(60), "{first:?}");
    // As if there had been enough of it in between.
    let mut seen = manager.inner.resources.sample().unwrap();
    seen.near_limit = false;
    manager.inner.resources.strained(&seen, 0);
    told.recv().await.unwrap();
    let between = begun.elapsed() - first;
    assert!((240..=360).contains(&between.as_secs()), "{between:?}");
    drop(stop);
    work.await.unwrap();
}
