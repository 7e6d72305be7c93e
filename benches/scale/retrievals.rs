//! Opening a memory, whole retrievals, and what the process holds for them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use hirag::HiragManager;
use hirag::context::{ContextRequest, Filter, SearchMode};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::data;
use crate::figures::{Held, Spread, milliseconds};
use crate::filters::{SHARES, below};
use crate::opened::{Given, memory};

const WARM_UP: usize = 20;
const QUESTIONS: usize = 200;
const FILTERED: usize = 30;
/// Between two questions of a reader; what the one before left to do is done by then.
const PAUSE: Duration = Duration::from_millis(25);
/// As frequent as words are, in both kinds of data.
const COMMON: &str = "what is the use of it and when is this to be in that";

pub(crate) fn measure(folder: &Path, data: &Path) -> Value {
    let runtime = Runtime::new().expect("the runtime starts");
    let mut queries = data::queries(data);
    // One more that is all common words, in as many forms as it is asked.
    let common: Vec<(String, Vec<f32>)> = queries
        .iter()
        .take(FILTERED)
        .enumerate()
        .map(|(place, (_, vector))| {
            (
                format!(
                    "{COMMON} {}",
                    ["a", "the", "of"][place % 3].repeat(1 + place / 3)
                ),
                vector.clone(),
            )
        })
        .collect();
    let given = Given::new(&[queries.clone(), common.clone()].concat());
    let before = Held::now();
    let start = Instant::now();
    let manager = runtime.block_on(memory(folder, given));
    let opened = milliseconds(start);
    let mut asked = queries.drain(..).map(|(text, _)| text);
    let first = asked.next().expect("there are queries");
    retrieve(&runtime, &manager, ContextRequest::new(first));
    let first_answer = milliseconds(start);

    let mut many = |count: usize, shape: &dyn Fn(String) -> ContextRequest| {
        let mut times = Times::default();
        for text in asked.by_ref().take(count) {
            times.add(retrieve(&runtime, &manager, shape(text)));
        }
        times
    };
    let plain = |text: String| ContextRequest::new(text);
    many(WARM_UP, &plain);
    let whole = many(QUESTIONS, &plain);
    let of_mode = |mode| {
        move |text: String| ContextRequest {
            mode,
            ..ContextRequest::new(text)
        }
    };
    let by_vector = many(FILTERED, &of_mode(SearchMode::Vector));
    let by_words = many(FILTERED, &of_mode(SearchMode::Text));
    let mut filters = Vec::new();
    for (name, places) in SHARES {
        let filter = below(places);
        let shape = |text: String| ContextRequest {
            filter: filter.clone(),
            ..ContextRequest::new(text)
        };
        filters.push(json!({ "share": name, "ms": Spread::of(many(FILTERED, &shape).whole) }));
    }
    let mut commons = Times::default();
    for (text, _) in common {
        commons.add(retrieve(&runtime, &manager, ContextRequest::new(text)));
    }
    let held = Held::now().beyond(before);
    let count = runtime.block_on(manager.count(&Filter::default()));
    runtime
        .block_on(manager.shut_down())
        .expect("the memory closes");
    json!({
        "contexts": count.expect("the store counts"),
        "opened_ms": opened,
        "first_answer_ms": first_answer,
        "whole_ms": Spread::of(whole.whole),
        "stages_ms": whole.stages.into_iter().map(|(stage, times)| (stage, json!(Spread::of(times)))).collect::<BTreeMap<_, _>>(),
        "by_vector_ms": Spread::of(by_vector.whole),
        "by_words_ms": Spread::of(by_words.whole),
        "common_words_ms": Spread::of(commons.whole),
        "filters": filters,
        "held": held,
    })
}

#[derive(Default)]
struct Times {
    whole: Vec<f64>,
    stages: BTreeMap<String, Vec<f64>>,
}

impl Times {
    fn add(&mut self, (took, stages): (f64, Vec<(String, f64)>)) {
        self.whole.push(took);
        for (stage, ms) in stages {
            self.stages.entry(stage).or_default().push(ms);
        }
    }
}

/// One retrieval after a pause, as a front has it made: on a thread of the runtime.
fn retrieve(
    runtime: &Runtime,
    manager: &HiragManager,
    request: ContextRequest,
) -> (f64, Vec<(String, f64)>) {
    let manager = manager.clone();
    let task = runtime.spawn(async move {
        tokio::time::sleep(PAUSE).await;
        let start = Instant::now();
        let answer = manager.retrieve(request).await.expect("it is answered");
        let took = milliseconds(start);
        assert!(answer.metadata.degraded.is_empty(), "the vector was given");
        let stages = answer
            .metadata
            .timings
            .into_iter()
            .map(|timing| (timing.stage, timing.ms));
        (took, stages.collect())
    });
    runtime.block_on(task).expect("the task ends")
}
