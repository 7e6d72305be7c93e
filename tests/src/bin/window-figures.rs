//! What the real window costs with 100,000 contexts, as it is released: the time to its first
//! content, the memory while nothing happens, and what searches and sliders take beside the
//! retrieval itself.
//!
//! Data: made-up notes of about forty words, all in L3, on a display that nobody sees, drawn by the
//! processor.
//!
//! `make figures`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a tool for developers that ends with the first error"
)]
#![allow(clippy::print_stdout, reason = "the table is what it is for")]
#![allow(
    clippy::disallowed_methods,
    reason = "it measures a program that runs by the real clock"
)]

use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hirag_tests::window::{Desk, Studio};
use serde_json::Value as Json;

const CONTEXTS: usize = 100_000;
const STARTS: usize = 5;
const ROUNDS: usize = 60;
/// Until nothing is left to do after a start.
const REST: Duration = Duration::from_secs(12);
/// By when all rounds are over, however slow the machine is.
const MEASURED: Duration = Duration::from_secs(600);
/// Of the kernel's clock that processes are started by: the same on every Linux that Rust knows.
const TICKS_A_SECOND: f64 = 100.0;

const WORDS: [&str; 10] = [
    "river", "winter", "engine", "garden", "letter", "market", "window", "castle", "silver",
    "harbour",
];

#[tokio::main]
async fn main() {
    let desk = Desk::new();
    desk.home.fill(CONTEXTS, text).await;
    let mut starts = Vec::new();
    for number in 0..STARTS {
        let studio = desk.open();
        starts.push(first_content(&studio));
        if number == STARTS - 1 {
            std::thread::sleep(REST);
            memory("idle after the start", &studio);
            searches(&studio);
            memory("after the searches", &studio);
        }
        studio.close();
    }
    row("start to first content", &mut starts);
}

/// About forty words of its own for each number.
fn text(number: usize) -> String {
    let mut state = number as u64;
    let mut words = vec![format!("Note {number}:")];
    for _ in 0..40 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (word, of) = (
            WORDS[(state >> 33) as usize % WORDS.len()],
            state >> 40 & 511,
        );
        words.push(format!("{word}{of}"));
        if of < 60 {
            words.push(word.to_owned());
        }
    }
    words.join(" ")
}

/// Milliseconds from the start of the process to the first picture that the program itself has of
/// the page, after the line that says that it is coming.
fn first_content(studio: &Studio) -> f64 {
    let painted = "return performance.getEntriesByName('content')[0]
        && performance.timeOrigin + performance.getEntriesByName('content')[0].startTime;";
    let painted = studio.ask("something is painted", painted);
    painted.as_f64().unwrap() - started(studio.process())
}

/// When a process began, in milliseconds since the epoch.
fn started(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit(") ").next().unwrap();
    let ticks: f64 = fields.split(' ').nth(19).unwrap().parse().unwrap();
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    (now.as_secs_f64() - uptime + ticks / TICKS_A_SECOND) * 1_000.0
}

/// The memory of the program and of the web view that it started. Pages that are shared with others
/// count by their share.
fn memory(when: &str, studio: &Studio) {
    let mut own = 0.0;
    let mut views = 0.0;
    for pid in studio.processes() {
        let size = proportional(pid);
        match pid == studio.process() {
            true => own += size,
            false => views += size,
        }
    }
    println!("memory, {when}: {own:.0} MB the program, {views:.0} MB the web view");
}

/// Megabytes.
fn proportional(pid: u32) -> f64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.map_or(0.0, |kb| kb.parse::<f64>().unwrap() / 1_000.0)
}

fn searches(studio: &Studio) {
    let script = format!(
        "if (!window.measuring) {{ {}; window.measuring = true;
            measure({ROUNDS}).then((figures) => (window.figures = figures), (error) => (window.figures = {{ error: String(error) }})); }}
         return true;",
        include_str!("window-figures.js")
    );
    let _ = studio.ask("the measuring begins", &script);
    let end = Instant::now() + MEASURED;
    let figures = loop {
        assert!(Instant::now() < end, "no figures: {}", studio.text());
        std::thread::sleep(Duration::from_secs(1));
        let found = studio.ask("it is measured", "return window.figures ?? 'not yet';");
        if found != "not yet" {
            break found;
        }
    };
    for (name, times) in figures.as_object().unwrap() {
        let times = times
            .as_array()
            .unwrap_or_else(|| panic!("{name}: {times}"));
        let mut times: Vec<f64> = times.iter().filter_map(Json::as_f64).collect();
        row(name, &mut times);
    }
}

fn row(name: &str, times: &mut [f64]) {
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() as f64 * share) as usize).min(times.len() - 1)];
    let [p50, p95, most] = [0.5, 0.95, 1.0].map(at);
    println!("{name:<36} p50 {p50:>7.1}  p95 {p95:>7.1}  max {most:>7.1}  ms");
}
