//! The tools as a client uses them, on a memory of their own.

mod asking;
mod hostile;
mod http;
mod requests;
mod schemas;
mod sources;
mod tools;

use rmcp::model::{CallToolResult, JsonObject};
use serde_json::{Value, json};

use super::door::Door;
use super::tools::{Call, result, run};
use crate::studio::Studio;
use crate::studio::tests::Place;

/// A memory and the door to it.
struct Memory {
    place: Place,
    studio: Studio,
    door: Door,
}

impl Memory {
    fn new() -> Self {
        Self::at(Place::new())
    }

    fn at(place: Place) -> Self {
        let studio = place.start();
        Self {
            place,
            door: Door::Own(studio.clone()),
            studio,
        }
    }

    async fn call(&self, tool: &str, arguments: Value) -> CallToolResult {
        let arguments: JsonObject = serde_json::from_value(arguments).unwrap();
        let call = Call {
            door: &self.door,
            client: Some("tester".to_owned()),
        };
        result(run(&call, tool, Some(arguments)).await)
    }

    /// The structure of an answer that is no error.
    async fn done(&self, tool: &str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_ne!(result.is_error, Some(true), "{tool}: {result:?}");
        result.structured_content.unwrap()
    }

    /// The code and sentence of a tool's error.
    async fn refused(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{tool}: {result:?}");
        words(&result)
    }

    async fn store(&self, text: &str) -> String {
        let stored = self.done("memory_store", json!({ "text": text })).await;
        stored["id"].as_str().unwrap().to_owned()
    }
}

/// The answer in words.
fn words(result: &CallToolResult) -> String {
    let text = result.content.first().and_then(|content| content.as_text());
    text.unwrap().text.clone()
}
