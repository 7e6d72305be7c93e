//! `hirag serve` as its callers meet it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers beside the tests fail by panicking, too"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn hirag(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hirag"));
    command
        .args(arguments)
        .env("XDG_CONFIG_HOME", folder)
        .env("HIRAG_DATA_DIR", folder.join("data"))
        // No keyring is asked for.
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
        .env_remove("HIRAG_SERVER_TOKEN")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The document that it prints when it listens.
fn document(child: &mut Child) -> Value {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let mut text = String::new();
    for line in lines.by_ref() {
        text += &line.unwrap();
        if let Ok(document) = serde_json::from_str(&text) {
            return document;
        }
    }
    panic!("it ended: {text}");
}

async fn status(url: &str, token: Option<&str>) -> u16 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap().status().as_u16()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn it_serves_until_it_is_asked_to_end_and_says_how_to_get_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = hirag(folder.path(), &["serve", "--port", "0", "--json"])
        .spawn()
        .unwrap();
    let document = document(&mut child);
    let url = document["url"].as_str().unwrap();
    assert_eq!(document["token"], "this_run");
    let token = document["token_for_this_run"].as_str().unwrap();
    assert_eq!(status(&format!("{url}/health/live"), None).await, 200);
    assert_eq!(status(&format!("{url}/health/ready"), None).await, 401);
    assert_eq!(
        status(&format!("{url}/health/ready"), Some(token)).await,
        200
    );
    assert!(
        document["link"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{url}/open?key="))
    );
    let word = std::fs::read_to_string(folder.path().join("data/server.json")).unwrap();
    assert!(word.contains(url) && !word.contains(token), "{word}");

    let ended = Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(ended.success());
    let mut rest = String::new();
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_to_string(&mut rest)
        .unwrap();
    assert_eq!(rest.trim(), "", "more than one document");
    let mut said = String::new();
    child
        .stderr
        .as_mut()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(!said.contains(token), "{said}");
    assert!(child.wait().unwrap().success(), "{said}");
    assert!(!folder.path().join("data/server.json").exists());
}

/// A server whose parent has, or has not, said that a terminal which goes is to be ignored.
#[cfg(target_os = "linux")]
fn serving(folder: &Path, hang_up: &str) -> Child {
    let plain = hirag(folder, &["serve", "--port", "0", "--json"]);
    let mut command = Command::new("env");
    command.arg(hang_up).arg(plain.get_program());
    command.args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::piped()).spawn().unwrap()
}

#[cfg(target_os = "linux")]
fn send(signal: &str, child: &Child) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([signal, &id]).status();
    assert!(sent.unwrap().success());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_goes_ends_it_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = serving(folder.path(), "--default-signal=HUP");
    document(&mut child);
    send("-HUP", &child);
    assert!(child.wait().unwrap().success());
    assert!(!folder.path().join("data/server.json").exists());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_not_to_end_it_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = serving(folder.path(), "--ignore-signal=HUP");
    let document = document(&mut child);
    send("-HUP", &child);
    let address = document["url"]
        .as_str()
        .unwrap()
        .trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let ask = format!("GET /health/live HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    send("-TERM", &child);
    assert!(child.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_the_environment_is_used_and_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let token = "a-token-that-nobody-repeats-0123";
    let mut command = hirag(folder.path(), &["serve", "--port", "0", "--json"]);
    let mut child = command.env("HIRAG_SERVER_TOKEN", token).spawn().unwrap();
    let document = document(&mut child);
    assert_eq!(document["token"], "environment");
    assert!(!document.to_string().contains(token));
    let url = format!("{}/health/ready", document["url"].as_str().unwrap());
    assert_eq!(status(&url, Some(token)).await, 200);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_port_that_is_taken_and_an_address_of_others_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, code, hint) in [
        (["--port", &port], "port_taken", "--port"),
        (
            ["--host", "0.0.0.0"],
            "invalid_settings",
            "server.allow_remote",
        ),
    ] {
        let all = [&["serve", "--json"], arguments.as_slice()].concat();
        let output = hirag(folder.path(), &all).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["error"]["code"], code);
        let message = document["error"]["message"].as_str().unwrap();
        assert!(message.contains(hint), "{message}");
    }
}
