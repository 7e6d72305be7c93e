use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::clock::FakeClock;

const SECOND: Duration = Duration::from_secs(1);

fn settings() -> RateLimitSettings {
    RateLimitSettings {
        enabled: true,
        requests_per_window: 5,
        window_secs: 1,
        burst_size: 2,
        cleanup_interval_secs: 10,
        max_clients: 3,
    }
}

fn limiter(settings: RateLimitSettings) -> (RateLimiter, Arc<FakeClock>) {
    let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
    // Not at the clock's start, where zeros could hide mistakes.
    clock.advance(Duration::from_secs(1_000));
    (RateLimiter::new(settings, clock.clone()).unwrap(), clock)
}

fn allowed(limiter: &RateLimiter, client: &str, tries: u32) -> u32 {
    (0..tries)
        .filter(|_| matches!(limiter.check(client), Decision::Allowed { .. }))
        .count() as u32
}

#[test]
fn five_pass_at_once_and_the_sixth_waits_its_turn() {
    let (limiter, clock) = limiter(settings());
    for remaining in (0..5).rev() {
        assert_eq!(limiter.check("a"), Decision::Allowed { remaining });
    }
    let retry_after = Duration::from_millis(200);
    assert_eq!(limiter.check("a"), Decision::Limited { retry_after });
    clock.advance(Duration::from_millis(150));
    let retry_after = Duration::from_millis(50);
    assert_eq!(limiter.check("a"), Decision::Limited { retry_after });
    clock.advance(retry_after);
    assert_eq!(limiter.check("a"), Decision::Allowed { remaining: 0 });
    clock.advance(SECOND);
    assert_eq!(allowed(&limiter, "a", 10), 5);
}

#[test]
fn a_burst_larger_than_the_window_is_let_through_at_once() {
    let (limiter, clock) = limiter(RateLimitSettings {
        burst_size: 8,
        ..settings()
    });
    assert_eq!(allowed(&limiter, "a", 20), 8);
    clock.advance(SECOND);
    assert_eq!(allowed(&limiter, "a", 20), 5);
}

#[test]
fn clients_do_not_share_and_are_counted() {
    let (limiter, _clock) = limiter(settings());
    assert_eq!(allowed(&limiter, "a", 7), 5);
    assert_eq!(allowed(&limiter, "b", 1), 1);
    let counted = limiter.snapshot();
    assert_eq!(
        (
            counted.allowed,
            counted.limited,
            counted.clients,
            counted.shared
        ),
        (6, 2, 2, 0)
    );
    let first = ClientSnapshot {
        client: "a".to_owned(),
        allowed: 5,
        limited: 2,
        remaining: 0,
    };
    assert_eq!(limiter.clients(1), [first]);
}

#[test]
fn a_flood_of_names_neither_pushes_out_nor_grows_nor_blocks_for_ever() {
    let (limiter, clock) = limiter(settings());
    assert_eq!(allowed(&limiter, "known", 5), 5);
    for name in 0..10_000 {
        let _ = limiter.check(&format!("flood {name}"));
    }
    assert_eq!(limiter.snapshot().clients, 3);
    // The known one is still held to what it has used, not given a new allowance.
    assert_eq!(allowed(&limiter, "known", 1), 0);
    // Two names had places of their own; all others shared five requests.
    assert_eq!(limiter.snapshot().allowed, 5 + 2 + 5);
    clock.advance(Duration::from_millis(200));
    assert_eq!(allowed(&limiter, "newcomer", 2), 1);

    // The flood goes on with new names; the known one stays, the quiet ones give way.
    for second in 0..12 {
        clock.advance(SECOND);
        assert_eq!(allowed(&limiter, "known", 1), 1);
        let _ = limiter.check(&format!("more flood {second}"));
    }
    // Names beyond the bound are served from what they share.
    assert_eq!(allowed(&limiter, "newcomer", 9), 4);
    for _ in 0..10 {
        clock.advance(SECOND);
        assert_eq!(allowed(&limiter, "known", 1), 1);
    }
    // The flood is over: the newcomer gets a place.
    let shared = limiter.snapshot().shared;
    assert_eq!(allowed(&limiter, "newcomer", 9), 5);
    assert_eq!(limiter.snapshot().shared, shared);
    assert!(
        limiter
            .clients(9)
            .iter()
            .any(|client| client.client == "known")
    );
}

#[test]
fn quiet_clients_are_forgotten_but_not_those_in_debt() {
    let (limiter, clock) = limiter(RateLimitSettings {
        requests_per_window: 1,
        window_secs: 60,
        burst_size: 2,
        ..settings()
    });
    assert_eq!(allowed(&limiter, "a", 3), 2);
    clock.advance(Duration::from_secs(50));
    limiter.cleanup();
    assert_eq!(limiter.snapshot().clients, 1);
    clock.advance(Duration::from_secs(70));
    limiter.cleanup();
    assert_eq!(limiter.snapshot().clients, 0);
}

