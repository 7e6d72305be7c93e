//! Imports a folder and stores contexts until somebody kills it. What is acknowledged goes to
//! standard output, a line each: `ready`, `stored ID TEXT`, `imported COUNT`,
//! `complete`.
//!
//! `crash-writer DATA_DIR NOTES RUN`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a part of the tests: it speaks to them by its output, and fails by panicking"
)]

use std::io::Write as _;
use std::path::PathBuf;

use hirag::HiragManager;
use hirag::config::Config;
use hirag::context::{ContextLevel, NewContext};
use hirag::manager::{ImportOptions, OpenOptions};
use hirag_tests::provider::FakeProvider;

/// Contexts stored at most, so that a writer whose killer died ends by itself.
const MOST: usize = 5_000;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let data_dir = PathBuf::from(arguments.next().unwrap());
    let notes = PathBuf::from(arguments.next().unwrap());
    let run = arguments.next().unwrap();
    let config = Config::from_toml("[hirag.token_estimator]\nkind = \"chars\"").unwrap();
    let manager = HiragManager::open(OpenOptions {
        provider: Some(FakeProvider::new("fake", 16)),
        ..OpenOptions::new(config, data_dir)
    })
    .await
    .unwrap();
    say("ready");
    let importing = manager.clone();
    let import = tokio::spawn(async move {
        let report = importing
            .import(vec![notes], ImportOptions::default(), |progress| {
                say(&format!("imported {}", progress.contexts));
            })
            .await
            .unwrap();
        assert!(report.failed.is_empty(), "{report:?}");
        say("complete");
    });
    for number in 0..MOST {
        let text = format!("single {run} {number} {}", "word ".repeat(number % 50));
        let level = ContextLevel::ALL[number % 3];
        let new = NewContext::new(text.as_str()).at_level(level);
        let stored = manager.store(new).await.unwrap();
        say(&format!("stored {} {text}", stored.id));
    }
    import.await.unwrap();
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").unwrap();
    output.flush().unwrap();
}
