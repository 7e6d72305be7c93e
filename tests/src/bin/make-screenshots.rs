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

use hirag_tests::window::{Desk, Role, Studio};
use serde_json::json;

/// As long as it takes until the charts over time have a course.
const WORK: Duration = Duration::from_secs(150);
/// When in that time the provider begins to fail, and for how many seconds.
const DRILL: (Duration, &str) = (Duration::from_secs(60), "25");

const QUESTIONS: [&str; 8] = [
    "Why was billing down?",
    "Where do tokens live?",
    "What did we decide about storage?",
    "Who answers questions about the benchmark?",
    "How do we fuse words and vectors?",
    "What happens during an incident?",
    "Why are old caches removed?",
    "What do field engineers want?",
];

/// Nothing is being read or drawn, no message covers anything, and the text stays as it is.
const SETTLED: &str = "
    const busy = document.querySelector('.loading, .wait, .toast') || document.fonts.status !== 'loaded';
    if (busy || window.seen !== text()) [window.seen, window.since] = [text(), performance.now()];
    return performance.now() - window.since > 700;";

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    let desk = Desk::new();
    let studio = desk.open();
    studio.press(Role::Button, "Try the sample workspace");
    studio.hear("Stored a sample of 24 contexts.");
    work(&studio);
    for theme in ["light", "dark"] {
        studio.go("settings?tab=appearance");
        let name = theme[..1].to_uppercase() + &theme[1..];
        studio.press(Role::Radio, &name);
        for view in VIEWS {
            show(&studio, view);
            std::fs::write(folder.join(format!("{view}-{theme}.png")), studio.picture()).unwrap();
        }
    }
    studio.close();
}

const VIEWS: [&str; 7] = [
    "overview",
    "levels",
    "search",
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
fn show(studio: &Studio, view: &str) {
    studio.go("overview");
    match view {
        "search" => {
            studio.go_with("search", "query", QUESTIONS[0]);
            let _ = studio.read(Role::Article, "Result 1");
        }
        "levels" => {
            studio.go("levels");
            studio.press(Role::Option, "Billing was down");
            studio.within("Details of the context").see("Metadata");
        }
        "import" => {
            let notes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/notes");
            let notes = notes.canonicalize().unwrap();
            studio.go_with("import", "paths", &json!([notes]).to_string());
            studio.see("What will be read");
            let _ = studio.within("How").read(Role::Button, "Import ");
        }
        "settings" => studio.go("settings?tab=retrieval"),
        other => studio.go(other),
    }
    let _ = studio.ask("the view has settled", SETTLED);
}
