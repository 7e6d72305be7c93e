//! A server that comes later than the process that has the store.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hirag::HiragManager;
use hirag::config::Config;
use hirag::manager::OpenOptions;
use reqwest::StatusCode;
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::client::{Client, Memory, PATIENCE, TOKEN};

/// `hirag serve` on a memory.
struct Server {
    child: Child,
    url: String,
    token: String,
}

impl Server {
    /// Returns once it listens.
    fn start(memory: &Memory, token: &str) -> Self {
        let mut command = memory.command(&["serve", "--port", "0", "--json"]);
        let child = command
            .env("HIRAG_SERVER_TOKEN", token)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Self {
            child,
            url: String::new(),
            token: token.to_owned(),
        };
        let lines = BufReader::new(server.child.stdout.as_mut().unwrap()).lines();
        let mut text = String::new();
        let document: Option<Value> = lines.map(Result::unwrap).find_map(|line| {
            text += &line;
            serde_json::from_str(&text).ok()
        });
        let document = document.unwrap();
        let url = document["url"].as_str();
        assert!(url.is_some(), "{document}");
        server.url = url.unwrap().to_owned();
        server
    }

    async fn store(&self, text: &str) -> (StatusCode, Value) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client
            .post(format!("{}/api/v1/contexts", self.url))
            .bearer_auth(&self.token)
            .json(&json!({ "text": text }))
            .send()
            .await
            .unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// Waits until it can store.
    async fn writes(&self) {
        let begin = Instant::now();
        while self.store("a note of the server").await.0 != StatusCode::CREATED {
            assert!(begin.elapsed() < PATIENCE, "it still only reads");
        }
    }

    fn end(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stores one text after the other until it is told to stop, and returns them.
fn store_on(client: &mut Client, stop: &AtomicBool) -> Vec<String> {
    let mut stored = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let text = format!("note {} of {}", stored.len(), client.child.id());
        client.done("memory_store", json!({ "text": text }));
        stored.push(text);
    }
    stored
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_later_writes_and_every_call_of_the_clients_is_answered() {
    let memory = Memory::new();
    let mut first = memory.client(Some(TOKEN));
    first.done("memory_store", json!({ "text": "the first note" }));
    assert_eq!(memory.server(), u64::from(first.child.id()));
    let mut joined = memory.client(Some(TOKEN));
    joined.done("memory_store", json!({ "text": "the second note" }));
    let mut expected = vec!["the first note".to_owned(), "the second note".to_owned()];

    // Both store all the time while the store changes hands.
    let stop = AtomicBool::new(false);
    let server = std::thread::scope(|scope| {
        let storing =
            [&mut first, &mut joined].map(|client| scope.spawn(|| store_on(client, &stop)));
        let server = Server::start(&memory, TOKEN);
        stop.store(true, Ordering::Relaxed);
        expected.extend(
            storing
                .into_iter()
                .flat_map(|storing| storing.join().unwrap()),
        );
        server
    });

    assert_eq!(memory.server(), u64::from(server.child.id()));
    let (status, stored) = server.store("a note of the server").await;
    assert_eq!(status, StatusCode::CREATED, "{stored}");
    expected.push("a note of the server".to_owned());
    // Both sessions go on, by way of the server.
    for client in [&mut first, &mut joined] {
        let text = format!("a later note of {}", client.child.id());
        client.done("memory_store", json!({ "text": text }));
        expected.push(text);
        let listed = client.done("memory_list", json!({}));
        assert_eq!(listed["total"], expected.len());
    }
    assert_eq!(memory.server(), u64::from(server.child.id()));

    server.end();
    first.done("memory_store", json!({ "text": "the last note" }));
    expected.push("the last note".to_owned());
    assert_eq!(first.end().0, Some(0));
    assert_eq!(joined.end().0, Some(0));
    let mut kept = memory.texts();
    kept.sort();
    expected.sort();
    assert_eq!(kept, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_with_the_client_writes_and_the_client_stores() {
    let memory = Memory::new();
    let (mut client, server) = std::thread::scope(|scope| {
        let client = scope.spawn(|| memory.client(Some(TOKEN)));
        let server = Server::start(&memory, TOKEN);
        (client.join().unwrap(), server)
    });
    client.done("memory_store", json!({ "text": "a harbour" }));
    server.writes().await;
    client.done("memory_store", json!({ "text": "another harbour" }));
    assert_eq!(memory.server(), u64::from(server.child.id()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_token_only_reads_and_the_client_keeps_the_store() {
    let memory = Memory::new();
    let mut client = memory.client(Some(TOKEN));
    client.done("memory_store", json!({ "text": "a harbour" }));
    memory.server();
    let server = Server::start(&memory, "another-token-0123456789");
    let (status, refused) = server.store("x").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused["code"], "store_locked");
    client.done("memory_store", json!({ "text": "another harbour" }));
    assert_eq!(memory.server(), u64::from(client.child.id()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_does_not_answer_keeps_the_server_only_from_writing() {
    let memory = Memory::new();
    let writer = HiragManager::open(OpenOptions::new(Config::default(), memory.data()));
    let writer = writer.await.unwrap();
    let silent = MockServer::start().await;
    let live = Mock::given(path("/health/live")).respond_with(ResponseTemplate::new(200));
    live.mount(&silent).await;
    let late = ResponseTemplate::new(202).set_delay(Duration::from_secs(600));
    let claim = Mock::given(path("/api/v1/claim")).respond_with(late);
    claim.expect(1).mount(&silent).await;
    let word = json!({ "url": silent.uri(), "pid": std::process::id(), "gives_way": true });
    std::fs::write(memory.data().join("server.json"), word.to_string()).unwrap();
    let server = Server::start(&memory, TOKEN);
    let (_, refused) = server.store("x").await;
    assert_eq!(refused["code"], "store_locked");
    // Once that has ended, it writes.
    writer.shut_down().await.unwrap();
    server.writes().await;
}
