//! How many arenas the threads of a process have; a process of its own, as they are never given up.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::sync::Barrier;
use std::thread;

/// Bytes of address space that stand ready for an arena; it begins where only an arena's does.
const STRETCH: usize = 64 << 20;
const THREADS: usize = 24;

fn arenas() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let begins = maps.lines().filter_map(|line| {
        let (range, facts) = line.split_once(' ')?;
        let begin = usize::from_str_radix(range.split_once('-')?.0, 16).ok()?;
        facts.starts_with("rw-p").then_some(begin)
    });
    begins.filter(|begin| begin.is_multiple_of(STRETCH)).count()
}

#[test]
fn many_threads_share_few_arenas() {
    let said = std::env::var_os("MALLOC_ARENA_MAX").is_some();
    assert_eq!(hirag_server::arenas::share(), !said);
    let before = arenas();
    let all = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let held = vec![1_u8; 4_096];
                // All of them hold something at the same time.
                all.wait();
                drop(held);
            });
        }
    });
    let after = arenas();
    assert!(said || after <= before + 2, "{before} became {after}");
}
