use super::*;
use crate::clock::FakeClock;
use crate::metrics::MemoryReading;

fn profiler() -> (PerformanceProfiler, Arc<FakeClock>) {
    let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
    let settings = MetricsSettings {
        slow_ms: 100,
        ..MetricsSettings::default()
    };
    (
        PerformanceProfiler::new(&settings, clock.clone()).unwrap(),
        clock,
    )
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn each_window_sees_its_own_time() {
    let (profiler, clock) = profiler();
    for minutes in [58, 3, 1] {
        profiler.record("store", ms(minutes));
        clock.advance(Duration::from_secs(60 * minutes));
    }
    profiler.record("store", ms(7));
    let metrics = profiler.metrics();
    let store = &metrics.operations[0];
    let counts = [
        store.last_minute.count,
        store.last_five_minutes.count,
        store.last_hour.count,
        store.all.count,
    ];
    assert_eq!(counts, [1, 3, 3, 4]);
    assert_eq!(store.last_minute.max_ms, 7.0);
    assert_eq!(store.all.max_ms, 58.0);
    assert_eq!(store.all.mean_ms, (58.0 + 3.0 + 1.0 + 7.0) / 4.0);
}

#[test]
fn a_timer_records_its_run_and_its_parts() {
    let (profiler, clock) = profiler();
    let mut timer = profiler.timer("retrieve");
    clock.advance(ms(80));
    assert_eq!(timer.part("embed"), ms(80));
    clock.advance(ms(20));
    timer.part("search");
    drop(timer);
    let metrics = profiler.metrics();
    assert_eq!(metrics.operations[0].all.max_ms, 100.0);
    let slow = &metrics.slow[0];
    assert_eq!((slow.operation.as_str(), slow.ms), ("retrieve", 100.0));
    assert_eq!(slow.at.as_millisecond(), 100);
    let parts: Vec<_> = slow.parts.iter().map(|part| (part.name, part.ms)).collect();
    assert_eq!(parts, [("embed", 80.0), ("search", 20.0)]);
}

#[test]
fn a_slow_run_tells_how_much_the_memory_grew_or_shrank_since_it_began() {
    let (profiler, clock) = profiler();
    let resident = Arc::new(AtomicU64::new(500));
    let read = Arc::clone(&resident);
    let gauge = MemoryGauge::of(clock.clone(), move || {
        Some(MemoryReading {
            resident: read.load(Ordering::Relaxed),
            ..MemoryReading::default()
        })
    });
    let profiler = profiler.gauged(gauge);
    for after in [800, 300] {
        let timer = profiler.timer("retrieve");
        resident.store(after, Ordering::Relaxed);
        clock.advance(ms(100));
        drop(timer);
    }
    profiler.record("store", ms(100));
    let slow = profiler.metrics().slow;
    let grew: Vec<_> = slow.iter().map(|slow| slow.memory_bytes).collect();
    assert_eq!(grew, [Some(300), Some(-500), None]);
}

#[test]
fn slow_statements_are_told_with_the_limit_of_the_settings() {
    let (profiler, clock) = profiler();
    let statements = SlowStatements::new(clock);
    let profiler = profiler.watching(&statements);
    assert_eq!(statements.least_ms(), 1_000);
    let settings = MetricsSettings {
        slow_statement_ms: 20,
        ..MetricsSettings::default()
    };
    profiler.update(&settings).unwrap();
    assert_eq!(statements.least_ms(), 20);
    statements.record("count", "SELECT 1", ms(20), Vec::new());
    let metrics = profiler.metrics();
    assert_eq!(metrics.slow_statement_ms, 20);
    assert_eq!(metrics.slow_statements[0].operation, "count");
}

#[test]
fn work_that_is_long_by_nature_is_counted_and_not_called_slow() {
    let (profiler, clock) = profiler();
    let timer = profiler.timer("import").long();
    clock.advance(ms(90_000));
    drop(timer);
    let metrics = profiler.metrics();
    assert_eq!(metrics.operations[0].last_five_minutes.max_ms, 90_000.0);
    assert!(metrics.slow.is_empty());
}

#[test]
fn a_cancelled_timer_records_nothing() {
    let (profiler, _clock) = profiler();
    profiler.timer("retrieve").cancel();
    assert!(profiler.metrics().operations.is_empty());
}

#[test]
fn only_slow_runs_are_kept_and_of_them_the_latest_hundred() {
    let (profiler, _clock) = profiler();
    profiler.record("store", ms(99));
    assert!(profiler.metrics().slow.is_empty());
    for nth in 0..150 {
        profiler.record("store", ms(100 + nth));
    }
    let slow = profiler.metrics().slow;
    assert_eq!((slow.len(), slow[0].ms, slow[99].ms), (100, 150.0, 249.0));
}

#[test]
fn the_limit_of_slow_changes_while_running() {
    let (profiler, _clock) = profiler();
    let stricter = MetricsSettings {
        slow_ms: 5,
        ..MetricsSettings::default()
    };
    profiler.update(&stricter).unwrap();
    profiler.record("store", ms(5));
    assert_eq!(profiler.metrics().slow.len(), 1);
}

#[test]
fn many_threads_lose_nothing() {
    let (profiler, clock) = profiler();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (profiler, clock) = (&profiler, &clock);
            scope.spawn(move || {
                for _ in 0..1_000 {
                    clock.advance(ms(1));
                    profiler.record(if thread % 2 == 0 { "even" } else { "odd" }, ms(1));
                }
            });
        }
    });
    let metrics = profiler.metrics();
    let counts: Vec<_> = metrics.operations.iter().map(|o| o.all.count).collect();
    assert_eq!(counts, [4_000, 4_000]);
}

#[test]
fn the_text_is_a_table() {
    let (profiler, _clock) = profiler();
    profiler.record("store", ms(2));
    let text = profiler.metrics().to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].starts_with("operation      count    mean ms"),
        "{text}"
    );
    assert!(
        lines[1].starts_with("store              1      2.000"),
        "{text}"
    );
}
