//! The server as its clients meet it: over a real socket of this machine.

mod asking;
mod claim;
mod connections;
mod contexts;
mod description;
mod door;
mod ending;
mod entry;
mod refusals;
mod sources;
mod tokens;
mod watching;

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use secrecy::SecretString;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Instead;
use crate::studio::Studio;
use crate::studio::tests::{Held, Place, SETTINGS};

const TOKEN: &str = "the-token-of-these-tests-0123456789";
/// Longer than anything here takes; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A memory that is served.
struct Served {
    place: Place,
    studio: Studio,
    url: String,
    client: Client,
}

impl Served {
    async fn new() -> Self {
        Self::with("").await
    }

    /// With more settings.
    async fn with(settings: &str) -> Self {
        Self::at(place(settings)).await
    }

    async fn at(place: Place) -> Self {
        let studio = place.start();
        studio.host().await.unwrap();
        let url = studio.open_door_at(anywhere()).await.unwrap();
        let client = crate::running::client().unwrap();
        Self {
            place,
            studio,
            url,
            client,
        }
    }

    fn address(&self) -> SocketAddr {
        self.url.rsplit('/').next().unwrap().parse().unwrap()
    }

    /// A request without a token.
    fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.url))
            .timeout(PATIENCE)
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(TOKEN)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        told(self.ask(Method::GET, path)).await
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        told(self.ask(Method::POST, path).json(&body)).await
    }

    async fn store(&self, text: &str) -> String {
        let (status, stored) = self
            .post("/api/v1/contexts", serde_json::json!({ "text": text }))
            .await;
        assert_eq!(status, StatusCode::CREATED, "{stored}");
        stored["id"].as_str().unwrap().to_owned()
    }

    /// Whether the next request is served as if nothing had been.
    async fn serves_on(&self) {
        let (status, stats) = self.get("/api/v1/stats").await;
        assert_eq!(status, StatusCode::OK, "{stats}");
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.unwrap()
    }

    /// What is answered to these bytes, up to the end of the connection.
    async fn raw(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }
}

fn place(settings: &str) -> Place {
    let place = Place::with(&format!("{SETTINGS}{settings}"));
    place
        .vault
        .set("server", &SecretString::from(TOKEN))
        .unwrap();
    place
}

fn anywhere() -> Instead {
    Instead {
        host: None,
        port: Some(0),
        always: true,
    }
}

async fn told(request: RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

/// Everything that still comes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset has ended as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes))
        .await
        .unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
