//! What is looked for, and how.

use rmcp::model::JsonObject;
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;

use super::limits::{
    CURSOR, ID, KEYS, LEAST_TOKENS, LISTED, MOST_TOKENS, NAME, QUERY, TEXT, bad, text, within,
};
use super::{Checked, Level, Mode, Order};
use crate::commands::Failure;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct Search {
    /// What to look for, in words: a question or a description.
    #[schemars(length(min = 1, max = QUERY))]
    pub(in crate::mcp) query: String,
    /// Contexts at most.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = LISTED))]
    pub(in crate::mcp) limit: u32,
    /// Tokens of the texts together at most; longer texts are cut, and the answer says how to get the rest.
    #[serde(default = "modest")]
    #[schemars(range(min = LEAST_TOKENS, max = MOST_TOKENS))]
    pub(in crate::mcp) max_tokens: u32,
    /// Only these levels; all by default.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub(in crate::mcp) levels: Vec<Level>,
    /// Only this conversation or project.
    #[schemars(length(min = 1, max = NAME))]
    pub(in crate::mcp) session: Option<String>,
    /// Only what this agent stored.
    #[schemars(length(min = 1, max = NAME))]
    pub(in crate::mcp) agent: Option<String>,
    /// Only where the metadata has these values; a list is any of them.
    #[schemars(extend("maxProperties" = KEYS))]
    pub(in crate::mcp) metadata: Option<JsonObject>,
    /// By meaning and words (hybrid), or one alone.
    #[serde(default)]
    pub(in crate::mcp) mode: Mode,
}

impl Search {
    /// A search with everything but the query left to the defaults.
    pub(in crate::mcp) fn new(query: String) -> Self {
        Self {
            query,
            limit: ten(),
            max_tokens: modest(),
            levels: Vec::new(),
            session: None,
            agent: None,
            metadata: None,
            mode: Mode::default(),
        }
    }
}

const fn ten() -> u32 {
    10
}

const fn modest() -> u32 {
    1_500
}

