//! Conversations of ChatGPT: trees of messages, of which one branch is seen.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::Value as Json;

use super::{Conversation, Taken, time};

#[derive(Deserialize)]
pub(super) struct Exported {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    create_time: Json,
    conversation_id: Option<String>,
    /// Exports have both, or one of them.
    id: Option<String>,
    current_node: Option<String>,
    mapping: HashMap<String, Json>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    parent: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    id: Option<String>,
    #[serde(default)]
    author: Author,
    #[serde(default)]
    create_time: Json,
    #[serde(default)]
    content: Json,
    #[serde(default)]
    metadata: Json,
}

#[derive(Deserialize, Default)]
struct Author {
    #[serde(default)]
    role: String,
    #[serde(default)]
    name: Option<String>,
}

/// The messages of a conversation that a person sees, from the first to the last.
pub(super) fn pieces(exported: Exported) -> Taken {
    let mut pieces = Taken::new();
    let mut nodes = HashMap::new();
    for (id, node) in exported.mapping {
        match serde_json::from_value::<Node>(node) {
            Ok(node) => drop(nodes.insert(id, node)),
            Err(error) => pieces.push(Err(format!("its node `{id}` cannot be read ({error})"))),
        }
    }
    let title = exported.title.unwrap_or_default();
    let id = exported.conversation_id.or(exported.id);
    let id = id.unwrap_or_default();
    let conversation = Conversation {
        id: &id,
        title: &title,
        created_at: time(&exported.create_time),
    };
    for node in branch(&nodes, exported.current_node) {
        let Some(message) = nodes.get(&node).and_then(|n| n.message.as_ref()) else {
            continue;
        };
        // What tools say is long, and nobody's words; what the system says was not seen.
        let hidden = message.metadata["is_visually_hidden_from_conversation"] == true;
        if hidden || !matches!(message.author.role.as_str(), "user" | "assistant") {
            continue;
        }
        let speaker = message.author.name.as_deref();
        let speaker = speaker.unwrap_or(&message.author.role);
        let text = text(&message.content);
        if let Some(mut piece) = conversation.message(message.id.as_deref(), speaker, &text) {
            piece.created_at = time(&message.create_time).or(piece.created_at);
            let model = message.metadata["model_slug"].as_str();
            pieces.push(Ok(piece.with("model", model)));
        }
    }
    pieces
}

/// The ids of the nodes from the root to the one that was seen last. Without that, the newest end.
fn branch(nodes: &HashMap<String, Node>, current: Option<String>) -> Vec<String> {
    let last = current.filter(|id| nodes.contains_key(id)).or_else(|| {
        let age = |node: &Node| {
            let at = node.message.as_ref().and_then(|m| time(&m.create_time));
            at.map_or(i64::MIN, |at| at.as_millisecond())
        };
        let parents: HashSet<_> = nodes.values().filter_map(|n| n.parent.as_ref()).collect();
        let ends = nodes.iter().filter(|(id, _)| !parents.contains(id));
        ends.max_by_key(|(id, node)| (age(node), id.as_str()))
            .map(|(id, _)| id.clone())
    });
    let mut branch = Vec::new();
    let mut seen = HashSet::new();
    let mut next = last;
    while let Some(id) = next {
        // A broken export may go round in a circle.
        if !seen.insert(id.clone()) {
            break;
        }
        next = nodes.get(&id).and_then(|node| node.parent.clone());
        branch.push(id);
    }
    branch.reverse();
    branch
}

/// The words of a message; of pictures and files there are none here.
fn text(content: &Json) -> String {
    match content["content_type"].as_str() {
        Some("text" | "multimodal_text") | None => {
            let parts = content["parts"].as_array().map_or(&[][..], Vec::as_slice);
            let words = parts.iter().filter_map(|part| match part {
                Json::String(text) => Some(text.as_str()),
                // Speech comes with what was understood.
                part => part["text"].as_str(),
            });
            words.collect::<Vec<_>>().join("\n\n")
        }
        Some("code") => {
            let language = content["language"]
                .as_str()
                .filter(|name| *name != "unknown");
            let code = content["text"].as_str().unwrap_or_default();
            format!("```{}\n{code}\n```", language.unwrap_or_default())
        }
        // Thoughts, recaps, the memory's own entries.
        Some(_) => String::new(),
    }
}
