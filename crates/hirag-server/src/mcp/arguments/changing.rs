//! What is stored, changed and deleted.

use rmcp::model::JsonObject;
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;

use super::limits::{DELETED, ID, KEYS, NAME, SOURCE, TEXT, TIME, keys, text, within};
use super::{Checked, Level};
use crate::commands::Failure;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct Store {
    /// What to remember. Write it so that it can be understood alone, without this conversation.
    #[schemars(length(min = 1, max = TEXT))]
    pub(in crate::mcp) text: String,
    /// Immediate: needed in this work. ShortTerm: needed for days, expires unless it is used. LongTerm: keeps.
    pub(in crate::mcp) level: Option<Level>,
    /// The conversation or project that it belongs to, to find it together later.
    #[schemars(length(min = 1, max = NAME))]
    pub(in crate::mcp) session: Option<String>,
    /// Who stores it; by default the name of this client.
    #[schemars(length(min = 1, max = NAME))]
    pub(in crate::mcp) agent: Option<String>,
    /// Facts to filter by, e.g. {"project": "billing", "kind": "decision"}.
    #[schemars(extend("maxProperties" = KEYS))]
    pub(in crate::mcp) metadata: Option<JsonObject>,
    /// Where it comes from, e.g. an address or a file.
    #[schemars(length(min = 1, max = SOURCE))]
    pub(in crate::mcp) source: Option<String>,
    /// When it expires (RFC 3339, in the future); by default as its level says.
    #[schemars(length(min = 1, max = TIME))]
    pub(in crate::mcp) expires_at: Option<String>,
}

impl Checked for Store {
    fn check(&self) -> Result<(), Failure> {
        text("text", Some(&self.text), TEXT)?;
        self.whose().check()?;
        text("source", self.source.as_ref(), SOURCE)?;
        text("expires_at", self.expires_at.as_ref(), TIME)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct Update {
    /// The context's id, or its address hirag://contexts/ID.
    #[schemars(length(min = 1, max = ID))]
    pub(in crate::mcp) id: String,
    /// A new text, in place of the old one, which is gone then.
    #[schemars(length(min = 1, max = TEXT))]
    pub(in crate::mcp) text: Option<String>,
    /// Metadata to set beside what is there; null removes a key.
    #[schemars(extend("maxProperties" = KEYS))]
    pub(in crate::mcp) metadata: Option<JsonObject>,
    /// A new level.
    pub(in crate::mcp) level: Option<Level>,
    /// When it expires (RFC 3339, in the future), or "never".
    #[schemars(length(min = 1, max = TIME))]
    pub(in crate::mcp) expires_at: Option<String>,
    /// Bring it back first if it is marked as deleted.
    #[serde(default)]
    pub(in crate::mcp) restore: bool,
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
pub(in crate::mcp) struct Delete {
    /// The contexts' ids; all of them are marked, or none.
    #[schemars(length(min = 1, max = DELETED), inner(length(min = 1, max = ID)))]
    pub(in crate::mcp) ids: Vec<String>,
}

impl Checked for Delete {
    fn check(&self) -> Result<(), Failure> {
        within("the number of ids", Some(self.ids.len()), 1..=DELETED)?;
        let mut ids = self.ids.iter();
        ids.try_for_each(|id| text("ids", Some(id), ID))
    }
}
