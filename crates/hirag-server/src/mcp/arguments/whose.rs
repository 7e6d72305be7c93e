//! Session, agent and metadata, which say what a context belongs to.

use rmcp::model::JsonObject;
use serde_json::Value;

use super::limits::{NAME, keys, text};
use super::words::filter;
use super::{Ask, Explain, Level, List, Search, Store};
use crate::commands::Failure;

/// What contexts belong to, as arguments say it.
#[derive(Debug, Clone, Copy)]
pub(in crate::mcp) struct Whose<'a> {
    session: Option<&'a String>,
    agent: Option<&'a String>,
    metadata: Option<&'a JsonObject>,
}

impl Whose<'_> {
    /// Refuses what is over a limit.
    pub(super) fn check(self) -> Result<(), Failure> {
        text("session", self.session, NAME)?;
        text("agent", self.agent, NAME)?;
        keys("metadata", self.metadata)
    }

    /// The filter for it, on one level or on all.
    pub(in crate::mcp) fn filter(self, level: Option<Level>) -> Value {
        filter(level, self.session, self.agent, self.metadata)
    }
}

macro_rules! whose {
    ($($arguments:ty),*) => {
        $(impl $arguments {
            /// What it is about.
            pub(in crate::mcp) fn whose(&self) -> Whose<'_> {
                Whose {
                    session: self.session.as_ref(),
                    agent: self.agent.as_ref(),
                    metadata: self.metadata.as_ref(),
                }
            }
        })*
    };
}

whose!(Ask, Explain, List, Search, Store);
