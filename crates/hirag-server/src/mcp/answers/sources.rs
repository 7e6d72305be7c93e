use rmcp::schemars::{self, JsonSchema};
use serde::Serialize;

/// What came of the last time that a source was read.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(in crate::mcp) struct LastRun {
    /// done, stopped (the next run goes on) or failed.
    pub(in crate::mcp) outcome: String,
    /// When it ended.
    pub(in crate::mcp) ended_at: String,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) problem: Option<String>,
    /// Contexts that it stored.
    pub(in crate::mcp) imported: u64,
    /// Contexts that it changed.
    pub(in crate::mcp) updated: u64,
    /// Contexts that it marked as deleted, as their files or parts are gone.
    pub(in crate::mcp) removed: u64,
    /// Files, and lines of files, that could not be read; what they gave before stays.
    pub(in crate::mcp) failed: u64,
    /// Of these, the first, each with the reason.
    pub(in crate::mcp) errors: Vec<String>,
}

/// A folder or a file whose texts the memory keeps up to date.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(in crate::mcp) struct KeptSource {
    /// Its number.
    pub(in crate::mcp) id: i64,
    /// What the person calls it.
    pub(in crate::mcp) name: String,
    /// Where it is.
    pub(in crate::mcp) path: String,
    /// Whether changes to it are to be noticed by themselves; otherwise memory_source_run reads it.
    pub(in crate::mcp) watched: bool,
    /// Whether it is being read just now.
    pub(in crate::mcp) running: bool,
    /// Files that have given contexts.
    pub(in crate::mcp) files: u64,
    /// Their contexts.
    pub(in crate::mcp) contexts: u64,
    /// What came of the last time that it was read; absent if it never was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::mcp) last_run: Option<LastRun>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(in crate::mcp) struct Sources {
    /// In the order of their names.
    pub(in crate::mcp) sources: Vec<KeptSource>,
    /// What texts from the memory are.
    pub(in crate::mcp) notice: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(in crate::mcp) struct SourceRun {
    /// The sources that are read now, by their names.
    pub(in crate::mcp) sources: Vec<String>,
    /// How to see what came of it.
    pub(in crate::mcp) then: String,
}
