//! Takes the pictures of every view, light and dark, from the real window with the sample workspace in it
//! and a few minutes of work behind it:
//!
//! `make screenshots`

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a tool for developers that ends with the first error"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hirag::HiragManager;
use hirag::config::Config;
use hirag::context::{ContextLevel, NewContext};
use hirag::manager::OpenOptions;
use hirag::sources::NewSource;
use hirag_tests::window::{Desk, Role, Studio};
use serde_json::json;

/// As long as it takes until the charts over time have a course.
const WORK: Duration = Duration::from_secs(150);
/// When in that time the provider begins to fail, and for how many seconds.
const DRILL: (Duration, &str) = (Duration::from_secs(60), "25");

const QUESTIONS: [&str; 8] = [
    "Where is the token kept?",
    "What happens when the disk is full?",
    "How do I bring back something I deleted?",
    "Who answers questions about the benchmark?",
    "How are words and vectors fused?",
    "What happens when the provider fails?",
    "Why was this note not found?",
    "What does an agent need to connect?",
];

/// What an agent has stored beside the sample.
const OF_AN_AGENT: [(ContextLevel, &str, &str); 8] = [
    (
        ContextLevel::Immediate,
        "standup",
        "Maria is away until Thursday. Questions about the search benchmark go to Jonas.",
    ),
    (
        ContextLevel::Immediate,
        "standup",
        "We ship version 0.4 on Friday if the import of large folders stays under two minutes.",
    ),
    (
        ContextLevel::Immediate,
        "debugging",
        "The importer skips files that are not UTF-8 and names each one at the end.",
    ),
    (
        ContextLevel::Immediate,
        "debugging",
        "A Markdown table was cut in the middle of a row. Chunks end at row borders since today.",
    ),
    (
        ContextLevel::ShortTerm,
        "incident-12",
        "Billing was down for nine minutes: a migration locked the invoices table.",
    ),
    (
        ContextLevel::ShortTerm,
        "incident-12",
        "After the outage we agreed to run long migrations in batches of five thousand rows.",
    ),
    (
        ContextLevel::ShortTerm,
        "reading-group",
        "Vectors miss rare names, words miss paraphrases. Using both finds more than either alone.",
    ),
    (
        ContextLevel::ShortTerm,
        "interviews",
        "Two of five people asked why a note they remembered did not come up. Showing the reason calmed them.",
    ),
];

/// Nothing is being read or drawn, no message covers anything, and the text stays as it is.
const SETTLED: &str = "
    const busy = document.querySelector('.loading, .wait, .toast') || document.fonts.status !== 'loaded';
    if (busy || window.seen !== text()) [window.seen, window.since] = [text(), performance.now()];
    return performance.now() - window.since > 700;";

/// Whether every chart has its picture.
const CHARTS: &str = "
    const charts = [...document.querySelectorAll('figure')];
    return charts.length > 0 && charts.every((chart) => chart.querySelector('img')?.complete);";

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    let desk = Desk::new();
    let studio = desk.open();
    studio.press(Role::Button, "Try the sample workspace");
    studio.hear("Import is done.");
    studio.close();
    let notes = copy_of(&desk, "notes");
    let decisions = copy_of(&desk, "decisions");
    fill(&desk, &decisions);
    let studio = desk.open();
    work(&studio);
    for theme in ["light", "dark"] {
        studio.go("settings?tab=appearance");
        let name = theme[..1].to_uppercase() + &theme[1..];
        studio.press(Role::Radio, &name);
        for view in VIEWS {
            show(&studio, view, &notes);
            std::fs::write(folder.join(format!("{view}-{theme}.png")), studio.picture()).unwrap();
        }
    }
    studio.close();
}

/// A folder of the documentation in a person's home: a picture tells nothing of who took it.
fn copy_of(desk: &Desk, folder: &str) -> PathBuf {
    let copy = desk.home.path().join(folder);
    std::fs::create_dir_all(&copy).unwrap();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    for note in std::fs::read_dir(docs.join(folder)).unwrap() {
        let note = note.unwrap();
        std::fs::copy(note.path(), copy.join(note.file_name())).unwrap();
    }
    copy
}

/// Stores as an agent, and adds a folder that is kept up to date.
fn fill(desk: &Desk, source: &Path) {
    let config = Config::load(Some(&desk.home.config_file()), std::iter::empty()).unwrap();
    let store = async {
        let manager = HiragManager::open(OpenOptions::new(config, desk.home.data_dir()))
            .await
            .unwrap();
        for (level, session, text) in OF_AN_AGENT {
            let new = NewContext {
                agent: Some("assistant".to_owned()),
                session: Some(session.to_owned()),
                ..NewContext::new(text).at_level(level)
            };
            manager.store(new).await.unwrap();
        }
        let source = NewSource::at(source.to_string_lossy());
        manager.add_source(source).await.unwrap();
        manager.shut_down().await.unwrap();
    };
    tokio::runtime::Runtime::new().unwrap().block_on(store);
}

const VIEWS: [&str; 9] = [
    "overview",
    "levels",
    "search",
    "ask",
    "sources",
    "performance",
    "resilience",
    "import",
    "settings",
];

/// Asks one question after another, while the provider fails for a part of the time.
fn work(studio: &Studio) {
    let begin = Instant::now();
    let mut drilled = false;
    for round in 0.. {
        if begin.elapsed() > WORK {
            return;
        }
        if !drilled && begin.elapsed() > DRILL.0 {
            drilled = true;
            studio.go("resilience");
            let drill = studio.within("Drill");
            drill.press(Role::Radio, "500");
            drill.fill("Seconds", DRILL.1);
            drill.press(Role::Button, "Start the drill");
        }
        let question = QUESTIONS[round % QUESTIONS.len()];
        studio.go("overview");
        // Another question each time, so that it is embedded anew.
        studio.go_with("search", "query", &format!("{question} {round}"));
        studio.see("compared");
        studio.miss("Searching…");
    }
}

/// Goes to a view and to what is worth a picture there.
fn show(studio: &Studio, view: &str, notes: &Path) {
    studio.go("overview");
    match view {
        "search" => {
            studio.go_with("search", "query", QUESTIONS[0]);
            let _ = studio.read(Role::Article, "Result 1");
        }
        "ask" => {
            studio.go("ask");
            studio.press(Role::Button, "New conversation");
            studio.fill("Question", QUESTIONS[2]);
            studio.press(Role::Button, "Ask");
            studio.see("These are the best passages");
        }
        "sources" => {
            studio.go("sources");
            studio.see("Watch for changes");
        }
        "levels" => {
            studio.go("levels");
            studio.press(Role::Option, "Billing was down");
            studio.within("Details of the context").see("Metadata");
        }
        "import" => {
            studio.go_with("import", "paths", &json!([notes]).to_string());
            studio.see("What will be read");
            let _ = studio.within("How").read(Role::Button, "Import ");
        }
        "overview" => studio.see("Search, median"),
        "performance" => {
            studio.go("performance");
            // The charts follow the table.
            studio.within("Latency by operation").see("Retrieve");
            let _ = studio.ask("the charts are drawn", CHARTS);
        }
        "settings" => studio.go("settings?tab=retrieval"),
        other => studio.go(other),
    }
    studio.point_away();
    let _ = studio.ask("the view has settled", SETTLED);
}
