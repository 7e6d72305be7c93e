//! `hirag load` as a shell runs it, against a small server in this process.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers beside the tests fail by panicking, too"
)]

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;

const TOKEN: &str = "a-token-of-thirty-two-characters";

/// Counts who comes in with the token.
async fn server() -> (String, watch::Receiver<u64>) {
    let (sender, seen) = watch::channel(0);
    let router = Router::new().fallback(answer).with_state(Arc::new(sender));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, seen)
}

async fn answer(State(seen): State<Arc<watch::Sender<u64>>>, headers: HeaderMap) -> StatusCode {
    let token = headers.get("authorization").map(|token| token.as_bytes());
    if token != Some(format!("Bearer {TOKEN}").as_bytes()) {
        return StatusCode::UNAUTHORIZED;
    }
    seen.send_modify(|seen| *seen += 1);
    StatusCode::OK
}

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn begin(&self, arguments: &[&str], token: Option<&str>) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hirag"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HIRAG_") {
                command.env_remove(name);
            }
        }
        if let Some(token) = token {
            command.env("HIRAG_SERVER_TOKEN", token);
        }
        command
            .env("XDG_CONFIG_HOME", self.0.path().join("config"))
            .env("HIRAG_DATA_DIR", self.0.path().join("data"))
            // No keyring is asked.
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
            .args(["load", "--json"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    async fn run(&self, arguments: &[&str], token: Option<&str>, input: &str) -> (i32, Value) {
        let mut child = self.begin(arguments, token);
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        ended(child).await
    }
}

/// The status, and the one document that is printed.
async fn ended(child: Child) -> (i32, Value) {
    let ended = tokio::task::spawn_blocking(|| child.wait_with_output());
    let output: Output = ended.await.unwrap().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!errors.contains(TOKEN), "{errors}");
    let document = serde_json::from_slice(&output.stdout);
    assert!(document.is_ok(), "{document:?}: {errors}");
    let document = document.unwrap_or_default();
    (output.status.code().unwrap(), document)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_one_document_and_a_page() {
    let place = Place::new();
    let (url, seen) = server().await;
    let page = place.0.path().join("load.html");
    let page_name = page.to_str().unwrap();
    let arguments = [
        "--url",
        &url,
        "-c",
        "20",
        "-d",
        "200ms",
        "--mix",
        "search=3,health",
        "--report",
        page_name,
    ];
    let (status, report) = place.run(&arguments, Some(TOKEN), "").await;
    assert_eq!(status, 0, "{report}");
    // One asked whether the server lets it in.
    assert_eq!(report["requests"].as_u64().unwrap(), *seen.borrow() - 1);
    assert_eq!(report["succeeded"], report["requests"]);
    assert_eq!(report["plan"]["concurrency"], 20);
    assert!(report["latency"]["p99_ms"].as_f64().unwrap() > 0.0);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && !page.contains(TOKEN));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_gives_what_was_measured_so_far() {
    let place = Place::new();
    let (url, mut seen) = server().await;
    let child = place.begin(&["--url", &url, "-d", "10m"], Some(TOKEN));
    seen.wait_for(|seen| *seen > 100).await.unwrap();
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let (status, report) = ended(child).await;
    assert_eq!(status, 130);
    assert_eq!(report["stopped"], true);
    assert!(report["succeeded"].as_u64().unwrap() > 50, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_come_from_the_environment_or_standard_input_and_a_wrong_one_is_told() {
    let place = Place::new();
    let (url, seen) = server().await;
    let code = |report: &Value| report["error"]["code"].as_str().map(str::to_owned);
    for token in [None, Some("another-token-of-32-characters!!")] {
        let (status, report) = place.run(&["--url", &url, "-d", "10m"], token, "").await;
        assert_eq!(
            (status, code(&report).as_deref()),
            (1, Some("unauthorized"))
        );
    }
    assert_eq!(*seen.borrow(), 0);
    let arguments = ["--url", &url, "-d", "50ms", "--token-stdin"];
    let (status, report) = place.run(&arguments, None, &format!("{TOKEN}\n")).await;
    assert_eq!(status, 0, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_with_a_code() {
    let place = Place::new();
    let here = "http://127.0.0.1:9";
    for (arguments, expected, code) in [
        (vec!["--url", "ftp://127.0.0.1"], 2, "invalid_url"),
        (vec!["--url", "127.0.0.1:8080"], 2, "invalid_url"),
        (vec!["--url", here, "-c", "0"], 2, "invalid_load"),
        (vec!["--url", here, "-c", "10001"], 2, "invalid_load"),
        (vec!["--url", here, "-d", "0"], 2, "invalid_load"),
        (vec!["--url", here, "--rate", "0"], 2, "invalid_load"),
        (vec!["--url", here, "--rate", "many"], 2, "usage"),
        (vec!["--url", here, "--mix", "delete"], 2, "invalid_mix"),
        (vec!["--url", here, "--mix", "search=0"], 2, "invalid_mix"),
        (vec!["--url", here, "--queries", "new"], 2, "usage"),
        (
            vec!["--url", here, "--report", "/nowhere/load.html"],
            1,
            "io_failed",
        ),
        (vec!["--url", "http://192.0.2.1"], 1, "token_in_clear"),
        (vec!["--url", here], 1, "server_unreachable"),
        (vec![], 1, "no_server"),
    ] {
        let (status, report) = place.run(&arguments, Some(TOKEN), "").await;
        assert_eq!(report["error"]["code"], code, "{arguments:?}");
        assert_eq!(status, expected, "{arguments:?}");
    }
}
