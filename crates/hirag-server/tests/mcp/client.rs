//! A memory of its own, and clients that start `hirag mcp` on it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// The longest that an answer may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const TOKEN: &str = "a-token-of-this-test-0123456789";

/// A memory of its own; texts are pending, so that nothing waits for a model.
pub(crate) struct Memory {
    pub(crate) folder: TempDir,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hirag"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("HIRAG_") {
                command.env_remove(name);
            }
        }
        command
            // Nobody listens on the port of the discard service.
            .env("HIRAG_EMBEDDING_PROVIDER", "http")
            .env("HIRAG_EMBEDDING_API_URL", "http://127.0.0.1:9/v1")
            .env("HIRAG_EMBEDDING_MODEL", "none")
            .env("HIRAG_EMBEDDING_MAX_RETRIES", "0")
            .env("HIRAG_EMBEDDING_BATCH_WINDOW_MS", "0")
            // No keyring answers here.
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("XDG_CONFIG_HOME", self.folder.path().join("config"))
            .env("HIRAG_DATA_DIR", self.data())
            .args(arguments);
        command
    }

    pub(crate) fn client(&self, token: Option<&str>) -> Client {
        let mut command = self.command(&["mcp"]);
        if let Some(token) = token {
            command.env("HIRAG_SERVER_TOKEN", token);
        }
        Client::start(&mut command)
    }

    /// Waits until a server of this memory has said that it listens, and returns its process.
    pub(crate) fn server(&self) -> u64 {
        let file = self.data().join("server.json");
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let text = std::fs::read(&file).unwrap_or_default();
            if let Ok(running) = serde_json::from_slice::<Value>(&text) {
                return running["pid"].as_u64().unwrap();
            }
            assert!(std::time::Instant::now() < deadline, "no server");
            std::thread::yield_now();
        }
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        let listed = self
            .command(&["list", "--json", "--limit", "1000"])
            .output()
            .unwrap();
        let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
        let contexts = listed["contexts"].as_array().unwrap().iter();
        contexts
            .map(|one| one["text"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A client and the process that it started.
pub(crate) struct Client {
    pub(crate) child: Child,
    pub(crate) input: Option<ChildStdin>,
    pub(crate) lines: Receiver<String>,
    last: u64,
}

impl Client {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut client = Self {
            input: child.stdin.take(),
            child,
            lines,
            last: 0,
        };
        let begun = client.ask(
            "initialize",
            json!({
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": { "name": "tests", "version": "1" },
            }),
        );
        assert_eq!(begun["result"]["serverInfo"]["name"], "hirag");
        client.write(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        client
    }

    pub(crate) fn write(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        input.flush().unwrap();
    }

    /// Sends a request without waiting for its answer.
    pub(crate) fn send(&mut self, method: &str, params: Value) -> u64 {
        self.last += 1;
        let id = self.last;
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.write(&message.to_string());
        id
    }

    /// The next line that is an answer. Every line must be of the protocol.
    pub(crate) fn answer(&self) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap();
            let message: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(message["jsonrpc"], "2.0", "{line}");
            if message.get("method").is_none() {
                return message;
            }
        }
    }

    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        loop {
            let answer = self.answer();
            if answer["id"] == id {
                return answer;
            }
        }
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let answer = self.ask(
            "tools/call",
            json!({ "name": tool, "arguments": arguments }),
        );
        answer["result"].clone()
    }

    pub(crate) fn done(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], false, "{result}");
        result["structuredContent"].clone()
    }

    pub(crate) fn refused(&mut self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    pub(crate) fn found(&mut self, query: &str) -> Vec<String> {
        let found = self.done("memory_search", json!({ "query": query, "limit": 50 }));
        let contexts = found["contexts"].as_array().unwrap().iter();
        contexts
            .map(|one| one["text"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Closes its input and returns the status and the log of the process.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        drop(self.input.take());
        self.ended()
    }

    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        let mut errors = self.child.stderr.take().unwrap();
        errors.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
