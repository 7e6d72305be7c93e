//! From a question and passages to an answer with its sources. Nothing here reads a clock, a database
//! or the network: what is packed, asked and checked can be asked for again and again.

mod account;
mod citations;
mod conversation;
mod extract;
mod pack;
mod plan;
mod prompt;
mod request;
mod trim;
mod words;

pub use account::{
    Answer, AnswerEnd, AnswerKind, AnswerProblem, AnswerSource, AnswerTimes, AskEvent, Begun,
    Found, LeftOut, Passage, PassagePiece, RemovedMark, WindowBudget,
};
pub use citations::Citations;
pub(crate) use citations::without;
pub use conversation::{
    AnswerId, Conversation, ConversationSummary, Conversations, ConversationsRequest, Feedback,
    Golden, Turn, markdown,
};
pub use extract::extract;
pub(crate) use extract::put_together;
pub(crate) use plan::{Plan, PlanRequest, Window};
pub(crate) use prompt::Exchange;
pub use request::{AskError, AskRequest};
pub use words::QueryWords;
