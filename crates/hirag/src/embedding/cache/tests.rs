use std::path::Path;

use jiff::Timestamp;

use super::*;
use crate::clock::FakeClock;
use crate::metrics::CacheLayerStats;

const MODEL: &str = "m";
const HOUR: Duration = Duration::from_secs(3_600);

fn vector(seed: usize) -> Arc<[f32]> {
    (0..16).map(|i| (seed * 16 + i) as f32 / 7.0).collect()
}

fn clock() -> Arc<FakeClock> {
    FakeClock::at(Timestamp::from_second(1_800_000_000).unwrap())
}

fn in_memory(clock: &Arc<FakeClock>, entries: u64) -> EmbeddingCache {
    let settings = CacheSettings {
        memory_entries: entries,
        ttl: Some(24 * HOUR),
        disk: None,
    };
    EmbeddingCache::open(&settings, clock.clone())
}

/// A cache without a memory layer, so that every answer is the file's.
fn on_disk(clock: &Arc<FakeClock>, path: &Path, max_bytes: u64) -> EmbeddingCache {
    let settings = CacheSettings {
        memory_entries: 0,
        ttl: Some(24 * HOUR),
        disk: Some(DiskSettings {
            path: path.to_owned(),
            max_bytes,
        }),
    };
    EmbeddingCache::open(&settings, clock.clone())
}

fn put(cache: &EmbeddingCache, text: &str, seed: usize) {
    cache.insert(CacheKey::of(MODEL, text), vector(seed));
}

fn get(cache: &EmbeddingCache, text: &str) -> Option<Arc<[f32]>> {
    cache.get(MODEL, text).map(|(vector, _)| vector)
}