#[test]
fn requests_clean_up_by_themselves() {
    let (limiter, clock) = limiter(settings());
    assert_eq!(allowed(&limiter, "a", 1), 1);
    clock.advance(Duration::from_secs(10));
    assert_eq!(allowed(&limiter, "b", 1), 1);
    assert_eq!(limiter.snapshot().clients, 1);
}

#[test]
fn new_settings_apply_at_once_and_keep_what_was_used() {
    let (limiter, clock) = limiter(settings());
    assert_eq!(allowed(&limiter, "a", 3), 3);
    clock.advance(Duration::from_millis(1));
    let more = RateLimitSettings {
        requests_per_window: 10,
        ..settings()
    };
    limiter.update(more).unwrap();
    assert_eq!(allowed(&limiter, "a", 20), 7);
    // From a slow and generous quota to a quick one: the wait is the quick one's.
    let slow = RateLimitSettings {
        requests_per_window: 1,
        window_secs: 3_600,
        burst_size: 100,
        ..settings()
    };
    limiter.update(slow).unwrap();
    assert_eq!(allowed(&limiter, "b", 100), 100);
    limiter.update(settings()).unwrap();
    clock.advance(Duration::from_millis(200));
    assert_eq!(allowed(&limiter, "b", 9), 1);

    let bad = RateLimitSettings {
        window_secs: 0,
        ..settings()
    };
    assert_eq!(
        limiter.update(bad).unwrap_err().key(),
        Some("rate_limit.window_secs")
    );
    assert_eq!(allowed(&limiter, "c", 9), 5);
}

#[test]
fn switched_off_it_lets_everything_pass_and_counts() {
    let (limiter, _clock) = limiter(RateLimitSettings {
        enabled: false,
        ..settings()
    });
    assert_eq!(allowed(&limiter, "a", 1_000), 1_000);
    let counted = limiter.snapshot();
    assert_eq!(
        (counted.allowed, counted.clients, counted.enabled),
        (1_000, 0, false)
    );
}

#[test]
fn endless_names_are_cut_without_splitting_a_character() {
    let (limiter, _clock) = limiter(settings());
    let long = "é".repeat(1 << 20);
    assert_eq!(allowed(&limiter, &format!("x{long}"), 9), 5);
    assert_eq!(limiter.clients(1)[0].client.len(), 255);
}

#[test]
fn an_allowance_too_long_to_refill_is_refused() {
    let endless = RateLimitSettings {
        requests_per_window: 1,
        window_secs: 86_400,
        burst_size: 1_000_000,
        ..settings()
    };
    assert_eq!(
        endless.validate().unwrap_err().key(),
        Some("rate_limit.burst_size")
    );
}

#[test]
fn under_many_threads_no_client_gets_more_than_its_share() {
    let (limiter, _clock) = limiter(RateLimitSettings {
        requests_per_window: 1_000,
        max_clients: 4,
        ..settings()
    });
    let passed: Vec<_> = (0..4).map(|_| AtomicU32::new(0)).collect();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (limiter, passed) = (&limiter, &passed);
            scope.spawn(move || {
                for turn in 0..2_000 {
                    let client = (thread + turn) % 4;
                    let count = allowed(limiter, &client.to_string(), 1);
                    passed[client].fetch_add(count, Ordering::Relaxed);
                }
            });
        }
    });
    let passed: Vec<_> = passed.into_iter().map(AtomicU32::into_inner).collect();
    assert_eq!(passed, [1_000; 4]);
    assert_eq!(limiter.snapshot().limited, 12_000);
}

proptest! {
    /// Over any stretch, a client gets at most what it may make at once and what the time gives;
    /// and who waits as long as it was told gets through.
    #[test]
    fn no_course_of_requests_beats_the_rate(
        requests in 1..50_u32,
        burst in 1..100_u32,
        pauses in prop::collection::vec(0..400_u64, 1..200),
    ) {
        let settings = RateLimitSettings {
            requests_per_window: requests,
            burst_size: burst,
            ..settings()
        };
        let at_once = requests.max(burst);
        let (limiter, clock) = limiter(settings);
        let (mut passed, mut millis) = (0_u32, 0_u64);
        for pause in pauses {
            clock.advance(Duration::from_millis(pause));
            millis += pause;
            match limiter.check("a") {
                Decision::Allowed { .. } => passed += 1,
                Decision::Limited { retry_after } => {
                    clock.advance(retry_after);
                    millis += retry_after.as_millis() as u64 + 1;
                    let is_allowed = matches!(limiter.check("a"), Decision::Allowed { .. });
                    prop_assert!(is_allowed);
                    passed += 1;
                }
            }
            let given = f64::from(requests) * millis as f64 / 1e3;
            prop_assert!(f64::from(passed) <= f64::from(at_once) + given + 1e-3);
        }
    }
}
