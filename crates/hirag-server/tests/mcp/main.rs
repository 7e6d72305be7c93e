//! `hirag mcp` as clients run it: processes that speak over their standard streams, and share one
//! store.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers beside the tests fail by panicking, too"
)]

mod client;
mod giving;

use std::io::Write;
use std::time::Duration;

use hirag::HiragManager;
use hirag::config::Config;
use hirag::manager::OpenOptions;
use serde_json::{Value, json};
use wiremock::matchers::{header, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use client::{Client, Memory, PATIENCE, TOKEN};

#[test]
fn two_clients_share_one_store() {
    let memory = Memory::new();
    let mut first = memory.client(Some(TOKEN));
    first.done("memory_store", json!({ "text": "a harbour of the first" }));
    assert_eq!(memory.server(), u64::from(first.child.id()));
    let mut second = memory.client(Some(TOKEN));
    second.done("memory_store", json!({ "text": "a harbour of the second" }));
    for client in [&mut first, &mut second] {
        assert_eq!(client.found("harbour").len(), 2);
    }
    let listed = second.done("memory_list", json!({}));
    let id = &listed["contexts"][0]["id"];
    second.done(
        "memory_update",
        json!({ "id": id, "text": "a harbour, changed" }),
    );
    assert!(
        first
            .found("harbour")
            .contains(&"a harbour, changed".to_owned())
    );
    assert_eq!(second.end().0, Some(0));
    assert_eq!(first.end().0, Some(0));
    assert!(!memory.data().join("server.json").exists());
}

#[test]
fn a_question_is_answered_whoever_has_the_store() {
    let memory = Memory::new();
    let mut first = memory.client(Some(TOKEN));
    let stored = first.done(
        "memory_store",
        json!({ "text": "Jonas keeps the harbour key" }),
    );
    let mut second = memory.client(Some(TOKEN));
    for client in [&mut first, &mut second] {
        let asked = client.done(
            "memory_ask",
            json!({ "question": "who keeps the harbour key?" }),
        );
        assert_eq!(asked["kind"], "extractive", "{asked}");
        assert_eq!(asked["sources"][0]["id"], stored["id"]);
    }
    assert_eq!(second.end().0, Some(0));
    assert_eq!(first.end().0, Some(0));
}

#[test]
fn when_the_first_is_killed_the_others_go_on_and_nothing_that_was_answered_is_lost() {
    let memory = Memory::new();
    let mut first = memory.client(Some(TOKEN));
    first.done("memory_store", json!({ "text": "note before" }));
    memory.server();
    let mut others = [memory.client(Some(TOKEN)), memory.client(Some(TOKEN))];
    let mut answered = vec!["note before".to_owned()];
    for (number, client) in others.iter_mut().enumerate() {
        let text = format!("note joined {number}");
        client.done("memory_store", json!({ "text": text }));
        answered.push(text);
    }
    // Stores are under way when it dies.
    let mut sent = Vec::new();
    for round in 0..20 {
        for (number, client) in others.iter_mut().enumerate() {
            let text = format!("note {round} of {number}");
            let arguments = json!({ "name": "memory_store", "arguments": { "text": text } });
            sent.push((number, client.send("tools/call", arguments), text));
        }
        if round == 10 {
            first.signal("-KILL");
        }
    }
    let mut results = std::collections::HashMap::new();
    for (number, client) in others.iter().enumerate() {
        for _ in 0..20 {
            let answer = client.answer();
            results.insert(
                (number, answer["id"].as_u64().unwrap()),
                answer["result"].clone(),
            );
        }
    }
    for (number, id, text) in sent {
        let result = &results[&(number, id)];
        assert_eq!(result["isError"], false, "{result}");
        answered.push(text);
    }
    for client in &mut others {
        assert!(client.found("before").contains(&"note before".to_owned()));
        assert_eq!(client.done("memory_list", json!({}))["total"], 43);
    }
    let [one, other] = others;
    assert_eq!(one.end().0, Some(0));
    assert_eq!(other.end().0, Some(0));
    let mut kept = memory.texts();
    kept.sort();
    answered.sort();
    assert_eq!(kept, answered);
}

#[test]
fn without_a_token_a_second_client_reads_and_is_told_what_it_needs_to_write() {
    let memory = Memory::new();
    let mut first = memory.client(Some(TOKEN));
    first.done("memory_store", json!({ "text": "a harbour" }));
    memory.server();
    for token in [None, Some("another-token")] {
        let mut second = memory.client(token);
        assert_eq!(second.found("harbour"), ["a harbour"]);
        let refused = second.refused("memory_store", json!({ "text": "x" }));
        assert!(refused.starts_with("error[store_locked]"), "{refused}");
        let holder = format!("process {}", first.child.id());
        for needed in [
            holder.as_str(),
            "HIRAG_SERVER_TOKEN",
            "hirag token set server",
        ] {
            assert!(refused.contains(needed), "{refused}");
        }
        assert!(!refused.contains(TOKEN) && !refused.contains("another-token"));
    }
}

#[tokio::test]
async fn while_a_process_writes_that_does_not_listen_others_read_and_are_told_of_it() {
    let memory = Memory::new();
    let open = async || {
        let mut config = Config::default();
        config.embedding.model_dir = memory.folder.path().display().to_string();
        HiragManager::open(OpenOptions::new(config, memory.data()))
            .await
            .unwrap()
    };
    let writer = open().await;
    let text = hirag::context::NewContext::new("a harbour");
    writer.store(text).await.unwrap();
    let mut command = memory.command(&["mcp"]);
    let command = command.env("HIRAG_STORE_LOCK_WAIT_SECS", "0");
    let mut client = Client::start(command.env("HIRAG_SERVER_TOKEN", TOKEN));
    assert_eq!(client.found("harbour"), ["a harbour"]);
    let refused = client.refused("memory_store", json!({ "text": "x" }));
    let holder = format!("process {}", std::process::id());
    assert!(refused.starts_with("error[store_locked]"), "{refused}");
    assert!(refused.contains(&holder), "{refused}");
    // Once it has ended, the next write goes through.
    writer.shut_down().await.unwrap();
    client.done("memory_store", json!({ "text": "another harbour" }));
    assert_eq!(client.found("harbour").len(), 2);
}

#[test]
fn hostile_input_is_refused_and_the_next_request_is_served() {
    let memory = Memory::new();
    let mut client = memory.client(None);
    for line in [
        "",
        "not json",
        "{",
        "[1, 2]",
        "\u{0}\u{1}",
        r#"{"jsonrpc":"2.0","id":"x","method":7}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/nothing"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":999}}"#,
        &"x".repeat(20 << 20),
        &format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)),
    ] {
        client.write(line);
    }
    let input = client.input.as_mut().unwrap();
    input.write_all(b"\xff\xfe\n").unwrap();
    let unknown = client.ask("tools/call", json!({ "name": "nothing", "arguments": {} }));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    let unknown = client.ask("nothing/at/all", json!({}));
    assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    for params in [
        json!({ "name": 7 }),
        json!([]),
        json!({ "name": "memory_get", "arguments": [] }),
    ] {
        client.write(
            &json!({ "jsonrpc": "2.0", "id": 1000, "method": "tools/call", "params": params })
                .to_string(),
        );
    }
    assert!(
        client
            .refused("memory_search", json!({ "query": [] }))
            .contains("invalid_arguments")
    );
    client.done("memory_store", json!({ "text": "fine" }));
    let (status, log) = client.end();
    assert_eq!(status, Some(0), "{log}");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn what_was_asked_before_the_input_ends_is_done_and_answered() {
    let memory = Memory::new();
    let mut client = memory.client(None);
    for number in 0..10 {
        let arguments = json!({ "text": format!("note {number}") });
        client.send(
            "tools/call",
            json!({ "name": "memory_store", "arguments": arguments }),
        );
    }
    drop(client.input.take());
    for _ in 0..10 {
        assert_eq!(client.answer()["result"]["isError"], false);
    }
    assert_eq!(client.ended().0, Some(0));
    assert_eq!(memory.texts().len(), 10);
}