fn in_file(path: &Path) -> i64 {
    let db = rusqlite::Connection::open(path).unwrap();
    db.query_row("SELECT count(*) FROM embedding", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn the_hit_rate_is_nothing_when_empty_and_a_half_after_one_miss_and_one_hit() {
    let cache = in_memory(&clock(), 10);
    assert_eq!(cache.counters().memory, CacheLayerStats::default());

    assert_eq!(get(&cache, "a"), None);
    put(&cache, "a", 1);
    assert_eq!(cache.get(MODEL, "a"), Some((vector(1), CacheLayer::Memory)));
    let counters = cache.counters();
    assert_eq!(
        counters.memory,
        CacheLayerStats {
            hits: 1,
            misses: 1,
            total: 2,
            hit_rate: 0.5,
            entries: 1,
            bytes: 32 + 16 * 4,
            invalidations: 0,
        }
    );
    assert_eq!(counters.disk, CacheLayerStats::default());
}

#[test]
fn another_models_vector_is_not_given() {
    let cache = in_memory(&clock(), 10);
    put(&cache, "a", 1);
    assert_eq!(cache.get("other", "a"), None);
}

#[test]
fn memory_keeps_to_its_size() {
    let cache = in_memory(&clock(), 3);
    for i in 0..50 {
        put(&cache, &i.to_string(), i);
    }
    assert_eq!(cache.counters().memory.entries, 3);
}

#[test]
fn a_vector_in_memory_ends_with_its_time() {
    let clock = clock();
    let cache = in_memory(&clock, 10);
    put(&cache, "a", 1);
    clock.advance(24 * HOUR - Duration::from_millis(1));
    assert!(get(&cache, "a").is_some());
    clock.advance(Duration::from_millis(1));
    assert_eq!(get(&cache, "a"), None);
    assert_eq!(cache.counters().memory.invalidations, 1);
}

#[test]
fn the_file_outlives_the_program_and_then_serves_memory() {
    let clock = clock();
    let folder = tempfile::tempdir().unwrap();
    let settings = CacheSettings {
        memory_entries: 10,
        ttl: Some(24 * HOUR),
        disk: Some(DiskSettings {
            path: folder.path().join("deep/cache.db"),
            max_bytes: 1 << 20,
        }),
    };
    let first = EmbeddingCache::open(&settings, clock.clone());
    put(&first, "a", 1);
    drop(first);

    let second = EmbeddingCache::open(&settings, clock.clone());
    assert_eq!(second.get(MODEL, "a"), Some((vector(1), CacheLayer::Disk)));
    assert_eq!(
        second.get(MODEL, "a"),
        Some((vector(1), CacheLayer::Memory))
    );
    let counters = second.counters();
    assert_eq!((counters.disk.hits, counters.disk.misses), (1, 0));
    assert_eq!(counters.disk.entries, 1);
    assert!(counters.disk.bytes > 0);
    assert_eq!((counters.memory.hits, counters.memory.misses), (1, 1));
}

#[test]
fn a_vector_read_from_the_file_does_not_get_a_second_life_in_memory() {
    let clock = clock();
    let folder = tempfile::tempdir().unwrap();
    let settings = CacheSettings {
        memory_entries: 10,
        ttl: Some(24 * HOUR),
        disk: Some(DiskSettings {
            path: folder.path().join("cache.db"),
            max_bytes: 1 << 20,
        }),
    };
    let first = EmbeddingCache::open(&settings, clock.clone());
    put(&first, "a", 1);
    drop(first);
    clock.advance(23 * HOUR);
    let second = EmbeddingCache::open(&settings, clock.clone());
    assert!(get(&second, "a").is_some());
    clock.advance(HOUR);
    assert_eq!(get(&second, "a"), None);
    second.flush().unwrap();
    assert_eq!(in_file(&folder.path().join("cache.db")), 0);
}

#[test]
fn what_waits_to_be_written_is_already_found() {
    let folder = tempfile::tempdir().unwrap();
    let cache = on_disk(&clock(), &folder.path().join("cache.db"), 1 << 20);
    put(&cache, "a", 1);
    assert_eq!(get(&cache, "a"), Some(vector(1)));
}

#[test]
fn a_removal_wins_over_the_write_that_still_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let cache = on_disk(&clock(), &path, 1 << 20);
    put(&cache, "waiting", 1);
    put(&cache, "kept", 2);
    cache.remove(MODEL, "waiting");
    assert_eq!(get(&cache, "waiting"), None);
    cache.flush().unwrap();
    assert_eq!(get(&cache, "waiting"), None);
    assert_eq!(in_file(&path), 1);
    assert_eq!(cache.counters().disk.invalidations, 0);

    cache.remove(MODEL, "kept");
    assert_eq!(get(&cache, "kept"), None);
    cache.flush().unwrap();
    assert_eq!(cache.counters().disk.invalidations, 1);
    drop(cache);
    assert_eq!(in_file(&path), 0);
}

#[test]
fn a_removal_reaches_memory() {
    let cache = in_memory(&clock(), 10);
    put(&cache, "a", 1);
    cache.remove(MODEL, "a");
    assert_eq!(get(&cache, "a"), None);
    assert_eq!(cache.counters().memory.invalidations, 1);
}

#[test]
fn the_file_keeps_to_its_size_and_forgets_what_was_used_longest_ago() {
    let clock = clock();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let limit = 200_000;
    let cache = on_disk(&clock, &path, limit);
    for i in 0..2_000 {
        put(&cache, &i.to_string(), i);
        if i % 100 == 99 {
            clock.advance(Duration::from_secs(60));
            cache.flush().unwrap();
        }
        if i == 1_000 {
            clock.advance(2 * HOUR);
        }
        if i > 1_000 && i % 200 == 0 {
            assert!(get(&cache, "700").is_some(), "used again and again, at {i}");
            clock.advance(2 * HOUR);
        }
    }
    let counters = cache.counters().disk;
    assert!(counters.bytes <= limit, "{counters:?}");
    assert!(counters.entries > 300, "{counters:?}");
    assert!(get(&cache, "1999").is_some());
    assert!(get(&cache, "700").is_some());
    assert_eq!(get(&cache, "100"), None);
    drop(cache);
    assert!(std::fs::metadata(&path).unwrap().len() <= limit + 4_096);
}

#[test]
fn a_file_of_rubbish_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    std::fs::write(&path, vec![b'x'; 10_000]).unwrap();
    let cache = on_disk(&clock(), &path, 1 << 20);
    put(&cache, "a", 1);
    cache.flush().unwrap();
    assert_eq!(in_file(&path), 1);
}

#[test]
fn a_file_that_breaks_while_open_is_replaced_and_written_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let cache = on_disk(&clock(), &path, 1 << 20);
    for i in 0..200 {
        put(&cache, &i.to_string(), i);
    }
    drop(cache);
    // Everything after the first page, so that it opens and only then turns out to be broken.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4_096..].fill(0xee);
    std::fs::write(&path, bytes).unwrap();

    let cache = on_disk(&clock(), &path, 1 << 20);
    assert_eq!(get(&cache, "3"), None);
    put(&cache, "new", 7);
    cache.flush().unwrap();
    assert_eq!(get(&cache, "new"), Some(vector(7)));
    assert_eq!(in_file(&path), 1);
}