impl Checked for Search {
    fn check(&self) -> Result<(), Failure> {
        text("query", Some(&self.query), QUERY)?;
        within("limit", Some(self.limit), 1..=LISTED)?;
        within(
            "max_tokens",
            Some(self.max_tokens),
            LEAST_TOKENS..=MOST_TOKENS,
        )?;
        within("the number of levels", Some(self.levels.len()), 0..=3)?;
        self.whose().check()
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct Get {
    /// The context's id, or its address hirag://contexts/ID.
    #[schemars(length(min = 1, max = ID))]
    pub(in crate::mcp) id: String,
    /// The character to begin at, to go on where a text was cut.
    #[serde(default)]
    #[schemars(range(max = TEXT))]
    pub(in crate::mcp) offset: usize,
    /// Tokens of the text at most.
    #[serde(default = "generous")]
    #[schemars(range(min = LEAST_TOKENS, max = MOST_TOKENS))]
    pub(in crate::mcp) max_tokens: u32,
}

const fn generous() -> u32 {
    2_000
}

impl Checked for Get {
    fn check(&self) -> Result<(), Failure> {
        text("id", Some(&self.id), ID)?;
        within("offset", Some(self.offset), 0..=TEXT)?;
        let tokens = LEAST_TOKENS..=MOST_TOKENS;
        within("max_tokens", Some(self.max_tokens), tokens)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct List {
    /// Only this level.
    pub(in crate::mcp) level: Option<Level>,
    /// Only this conversation or project.
    #[schemars(length(min = 1, max = NAME))]
    pub(in crate::mcp) session: Option<String>,
    /// Only what this agent stored.
    #[schemars(length(min = 1, max = NAME))]
    pub(in crate::mcp) agent: Option<String>,
    /// Only where the metadata has these values; a list is any of them.
    #[schemars(extend("maxProperties" = KEYS))]
    pub(in crate::mcp) metadata: Option<JsonObject>,
    /// What comes first.
    #[serde(default)]
    pub(in crate::mcp) order: Order,
    /// Contexts of one page at most.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = LISTED))]
    pub(in crate::mcp) limit: u32,
    /// Where the page before ended: its next_cursor, with the same other arguments.
    #[schemars(length(min = 1, max = CURSOR))]
    pub(in crate::mcp) cursor: Option<String>,
    /// List what is marked as deleted, instead of what is not.
    #[serde(default)]
    pub(in crate::mcp) deleted: bool,
    /// Tokens of the texts together at most; longer texts are cut.
    #[serde(default = "modest")]
    #[schemars(range(min = LEAST_TOKENS, max = MOST_TOKENS))]
    pub(in crate::mcp) max_tokens: u32,
}

const fn twenty() -> u32 {
    20
}

impl Checked for List {
    fn check(&self) -> Result<(), Failure> {
        self.whose().check()?;
        within("limit", Some(self.limit), 1..=LISTED)?;
        text("cursor", self.cursor.as_ref(), CURSOR)?;
        let tokens = LEAST_TOKENS..=MOST_TOKENS;
        within("max_tokens", Some(self.max_tokens), tokens)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct Explain {
    /// The query to explain, as in memory_search. Leave it out to explain an earlier search by its trace.
    #[schemars(length(min = 1, max = QUERY))]
    pub(in crate::mcp) query: Option<String>,
    /// An earlier search: the trace_id of its answer.
    #[schemars(length(min = 1, max = ID))]
    pub(in crate::mcp) trace_id: Option<String>,
    /// A context to explain: why it was, or was not, returned, and the smallest change that lets it in.
    #[schemars(length(min = 1, max = ID))]
    pub(in crate::mcp) id: Option<String>,
    /// Contexts that the search may return.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = LISTED))]
    pub(in crate::mcp) limit: u32,
    /// Only these levels; all by default.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub(in crate::mcp) levels: Vec<Level>,
    /// Only this conversation or project.
    #[schemars(length(min = 1, max = NAME))]
    pub(in crate::mcp) session: Option<String>,
    /// Only what this agent stored.
    #[schemars(length(min = 1, max = NAME))]
    pub(in crate::mcp) agent: Option<String>,
    /// Only where the metadata has these values; a list is any of them.
    #[schemars(extend("maxProperties" = KEYS))]
    pub(in crate::mcp) metadata: Option<JsonObject>,
    /// Dropped candidates to tell of, best first.
    #[serde(default = "ten")]
    #[schemars(range(max = LISTED))]
    pub(in crate::mcp) dropped: u32,
}

impl Checked for Explain {
    fn check(&self) -> Result<(), Failure> {
        text("query", self.query.as_ref(), QUERY)?;
        text("trace_id", self.trace_id.as_ref(), ID)?;
        text("id", self.id.as_ref(), ID)?;
        within("limit", Some(self.limit), 1..=LISTED)?;
        within("the number of levels", Some(self.levels.len()), 0..=3)?;
        self.whose().check()?;
        within("dropped", Some(self.dropped), 0..=LISTED)?;
        if self.query.is_some() == self.trace_id.is_some() {
            return Err(bad("give `query` or `trace_id`, and not both".to_owned()));
        }
        Ok(())
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct PlainSearch {
    /// What to look for, in words.
    #[schemars(length(min = 1, max = QUERY))]
    pub(in crate::mcp) query: String,
}

impl Checked for PlainSearch {
    fn check(&self) -> Result<(), Failure> {
        text("query", Some(&self.query), QUERY)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct Fetch {
    /// The id of a result of search.
    #[schemars(length(min = 1, max = ID))]
    pub(in crate::mcp) id: String,
}

impl Checked for Fetch {
    fn check(&self) -> Result<(), Failure> {
        text("id", Some(&self.id), ID)
    }
}
