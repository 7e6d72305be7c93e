//! The `memory.jsonl` of the MCP memory server: entities with observations, and relations.

use std::fs::File;
use std::io::BufReader;

use serde::Deserialize;

use super::{Fault, Pieces};
use crate::import::cutting::Piece;
use crate::import::lines::Lines;
use crate::import::{Problem, SourceFile};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Entry {
    Entity {
        name: String,
        #[serde(rename = "entityType", default)]
        kind: String,
        #[serde(default)]
        observations: Vec<String>,
    },
    Relation {
        from: String,
        to: String,
        #[serde(rename = "relationType")]
        kind: String,
    },
}

/// Every observation is a context of its own, which names its entity: it is found by itself, and
/// another beside it changes nothing about it. So is every relation, as a sentence.
pub(super) fn read(file: &SourceFile, input: File, max_line: usize) -> Result<Pieces, Fault> {
    let path = file.source.clone();
    let problem = move |line: Option<u64>, code: &str, message: String| Problem {
        path: path.clone(),
        line,
        code: code.to_owned(),
        message,
    };
    let pieces = Lines::new(BufReader::new(input), max_line).flat_map(move |line| {
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                let message = format!("it cannot be read further: {error}");
                return vec![Err(problem(None, "unreadable", message))];
            }
        };
        let number = Some(line.number);
        let text = match line.text {
            Ok(text) => text,
            Err(fault) => return vec![Err(problem(number, fault.code(), fault.to_string()))],
        };
        match serde_json::from_str(&text) {
            Ok(entry) => pieces(entry).into_iter().map(Ok).collect(),
            Err(error) => {
                let message = format!("the line is no entity and no relation: {error}");
                vec![Err(problem(number, "invalid_json", message))]
            }
        }
    });
    Ok(Box::new(pieces))
}

fn pieces(entry: Entry) -> Vec<Piece> {
    match entry {
        Entry::Entity {
            name,
            kind,
            observations,
        } => {
            let named = match kind.trim() {
                "" => name.clone(),
                kind => format!("{name} ({kind})"),
            };
            let texts = if observations.is_empty() {
                vec![named]
            } else {
                let texts = observations.iter();
                texts.map(|text| format!("{named}: {text}")).collect()
            };
            texts
                .into_iter()
                .map(|text| {
                    untitled(&name, text)
                        .with("entity", name.as_str())
                        .with("entity_type", kind.as_str())
                })
                .collect()
        }
        Entry::Relation { from, to, kind } => {
            let verb = kind.replace('_', " ");
            let piece = untitled(&from, format!("{from} {verb} {to}"))
                .with("entity", vec![from, to])
                .with("relation", kind);
            vec![piece]
        }
    }
}

/// The text names what it is about itself.
fn untitled(title: &str, text: String) -> Piece {
    let mut piece = Piece::new("memory", title, text);
    piece.titled = false;
    piece
}
