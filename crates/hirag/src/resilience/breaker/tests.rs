use proptest::prelude::*;

use super::*;
use crate::clock::FakeClock;
use crate::config::Period;

fn settings() -> CircuitBreakerSettings {
    CircuitBreakerSettings {
        failure_threshold: 3,
        success_threshold: 2,
        timeout: Period::from_millis(100),
        window_size: Period::from_secs(10),
    }
}

fn breaker() -> (CircuitBreaker, Arc<FakeClock>) {
    let clock = FakeClock::at(Timestamp::UNIX_EPOCH);
    (
        CircuitBreaker::new(settings(), clock.clone()).unwrap(),
        clock,
    )
}

fn fail(breaker: &CircuitBreaker, times: u32) {
    for _ in 0..times {
        breaker.try_acquire().unwrap().failure("no answer");
    }
}

/// A breaker whose time-out has just passed.
fn ready_to_probe() -> (CircuitBreaker, Arc<FakeClock>) {
    let (breaker, clock) = breaker();
    fail(&breaker, 3);
    clock.advance(Duration::from_millis(100));
    (breaker, clock)
}

#[test]
fn it_opens_refuses_probes_and_closes() {
    let (breaker, clock) = breaker();
    fail(&breaker, 2);
    assert_eq!(breaker.state(), BreakerState::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.state(), BreakerState::Open);

    clock.advance(Duration::from_millis(99));
    let open = breaker.try_acquire().unwrap_err();
    assert_eq!(open.retry_after, Duration::from_millis(1));

    clock.advance(Duration::from_millis(1));
    let probe = breaker.try_acquire().unwrap();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    probe.success();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.try_acquire().unwrap().success();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn a_failed_probe_opens_it_for_the_whole_time_out() {
    let (breaker, clock) = ready_to_probe();
    breaker.try_acquire().unwrap().success();
    breaker.try_acquire().unwrap().failure("still down");
    assert_eq!(breaker.state(), BreakerState::Open);
    clock.advance(Duration::from_millis(99));
    assert!(breaker.try_acquire().is_err());
    clock.advance(Duration::from_millis(1));
    breaker.try_acquire().unwrap().success();
    // The success of the phase before does not count.
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
}

#[test]
fn failures_outside_the_window_are_forgotten() {
    let (breaker, clock) = breaker();
    fail(&breaker, 2);
    clock.advance(Duration::from_millis(10_001));
    assert_eq!(breaker.snapshot().failures_in_window, 0);
    fail(&breaker, 2);
    assert_eq!(breaker.state(), BreakerState::Closed);
    clock.advance(Duration::from_secs(10));
    fail(&breaker, 1);
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn probes_are_limited_and_a_dropped_one_makes_room() {
    let (breaker, _clock) = ready_to_probe();
    let first = breaker.try_acquire().unwrap();
    let _second = breaker.try_acquire().unwrap();
    assert_eq!(
        breaker.try_acquire().unwrap_err().retry_after,
        Duration::from_millis(100)
    );
    drop(first);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    let third = breaker.try_acquire().unwrap();
    third.success();
    // One success and one probe on its way are enough.
    assert!(breaker.try_acquire().is_err());
    assert_eq!(breaker.snapshot().abandoned, 1);
}

#[test]
fn a_late_result_changes_nothing() {
    let (breaker, clock) = breaker();
    let late: Vec<_> = (0..6).map(|_| breaker.try_acquire().unwrap()).collect();
    fail(&breaker, 3);
    clock.advance(Duration::from_millis(100));
    let probe = breaker.try_acquire().unwrap();
    let mut late = late.into_iter();
    late.next().unwrap().failure("late");
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    late.next().unwrap().success();
    late.next().unwrap().success();
    drop(late.next());
    let snapshot = breaker.snapshot();
    assert_eq!(
        (snapshot.state, snapshot.probe_successes),
        (BreakerState::HalfOpen, 0)
    );
    assert_eq!(snapshot.probes_in_flight, 1);
    probe.success();
    breaker.try_acquire().unwrap().success();
    late.next().unwrap().failure("very late");
    assert_eq!(breaker.snapshot().failures_in_window, 0);
}

#[test]
fn every_change_of_state_is_told_with_time_and_reason() {
    let (breaker, clock) = breaker();
    let mut events = breaker.subscribe();
    fail(&breaker, 3);
    clock.advance(Duration::from_millis(100));
    breaker.try_acquire().unwrap().success();
    breaker.try_acquire().unwrap().success();

    let told: Vec<_> = std::iter::from_fn(|| events.try_recv().ok()).collect();
    assert_eq!(told, breaker.snapshot().history);
    let states: Vec<_> = told.iter().map(|event| (event.from, event.to)).collect();
    use BreakerState::{Closed, HalfOpen, Open};
    assert_eq!(
        states,
        [(Closed, Open), (Open, HalfOpen), (HalfOpen, Closed)]
    );
    assert_eq!(told[0].reason, "3 failures within 10s, the last: no answer");
    assert_eq!(told[0].at, Timestamp::UNIX_EPOCH);
    assert_eq!(told[1].at.as_millisecond(), 100);
}

#[test]
fn history_and_reasons_are_bounded() {
    let (breaker, clock) = breaker();
    for _ in 0..100 {
        if let Ok(permit) = breaker.try_acquire() {
            permit.failure(&"é".repeat(10_000));
        }
        clock.advance(Duration::from_millis(100));
    }
    let history = breaker.snapshot().history;
    assert_eq!(history.len(), 100);
    assert!(
        history
            .iter()
            .all(|event| event.reason.chars().count() < 300)
    );
}

#[test]
fn a_reset_closes_and_ends_what_was_on_its_way() {
    let (breaker, _clock) = breaker();
    fail(&breaker, 2);
    let before = breaker.try_acquire().unwrap();
    breaker.reset();
    before.failure("from before");
    assert_eq!(breaker.snapshot().failures_in_window, 0);
    fail(&breaker, 3);
    breaker.reset();
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(
        breaker.snapshot().history.last().unwrap().reason,
        "reset by hand"
    );
}

#[test]
fn new_settings_apply_at_once() {
    let (breaker, clock) = breaker();
    fail(&breaker, 3);
    let shorter = CircuitBreakerSettings {
        timeout: Period::from_millis(10),
        ..settings()
    };
    breaker.update(shorter.clone()).unwrap();
    clock.advance(Duration::from_millis(10));
    breaker.try_acquire().unwrap().success();
    let trusting = CircuitBreakerSettings {
        success_threshold: 1,
        ..shorter
    };
    breaker.update(trusting).unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);

    let bad = CircuitBreakerSettings {
        failure_threshold: 0,
        ..settings()
    };
    assert_eq!(
        breaker.update(bad.clone()).unwrap_err().key(),
        Some("circuit_breaker.failure_threshold")
    );
    assert!(CircuitBreaker::new(bad, clock).is_err());
}

#[test]
fn under_many_threads_probes_stay_limited_and_nothing_wedges() {
    let (breaker, clock) = ready_to_probe();
    std::thread::scope(|scope| {
        for thread in 0..8_u32 {
            let (breaker, clock) = (&breaker, &clock);
            scope.spawn(move || {
                for turn in 0..2_000_u32 {
                    clock.advance(Duration::from_millis(1));
                    let Ok(permit) = breaker.try_acquire() else {
                        continue;
                    };
                    let probes = breaker.snapshot().probes_in_flight;
                    assert!(probes <= 2, "{probes} probes at once");
                    match (thread + turn) % 3 {
                        0 => permit.failure("now and then"),
                        1 => permit.success(),
                        _ => drop(permit),
                    }
                }
            });
        }
    });
    clock.advance(Duration::from_secs(60));
    assert_eq!(breaker.snapshot().probes_in_flight, 0);
    breaker.try_acquire().unwrap().success();
}

proptest! {
    /// Whatever happens, in whatever order: probes are bounded, an open breaker refuses until its
    /// time, and the history is a chain.
    #[test]
    fn the_rules_hold_for_any_course(steps in prop::collection::vec((0..6_u8, 0..60_u64), 1..200)) {
        let (breaker, clock) = breaker();
        let mut permits = Vec::new();
        for (step, millis) in steps {
            let before = breaker.snapshot();
            match step {
                0 | 1 => match breaker.try_acquire() {
                    Ok(permit) => {
                        prop_assert!(before.retry_after_ms.is_none_or(|ms| ms == 0.0));
                        permits.push(permit);
                    }
                    Err(open) => {
                        prop_assert!(before.state != BreakerState::Closed);
                        prop_assert!(!open.retry_after.is_zero());
                    }
                },
                2 => clock.advance(Duration::from_millis(millis)),
                _ if permits.is_empty() => {}
                3 => permits.remove(millis as usize % permits.len()).success(),
                4 => permits.remove(millis as usize % permits.len()).failure("x"),
                _ => drop(permits.remove(millis as usize % permits.len())),
            }
            let now = breaker.snapshot();
            prop_assert!(now.probes_in_flight + now.probe_successes <= 2);
            prop_assert!(now.failures_in_window < 3);
            prop_assert!(now.history.windows(2).all(|pair| pair[0].to == pair[1].from));
        }
        permits.clear();
        prop_assert_eq!(breaker.snapshot().probes_in_flight, 0);
    }
}
