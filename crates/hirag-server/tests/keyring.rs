//! `hirag token` with a real keyring: gnome-keyring on a bus of its own.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers beside the tests fail by panicking, too"
)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const TOKEN: &str = "sk-real-keyring-0123456789";

/// Runs a script in a session with an unlocked keyring; `$HIRAG` is the program.
fn in_session(home: &Path, script: &str) -> Output {
    let unlocked = format!(
        "set -eu
         printf 'password' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
         {script}"
    );
    let mut command = Command::new("dbus-run-session");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HIRAG_") {
            command.env_remove(name);
        }
    }
    command
        .args(["--", "sh", "-c", &unlocked])
        .env("HOME", home)
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("XDG_RUNTIME_DIR", home)
        .env("HIRAG", env!("CARGO_BIN_EXE_hirag"))
        .env("TOKEN", TOKEN)
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("DISPLAY");
    let output = command.output();
    output.expect("dbus-run-session and gnome-keyring are needed: run `make setup`")
}

fn told(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The JSON documents that the script printed, one after another.
fn documents(output: &Output) -> Vec<Value> {
    serde_json::Deserializer::from_slice(&output.stdout)
        .into_iter()
        .map(|document| document.unwrap_or_else(|e| panic!("{e}: {}", told(output))))
        .collect()
}

fn holds_token(folder: &Path) -> bool {
    let holds = |bytes: &[u8]| {
        bytes
            .windows(TOKEN.len())
            .any(|part| part == TOKEN.as_bytes())
    };
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            return holds_token(&entry.path());
        }
        kind.is_file() && holds(&std::fs::read(entry.path()).unwrap())
    })
}

#[test]
fn a_token_is_kept_by_the_keyring_and_by_nothing_else() {
    let home = TempDir::new().unwrap();
    let script = r#"
        printf '%s\n' "$TOKEN" | "$HIRAG" --json -vv token set embedding
        "$HIRAG" --json -vv token status embedding
        "$HIRAG" --json -vv store 'a note' >/dev/null
        "$HIRAG" --json token clear embedding
        "$HIRAG" --json token status embedding
    "#;
    let output = in_session(home.path(), script);
    assert!(output.status.success(), "{}", told(&output));
    let [set, kept, cleared, gone] = documents(&output).try_into().unwrap();
    for status in [&set, &kept] {
        assert_eq!(status["set"], true, "{}", told(&output));
        assert_eq!(status["source"], "keyring");
        assert_eq!(status["last_four"], "6789");
        assert_eq!(status["keyring"], "available");
    }
    for status in [&cleared, &gone] {
        assert_eq!(status["set"], false);
    }
    assert!(!told(&output).contains(TOKEN), "{}", told(&output));
    assert!(!holds_token(home.path()), "a file holds the token");
}

#[test]
fn what_cannot_be_a_token_never_reaches_the_keyring() {
    let home = TempDir::new().unwrap();
    let script = r#"
        ! printf ' %s' "$TOKEN" | "$HIRAG" --json token set
        ! printf '%s\n\n' "$TOKEN" | "$HIRAG" --json token set
        ! printf '' | "$HIRAG" --json token set
        "$HIRAG" --json token status embedding
    "#;
    let output = in_session(home.path(), script);
    assert!(output.status.success(), "{}", told(&output));
    let documents = documents(&output);
    assert_eq!(documents.len(), 4);
    for refused in &documents[..3] {
        assert_eq!(refused["error"]["code"], "bad_token", "{}", told(&output));
    }
    assert_eq!(documents[3]["set"], false);
    assert!(!told(&output).contains(TOKEN));
}

#[test]
fn a_server_that_runs_goes_by_a_changed_token_at_once() {
    let home = TempDir::new().unwrap();
    let script = r#"
        status() {
            python3 - "$1" "$(sed 's/.*"url":"\([^"]*\)".*/\1/' "$word")" <<'END'
import sys, urllib.error, urllib.request
token, url = sys.argv[1:]
request = urllib.request.Request(url + "/health/ready", headers={"Authorization": f"Bearer {token}"})
try:
    print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error:
    print(error.code)
END
        }
        word=$XDG_DATA_HOME/hirag/server.json
        printf '%s' "$TOKEN" | "$HIRAG" --quiet token set server >/dev/null
        "$HIRAG" --quiet serve --port 0 >/dev/null &
        server=$!
        until [ -s "$word" ]; do kill -0 "$server"; done
        status "$TOKEN"
        printf '%s' "another-$TOKEN" | "$HIRAG" token set server >/dev/null
        status "$TOKEN"
        status "another-$TOKEN"
        "$HIRAG" token clear server >/dev/null
        status "another-$TOKEN"
        kill "$server"
        wait "$server"
    "#;
    let output = in_session(home.path(), script);
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(
        documents(&output),
        [200, 401, 200, 401],
        "{}",
        told(&output)
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.matches("goes by it").count(), 2, "{said}");
    assert!(!told(&output).contains(TOKEN), "{}", told(&output));
}

#[test]
fn without_a_keyring_it_is_said_and_the_environment_gives_the_token() {
    let home = TempDir::new().unwrap();
    let run = |arguments: &[&str], token: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hirag"));
        command
            .args(arguments)
            .env("HOME", home.path())
            .env("XDG_CONFIG_HOME", home.path().join("config"))
            .env("XDG_DATA_HOME", home.path().join("data"))
            .env("XDG_RUNTIME_DIR", home.path())
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
            .env_remove("HIRAG_EMBEDDING_TOKEN");
        if let Some(token) = token {
            command.env("HIRAG_EMBEDDING_TOKEN", token);
        }
        command.output().unwrap()
    };
    let status = ["--json", "token", "status", "embedding"];
    let absent = documents(&run(&status, None)).remove(0);
    assert_eq!(
        (&absent["set"], &absent["keyring"]),
        (&false.into(), &"absent".into())
    );
    assert!(!absent["why_absent"].as_str().unwrap().is_empty());
    let given = run(&status, Some(TOKEN));
    assert_eq!(documents(&given)[0]["source"], "environment");
    assert!(!told(&given).contains(TOKEN));
}
