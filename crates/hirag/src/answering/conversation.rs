use std::fmt::{self, Write};
use std::str::FromStr;

use jiff::Timestamp;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde::{Deserialize, Serialize};

use super::{Answer, AnswerKind, AnswerSource, AskError};
use crate::context::ContextId;

/// The id of an answer that is kept: a UUID of version 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct AnswerId(ContextId);

impl AnswerId {
    /// A new id for an answer at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(ContextId::new(now))
    }

    /// The id's sixteen bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// An id from its sixteen bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(ContextId::from_bytes(bytes))
    }
}

impl fmt::Display for AnswerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AnswerId {
    type Err = AskError;

    fn from_str(s: &str) -> Result<Self, AskError> {
        s.parse()
            .map(Self)
            .map_err(|_| AskError::UnknownAnswer(s.to_owned()))
    }
}

/// Which conversations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields = nullable))]
#[serde(deny_unknown_fields)]
pub struct ConversationsRequest {
    /// Only those in which all these words stand, whatever their case.
    #[serde(default)]
    pub query: Option<String>,
    /// How many at most; 50 if it does not say.
    #[serde(default)]
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub limit: Option<usize>,
    /// Those marked as deleted, instead of the others.
    #[serde(default)]
    pub deleted: Option<bool>,
}

/// A conversation without its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConversationSummary {
    /// Its name.
    pub session: String,
    /// Its first question.
    pub title: String,
    /// Answers in it.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub answers: u64,
    /// When it began.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub created_at: Timestamp,
    /// When the last question was asked.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub updated_at: Timestamp,
    /// When it was marked as deleted; until it is purged, it can be brought back.
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    pub deleted_at: Option<Timestamp>,
}

/// Conversations, the latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Conversations {
    /// The conversations.
    pub conversations: Vec<ConversationSummary>,
}

/// What someone thought of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Feedback {
    /// Whether it was useful.
    pub useful: bool,
    /// Why.
    pub note: Option<String>,
    /// When that was said.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub at: Timestamp,
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Turn {
    /// The answer's id.
    pub id: AnswerId,
    /// When it was asked.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub asked_at: Timestamp,
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: Answer,
    /// What someone thought of it.
    pub feedback: Option<Feedback>,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Conversation {
    /// About it.
    #[serde(flatten)]
    pub summary: ConversationSummary,
    /// Its questions and answers, in order.
    pub turns: Vec<Turn>,
}

/// Golden queries made of answers that were found useful, as `hirag eval` reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Golden {
    /// `queries.jsonl`.
    pub queries: String,
    /// `qrels.tsv`.
    pub qrels: String,
    /// How many queries there are.
    pub count: usize,
}

/// A conversation as Markdown, with the sources below each answer.
#[must_use]
pub fn markdown(conversation: &Conversation) -> String {
    let summary = &conversation.summary;
    let mut out = format!("# {}\n", line(&summary.title));
    let _ = writeln!(
        out,
        "\nConversation `{}`, {}.",
        summary.session, summary.created_at
    );
    for turn in &conversation.turns {
        let _ = writeln!(
            out,
            "\n## {}\n\n{}",
            line(&turn.question),
            turn.answer.text.trim()
        );
        if turn.answer.kind == AnswerKind::Extractive {
            let _ = writeln!(
                out,
                "\n*Passages of the memory; nobody worded this answer.*"
            );
        }
        let cited = turn.answer.sources.iter().filter(|source| source.cited);
        for (place, source) in cited.enumerate() {
            let gap = if place == 0 { "\n" } else { "" };
            let _ = writeln!(out, "{gap}- [{}] {}", source.number, label(source));
        }
        if let Some(feedback) = &turn.feedback {
            let judged = if feedback.useful {
                "Useful"
            } else {
                "Not useful"
            };
            let note = feedback
                .note
                .as_deref()
                .map(|note| format!(": {}", line(note)));
            let _ = writeln!(out, "\n> {judged}{}", note.unwrap_or_default());
        }
    }
    without_images(&out)
}

/// Markdown of which nothing is fetched when it is shown: images and HTML stand there as they were
/// written. What a model or a text of the memory says must not call home.
fn without_images(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES;
    let mut marks: Vec<usize> = Vec::new();
    for (event, range) in Parser::new_ext(markdown, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Image { .. }) => marks.push(range.start),
            Event::Html(_) | Event::InlineHtml(_) => {
                let tags = markdown[range.clone()].match_indices('<');
                marks.extend(tags.map(|(at, _)| range.start + at));
            }
            _ => {}
        }
    }
    marks.sort_unstable();
    marks.dedup();
    let mut out = String::with_capacity(markdown.len() + marks.len());
    let mut from = 0;
    for at in marks {
        out.push_str(&markdown[from..at]);
        out.push('\\');
        from = at;
    }
    out.push_str(&markdown[from..]);
    out
}

/// What a source is called.
fn label(source: &AnswerSource) -> String {
    let named = source.section.as_ref().or(source.title.as_ref());
    let parts = [named, source.source.as_ref()];
    let parts: Vec<String> = parts.into_iter().flatten().map(|part| line(part)).collect();
    match parts.is_empty() {
        true => format!("context {}", source.id),
        false => parts.join(", "),
    }
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_written_conversation_is_fetched_when_it_is_shown() {
        for (given, written) in [
            ("so ![x](http://e/?q=1)", "so \\![x](http://e/?q=1)"),
            ("![a][r]\n\n[r]: http://e", "\\![a][r]\n\n[r]: http://e"),
            ("![![a](u)](v)", "\\![\\![a](u)](v)"),
            (
                "an <img src=\"http://e\"> here",
                "an \\<img src=\"http://e\"> here",
            ),
            (
                "<div>\n<img src=x>\n</div>\n",
                "\\<div>\n\\<img src=x>\n\\</div>\n",
            ),
            ("[^1]\n\n[^1]: ![x](u)\n", "[^1]\n\n[^1]: \\![x](u)\n"),
            (
                "`![x](u)` and [a](b) and a < b",
                "`![x](u)` and [a](b) and a < b",
            ),
            ("```\n![x](u) <img>\n```\n", "```\n![x](u) <img>\n```\n"),
        ] {
            assert_eq!(without_images(given), written);
            assert_eq!(without_images(written), written);
        }
    }
}
