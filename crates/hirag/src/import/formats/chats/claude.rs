//! Conversations of Claude: lists of messages.

use serde::Deserialize;
use serde_json::Value as Json;

use super::{Conversation, Taken, time};

#[derive(Deserialize)]
pub(super) struct Exported {
    #[serde(default)]
    uuid: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    created_at: Json,
    chat_messages: Vec<Json>,
}

#[derive(Deserialize)]
struct Message {
    uuid: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    content: Vec<Json>,
    #[serde(default)]
    sender: String,
    #[serde(default)]
    created_at: Json,
    #[serde(default)]
    attachments: Vec<Attachment>,
}

#[derive(Deserialize)]
struct Attachment {
    #[serde(default)]
    file_name: String,
    #[serde(default)]
    extracted_content: Option<String>,
}

/// The messages of a conversation, and the texts that were attached to them.
pub(super) fn pieces(exported: Exported) -> Taken {
    let title = exported.name.unwrap_or_default();
    let conversation = Conversation {
        id: &exported.uuid,
        title: &title,
        created_at: time(&exported.created_at),
    };
    let mut pieces = Vec::new();
    for (number, message) in (1..).zip(exported.chat_messages) {
        let message: Message = match serde_json::from_value(message) {
            Ok(message) => message,
            Err(error) => {
                let reason = format!("its message {number} cannot be read ({error})");
                pieces.push(Err(reason));
                continue;
            }
        };
        let at = time(&message.created_at);
        let own = text(&message);
        let texts =
            std::iter::once((own.as_str(), None)).chain(message.attachments.iter().filter_map(
                |a| Some((a.extracted_content.as_deref()?, Some(a.file_name.as_str()))),
            ));
        for (text, attachment) in texts {
            let id = message.uuid.as_deref();
            if let Some(mut piece) = conversation.message(id, &message.sender, text) {
                piece.created_at = at.or(piece.created_at);
                pieces.push(Ok(piece.with("attachment", attachment)));
            }
        }
    }
    pieces
}

/// Newer exports have the words in blocks, beside thoughts and the use of tools.
fn text(message: &Message) -> String {
    let blocks = message.content.iter();
    let texts = blocks.filter(|block| block["type"] == "text");
    let words: Vec<_> = texts.filter_map(|block| block["text"].as_str()).collect();
    if words.is_empty() {
        message.text.clone().unwrap_or_default()
    } else {
        words.join("\n\n")
    }
}
