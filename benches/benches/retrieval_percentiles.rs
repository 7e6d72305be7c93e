//! How long single retrievals take, as percentiles: what the median of the criterion benches
//! cannot tell.
//!
//! Data: 10,000 notes of 20 to 60 words (100 in L1, 1,900 in L2, 8,000 in L3) in conversations of
//! twenty. Fixed seed, fixed clock. Each row is 500 questions that were not asked before, with a
//! pause before each. `back_to_back` asks without pauses: traces and access counts of the questions
//! before are written meanwhile, and take their share of the cores. `after_store` stores a note
//! before each question instead: nothing that was read for earlier questions can serve it.
//! `window/*` asks a second memory, of 100,000 notes (100, 19,900, 80,000), what the window asks:
//! `answer` is the time to the answer, `reasons` what it takes to tell what became of the best 250
//! candidates, and `rerank` the order by other settings. The model takes no time. `machine` is what the
//! machine adds to any work: additions that take about as long as a retrieval, each time the same.
//!
//!     cargo bench -p hirag-benches --bench retrieval_percentiles [-- QUESTIONS]
//!
//! Prints the table, with the stages of each row, and writes it to `percentiles.json` in criterion's folder, for
//! `scripts/bench-table`.
#![allow(
    clippy::expect_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]
#![allow(clippy::print_stdout, reason = "the table is what it is for")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hirag::context::{ContextLevel, ContextRequest};
use hirag::retrieval::OtherSettings;
use hirag_benches::Memory;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const QUESTIONS: usize = 500;
const WARM_UP: usize = 50;
/// Between two questions of a reader; what the one before left to do is done by then.
const PAUSE: Duration = Duration::from_millis(25);
const BUDGETS: [u32; 5] = [100, 500, 1_000, 2_000, 4_000];

fn main() {
    let questions = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(QUESTIONS);
    let runtime = Arc::new(Runtime::new().expect("the runtime starts"));
    let mut memory = Memory::filled(&runtime, [100, 1_900, 8_000]);
    measure(&runtime, &mut memory, WARM_UP, 1_000, Before::Nothing);
    let mut rows = BTreeMap::new();
    println!(
        "{:<28} {:>8} {:>8} {:>8} {:>8}  in ms",
        "", "p50", "p95", "p99", "max"
    );
    row(&mut rows, "machine", machine(&runtime, questions));
    for max_tokens in BUDGETS {
        let times = measure(&runtime, &mut memory, questions, max_tokens, Before::Pause);
        row(
            &mut rows,
            &format!("retrieve/max_tokens/{max_tokens}"),
            times,
        );
    }
    for (name, before) in [
        ("retrieve/back_to_back", Before::Nothing),
        ("retrieve/after_store", Before::Store),
    ] {
        let times = measure(&runtime, &mut memory, questions, 1_000, before);
        row(&mut rows, name, times);
    }
    window(&runtime, questions, &mut rows);
    if let Some(file) = results() {
        let body = serde_json::to_vec_pretty(&rows).expect("numbers are JSON");
        std::fs::create_dir_all(file.parent().expect("it is in a folder"))
            .and_then(|()| std::fs::write(&file, body))
            .expect("the results are written");
    }
}

/// How long the same additions take, each time after the same pause as a question.
fn machine(runtime: &Runtime, times: usize) -> Times {
    let additions = |count: u64| {
        let start = Instant::now();
        let sum = (0..count).fold(0_u64, |sum, number| black_box(sum.wrapping_add(number)));
        black_box(sum);
        milliseconds(start)
    };
    // As many as take about three milliseconds when nothing disturbs them.
    let quickest = (0..20).map(|_| additions(100_000)).fold(f64::MAX, f64::min);
    let count = (100_000.0 * 3.0 / quickest) as u64;
    let took = (0..times).map(|_| {
        runtime.block_on(async { tokio::time::sleep(PAUSE).await });
        additions(count)
    });
    Times {
        whole: took.collect(),
        stages: BTreeMap::new(),
    }
}

/// Candidates whose reasons the window gets.
const LISTED: usize = 250;

