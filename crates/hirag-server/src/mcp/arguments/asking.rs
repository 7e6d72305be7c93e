//! What is asked, and from what it is answered.

use rmcp::model::JsonObject;
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;

use super::limits::{KEYS, LEAST_TOKENS, MOST_TOKENS, NAME, QUERY, text, within};
use super::{Checked, Level, Mode};
use crate::commands::Failure;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct Ask {
    /// The question, in whole words: it is understood alone, or as the next of its conversation.
    #[schemars(length(min = 1, max = QUERY))]
    pub(in crate::mcp) question: String,
    /// The conversation to go on with, or to begin under this name: what was asked in it before is
    /// known, and question and answer are kept in it. Leave it out to keep nothing.
    #[schemars(length(min = 1, max = NAME))]
    pub(in crate::mcp) conversation: Option<String>,
    /// Tokens of the sources at most; the answer is worded from them.
    #[schemars(range(min = LEAST_TOKENS, max = MOST_TOKENS))]
    pub(in crate::mcp) max_tokens: Option<u32>,
    /// Only these levels; all by default.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub(in crate::mcp) levels: Vec<Level>,
    /// Only from this conversation or project.
    #[schemars(length(min = 1, max = NAME))]
    pub(in crate::mcp) session: Option<String>,
    /// Only from what this agent stored.
    #[schemars(length(min = 1, max = NAME))]
    pub(in crate::mcp) agent: Option<String>,
    /// Only where the metadata has these values; a list is any of them.
    #[schemars(extend("maxProperties" = KEYS))]
    pub(in crate::mcp) metadata: Option<JsonObject>,
    /// By meaning and words (hybrid), or one alone.
    #[serde(default)]
    pub(in crate::mcp) mode: Mode,
    /// The best passages as they stand, and no worded answer: quick, and no model sees them.
    #[serde(default)]
    pub(in crate::mcp) passages_only: bool,
}

impl Checked for Ask {
    fn check(&self) -> Result<(), Failure> {
        text("question", Some(&self.question), QUERY)?;
        text("conversation", self.conversation.as_ref(), NAME)?;
        within("max_tokens", self.max_tokens, LEAST_TOKENS..=MOST_TOKENS)?;
        within("the number of levels", Some(self.levels.len()), 0..=3)?;
        self.whose().check()
    }
}
