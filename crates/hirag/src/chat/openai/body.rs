//! What is sent, and what an answer is made of.

use serde::{Deserialize, Serialize};

use crate::chat::{ChatMessage, CutBy, Ending};
use crate::endpoint::message;

#[derive(Serialize)]
pub(super) struct Body<'a> {
    pub(super) model: &'a str,
    pub(super) messages: &'a [ChatMessage],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    pub(super) stream: bool,
}

/// An answer or, streamed, a part of it. Nothing else of it is looked at.
#[derive(Deserialize)]
struct Completion {
    /// None, or absent, where a part tells e.g. of the usage: one answer was asked for.
    #[serde(default)]
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    /// What came since the part before.
    delta: Option<Message>,
    /// The whole.
    message: Option<Message>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    /// Absent where a model thinks, or begins.
    content: Option<String>,
}

/// What a part of an answer brings.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) ending: Option<Ending>,
}

/// Reads a part. The error says what is wrong with it.
pub(super) fn read(json: &[u8]) -> Result<Part, String> {
    let completion = serde_json::from_slice::<Completion>(json);
    let choice = completion.map(|completion| completion.choices.into_iter().next());
    let choice = match choice {
        Ok(Some(choice)) => choice,
        other => {
            let value: Option<serde_json::Value> = serde_json::from_slice(json).ok();
            return match (value.as_ref().and_then(message), other) {
                (Some(message), _) => Err(message.to_owned()),
                (None, Ok(_)) => Ok(Part::default()),
                (None, Err(error)) => Err(format!("not the expected JSON: {error}")),
            };
        }
    };
    let message = choice.delta.or(choice.message);
    Ok(Part {
        text: message.and_then(|m| m.content).unwrap_or_default(),
        ending: choice.finish_reason.as_deref().map(ending),
    })
}

fn ending(reason: &str) -> Ending {
    match reason {
        "length" => Ending::Cut(CutBy::Tokens),
        "content_filter" => Ending::Cut(CutBy::Endpoint),
        _ => Ending::Complete,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(text: &str, ending: Option<Ending>) -> Part {
        Part {
            text: text.to_owned(),
            ending,
        }
    }

    #[test]
    fn parts_of_servers_of_all_kinds_are_understood() {
        for (json, expected) in [
            (
                r#"{"choices":[{"delta":{"content":"a"}}]}"#,
                part("a", None),
            ),
            (
                r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#,
                part("", None),
            ),
            (
                r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
                part("", Some(Ending::Complete)),
            ),
            (
                r#"{"choices":[{"index":0,"message":{"content":"b"},"finish_reason":"length"}]}"#,
                part("b", Some(Ending::Cut(CutBy::Tokens))),
            ),
            (
                r#"{"choices":[],"usage":{"total_tokens":9}}"#,
                part("", None),
            ),
            (r#"{"usage":{"total_tokens":9}}"#, part("", None)),
            (
                r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#,
                part("", None),
            ),
        ] {
            assert_eq!(read(json.as_bytes()), Ok(expected), "{json}");
        }
    }

    #[test]
    fn an_error_in_the_place_of_a_part_is_told_in_its_own_words() {
        for json in [
            r#"{"error":{"message":"out of memory"}}"#,
            r#"{"choices":[],"error":"out of memory"}"#,
            r#"{"detail":"out of memory"}"#,
        ] {
            assert_eq!(read(json.as_bytes()).unwrap_err(), "out of memory");
        }
        assert!(
            read(b"<html>")
                .unwrap_err()
                .contains("not the expected JSON")
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(json in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&json);
        }
    }
}
