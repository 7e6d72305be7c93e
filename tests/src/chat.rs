//! An OpenAI-compatible endpoint that words answers as slowly as a test lets it.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};

/// The endpoint, on a port of this machine. What it is to say goes to each request under way.
#[derive(Debug)]
pub struct Chat {
    url: String,
    words: broadcast::Sender<String>,
    asked: mpsc::Receiver<()>,
    left: mpsc::Receiver<()>,
}

impl Chat {
    /// An endpoint that listens.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let words = broadcast::Sender::new(256);
        let (tell_asked, asked) = mpsc::channel(64);
        let (tell_left, left) = mpsc::channel(64);
        let saying = words.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (saying, tell_asked) = (saying.clone(), tell_asked.clone());
                let tell_left = tell_left.clone();
                tokio::spawn(async move {
                    if answer(stream, &saying, &tell_asked).await.is_none() {
                        // The test may have ended.
                        let _ = tell_left.try_send(());
                    }
                });
            }
        });
        Self {
            url,
            words,
            asked,
            left,
        }
    }

    /// Its address, without `/chat/completions`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Waits for the next request for an answer.
    pub async fn asked(&mut self) {
        self.asked.recv().await.unwrap();
    }

    /// Waits until somebody has gone before the end of an answer.
    pub async fn left(&mut self) {
        self.left.recv().await.unwrap();
    }

    /// Says some words.
    pub fn say(&self, words: &str) {
        let part = json!({"choices": [{"delta": {"content": words}}]});
        self.words.send(format!("data: {part}\n\n")).unwrap();
    }

    /// Ends the answer.
    pub fn end(&self) {
        let part = json!({"choices": [{"delta": {}, "finish_reason": "stop"}]});
        let end = format!("data: {part}\n\ndata: [DONE]\n\n");
        self.words.send(end).unwrap();
    }
}

/// Answers a request as it is told to; `None` where the client went away before the end.
async fn answer(
    mut stream: TcpStream,
    words: &broadcast::Sender<String>,
    tell_asked: &mpsc::Sender<()>,
) -> Option<()> {
    let mut request = Vec::new();
    while !is_whole(&request) {
        let mut buffer = [0; 4_096];
        match stream.read(&mut buffer).await.ok()? {
            0 => return Some(()),
            count => request.extend_from_slice(&buffer[..count]),
        }
    }
    let mut words = words.subscribe();
    let _ = tell_asked.try_send(());
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.ok()?;
    let (mut from, mut to) = stream.into_split();
    let mut rest = [0; 64];
    loop {
        tokio::select! {
            said = words.recv() => {
                let said = said.ok()?;
                to.write_all(said.as_bytes()).await.ok()?;
                if said.contains("[DONE]") {
                    return Some(());
                }
            }
            // The client sends nothing more: what is read is its end.
            _ = from.read(&mut rest) => return None,
        }
    }
}

/// Whether head and body have come.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    body.len() >= length
}