/// What the window asks of a large memory.
fn window(runtime: &Arc<Runtime>, questions: usize, rows: &mut BTreeMap<String, Value>) {
    let mut memory = Memory::filled(runtime, [100, 19_900, 80_000]);
    let (mut answers, mut reasons, mut ranked) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..WARM_UP + questions {
        let request = ContextRequest::new(memory.writer.question());
        let manager = memory.manager.clone();
        let task = runtime.spawn(async move {
            tokio::time::sleep(PAUSE).await;
            let start = Instant::now();
            let asked = manager.explain_kept(request, LISTED).await;
            let (_, _, kept) = asked.expect("it is answered");
            let answered = milliseconds(start);
            // What is written of the search is none of this.
            manager.settle().await;
            let start = Instant::now();
            let told = kept.reasons(LISTED);
            assert!(told.len() >= LISTED, "there are reasons");
            let told = milliseconds(start);
            let other = OtherSettings {
                relevance_threshold: Some(0.1),
                ..OtherSettings::default()
            };
            let start = Instant::now();
            let order = kept.rank(&other).expect("the settings are allowed");
            assert!(!order.chosen().is_empty(), "something is found");
            (answered, told, milliseconds(start))
        });
        let (answered, told, rerank) = runtime.block_on(task).expect("the task ends");
        if number >= WARM_UP {
            answers.push(answered);
            reasons.push(told);
            ranked.push(rerank);
        }
    }
    for (name, times) in [
        ("window/answer", answers),
        ("window/reasons", reasons),
        ("window/rerank", ranked),
    ] {
        rows.insert(name.to_owned(), figures(name, times));
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}

/// What happens before each question.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    Pause,
    Store,
}

/// Latencies of the whole, and of each stage as the answers tell them.
#[derive(Default)]
struct Times {
    whole: Vec<f64>,
    stages: BTreeMap<String, Vec<f64>>,
}

fn measure(
    runtime: &Runtime,
    memory: &mut Memory,
    questions: usize,
    max_tokens: u32,
    before: Before,
) -> Times {
    let mut times = Times::default();
    for _ in 0..questions {
        match before {
            Before::Nothing => {}
            Before::Pause => runtime.block_on(async { tokio::time::sleep(PAUSE).await }),
            Before::Store => {
                let note = memory.notes(1, ContextLevel::LongTerm);
                let stored = runtime.block_on(memory.manager.store_all(note));
                stored.expect("it is stored");
            }
        }
        let request = ContextRequest {
            max_tokens: Some(max_tokens),
            ..ContextRequest::new(memory.writer.question())
        };
        let manager = memory.manager.clone();
        let task = runtime.spawn(async move {
            let start = Instant::now();
            let answer = manager.retrieve(request).await.expect("it is answered");
            (start.elapsed(), answer.metadata.timings)
        });
        let (took, stages) = runtime.block_on(task).expect("the task ends");
        times.whole.push(took.as_secs_f64() * 1_000.0);
        for timing in stages {
            times
                .stages
                .entry(timing.stage)
                .or_default()
                .push(timing.ms);
        }
    }
    times
}

fn row(rows: &mut BTreeMap<String, Value>, id: &str, times: Times) {
    rows.insert(id.to_owned(), figures(id, times.whole));
    for (stage, times) in times.stages {
        figures(&format!("  {stage}"), times);
    }
}

/// Prints the percentiles of some milliseconds, and gives them as JSON.
fn figures(name: &str, mut times: Vec<f64>) -> Value {
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (times.len() as f64 * share) as usize;
        times[place.min(times.len() - 1)]
    };
    let [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1.0].map(at);
    println!("{name:<28} {p50:>8.3} {p95:>8.3} {p99:>8.3} {max:>8.3}");
    json!({ "count": times.len(), "p50": p50, "p95": p95, "p99": p99, "max": max })
}

/// Beside criterion's results: the program is `TARGET/release/deps/NAME`.
fn results() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let target = program.ancestors().nth(3)?;
    Some(target.join("criterion").join("percentiles.json"))
}
