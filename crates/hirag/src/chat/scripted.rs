//! A chat endpoint for tests: a real socket on loopback that answers as it is told.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

/// What the endpoint does, one after the other.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sends these bytes.
    Send(String),
    /// Waits until the test opens the gate.
    Wait(Arc<Notify>),
    /// Sends the same again and again, until nobody listens.
    Forever(String),
    /// Says nothing more, and does not go.
    Hang,
}

/// The head of an answer that ends where its last chunk says so.
pub(crate) fn head(status: u16, kind: &str) -> Step {
    Step::Send(format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
    ))
}

fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}

/// Some words of a streamed answer.
pub(crate) fn words(text: &str) -> Step {
    let part = json!({"choices": [{"delta": {"content": text}}]});
    raw(&format!("data: {part}\n\n"))
}

/// Anything in the place of an event.
pub(crate) fn raw(text: &str) -> Step {
    Step::Send(chunk(text))
}

/// The end of a streamed answer.
pub(crate) fn done(reason: &str) -> [Step; 2] {
    let part = json!({"choices": [{"delta": {}, "finish_reason": reason}]});
    [
        raw(&format!("data: {part}\n\ndata: [DONE]\n\n")),
        Step::Send(chunk("")),
    ]
}

/// An answer that says this and ends.
pub(crate) fn saying(pieces: &[&str]) -> Vec<Step> {
    let mut steps = vec![head(200, "text/event-stream")];
    steps.extend(pieces.iter().map(|piece| words(piece)));
    steps.extend(done("stop"));
    steps
}

/// A refusal.
pub(crate) fn refusing(status: u16, headers: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    vec![Step::Send(format!(
        "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}"
    ))]
}

/// The endpoint. Its scripts are played one a request, and the last one from then on.
#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Value>>>,
    gone: mpsc::Receiver<()>,
}

impl Scripted {
    pub(crate) async fn start(scripts: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (tell_gone, gone) = mpsc::channel(16);
        let scripts = Arc::new(Mutex::new(VecDeque::from(scripts)));
        tokio::spawn({
            let requests = Arc::clone(&requests);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let script = {
                        let mut scripts = scripts.lock();
                        match scripts.len() {
                            0 | 1 => scripts.front().cloned().unwrap_or_default(),
                            _ => scripts.pop_front().unwrap(),
                        }
                    };
                    tokio::spawn(play(
                        stream,
                        script,
                        Arc::clone(&requests),
                        tell_gone.clone(),
                    ));
                }
            }
        });
        Self {
            url,
            requests,
            gone,
        }
    }

    /// What was asked so far.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.requests.lock().clone()
    }

    /// Waits until a client has gone before its answer was at its end.
    pub(crate) async fn client_gone(&mut self) {
        self.gone.recv().await.unwrap();
    }
}

async fn play(
    mut stream: TcpStream,
    script: Vec<Step>,
    requests: Arc<Mutex<Vec<Value>>>,
    gone: mpsc::Sender<()>,
) {
    let Some(request) = read_request(&mut stream).await else {
        return;
    };
    requests.lock().push(request);
    let (mut from, mut to) = stream.into_split();
    let played = async {
        for step in script {
            match step {
                Step::Send(bytes) => to.write_all(bytes.as_bytes()).await?,
                Step::Wait(gate) => gate.notified().await,
                Step::Forever(bytes) => loop {
                    to.write_all(bytes.as_bytes()).await?;
                },
                Step::Hang => std::future::pending().await,
            }
        }
        to.shutdown().await
    };
    let mut rest = [0; 64];
    let went = tokio::select! {
        played = played => played.is_err(),
        // The client sends nothing more: what is read is its end.
        _ = from.read(&mut rest) => true,
    };
    if went {
        // Nobody need wait for it.
        let _ = gone.try_send(());
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<Value> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4_096];
        let count = stream.read(&mut buffer).await.ok()?;
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if body.len() >= length {
                let body: Value = serde_json::from_str(body).unwrap_or(Value::Null);
                let token = head
                    .lines()
                    .find_map(|line| line.strip_prefix("authorization: "));
                return Some(json!({"body": body, "authorization": token}));
            }
        }
        if count == 0 {
            return None;
        }
    }
}
