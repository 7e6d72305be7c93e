use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::Memory;
use crate::mcp::router;
use crate::running;

const SESSION: &str = "mcp-session-id";

/// A client of the protocol, no more than bytes on a socket.
struct Client {
    http: reqwest::Client,
    url: String,
    session: Option<HeaderValue>,
}

impl Client {
    async fn of(memory: &Memory) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let app = axum::Router::new().nest(
            "/mcp",
            router(memory.studio.clone(), std::future::pending()),
        );
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self {
            http: running::client().unwrap(),
            url,
            session: None,
        }
    }

    async fn post(&self, message: &str, headers: HeaderMap) -> reqwest::Response {
        let mut request = self
            .http
            .post(&self.url)
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
            .body(message.to_owned());
        if let Some(session) = &self.session {
            request = request.header(SESSION, session);
        }
        request.headers(headers).send().await.unwrap()
    }

    async fn initialize(&mut self) -> Value {
        let message = json!({
            "jsonrpc": "2.0",
            "id": 0,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": { "name": "socket", "version": "1" },
            },
        });
        let response = self.post(&message.to_string(), HeaderMap::new()).await;
        assert_eq!(response.status(), StatusCode::OK);
        self.session = response.headers().get(SESSION).cloned();
        let answer = event(&response.text().await.unwrap());
        let done = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let response = self.post(&done.to_string(), HeaderMap::new()).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        answer
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let response = self.post(&message.to_string(), HeaderMap::new()).await;
        assert_eq!(response.status(), StatusCode::OK);
        event(&response.text().await.unwrap())
    }
}

/// The message of an answer, which comes as an event.
fn event(text: &str) -> Value {
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let last = data.map(str::trim).rfind(|data| !data.is_empty());
    serde_json::from_str(last.unwrap_or(text)).unwrap()
}

#[tokio::test]
async fn a_session_over_a_socket_stores_and_finds() {
    let memory = Memory::new();
    let mut client = Client::of(&memory).await;
    let server = client.initialize().await;
    assert_eq!(server["result"]["serverInfo"]["name"], "hirag");
    let call = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments });
    let store = call("memory_store", json!({ "text": "Over the socket." }));
    let stored = client.ask("tools/call", store).await;
    assert_eq!(stored["result"]["isError"], false);
    let search = call("memory_search", json!({ "query": "socket" }));
    let found = client.ask("tools/call", search).await;
    let context = &found["result"]["structuredContent"]["contexts"][0];
    assert_eq!(context["text"], "Over the socket.");
    assert_eq!(context["agent"], "socket");
    let unknown = client.ask("tools/call", call("nothing", json!({}))).await;
    assert_eq!(unknown["error"]["code"], -32602);
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_session_that_was_ended_is_no_more() {
    let memory = Memory::new();
    let mut client = Client::of(&memory).await;
    client.initialize().await;
    let end = client.http.delete(&client.url);
    let end = end.header(SESSION, client.session.clone().unwrap());
    assert_eq!(end.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    let response = client.post(&message, HeaderMap::new()).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn pages_of_other_hosts_are_refused() {
    let memory = Memory::new();
    let mut client = Client::of(&memory).await;
    client.initialize().await;
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    for (name, value) in [
        ("host", "evil.example"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1.evil.example"),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        let response = client.post(&message, headers).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{name}: {value}");
    }
    let mut headers = HeaderMap::new();
    headers.insert("origin", HeaderValue::from_static("http://localhost:5173"));
    let response = client.post(&message, headers).await;
    assert_eq!(response.status(), StatusCode::OK);
    memory.studio.shut_down().await.unwrap();
}

#[tokio::test]
async fn malformed_messages_are_refused_and_the_next_is_served() {
    let memory = Memory::new();
    let mut client = Client::of(&memory).await;
    client.initialize().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let huge = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{}"}}"#,
        "x".repeat(9 << 20)
    );
    for message in ["", "{", "[]", "7", r#"{"jsonrpc":"1.0"}"#, &deep, &huge] {
        let response = client.post(message, HeaderMap::new()).await;
        let status = response.status();
        assert!(
            status.is_client_error(),
            "{status}: {}",
            &message[..message.len().min(40)]
        );
        assert_ne!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        if ["", "{", "7"].contains(&message) {
            let answer: Value = response.json().await.unwrap();
            assert_eq!(answer["error"]["code"], -32700, "{message}");
        }
    }
    let tools = client.ask("tools/list", json!({})).await;
    assert_eq!(tools["result"]["tools"].as_array().unwrap().len(), 12);
    memory.studio.shut_down().await.unwrap();
}