#[test]
fn a_process_that_is_asked_to_end_ends_while_its_input_is_open() {
    let memory = Memory::new();
    let mut client = memory.client(Some(TOKEN));
    client.done("memory_store", json!({ "text": "kept" }));
    memory.server();
    client.signal("-TERM");
    let input = client.input.take();
    let (status, log) = client.ended();
    drop(input);
    assert_eq!(status, Some(0), "{log}");
    assert_eq!(memory.texts(), ["kept"]);
    assert!(!memory.data().join("server.json").exists());
}

/// A server that the memory's `server.json` names, and that answers as it is told to.
async fn scripted(memory: &Memory) -> MockServer {
    let server = MockServer::start().await;
    let live = Mock::given(path("/health/live"));
    live.respond_with(ResponseTemplate::new(200))
        .mount(&server)
        .await;
    let command = |name: &str| {
        let bearer = header("authorization", format!("Bearer {TOKEN}").as_str());
        Mock::given(path(format!("/api/v1/commands/{name}"))).and(bearer)
    };
    let startup = ResponseTemplate::new(200).set_body_json(json!({}));
    command("startup")
        .respond_with(startup)
        .mount(&server)
        .await;
    let found = json!({ "contexts": [], "metadata": { "trace_id": "t" } });
    let slow = ResponseTemplate::new(200).set_body_json(found);
    let slow = slow.set_delay(Duration::from_millis(1_500));
    command("search").respond_with(slow).mount(&server).await;
    let problem = json!({ "code": "not_found", "detail": "there is none" });
    let refused = ResponseTemplate::new(404).set_body_json(problem);
    command("get").respond_with(refused).mount(&server).await;
    let problem = json!({ "code": "store_read_only", "detail": "this server only reads" });
    let reads = ResponseTemplate::new(503).set_body_json(problem);
    command("store").respond_with(reads).mount(&server).await;
    std::fs::create_dir_all(memory.data()).unwrap();
    let running = json!({ "url": server.uri(), "pid": std::process::id() });
    std::fs::write(memory.data().join("server.json"), running.to_string()).unwrap();
    server
}

