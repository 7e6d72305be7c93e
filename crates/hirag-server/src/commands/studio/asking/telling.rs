//! An answer as it is told to a page: in as many events as it can take, and with an end in any case.

use futures::StreamExt;
use hirag::answering::{Answer, AskEvent, Begun, Found};
use hirag::manager::AskStream;
use serde::Serialize;

use crate::studio::{Studio, StudioEvent};

/// Parts that are told as one at most, if they have come by then: a quick model gives more of them
/// than the events of all others have room for.
const TOGETHER: usize = 64;

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct AnswerPart {
    /// The name of its question.
    pub name: String,
    /// The part.
    #[serde(flatten)]
    pub event: AnswerEvent,
}

/// What is told of an answer while it comes: as [`AskEvent`], but for an end that has no answer.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
#[serde(rename_all = "snake_case", tag = "event", content = "data")]
pub enum AnswerEvent {
    /// The sources are there.
    Found(Box<Found>),
    /// The answer begins.
    Begun(Begun),
    /// The next words.
    Text(String),
    /// The answer, all of it.
    Done(Box<Answer>),
    /// It was stopped, and nothing is kept of it.
    Stopped,
}

impl From<AskEvent> for AnswerEvent {
    fn from(event: AskEvent) -> Self {
        match event {
            AskEvent::Found(found) => Self::Found(found),
            AskEvent::Begun(begun) => Self::Begun(begun),
            AskEvent::Text(text) => Self::Text(text),
            AskEvent::Done(answer) => Self::Done(answer),
        }
    }
}

/// Tells those who listen of one answer. Dropped before its end, as when it is stopped, it tells that.
#[derive(Debug)]
pub(super) struct Telling {
    studio: Studio,
    name: String,
    ended: bool,
}

impl Telling {
    pub(super) fn of(studio: Studio, name: String) -> Self {
        Self {
            studio,
            name,
            ended: false,
        }
    }

    /// Tells all of an answer.
    pub(super) async fn tell(mut self, answer: AskStream) {
        let mut parts = answer.ready_chunks(TOGETHER);
        while let Some(parts) = parts.next().await {
            for event in joined(parts) {
                self.ended |= matches!(event, AskEvent::Done(_));
                self.say(event.into());
            }
        }
    }

    /// There is nothing to tell: whoever asked gets to know why from the command.
    pub(super) fn leave(mut self) {
        self.ended = true;
    }

    fn say(&self, event: AnswerEvent) {
        let name = self.name.clone();
        let part = AnswerPart { name, event };
        self.studio.tell(StudioEvent::Answer(Box::new(part)));
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if !self.ended {
            self.say(AnswerEvent::Stopped);
        }
    }
}

/// The same with neighbouring words in one.
fn joined(parts: Vec<AskEvent>) -> Vec<AskEvent> {
    let mut joined: Vec<AskEvent> = Vec::new();
    for part in parts {
        match (joined.last_mut(), part) {
            (Some(AskEvent::Text(words)), AskEvent::Text(more)) => words.push_str(&more),
            (_, part) => joined.push(part),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_words_are_told_at_once_and_nothing_else_is() {
        use hirag::answering::AnswerKind;
        let text = |words: &str| AskEvent::Text(words.to_owned());
        let begun = AskEvent::Begun(Begun {
            kind: AnswerKind::Worded,
            problem: None,
            cached: false,
        });
        let parts = vec![text("a"), text("b"), begun.clone(), text("c")];
        assert_eq!(joined(parts), [text("ab"), begun, text("c")]);
    }

    #[test]
    fn a_part_is_told_as_the_name_of_its_question_and_what_happened() {
        let part = |event| AnswerPart {
            name: "q".to_owned(),
            event,
        };
        let told = |event| serde_json::to_value(part(event)).unwrap();
        assert_eq!(
            told(AnswerEvent::Text("words".to_owned())),
            serde_json::json!({"name": "q", "event": "text", "data": "words"})
        );
        assert_eq!(
            told(AnswerEvent::Stopped),
            serde_json::json!({"name": "q", "event": "stopped"})
        );
    }
}
