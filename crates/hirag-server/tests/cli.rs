//! The program from end to end, as a shell runs it.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers beside the tests fail by panicking, too"
)]

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A memory of its own, without the settings of the machine.
struct Memory {
    folder: TempDir,
    /// Whether the local model embeds. Without it texts are pending, and commands quick.
    with_model: bool,
}

impl Memory {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            with_model: false,
        }
    }

    fn with_model() -> Self {
        Self {
            with_model: true,
            ..Self::new()
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hirag"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HIRAG_") && name != "HIRAG_EMBEDDING_MODEL_DIR" {
                command.env_remove(name);
            }
        }
        if !self.with_model {
            // Nobody listens on the port of the discard service.
            command
                .env("HIRAG_EMBEDDING_PROVIDER", "http")
                .env("HIRAG_EMBEDDING_API_URL", "http://127.0.0.1:9/v1")
                .env("HIRAG_EMBEDDING_MODEL", "none")
                .env("HIRAG_EMBEDDING_MAX_RETRIES", "0")
                .env("HIRAG_EMBEDDING_BATCH_WINDOW_MS", "0");
        }
        command
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("HIRAG_DATA_DIR", self.path("data"))
            .args(arguments);
        command
    }

    fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Output {
        self.command(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs with `--json`, which must succeed and print one document.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(status(&output), 0, "{arguments:?}: {}", stderr(&output));
        document(&output)
    }

    /// Runs with `--json`, which must fail with this status and code.
    fn refused(&self, arguments: &[&str], expected: i32) -> String {
        let output = self.run(&[&["--json"], arguments].concat());
        assert_eq!(
            status(&output),
            expected,
            "{arguments:?}: {}",
            stderr(&output)
        );
        let code = document(&output)["error"]["code"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(stderr(&output).starts_with(&format!("error[{code}]: ")));
        code
    }

    fn store(&self, arguments: &[&str]) -> String {
        let stored = self.json(&[&["store"], arguments].concat());
        stored["id"].as_str().unwrap().to_owned()
    }

    fn texts(&self, arguments: &[&str]) -> Vec<String> {
        let listed = self.json(&[&["list", "--oldest-first"], arguments].concat());
        let contexts = listed["contexts"].as_array().unwrap().iter();
        contexts
            .map(|context| context["text"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn what_is_stored_is_found_and_shown() {
    let memory = Memory::with_model();
    let id = memory.store(&[
        "The customer wants the export as CSV.",
        "--meta",
        "project=billing",
        "--meta",
        "year=2024",
        "--level",
        "L3",
        "--agent",
        "planner",
        "--session",
        "monday",
        "--expires",
        "7d",
    ]);
    memory.store(&["Bread needs flour, water and salt."]);

    let found = memory.json(&["search", "CSV export"]);
    assert_eq!(found["contexts"][0]["id"], json!(id));
    assert_eq!(found["contexts"][0]["rank"], 1);
    assert!(found["contexts"][0]["parts"]["vector"].as_f64().unwrap() > 0.0);
    assert_eq!(found["total_tokens"], found["metadata"]["ledger"]["used"]);
    assert!(found["retrieval_time_ms"].as_f64().unwrap() > 0.0);
    assert!(found.get("trace").is_none());

    let context = memory.json(&["get", &id]);
    assert_eq!(
        context["metadata"],
        json!({"project": "billing", "year": 2024})
    );
    assert_eq!(context["level"], "LongTerm");
    assert_eq!(
        (&context["agent"], &context["session"]),
        (&json!("planner"), &json!("monday"))
    );
    assert!(context["expires_at"].is_string());
    let text = stdout(&memory.run(&["get", &id]));
    assert!(
        text.ends_with("\n\nThe customer wants the export as CSV.\n"),
        "{text}"
    );
}

#[test]
fn a_search_is_narrowed_by_metadata_filter_agent_and_level() {
    let memory = Memory::new();
    memory.store(&["apple red", "--meta", "n=1", "--agent", "a"]);
    memory.store(&["apple green", "--meta", "n=2", "--level", "L2"]);
    let texts = |arguments: &[&str]| -> Vec<String> {
        let search = ["search", "apple", "--mode", "text"];
        let found = memory.json(&[&search, arguments].concat());
        let contexts = found["contexts"].as_array().unwrap().iter();
        contexts
            .map(|context| context["text"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(texts(&[]).len(), 2);
    assert_eq!(texts(&["--limit", "1"]).len(), 1);
    assert_eq!(texts(&["--filter", "n=2"]), ["apple green"]);
    assert_eq!(texts(&["--agent", "a"]), ["apple red"]);
    assert_eq!(texts(&["--level", "short_term"]), ["apple green"]);
    let range = r#"{"must": [{"key": "n", "range": {"lt": 2}}]}"#;
    assert_eq!(texts(&["--where", range]), ["apple red"]);
}

#[test]
fn explain_why_and_trace_give_the_reasons() {
    let memory = Memory::new();
    memory.store(&["a kettle boils water"]);
    let missed = memory.store(&["a car drives", "--level", "L3"]);
    let search = ["search", "kettle", "--mode", "text"];
    let explained = memory.json(&[&search[..], &["--explain"]].concat());
    let candidates = explained["trace"]["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 2);
    assert_eq!(candidates[1]["outcome"]["stage"], "threshold");

    let id = explained["metadata"]["trace_id"].as_str().unwrap();
    assert_eq!(memory.json(&["trace", id])["request"]["query"], "kettle");
    let why = memory.json(&["why", &missed, "kettle", "--level", "L1", "--mode", "text"]);
    assert_eq!(why["explanation"]["outcome"]["stage"], "level");

    let text = stdout(&memory.run(&[&search[..], &["--explain"]].concat()));
    for part in [
        "1. ",
        "similarity",
        "budget",
        "stages: 2 searched",
        "time: ",
        "dropped",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains('\u{1b}'), "marks are for terminals alone");
}

#[test]
fn a_context_is_changed_moved_deleted_and_brought_back() {
    let memory = Memory::new();
    let id = memory.store(&["first", "--meta", "a=1", "--meta", "b=2", "--expires", "1h"]);
    let update = [
        "update", &id, "--text", "second", "--meta", "c=true", "--unset", "a",
    ];
    let updated = memory.json(&[&update[..], &["--expires", "never"]].concat());
    assert_eq!(updated["text"], "second");
    assert_eq!(updated["metadata"], json!({"b": 2, "c": true}));
    assert_eq!(updated["expires_at"], Value::Null);

    assert_eq!(memory.json(&["move", &id, "L2"])["level"], "ShortTerm");
    assert_eq!(
        memory.json(&["move", &id, "--level", "long-term"])["level"],
        "LongTerm"
    );

    let deleted = memory.json(&["delete", &id]);
    assert_eq!(deleted["ids"], json!([id]));
    assert_eq!(deleted["per_level"]["LongTerm"], 1);
    assert_eq!(memory.texts(&[]), [""; 0]);
    assert_eq!(memory.texts(&["--deleted"]), ["second"]);
    assert_eq!(memory.json(&["undo"])["ids"], json!([id]));
    assert_eq!(memory.texts(&["--level", "L3"]), ["second"]);
    assert_eq!(memory.refused(&["undo"], 1), "nothing_to_undo");
}

#[test]
fn a_level_is_cleared_and_what_is_purged_is_gone() {
    let memory = Memory::new();
    let kept = memory.store(&["kept", "--level", "L3"]);
    let gone = memory.store(&["gone"]);
    assert_eq!(
        memory.json(&["clear", "--level", "L1"])["ids"],
        json!([gone])
    );
    assert_eq!(memory.json(&["gc", "--dry-run"])["dry_run"], true);
    assert_eq!(memory.json(&["gc"])["purged"], 0);
    assert_eq!(memory.json(&["purge", "--older-than", "0s"])["purged"], 1);
    assert_eq!(memory.refused(&["get", &gone], 1), "not_found");
    assert_eq!(memory.json(&["get", &kept])["text"], "kept");
}

#[test]
fn pages_of_a_list_follow_each_other() {
    let memory = Memory::new();
    for text in ["one", "two", "three"] {
        memory.store(&[text]);
    }
    let first = memory.json(&["list", "--limit", "2"]);
    assert_eq!(first["contexts"][0]["text"], "three");
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = memory.json(&["list", "--limit", "2", "--cursor", cursor]);
    assert_eq!(rest["contexts"][0]["text"], "one");
    assert_eq!(rest["next_cursor"], Value::Null);
    assert_eq!(
        memory.refused(&["list", "--cursor", "junk"], 1),
        "invalid_cursor"
    );
}

#[test]
fn a_list_has_the_order_that_is_asked_for_and_skips() {
    let memory = Memory::new();
    for text in [
        "of a few words",
        "short",
        "the longest text of all three here",
    ] {
        memory.store(&[text]);
    }
    let by_length = ["list", "--order", "longest-first"];
    let longest = memory.json(&[&by_length[..], &["--limit", "1"]].concat());
    assert_eq!(
        longest["contexts"][0]["text"],
        "the longest text of all three here"
    );
    let shortest = memory.json(&[&by_length[..], &["--skip", "2"]].concat());
    assert_eq!(shortest["contexts"][0]["text"], "short");
    let cursor = longest["next_cursor"].as_str().unwrap();
    assert_eq!(
        memory.refused(&["list", "--order", "most-used", "--cursor", cursor], 1),
        "invalid_cursor"
    );
    assert_eq!(
        memory.refused(&[&by_length[..], &["--oldest-first"]].concat(), 2),
        "usage"
    );
}

#[test]
fn an_import_reports_what_failed_and_again_changes_nothing() {
    let memory = Memory::new();
    let notes = memory.path("notes");
    write(
        &notes.join("tea.md"),
        "---\ntopic: tea\n---\n# Tea\n\nSteep it for three minutes.\n",
    );
    write(
        &notes.join("records.jsonl"),
        "{\"text\": \"a record\"}\nbroken\n{\"text\": \"another\"}\n",
    );
    let path = notes.to_str().unwrap();
    let output = memory.run(&["import", path, "--session", "s", "--json"]);
    let report = document(&output);
    assert_eq!(status(&output), 1);
    assert_eq!(report["imported"], 3);
    assert_eq!(report["failed"][0]["line"], 2);
    assert_eq!(report["failed"][0]["code"], "invalid_json");

    write(
        &notes.join("records.jsonl"),
        "{\"text\": \"a record\"}\n{\"text\": \"another\"}\n",
    );
    let again = memory.json(&["import", path, "--session", "s"]);
    assert_eq!(
        (&again["imported"], &again["removed"]),
        (&json!(0), &json!(0))
    );
    let found = memory.json(&["search", "steep", "--mode", "text", "--filter", "topic=tea"]);
    assert_eq!(found["contexts"][0]["level"], "LongTerm");
    assert_eq!(found["contexts"][0]["session"], "s");
}

#[test]
fn of_a_file_full_of_broken_lines_the_rest_is_counted() {
    let memory = Memory::new();
    let file = memory.path("log.jsonl");
    write(&file, &"broken\n".repeat(1_000));
    let path = file.to_str().unwrap();
    let output = memory.run(&["import", path, "--json"]);
    assert_eq!(status(&output), 1);
    let report = document(&output);
    assert_eq!(report["failed"].as_array().unwrap().len(), 100);
    assert_eq!(report["untold"][0]["failed"], 900);
    let told = stdout(&memory.run(&["import", path]));
    assert!(told.contains("failed (1000)"), "{told}");
    assert!(told.contains("and 980 more"), "{told}");
}

#[test]
fn an_export_can_be_imported_again() {
    let memory = Memory::new();
    memory.store(&[
        "Größe: 日本 \"quoted\"\nsecond line",
        "--meta",
        "a={\"b\":[1]}",
    ]);
    memory.store(&["deep", "--level", "L3", "--session", "s"]);
    let deleted = memory.store(&["deleted"]);
    memory.json(&["delete", &deleted]);
    let file = memory.path("export.jsonl");
    let file = file.to_str().unwrap();
    assert_eq!(memory.json(&["export", file])["contexts"], 2);
    let lines = stdout(&memory.run(&["export", "-"]));
    assert_eq!(lines, std::fs::read_to_string(file).unwrap());

    let other = Memory::new();
    assert_eq!(other.json(&["import", file])["imported"], 2);
    let facts = |memory: &Memory| -> Vec<Value> {
        let contexts = memory.json(&["list", "--oldest-first"])["contexts"].clone();
        let contexts = contexts.as_array().unwrap().iter();
        let facts = contexts.map(|context| {
            let keys = ["text", "level", "session", "metadata", "created_at"];
            keys.map(|key| context[key].clone()).to_vec().into()
        });
        facts.collect()
    };
    assert_eq!(facts(&other), facts(&memory));
    assert_eq!(other.json(&["import", file])["imported"], 0);
}

#[test]
fn a_source_is_added_run_shown_and_removed() {
    let memory = Memory::new();
    let notes = memory.path("notes");
    std::fs::create_dir_all(notes.join("drafts")).unwrap();
    write(&notes.join("one.md"), "the first note");
    write(&notes.join("drafts/two.md"), "not yet");
    let path = notes.to_str().unwrap();
    let add = [
        "source",
        "add",
        path,
        "--exclude",
        "drafts/",
        "--doc-type",
        "note",
    ];
    let added = memory.json(&[&add[..], &["--level", "L2"]].concat());
    assert_eq!(
        (&added["name"], &added["files"]),
        (&json!("notes"), &json!(0))
    );

    let ran = memory.json(&["source", "run"]);
    assert_eq!(ran["runs"][0]["run"]["imported"], 1);
    let again = memory.json(&["source", "run", "NOTES"]);
    assert_eq!(again["runs"][0]["run"]["imported"], 0);
    let shown = memory.json(&["source", "show", "1"]);
    assert_eq!(
        (&shown["contexts"], &shown["files"]),
        (&json!(1), &json!(1))
    );
    let changed = memory.json(&["source", "change", "notes", "--name", "mine", "--no-watch"]);
    assert_eq!(
        (&changed["name"], &changed["watch"]),
        (&json!("mine"), &json!(false))
    );
    assert_eq!(changed["rules"]["doc_type"], "note");
    let change = ["source", "change", "mine", "--include", "*.md"];
    let changed = memory.json(&[&change[..], &["--no-exclude", "--no-doc-type"]].concat());
    let rules = json!({
        "include": ["*.md"], "exclude": [], "level": "ShortTerm", "doc_type": null,
        "agent": null, "session": null,
    });
    assert_eq!(changed["rules"], rules);
    let both = [&change[..], &["--no-include"]].concat();
    assert_eq!(status(&memory.run(&both)), 2);
    let ran = memory.json(&["source", "run", "mine"]);
    assert_eq!(ran["runs"][0]["run"]["imported"], 1, "the drafts");
    let none = [&change[..3], &["--no-include", "--no-level"]].concat();
    let changed = memory.json(&none);
    let rules = &changed["rules"];
    assert_eq!(
        (&rules["include"], &rules["level"]),
        (&json!([]), &json!(null))
    );
    std::fs::remove_dir_all(notes.join("drafts")).unwrap();
    write(&notes.join("three.md"), "---\ntags: [\n---\nthe third note");
    let ran = stdout(&memory.run(&["source", "run", "mine"]));
    assert!(
        ran.contains("warnings (1)") && ran.contains("three.md"),
        "{ran}"
    );
    std::fs::remove_file(notes.join("three.md")).unwrap();
    memory.json(&["source", "run", "mine"]);
    assert_eq!(
        memory.refused(&["source", "add", path], 1),
        "source_overlaps"
    );
    assert_eq!(
        memory.refused(&["source", "run", "none"], 1),
        "unknown_source"
    );

    // A folder that is not there is a failure, and takes nothing away.
    std::fs::rename(&notes, memory.path("elsewhere")).unwrap();
    let failed = memory.run(&["source", "run"]);
    assert_eq!(status(&failed), 1);
    assert!(
        stdout(&failed).contains("nothing was removed"),
        "{}",
        stdout(&failed)
    );
    assert!(stdout(&memory.run(&["source", "list"])).contains("1 context in 1 file"));

    let removed = memory.json(&["source", "remove", "mine", "--delete"]);
    assert_eq!(removed["deletion"]["ids"].as_array().unwrap().len(), 1);
    assert_eq!(memory.json(&["source", "list"])["sources"], json!([]));
    assert_eq!(memory.json(&["undo"])["ids"].as_array().unwrap().len(), 1);
}

#[test]
fn an_export_goes_to_standard_output_in_any_form_of_one_file() {
    let memory = Memory::new();
    memory.store(&["a, \"quoted\" text"]);
    let printed = stdout(&memory.run(&["export", "-", "--format", "csv"]));
    assert!(printed.starts_with("id,text,level,"), "{printed}");
    assert!(printed.contains("\"a, \"\"quoted\"\" text\""), "{printed}");
    let refused = memory.run(&["export", "-", "--format", "markdown"]);
    assert_eq!(status(&refused), 1);
    let usage = memory.run(&["export", "all.csv", "--format", "csv", "--by-session"]);
    assert_eq!(status(&usage), 2);
}

#[test]
fn a_backup_is_restored_and_what_was_there_is_kept() {
    let memory = Memory::new();
    memory.store(&["before"]);
    let file = memory.path("backup.db");
    let file = file.to_str().unwrap();
    assert!(memory.json(&["backup", file])["bytes"].as_u64().unwrap() > 0);
    assert_eq!(memory.refused(&["backup", file], 1), "io_failed");
    memory.store(&["after"]);
    let restored = memory.json(&["restore", file]);
    assert!(Path::new(restored["previous"].as_str().unwrap()).is_file());
    assert_eq!(memory.texts(&[]), ["before"]);

    write(
        &memory.path("no.db"),
        "this is no database, but a text of some length",
    );
    let bad = memory.path("no.db");
    memory.refused(&["restore", bad.to_str().unwrap()], 1);
    assert_eq!(memory.texts(&[]), ["before"]);
}

#[test]
fn a_golden_set_is_measured() {
    let memory = Memory::new();
    let set = memory.path("set");
    write(
        &set.join("corpus.jsonl"),
        "{\"_id\": \"d1\", \"text\": \"cats purr\", \"group\": \"x\"}\n\
         {\"_id\": \"d2\", \"text\": \"cats sleep\", \"group\": \"y\"}\n",
    );
    write(
        &set.join("queries.jsonl"),
        "{\"_id\": \"q\", \"text\": \"cats\", \"group\": \"y\"}\n",
    );
    write(
        &set.join("qrels.tsv"),
        "query-id\tcorpus-id\tscore\nq\td2\t1\n",
    );
    memory.json(&["import", set.to_str().unwrap(), "--format", "beir"]);
    let (queries, qrels) = (set.join("queries.jsonl"), set.join("qrels.tsv"));
    let report = memory.json(&[
        "eval",
        "--queries",
        queries.to_str().unwrap(),
        "--qrels",
        qrels.to_str().unwrap(),
        "--filter-field",
        "group",
        "-k",
        "1",
        "--mode",
        "text",
    ]);
    assert_eq!((&report["queries"], &report["k"]), (&json!(1), &json!(1)));
    for measure in ["recall", "mrr", "ndcg"] {
        assert_eq!(report[measure], 1.0, "{measure}");
    }
    for percentile in ["p50", "p95", "p99"] {
        assert!(report["latency_ms"][percentile].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn an_empty_memory_answers() {
    let memory = Memory::new();
    let stats = memory.json(&["stats"]);
    assert_eq!(stats["total_contexts"], 0);
    let levels = json!({"Immediate": 0, "ShortTerm": 0, "LongTerm": 0});
    assert_eq!(stats["contexts_per_level"], levels);
    assert_eq!(
        memory.json(&["search", "x", "--mode", "text"])["contexts"],
        json!([])
    );
    assert_eq!(memory.texts(&[]), [""; 0]);
    assert_eq!(memory.json(&["doctor"])["ok"], true);
    assert!(memory.json(&["health"])["components"].is_array());
    assert_eq!(
        memory.json(&["settings"])["settings"]["hirag"]["l1_size"],
        100
    );
}

#[test]
fn the_doctor_says_how_far_a_damaged_database_can_be_read() {
    let memory = Memory::new();
    for n in 0..20 {
        let text = format!("context {n} of the damaged memory ").repeat(150);
        memory.store(&["--level", "L1", &text]);
    }
    let file = memory.path("data/hirag.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let sentence = b"context 9 of the damaged memory context 9";
    let mut windows = bytes.windows(sentence.len());
    let at = windows.position(|window| window == sentence).unwrap();
    let page = at / 4_096 * 4_096;
    bytes[page..page + 4_096].fill(0xa5);
    std::fs::write(&file, &bytes).unwrap();
    let output = memory.run(&["doctor", "--json"]);
    assert_eq!(status(&output), 1, "{}", stderr(&output));
    let found = document(&output);
    assert_eq!(found["ok"], false);
    let detail = |check: &str| {
        let findings = found["findings"].as_array().unwrap();
        let finding = findings.iter().find(|finding| finding["check"] == check);
        finding.unwrap()["detail"].as_str().unwrap().to_owned()
    };
    let contexts = detail("contexts that can be read");
    assert!(
        contexts.ends_with(" of 20") && !contexts.starts_with("20"),
        "{contexts}"
    );
    assert!(detail("what to do").contains("hirag restore"));
    let told = memory.run(&["doctor"]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("BAD  texts: cannot be checked: "), "{told}");
}

#[test]
fn wrong_usage_is_status_2_and_names_the_rule() {
    let memory = Memory::new();
    let deep = format!("k={}", "[".repeat(200) + &"]".repeat(200));
    for (arguments, code) in [
        (&["list", "--level", "L9"][..], "unknown_level"),
        (&["get", "not-an-id"], "invalid_id"),
        (&["search", "x", "--filter", "novalue"], "invalid_filter"),
        (
            &["search", "x", "--where", "{\"must\": 1}"],
            "invalid_filter",
        ),
        (&["search", "x", "--where", "[]"], "invalid_filter"),
        (&["store", "x", "--meta", &deep], "usage"),
        (&["store", "x", "--priority", "urgent"], "unknown_priority"),
        (&["store", "x", "--expires", "soon"], "usage"),
        (&["store", "x", "--meta", "novalue"], "usage"),
        (&["search", "x", "--mode", "magic"], "usage"),
        (&["import", ".", "--format", "xls"], "usage"),
        (&["purge", "--older-than", "long"], "usage"),
        (&["list", "--limit", "0"], "usage"),
        (&["clear"], "usage"),
        (&["delete"], "usage"),
        (&["bogus"], "usage"),
        (&["export", "-"], "usage"),
    ] {
        assert_eq!(memory.refused(arguments, 2), code, "{arguments:?}");
    }
    let output = memory.run(&["list", "--level", "L9"]);
    assert!(stderr(&output).contains("use Immediate (L1), ShortTerm (L2) or LongTerm (L3)"));
    assert_eq!(stdout(&output), "");
    assert!(!memory.path("data").exists(), "wrong usage touches nothing");
}

#[test]
fn bad_input_is_status_1_and_changes_nothing() {
    let memory = Memory::new();
    let long = "x".repeat(300);
    let absent = "019a2b3c-4d5e-7f60-8123-456789abcdef";
    for (arguments, code) in [
        (&["store", " \n "][..], "invalid_text"),
        (&["store", "x", "--agent", ""], "invalid_name"),
        (&["store", "x", "--expires", "2001-01-01"], "invalid_expiry"),
        (
            &["store", "x", "--meta", &format!("{long}=1")],
            "invalid_metadata",
        ),
        (&["search", " "], "invalid_query"),
        (&["search", "x", "--max-tokens", "0"], "invalid_budget"),
        (&["get", absent], "not_found"),
        (&["update", absent, "--text", "x"], "not_found"),
        (&["update", absent], "empty_update"),
        (&["delete", absent], "not_found"),
        (&["undo", absent], "not_found"),
        (&["move", absent, "L2"], "not_found"),
        (&["why", absent, "x"], "not_found"),
        (&["backup", "/nowhere/at/all.db"], "io_failed"),
        (&["export", "/nowhere/at/all.jsonl"], "io_failed"),
        (&["restore", "/nowhere/at/all.db"], "store_cannot_open"),
        (&["trace", absent], "trace_not_found"),
    ] {
        assert_eq!(memory.refused(arguments, 1), code, "{arguments:?}");
    }
    for input in [&b"bad\xff"[..], b"nul\0byte", b""] {
        let output = memory.run_with_input(&["store", "-", "--json"], input);
        assert_eq!(status(&output), 1);
        assert_eq!(document(&output)["error"]["code"], "invalid_text");
    }
    let output = memory.run_with_input(&["store", "-", "--json"], &vec![b'x'; 1_048_577]);
    assert_eq!(document(&output)["error"]["code"], "text_too_long");
    assert_eq!(memory.json(&["stats"])["total_contexts"], 0);
}

#[cfg(unix)]
#[test]
fn an_argument_that_is_not_utf8_is_an_invalid_text() {
    use std::os::unix::ffi::OsStrExt;
    let memory = Memory::new();
    for command in ["store", "search"] {
        let arguments = [
            OsStr::new(command),
            OsStr::from_bytes(b"a\xff"),
            OsStr::new("--json"),
        ];
        let output = memory.run(&arguments);
        assert_eq!(status(&output), 1);
        assert_eq!(document(&output)["error"]["code"], "invalid_text");
    }
}

#[test]
fn who_types_at_standard_input_does_not_hold_the_database() {
    let memory = Memory::new();
    let mut typing = memory
        .command(&["store", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = typing.stdin.take().unwrap();
    input.write_all(b"typed").unwrap();
    memory.store(&["meanwhile"]);
    drop(input);
    assert_eq!(status(&typing.wait_with_output().unwrap()), 0);
    assert_eq!(memory.texts(&[]), ["meanwhile", "typed"]);
}

#[test]
fn standard_input_is_stored_byte_for_byte() {
    let memory = Memory::new();
    let output = memory.run_with_input(&["store", "-", "--json"], "  tab\tand ö\r\n\n".as_bytes());
    let id = document(&output)["id"].as_str().unwrap().to_owned();
    assert_eq!(memory.json(&["get", &id])["text"], "  tab\tand ö\r\n\n");
}

#[test]
fn a_bad_settings_file_is_refused_by_its_key() {
    let memory = Memory::new();
    let usual = memory.path("config/hirag/config.toml");
    for (text, named) in [
        ("[hirag]\nl1_sise = 3\n", "l1_sise"),
        ("[hirag]\nl1_size = \"many\"\n", "hirag.l1_size"),
        (
            "[hirag.ranking_weights]\nsimilarity = 0.9\n",
            "hirag.ranking_weights",
        ),
        ("not toml", "line 1"),
    ] {
        write(&usual, text);
        let output = memory.run(&["stats"]);
        assert_eq!(status(&output), 1);
        assert!(stderr(&output).contains("error[invalid_settings]"));
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
    write(&usual, "[hirag]\nl1_size = 3\n");
    assert_eq!(
        memory.json(&["settings"])["settings"]["hirag"]["l1_size"],
        3
    );
    let absent = memory.path("absent.toml");
    let absent = absent.to_str().unwrap();
    assert_eq!(
        memory.refused(&["--config", absent, "stats"], 1),
        "invalid_settings"
    );
}

#[test]
fn places_may_be_named_before_and_after_the_command() {
    let memory = Memory::new();
    let other = memory.path("other");
    let other = other.to_str().unwrap();
    memory.json(&["--data-dir", other, "store", "there"]);
    assert_eq!(memory.texts(&["--data-dir", other]), ["there"]);
    assert_eq!(memory.texts(&[]), [""; 0]);
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let memory = Memory::new();
    for _ in 0..3 {
        memory.store(&["x".repeat(100_000).as_str()]);
    }
    let mut child = memory
        .command(&["export", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
}

#[test]
fn a_token_is_nowhere_to_be_seen() {
    let memory = Memory::new();
    let output = memory
        .command(&["store", "a text", "-vv", "--json"])
        .env("HIRAG_EMBEDDING_TOKEN", "sesame-7351")
        .output()
        .unwrap();
    assert_eq!(document(&output)["embedding"], "pending");
    assert!(!format!("{}{}", stdout(&output), stderr(&output)).contains("sesame"));
    let found = memory.json(&["search", "text", "--mode", "text"]);
    assert_eq!(found["contexts"][0]["text"], "a text");
}

#[test]
fn what_waited_for_its_vector_gets_it_from_the_next_command_that_writes() {
    let mut memory = Memory::new();
    memory.store(&["waits"]);
    assert_eq!(memory.json(&["stats"])["pending"], 1);
    memory.with_model = true;
    let id = memory.store(&["does not wait"]);
    assert_eq!(memory.json(&["get", &id])["embedding"], "ready");
    assert_eq!(memory.json(&["stats"])["pending"], 0);
}

#[test]
fn a_search_without_vectors_says_so_in_words() {
    let memory = Memory::new();
    memory.store(&["only words"]);
    let output = memory.run(&["search", "words"]);
    assert_eq!(status(&output), 0);
    assert!(stdout(&output).starts_with("The query could not be embedded"));
    let found = memory.json(&["search", "words"]);
    assert_eq!(found["metadata"]["degraded"], json!(["embedding"]));
    assert_eq!(found["contexts"][0]["text"], "only words");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_an_import_between_two_batches_and_the_next_one_goes_on() {
    let memory = Memory::with_model();
    let file = memory.path("many.jsonl");
    let line = |n: u32| format!("{{\"text\": \"number {n}\"}}\n");
    write(&file, &(0..1500).map(line).collect::<String>());
    let file = file.to_str().unwrap();
    let import = memory
        .command(&["import", file, "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stored = || {
        let stats = memory.run(&["stats", "--json"]);
        document(&stats)["total_contexts"].as_u64().unwrap_or(0)
    };
    while stored() == 0 {}
    let pid = import.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
    let output = import.wait_with_output().unwrap();
    let report = document(&output);
    assert_eq!(status(&output), 130, "{}", stderr(&output));
    assert_eq!(report["cancelled"], true);
    let imported = report["imported"].as_u64().unwrap();
    assert!(0 < imported && imported < 1500, "{imported}");
    assert_eq!(stored(), imported);

    let mut memory = memory;
    memory.with_model = false;
    let again = memory.json(&["import", file]);
    assert_eq!(again["unchanged"], imported);
    assert_eq!(again["imported"], 1500 - imported);
}

#[test]
fn help_and_version_are_status_0() {
    let memory = Memory::new();
    for arguments in [&["--help"][..], &["help", "search"], &["--version"]] {
        let output = memory.run(arguments);
        assert_eq!(status(&output), 0);
        assert!(!stdout(&output).is_empty());
    }
    assert_eq!(status(&memory.run::<&str>(&[])), 2);
}

/// A chat endpoint that streams these words to everyone, and its address.
fn chat_endpoint(words: &'static [&'static str]) -> String {
    use std::io::Read;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The answer does not depend on the question: its head is enough to go by.
            let mut request = [0; 16_384];
            let _ = stream.read(&mut request).unwrap();
            let mut answer =
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
                    .to_owned();
            for word in words {
                let part = json!({"choices": [{"delta": {"content": word}}]});
                answer.push_str(&format!("data: {part}\n\n"));
            }
            answer.push_str("data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}

#[test]
fn an_answer_is_told_with_its_sources_and_kept_as_a_conversation() {
    let memory = Memory::new();
    memory.store(&["Jonas keeps the deploy key.", "--level", "L3"]);
    let output = memory.run(&["ask", "who keeps the deploy key?", "--session", "talk"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let told = stdout(&output);
    assert!(told.contains("Nobody worded this answer"), "{told}");
    assert!(told.contains("Jonas keeps the deploy key. [1]"), "{told}");
    assert!(
        told.contains("Sources") && told.contains("conversation talk"),
        "{told}"
    );

    let url = chat_endpoint(&["It is ", "Jonas [1", "], not Ada [3]."]);
    let mut command = memory.command(&["ask", "who keeps the deploy key?", "--json"]);
    command
        .env("HIRAG_CHAT_PROVIDER", "openai-compatible")
        .env("HIRAG_CHAT_API_URL", &url)
        .env("HIRAG_CHAT_MODEL", "tiny")
        .env("HIRAG_CHAT_TOKEN", "sk-of-the-chat-0123456789");
    let output = command.output().unwrap();
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let answer = document(&output);
    assert_eq!(answer["kind"], "worded");
    assert_eq!(answer["text"], "It is Jonas [1], not Ada [?].");
    assert_eq!(answer["removed"], json!(["3"]));
    assert!(
        !stdout(&output).contains("sk-of-the-chat"),
        "a token never comes out"
    );

    let listed = memory.json(&["conversations", "list", "--query", "jonas"]);
    assert_eq!(listed["conversations"].as_array().unwrap().len(), 2);
    let id = answer["id"].as_str().unwrap();
    memory.json(&[
        "conversations",
        "feedback",
        id,
        "--useful",
        "--note",
        "right",
    ]);
    let folder = memory.path("golden");
    std::fs::create_dir(&folder).unwrap();
    let golden = memory.json(&["conversations", "golden", folder.to_str().unwrap()]);
    assert_eq!(golden["count"], 1);
    let (queries, qrels) = (
        golden["queries"].as_str().unwrap(),
        golden["qrels"].as_str().unwrap(),
    );
    let report = memory.json(&[
        "eval",
        "--queries",
        queries,
        "--qrels",
        qrels,
        "--mode",
        "text",
    ]);
    assert_eq!(report["queries"], 1, "{report}");

    let file = memory.path("talk.md");
    memory.json(&["conversations", "export", "talk", file.to_str().unwrap()]);
    let markdown = std::fs::read_to_string(&file).unwrap();
    assert!(
        markdown.starts_with("# who keeps the deploy key?"),
        "{markdown}"
    );
    memory.json(&["conversations", "delete", "talk"]);
    let code = memory.refused(&["conversations", "show", "talk"], 1);
    assert_eq!(code, "unknown_conversation");
    memory.json(&["conversations", "restore", "talk"]);
    memory.json(&["conversations", "show", "talk"]);
}

#[test]
fn a_profile_says_where_the_time_of_a_search_went_as_json_text_and_picture() {
    let memory = Memory::new();
    memory.run(&["store", "the ferry leaves at noon"]);
    let asked = ["profile", "search", "ferry", "--mode", "text", "--json"];
    let profile = document(&memory.run(&asked));
    let root = &profile["root"];
    assert_eq!(
        (&root["name"], &root["runs"]),
        (&json!("search"), &json!(1))
    );
    assert!(root["total_us"].as_u64() > Some(0), "{profile}");
    let parts = root["parts"].as_array().unwrap();
    let database = parts
        .iter()
        .find(|part| part["name"] == "database: retrieve");
    let names = database.unwrap()["parts"].as_array().unwrap().iter();
    let names: Vec<_> = names.map(|part| part["name"].as_str().unwrap()).collect();
    for name in ["load the vectors", "compare", "rank", "fetch the texts"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    assert!(!profile.to_string().contains("ferry"));

    let picture = memory.path("flames.svg");
    let told = memory.run(&[
        "profile".as_ref(),
        "--svg".as_ref(),
        picture.as_os_str(),
        "search".as_ref(),
        "ferry".as_ref(),
        "--warm".as_ref(),
    ]);
    assert_eq!(status(&told), 0, "{}", stderr(&told));
    assert!(
        stdout(&told).starts_with("search took "),
        "{}",
        stdout(&told)
    );
    let svg = std::fs::read_to_string(picture).unwrap();
    assert!(
        svg.starts_with("<svg ") && svg.contains("database: retrieve"),
        "{svg}"
    );
}

#[test]
fn what_is_profiled_is_done() {
    let memory = Memory::new();
    let stored = document(&memory.run(&["profile", "store", "the ferry", "--json"]));
    assert_eq!(stored["root"]["name"], "store");
    let notes = memory.path("notes");
    write(&notes.join("one.md"), "# One\n\nA note.\n");
    let asked = ["profile".as_ref(), "import".as_ref(), notes.as_os_str()];
    let imported = memory.run(&asked);
    assert!(
        stdout(&imported).contains("read and cut"),
        "{}",
        stdout(&imported)
    );
    let stats = document(&memory.run(&["stats", "--json"]));
    assert_eq!(stats["total_contexts"], 2);
}
