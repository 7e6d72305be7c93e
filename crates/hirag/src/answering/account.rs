use serde::{Deserialize, Serialize};

use super::AnswerId;
use crate::chat::CutBy;
use crate::context::{ContextId, ContextLevel, Degradation};
use crate::retrieval::TraceId;

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    /// Worded by a model from the sources.
    Worded,
    /// Passages of the sources, put together; nobody worded anything.
    Extractive,
    /// Nothing in the memory is about the question; or `problem` says what keeps it from being told.
    Nothing,
}

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum AnswerEnd {
    /// It is whole.
    Complete,
    /// There would have been more.
    Cut {
        /// What cut it off.
        by: CutBy,
    },
    /// It broke off; `problem` says why.
    BrokenOff,
}

/// A source of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnswerSource {
    /// Its number in the answer, from 1.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub number: usize,
    /// The context.
    pub id: ContextId,
    /// Where that came from, e.g. a file's path.
    pub source: Option<String>,
    /// The title of that.
    pub title: Option<String>,
    /// The section of that, e.g. `Title > Section`.
    pub section: Option<String>,
    /// The conversation that the context belongs to.
    pub session: Option<String>,
    /// Its level.
    pub level: ContextLevel,
    /// Its score in the search, 0 to 1.
    pub score: f32,
    /// Tokens of what of it was used.
    pub tokens: u32,
    /// Whether only a part of it was used, as the whole had no room.
    pub trimmed: bool,
    /// Whether the answer names it.
    pub cited: bool,
    /// What of it was used. A conversation keeps it no second time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub text: Option<String>,
}

/// A context that was found and did not fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeftOut {
    /// The context.
    pub id: ContextId,
    /// Where it came from.
    pub source: Option<String>,
    /// The title of that.
    pub title: Option<String>,
    /// The section of that.
    pub section: Option<String>,
    /// Its tokens.
    pub tokens: u32,
}

/// How the tokens of a question are divided. All are counted as `hirag.token_estimator` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WindowBudget {
    /// What the model reads and writes together; 0 where none is asked.
    pub window: u32,
    /// Kept free for the answer.
    pub answer: u32,
    /// The rules.
    pub rules: u32,
    /// The question.
    pub question: u32,
    /// What goes along of the conversation so far.
    pub history: u32,
    /// Kept free because models count otherwise.
    pub margin: u32,
    /// What sources may have.
    pub sources: u32,
    /// What they have, without what stands around each.
    pub used: u32,
}

/// A part of a passage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassagePiece {
    /// Its text.
    pub text: String,
    /// Whether it is a word of the question.
    pub marked: bool,
}

/// A passage of an extractive answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Passage {
    /// The number of its source.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub number: usize,
    /// Its text, in pieces that are words of the question, or not.
    pub pieces: Vec<PassagePiece>,
}

/// A mark `[?]` in an answer's text, in the place of numbers that named no source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RemovedMark {
    /// Characters of the text before it.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub at: usize,
    /// The numbers, e.g. `9` or `7, 9-12`.
    pub numbers: String,
}

/// How long an answer took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnswerTimes {
    /// Finding and packing the sources.
    pub found: f64,
    /// Until its first words, from the beginning.
    pub first: f64,
    /// What of that was spent waiting for the provider.
    pub waited: f64,
    /// Until its end, from the beginning.
    pub total: f64,
}

/// An answer with everything that can be told of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Answer {
    /// What it is.
    pub kind: AnswerKind,
    /// Its text, in which `[1]` names the first source, and `[1, 2]` the first two.
    pub text: String,
    /// The same as passages, for an extractive one.
    pub passages: Vec<Passage>,
    /// The sources, the best first.
    pub sources: Vec<AnswerSource>,
    /// What was found and did not fit.
    pub left_out: Vec<LeftOut>,
    /// Numbers that named no source, and were taken out of the text; each once.
    pub removed: Vec<String>,
    /// Where they stood in the text.
    #[serde(default)]
    pub marks: Vec<RemovedMark>,
    /// How it ended.
    pub end: AnswerEnd,
    /// Why nobody worded it, or why it broke off.
    pub problem: Option<AnswerProblem>,
    /// The model that worded it.
    pub model: Option<String>,
    /// Whether it was worded before, from the same sources.
    pub cached: bool,
    /// How the tokens were divided.
    pub budget: WindowBudget,
    /// The search for its sources.
    pub trace_id: TraceId,
    /// What that had to do without.
    pub degraded: Vec<Degradation>,
    /// The conversation that it is kept in.
    pub session: Option<String>,
    /// The id under which it is kept there.
    pub id: Option<AnswerId>,
    /// Why it could not be kept, where it should have been.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub not_kept: Option<AnswerProblem>,
    /// How long it took.
    pub times: AnswerTimes,
}

/// What went wrong, as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnswerProblem {
    /// The stable code, in `snake_case`.
    pub code: String,
    /// The sentence for people; it may change.
    pub message: String,
}

/// What an answer will be made of.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Found {
    /// The sources, the best first.
    pub sources: Vec<AnswerSource>,
    /// What was found and did not fit.
    pub left_out: Vec<LeftOut>,
    /// How the tokens were divided.
    pub budget: WindowBudget,
}

/// What an answer is, now that its first words are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Begun {
    /// What it is.
    pub kind: AnswerKind,
    /// Why nobody words it, where somebody should.
    pub problem: Option<AnswerProblem>,
    /// Whether it was worded before.
    pub cached: bool,
}

/// What is told of an answer while it comes, in this order: once, once, again and again, and once at
/// the end.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case", tag = "event", content = "data")]
pub enum AskEvent {
    /// The sources are there.
    Found(Box<Found>),
    /// The answer begins.
    Begun(Begun),
    /// The next words.
    Text(String),
    /// The answer, all of it.
    Done(Box<Answer>),
}

impl AskEvent {
    /// Its name for those who listen.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::Begun(_) => "begun",
            Self::Text(_) => "text",
            Self::Done(_) => "done",
        }
    }
}