const SOME_ID: &str = "019a2b3c-4d5e-7f60-8123-456789abcdef";

#[tokio::test]
async fn a_client_that_asks_for_it_is_told_that_a_call_goes_on() {
    let memory = Memory::new();
    let _server = scripted(&memory).await;
    let mut client = memory.client(Some(TOKEN));
    let arguments = json!({ "query": "anything" });
    let meta = json!({ "progressToken": "p" });
    let call = json!({ "name": "memory_search", "arguments": arguments, "_meta": meta });
    let id = client.send("tools/call", call);
    let first: Value = serde_json::from_str(&client.lines.recv_timeout(PATIENCE).unwrap()).unwrap();
    assert_eq!(first["method"], "notifications/progress", "{first}");
    assert_eq!(first["params"]["progressToken"], "p");
    assert_eq!(first["params"]["progress"], 1.0);
    assert_eq!(client.answer()["id"], id);
}

#[tokio::test]
async fn a_server_that_only_reads_leads_to_the_process_that_writes() {
    let memory = Memory::new();
    let writer = HiragManager::open(OpenOptions::new(Config::default(), memory.data())).await;
    let _server = scripted(&memory).await;
    let mut client = memory.client(Some(TOKEN));
    let refused = client.refused("memory_store", json!({ "text": "x" }));
    assert!(refused.starts_with("error[store_locked]"), "{refused}");
    assert!(
        refused.contains(&format!("process {}", std::process::id())),
        "{refused}"
    );
    writer.unwrap().shut_down().await.unwrap();
}

#[tokio::test]
async fn a_call_that_is_cancelled_is_not_answered_and_holds_up_no_other() {
    let memory = Memory::new();
    let _server = scripted(&memory).await;
    let mut client = memory.client(Some(TOKEN));
    let search = json!({ "name": "memory_search", "arguments": { "query": "anything" } });
    let cancelled = client.send("tools/call", search.clone());
    let cancel = json!({
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": { "requestId": cancelled },
    });
    client.write(&cancel.to_string());
    // The server's own failures come through with their codes.
    assert_eq!(
        client.refused("memory_get", json!({ "id": SOME_ID })),
        "error[not_found]: there is none"
    );
    // By the time that a second one is answered, the first would have been.
    let other = client.send("tools/call", search);
    assert_eq!(client.answer()["id"], other);
}

#[test]
fn installing_prints_configuration_and_no_token() {
    let memory = Memory::new();
    let run = |arguments: &[&str]| {
        let mut command = memory.command(arguments);
        let output = command.env("HIRAG_SERVER_TOKEN", TOKEN).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let all = run(&["mcp", "install"]);
    let named = [
        "Claude Desktop",
        "Claude Code",
        "Cursor",
        "VS Code",
        "Windsurf",
        "Zed",
        "Codex CLI",
    ];
    for program in named {
        assert!(all.contains(program), "{program}");
    }
    assert!(all.contains("HIRAG_SERVER_TOKEN") && !all.contains(TOKEN));
    let one: Value =
        serde_json::from_str(&run(&["mcp", "install", "--client", "cursor", "--json"])).unwrap();
    assert_eq!(one["clients"].as_array().unwrap().len(), 1);
    let text = one["clients"][0]["text"].as_str().unwrap();
    let server = &serde_json::from_str::<Value>(text).unwrap()["mcpServers"]["hirag"];
    assert_eq!(server["command"], env!("CARGO_BIN_EXE_hirag"));
    assert_eq!(server["args"][1], "--data-dir");
    let wrong = memory
        .command(&["mcp", "install", "--client", "nobody"])
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}
