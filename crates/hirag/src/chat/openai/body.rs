//! What is sent, and what an answer is made of.

use serde::{Deserialize, Serialize};

use crate::chat::{ChatMessage, CutBy, Ending};
use crate::endpoint::message;

#[derive(Serialize)]
pub(super) struct Body<'a> {
    pub(super) model: &'a str,
    pub(super) messages: &'a [ChatMessage],
    pub(super) max_tokens: u32,
    pub(super) temperature: f64,
    pub(super) stream: bool,
}

/// An answer or, streamed, a part of it. Nothing else of it is looked at.
#[derive(Deserialize)]
struct Completion {
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
    let completion: Completion = match serde_json::from_slice(json) {
        Ok(completion) => completion,
        Err(error) => {
            let other: Option<serde_json::Value> = serde_json::from_slice(json).ok();
            return Err(match other.as_ref().and_then(message) {
                Some(message) => message.to_owned(),
                None => format!("not the expected JSON: {error}"),
            });
        }
    };
    // One answer was asked for; a part without any tells e.g. of the usage.
    let Some(choice) = completion.choices.into_iter().next() else {
        return Ok(Part::default());
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
        let reason = read(br#"{"error":{"message":"out of memory"}}"#).unwrap_err();
        assert_eq!(reason, "out of memory");
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
