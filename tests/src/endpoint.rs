//! An OpenAI-compatible endpoint that plays a script and keeps what it was asked.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;

use hirag::config::{Config, ProviderKind};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::provider::{POISON, vector_of};

/// How the endpoint answers. A request with a [`POISON`] text is refused in any mood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Each request.
    Up,
    /// None: status 500.
    Down,
    /// So many texts, then as [`Mood::Down`].
    UpFor(usize),
}

/// One request to the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The model's name.
    pub model: String,
    /// The texts.
    pub texts: Vec<String>,
    /// Whether it was answered with vectors.
    pub answered: bool,
}

#[derive(Debug)]
struct State {
    mood: Mood,
    asked: Vec<Asked>,
    dimensions: BTreeMap<String, usize>,
}

/// The endpoint, on a port of this machine.
#[derive(Debug)]
pub struct Endpoint {
    state: Arc<Mutex<State>>,
    server: MockServer,
}

/// The port of an endpoint that does not run yet.
#[derive(Debug)]
pub struct Port(TcpListener);

impl Port {
    /// A free port, kept free of others.
    #[must_use]
    pub fn free() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// The address of the endpoint that will be there. Nobody accepts connections yet: after
    /// [`Self::close`], they are refused.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.0.local_addr().unwrap())
    }

    /// Leaves the port, so that connections are refused; its number comes back for
    /// [`Endpoint::start_at`].
    #[must_use]
    pub fn close(self) -> u16 {
        self.0.local_addr().unwrap().port()
    }
}

impl Endpoint {
    /// An endpoint that answers.
    pub async fn start() -> Self {
        Self::start_at(0).await
    }

    /// An endpoint that answers, on a certain port.
    pub async fn start_at(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let state = Arc::new(Mutex::new(State {
            mood: Mood::Up,
            asked: Vec::new(),
            dimensions: BTreeMap::new(),
        }));
        let server = MockServer::builder().listener(listener).start().await;
        let script = Script(Arc::clone(&state));
        Mock::given(any()).respond_with(script).mount(&server).await;
        Self { state, server }
    }

    /// Its address, without `/embeddings`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/v1", self.server.uri())
    }

    /// Lets it answer otherwise from now on.
    pub fn set(&self, mood: Mood) {
        self.state.lock().mood = mood;
    }

    /// Gives a model's vectors another length than 16.
    pub fn set_dimension(&self, model: &str, dimension: usize) {
        self.state
            .lock()
            .dimensions
            .insert(model.to_owned(), dimension);
    }

    /// What it was asked since the last time, without the question for the dimension.
    pub fn take_asked(&self) -> Vec<Asked> {
        let asked = std::mem::take(&mut self.state.lock().asked);
        let question = |asked: &Asked| asked.texts == ["dimension"];
        asked.into_iter().filter(|asked| !question(asked)).collect()
    }
}

/// Settings that embed through the endpoint at `url`, without pauses between attempts.
#[must_use]
pub fn settings(base: &Config, url: &str, model: &str) -> Config {
    let mut config = base.clone();
    config.embedding.provider = ProviderKind::Http;
    config.embedding.api_url = url.to_owned();
    config.embedding.model = model.to_owned();
    config.embedding.max_retries = 0;
    config
}

struct Script(Arc<Mutex<State>>);

impl Respond for Script {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let Ok(body) = serde_json::from_slice::<Json>(&request.body) else {
            return ResponseTemplate::new(405);
        };
        let texts: Vec<String> = serde_json::from_value(body["input"].clone()).unwrap();
        let model = body["model"].as_str().unwrap().to_owned();
        let mut state = self.0.lock();
        let status = match state.mood {
            Mood::Up => 200,
            Mood::Down => 500,
            Mood::UpFor(left) if texts.len() <= left => {
                state.mood = Mood::UpFor(left - texts.len());
                200
            }
            Mood::UpFor(_) => 500,
        };
        let poisoned = texts.iter().any(|text| text.contains(POISON));
        let status = if status == 200 && poisoned {
            400
        } else {
            status
        };
        let dimension = state.dimensions.get(&model).copied().unwrap_or(16);
        let data: Vec<Json> = texts
            .iter()
            .enumerate()
            .map(|(index, text)| {
                json!({"index": index, "embedding": vector_of(&model, text, dimension)})
            })
            .collect();
        state.asked.push(Asked {
            model,
            texts,
            answered: status == 200,
        });
        if status == 200 {
            ResponseTemplate::new(200).set_body_json(json!({ "data": data }))
        } else {
            let message = json!({"error": {"message": "not in the mood"}});
            ResponseTemplate::new(status).set_body_json(message)
        }
    }
}
