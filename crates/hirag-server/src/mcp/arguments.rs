//! What tools take. The limits stand once: schemas say them to models, and [`Checked::check`] holds
//! to them.

use std::fmt::Display;
use std::ops::RangeInclusive;

use rmcp::model::JsonObject;
use rmcp::schemars::{self, JsonSchema};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::commands::Failure;

/// Characters of a text: as many as the memory's own limit has bytes.
const TEXT: usize = 1_048_576;
/// Characters of a query.
const QUERY: usize = 4_096;
/// Characters of a name.
const NAME: usize = 256;
/// Characters of a source.
const SOURCE: usize = 2_048;
/// Characters of an id, with the address before it.
const ID: usize = 64;
/// Characters of a cursor.
const CURSOR: usize = 1_024;
/// Characters of a time.
const TIME: usize = 64;
/// Keys of metadata.
const KEYS: usize = 64;
/// Contexts of one answer.
const LISTED: u32 = 50;
/// Contexts that are deleted at once.
const DELETED: usize = 100;
/// Tokens of one answer.
const LEAST_TOKENS: u32 = 64;
const MOST_TOKENS: u32 = 20_000;

/// Arguments with limits.
pub(super) trait Checked: DeserializeOwned + JsonSchema {
    /// Refuses what is over a limit.
    fn check(&self) -> Result<(), Failure>;
}

/// Reads arguments and holds them to their limits.
///
/// # Errors
/// `invalid_arguments` with the name, what is wrong with it, and the rule.
pub(super) fn read<T: Checked>(arguments: Option<JsonObject>) -> Result<T, Failure> {
    let arguments = Value::Object(arguments.unwrap_or_default());
    let arguments: T = serde_json::from_value(arguments)
        .map_err(|error| bad(format!("the arguments are not understood: {error}")))?;
    arguments.check()?;
    Ok(arguments)
}

fn bad(message: String) -> Failure {
    Failure {
        code: "invalid_arguments".to_owned(),
        message,
    }
}

fn within<T: PartialOrd + Display + Copy>(
    name: &str,
    value: Option<T>,
    range: RangeInclusive<T>,
) -> Result<(), Failure> {
    match value {
        Some(value) if !range.contains(&value) => Err(bad(format!(
            "`{name}` is {value}; it must be between {} and {}",
            range.start(),
            range.end()
        ))),
        _ => Ok(()),
    }
}

/// A text that says something, `most` characters at most.
fn text(name: &str, value: Option<&String>, most: usize) -> Result<(), Failure> {
    let Some(value) = value else { return Ok(()) };
    let chars = value.chars().count();
    if value.trim().is_empty() || chars > most {
        return Err(bad(format!(
            "`{name}` has {chars} characters; it must have 1 to {most} and not be blank"
        )));
    }
    Ok(())
}

fn keys(name: &str, value: Option<&JsonObject>) -> Result<(), Failure> {
    within(name, value.map(serde_json::Map::len), 0..=KEYS).map_err(|_| {
        bad(format!(
            "`{name}` has more than {KEYS} keys; leave some out"
        ))
    })
}

/// A level of the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) enum Level {
    #[serde(alias = "L1", alias = "immediate")]
    Immediate,
    #[serde(alias = "L2", alias = "short_term")]
    ShortTerm,
    #[serde(alias = "L3", alias = "long_term")]
    LongTerm,
}

/// What comes first in a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    #[default]
    NewestFirst,
    OldestFirst,
    RecentlyChanged,
    RecentlyUsed,
    MostUsed,
    LongestFirst,
}

/// How candidates are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    #[default]
    Hybrid,
    Vector,
    Text,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Store {
    /// What to remember. Write it so that it can be understood alone, without this conversation.
    #[schemars(length(min = 1, max = TEXT))]
    pub(super) text: String,
    /// Immediate: needed in this work. ShortTerm: needed for days, expires unless it is used. LongTerm: keeps.
    pub(super) level: Option<Level>,
    /// The conversation or project that it belongs to, to find it together later.
    #[schemars(length(min = 1, max = NAME))]
    pub(super) session: Option<String>,
    /// Who stores it; by default the name of this client.
    #[schemars(length(min = 1, max = NAME))]
    pub(super) agent: Option<String>,
    /// Facts to filter by, e.g. {"project": "billing", "kind": "decision"}.
    #[schemars(extend("maxProperties" = KEYS))]
    pub(super) metadata: Option<JsonObject>,
    /// Where it comes from, e.g. an address or a file.
    #[schemars(length(min = 1, max = SOURCE))]
    pub(super) source: Option<String>,
    /// When it expires (RFC 3339, in the future); by default as its level says.
    #[schemars(length(min = 1, max = TIME))]
    pub(super) expires_at: Option<String>,
}

