//! Memories of mem0: what `get_all` and an export give, as a list or in `results`.

use std::fs::File;
use std::io::BufReader;

use serde::Deserialize;
use serde_json::Value as Json;

use super::chats::{Entries, time};
use super::{Fault, Pieces};
use crate::context::Metadata;
use crate::import::SourceFile;
use crate::import::cutting::Piece;

#[derive(Deserialize)]
struct Memory {
    id: Option<Json>,
    /// Of these there is one, or more that say the same.
    memory: Option<String>,
    text: Option<String>,
    data: Option<String>,
    user_id: Option<String>,
    agent_id: Option<String>,
    run_id: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    categories: Json,
    created_at: Option<Json>,
}

pub(super) fn read(file: &SourceFile, input: File) -> Result<Pieces, Fault> {
    Ok(Box::new(Entries::new(
        file.source.clone(),
        BufReader::new(input),
        |memory: Memory| vec![piece(memory)],
    )))
}

/// A run is a session. What a memory is about has no title.
fn piece(memory: Memory) -> Result<Piece, String> {
    let text = memory.memory.or(memory.text).or(memory.data);
    let text = text.ok_or("it has no `memory`, `text` or `data`")?;
    let title: String = text.chars().take(80).collect();
    let mut piece = Piece::new("memory", &title, text);
    piece.titled = false;
    piece.key = match memory.id {
        Some(Json::String(id)) => Some(id),
        Some(Json::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    piece.metadata = memory.metadata.unwrap_or_default();
    piece.created_at = memory.created_at.as_ref().and_then(time);
    let named = |name: Option<String>| name.filter(|name| !name.trim().is_empty());
    piece.agent = named(memory.agent_id);
    piece.session = named(memory.run_id);
    Ok(piece
        .with("user", memory.user_id)
        .with("categories", memory.categories))
}
