//! Which sources, and how much of them is told.

use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;

use super::Checked;
use super::limits::{LISTED, NAME, text, within};
use crate::commands::Failure;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct Sources {
    /// Files to name of those that could not be read, over all sources; all of them are counted.
    #[serde(default = "few")]
    #[schemars(range(max = LISTED))]
    pub(in crate::mcp) errors: u32,
}

const fn few() -> u32 {
    5
}

impl Checked for Sources {
    fn check(&self) -> Result<(), Failure> {
        within("errors", Some(self.errors), 0..=LISTED)
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::mcp) struct SourceRun {
    /// The source's name or id, as memory_sources says them. Leave it out to read all of them.
    #[schemars(length(min = 1, max = NAME))]
    pub(in crate::mcp) source: Option<String>,
}

impl Checked for SourceRun {
    fn check(&self) -> Result<(), Failure> {
        text("source", self.source.as_ref(), NAME)
    }
}