impl Checked for Store {
    fn check(&self) -> Result<(), Failure> {
        text("text", Some(&self.text), TEXT)?;
        text("session", self.session.as_ref(), NAME)?;
        text("agent", self.agent.as_ref(), NAME)?;
        keys("metadata", self.metadata.as_ref())?;
        text("source", self.source.as_ref(), SOURCE)?;
        text("expires_at", self.expires_at.as_ref(), TIME)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// What to look for, in words: a question or a description.
    #[schemars(length(min = 1, max = QUERY))]
    pub(super) query: String,
    /// Contexts at most.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = LISTED))]
    pub(super) limit: u32,
    /// Tokens of the texts together at most; longer texts are cut, and the answer says how to get the rest.
    #[serde(default = "modest")]
    #[schemars(range(min = LEAST_TOKENS, max = MOST_TOKENS))]
    pub(super) max_tokens: u32,
    /// Only these levels; all by default.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub(super) levels: Vec<Level>,
    /// Only this conversation or project.
    #[schemars(length(min = 1, max = NAME))]
    pub(super) session: Option<String>,
    /// Only what this agent stored.
    #[schemars(length(min = 1, max = NAME))]
    pub(super) agent: Option<String>,
    /// Only where the metadata has these values; a list is any of them.
    #[schemars(extend("maxProperties" = KEYS))]
    pub(super) metadata: Option<JsonObject>,
    /// By meaning and words (hybrid), or one alone.
    #[serde(default)]
    pub(super) mode: Mode,
}

impl Search {
    /// A search with everything but the query left to the defaults.
    pub(super) fn new(query: String) -> Self {
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
        text("session", self.session.as_ref(), NAME)?;
        text("agent", self.agent.as_ref(), NAME)?;
        keys("metadata", self.metadata.as_ref())
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Get {
    /// The context's id, or its address hirag://contexts/ID.
    #[schemars(length(min = 1, max = ID))]
    pub(super) id: String,
    /// The character to begin at, to go on where a text was cut.
    #[serde(default)]
    #[schemars(range(max = TEXT))]
    pub(super) offset: usize,
    /// Tokens of the text at most.
    #[serde(default = "generous")]
    #[schemars(range(min = LEAST_TOKENS, max = MOST_TOKENS))]
    pub(super) max_tokens: u32,
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
pub(super) struct List {
    /// Only this level.
    pub(super) level: Option<Level>,
    /// Only this conversation or project.
    #[schemars(length(min = 1, max = NAME))]
    pub(super) session: Option<String>,
    /// Only what this agent stored.
    #[schemars(length(min = 1, max = NAME))]
    pub(super) agent: Option<String>,
    /// Only where the metadata has these values; a list is any of them.
    #[schemars(extend("maxProperties" = KEYS))]
    pub(super) metadata: Option<JsonObject>,
    /// What comes first.
    #[serde(default)]
    pub(super) order: Order,
    /// Contexts of one page at most.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = LISTED))]
    pub(super) limit: u32,
    /// Where the page before ended: its next_cursor, with the same other arguments.
    #[schemars(length(min = 1, max = CURSOR))]
    pub(super) cursor: Option<String>,
    /// List what is marked as deleted, instead of what is not.
    #[serde(default)]
    pub(super) deleted: bool,
    /// Tokens of the texts together at most; longer texts are cut.
    #[serde(default = "modest")]
    #[schemars(range(min = LEAST_TOKENS, max = MOST_TOKENS))]
    pub(super) max_tokens: u32,
}

const fn twenty() -> u32 {
    20
}

impl Checked for List {
    fn check(&self) -> Result<(), Failure> {
        text("session", self.session.as_ref(), NAME)?;
        text("agent", self.agent.as_ref(), NAME)?;
        keys("metadata", self.metadata.as_ref())?;
        within("limit", Some(self.limit), 1..=LISTED)?;
        text("cursor", self.cursor.as_ref(), CURSOR)?;
        let tokens = LEAST_TOKENS..=MOST_TOKENS;
        within("max_tokens", Some(self.max_tokens), tokens)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    /// The context's id, or its address hirag://contexts/ID.
    #[schemars(length(min = 1, max = ID))]
    pub(super) id: String,
    /// A new text, in place of the old one, which is gone then.
    #[schemars(length(min = 1, max = TEXT))]
    pub(super) text: Option<String>,
    /// Metadata to set beside what is there; null removes a key.
    #[schemars(extend("maxProperties" = KEYS))]
    pub(super) metadata: Option<JsonObject>,
    /// A new level.
    pub(super) level: Option<Level>,
    /// When it expires (RFC 3339, in the future), or "never".
    #[schemars(length(min = 1, max = TIME))]
    pub(super) expires_at: Option<String>,
    /// Bring it back first if it is marked as deleted.
    #[serde(default)]
    pub(super) restore: bool,
}

impl Checked for Update {
    fn check(&self) -> Result<(), Failure> {
        text("id", Some(&self.id), ID)?;
        text("text", self.text.as_ref(), TEXT)?;
        keys("metadata", self.metadata.as_ref())?;
        text("expires_at", self.expires_at.as_ref(), TIME)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Delete {
    /// The contexts' ids; all of them are marked, or none.
    #[schemars(length(min = 1, max = DELETED), inner(length(min = 1, max = ID)))]
    pub(super) ids: Vec<String>,
}

impl Checked for Delete {
    fn check(&self) -> Result<(), Failure> {
        within("the number of ids", Some(self.ids.len()), 1..=DELETED)?;
        let mut ids = self.ids.iter();
        ids.try_for_each(|id| text("ids", Some(id), ID))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Explain {
    /// The query to explain, as in memory_search. Leave it out to explain an earlier search by its trace.
    #[schemars(length(min = 1, max = QUERY))]
    pub(super) query: Option<String>,
    /// An earlier search: the trace_id of its answer.
    #[schemars(length(min = 1, max = ID))]
    pub(super) trace_id: Option<String>,
    /// A context to explain: why it was, or was not, returned, and the smallest change that lets it in.
    #[schemars(length(min = 1, max = ID))]
    pub(super) id: Option<String>,
    /// Contexts that the search may return.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = LISTED))]
    pub(super) limit: u32,
    /// Only these levels; all by default.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub(super) levels: Vec<Level>,
    /// Only this conversation or project.
    #[schemars(length(min = 1, max = NAME))]
    pub(super) session: Option<String>,
    /// Only what this agent stored.
    #[schemars(length(min = 1, max = NAME))]
    pub(super) agent: Option<String>,
    /// Only where the metadata has these values; a list is any of them.
    #[schemars(extend("maxProperties" = KEYS))]
    pub(super) metadata: Option<JsonObject>,
    /// Dropped candidates to tell of, best first.
    #[serde(default = "ten")]
    #[schemars(range(max = LISTED))]
    pub(super) dropped: u32,
}

impl Checked for Explain {
    fn check(&self) -> Result<(), Failure> {
        text("query", self.query.as_ref(), QUERY)?;
        text("trace_id", self.trace_id.as_ref(), ID)?;
        text("id", self.id.as_ref(), ID)?;
        within("limit", Some(self.limit), 1..=LISTED)?;
        within("the number of levels", Some(self.levels.len()), 0..=3)?;
        text("session", self.session.as_ref(), NAME)?;
        text("agent", self.agent.as_ref(), NAME)?;
        keys("metadata", self.metadata.as_ref())?;
        within("dropped", Some(self.dropped), 0..=LISTED)?;
        if self.query.is_some() == self.trace_id.is_some() {
            return Err(bad("give `query` or `trace_id`, and not both".to_owned()));
        }
        Ok(())
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PlainSearch {
    /// What to look for, in words.
    #[schemars(length(min = 1, max = QUERY))]
    pub(super) query: String,
}

impl Checked for PlainSearch {
    fn check(&self) -> Result<(), Failure> {
        text("query", Some(&self.query), QUERY)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fetch {
    /// The id of a result of search.
    #[schemars(length(min = 1, max = ID))]
    pub(super) id: String,
}

impl Checked for Fetch {
    fn check(&self) -> Result<(), Failure> {
        text("id", Some(&self.id), ID)
    }
}

/// The filter for what must all hold.
pub(super) fn filter(
    level: Option<Level>,
    session: Option<&String>,
    agent: Option<&String>,
    metadata: Option<&JsonObject>,
) -> Value {
    let mut must = Vec::new();
    if let Some(level) = level {
        must.push(json!({ "key": "level", "match": level }));
    }
    for (key, value) in [("session", session), ("agent", agent)] {
        if let Some(value) = value {
            must.push(json!({ "key": key, "match": value }));
        }
    }
    for (key, value) in metadata.into_iter().flatten() {
        let key = format!("metadata.{key}");
        must.push(match value {
            Value::Array(values) => json!({ "key": key, "any": values }),
            Value::Null => json!({ "key": key, "exists": false }),
            value => json!({ "key": key, "match": value }),
        });
    }
    json!({ "must": must })
}