#[test]
fn a_damaged_entry_is_a_miss_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let cache = on_disk(&clock(), &path, 1 << 20);
    put(&cache, "a", 1);
    put(&cache, "b", 2);
    put(&cache, "c", 3);
    cache.flush().unwrap();
    let db = rusqlite::Connection::open(&path).unwrap();
    let key = |text| *CacheKey::of(MODEL, text).as_bytes();
    let (a, b, c) = (key("a"), key("b"), key("c"));
    db.execute(
        "UPDATE embedding SET vector = CAST(substr(vector, 1, 71) || x'ff' AS BLOB) WHERE key = ?1",
        [&a[..]],
    )
    .unwrap();
    db.execute(
        "UPDATE embedding SET vector = (SELECT vector FROM embedding WHERE key = ?2) WHERE key = ?1",
        [&c[..], &b[..]],
    )
    .unwrap();
    assert_eq!(get(&cache, "c"), None, "the vector of another text");
    assert_eq!(get(&cache, "a"), None);
    assert_eq!(get(&cache, "b"), Some(vector(2)));
    cache.flush().unwrap();
    assert_eq!(in_file(&path), 1);
}

#[test]
fn a_locked_file_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE t (x);")
        .unwrap();
    let settings = CacheSettings {
        memory_entries: 10,
        ttl: None,
        disk: Some(DiskSettings {
            path,
            max_bytes: 1 << 20,
        }),
    };
    let cache = EmbeddingCache::open(&settings, clock());
    assert!(!cache.has_disk());
    put(&cache, "a", 1);
    assert_eq!(get(&cache, "a"), Some(vector(1)));
    cache.flush().unwrap();
}

#[test]
fn another_programs_database_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE precious (x); INSERT INTO precious VALUES (1);")
        .unwrap();
    let cache = on_disk(&clock(), &path, 1 << 20);
    assert!(!cache.has_disk());
    let kept: i64 = other
        .query_row("SELECT count(*) FROM precious", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1);
}

#[test]
fn a_folder_in_its_place_leaves_the_file_out() {
    let folder = tempfile::tempdir().unwrap();
    let cache = on_disk(&clock(), folder.path(), 1 << 20);
    assert!(!cache.has_disk());
    put(&cache, "a", 1);
    assert_eq!(get(&cache, "a"), None);
}

#[test]
fn a_file_of_another_schema_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    drop(on_disk(&clock(), &path, 1 << 20));
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(
        "DROP TABLE embedding; CREATE TABLE embedding (old); PRAGMA user_version = 9;",
    )
    .unwrap();
    drop(db);
    let cache = on_disk(&clock(), &path, 1 << 20);
    put(&cache, "a", 1);
    cache.flush().unwrap();
    assert_eq!(in_file(&path), 1);
}

#[test]
fn two_programs_share_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let one = on_disk(&clock(), &path, 1 << 20);
    let two = on_disk(&clock(), &path, 1 << 20);
    std::thread::scope(|scope| {
        for (cache, name) in [(&one, "one"), (&two, "two")] {
            scope.spawn(move || {
                for i in 0..300 {
                    put(cache, &format!("{name}{i}"), i);
                    if i % 50 == 0 {
                        cache.flush().unwrap();
                    }
                }
                cache.flush().unwrap();
            });
        }
    });
    assert_eq!(in_file(&path), 600);
    assert_eq!(get(&one, "two299"), Some(vector(299)));
    assert_eq!(get(&two, "one0"), Some(vector(0)));
}

#[test]
fn removals_that_could_not_be_written_are_made_up_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let cache = on_disk(&clock(), &path, 1 << 20);
    put(&cache, "a", 1);
    cache.flush().unwrap();

    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    cache.remove(MODEL, "a");
    let error = cache.flush().unwrap_err();
    assert_eq!(error.code(), "cache_failed");
    assert_eq!(get(&cache, "a"), None);

    other.execute_batch("ROLLBACK").unwrap();
    cache.flush().unwrap();
    assert_eq!(in_file(&path), 0);
}

#[test]
fn the_settings_say_what_is_kept_where() {
    let mut embedding = crate::config::Config::default().embedding;
    embedding.cache_ttl_secs = 60;
    embedding.cache_size = 5;
    embedding.cache_disk_mb = 2;
    let folder = Path::new("/data");
    let settings = CacheSettings::new(&embedding, folder).unwrap();
    assert_eq!(
        settings,
        CacheSettings {
            memory_entries: 5,
            ttl: Some(Duration::from_secs(60)),
            disk: Some(DiskSettings {
                path: folder.join("cache.db"),
                max_bytes: 2_000_000,
            }),
        }
    );
    embedding.cache_ttl_secs = 0;
    embedding.cache_disk_mb = 0;
    let settings = CacheSettings::new(&embedding, folder).unwrap();
    assert_eq!((settings.ttl, settings.disk), (None, None));
    embedding.cache_enabled = false;
    assert_eq!(CacheSettings::new(&embedding, folder), None);
}
