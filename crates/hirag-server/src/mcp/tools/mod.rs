//! The tools: their names, what they say of themselves, and which body each has.

mod asking;
mod connector;
mod explaining;
mod looking;
mod sources;
mod storing;
mod telling;

pub(super) use self::connector::title;
pub(super) use self::looking::{Page, found, gather, told};
pub(super) use self::telling::{fit, id, mark};

use std::sync::LazyLock;
use std::time::Instant;

use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations};
use rmcp::schemars::JsonSchema;
use serde::Serialize;

use super::door::Door;
use super::{answers, arguments, schema};
use crate::commands::{Error, Failure};

/// An answer: the structure, and the same in words.
#[derive(Debug)]
pub(super) struct Answer {
    structure: serde_json::Value,
    words: String,
}

impl Answer {
    fn new<T: Serialize>(structure: &T, words: String) -> Result<Self, Failure> {
        let structure = serde_json::to_value(structure)
            .map_err(|error| Failure::from(Error::Internal(error.to_string())))?;
        Ok(Self { structure, words })
    }

    /// The structure, and the same as JSON text: what connectors read.
    fn plain<T: Serialize>(structure: &T) -> Result<Self, Failure> {
        let mut answer = Self::new(structure, String::new())?;
        answer.words = answer.structure.to_string();
        Ok(answer)
    }
}

/// Whether a tool only looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It changes nothing that is stored. That a search counts as a use of what it returns is no change
    /// in this sense: as with the time when a file was last read, nothing can be lost by it, and a
    /// person need not be asked.
    Looks,
    /// It changes nothing that is stored but the conversation that it is asked in, if any.
    Asks,
    /// It adds.
    Adds,
    /// It changes or marks what is there; again does nothing more.
    Changes,
}

impl Effect {
    /// Whether a call may be broken off when nobody waits for it any more.
    pub(super) fn may_break_off(self) -> bool {
        matches!(self, Self::Looks | Self::Asks)
    }
}

macro_rules! tools {
    ($($name:ident: $title:literal, $effect:ident, $arguments:ident => $answer:ident, $body:path,
       $description:literal;)*) => {
        /// The names of all tools.
        #[cfg(test)]
        pub(super) const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Every tool, as it is listed.
        static LIST: LazyLock<Vec<Tool>> = LazyLock::new(|| {
            vec![$(
                tool::<arguments::$arguments, answers::$answer>(
                    stringify!($name), $title, Effect::$effect, $description,
                )
            ),*]
        });

        /// What a tool does to the memory; `None` for a name that is no tool's.
        pub(super) fn effect(name: &str) -> Option<Effect> {
            match name {
                $(stringify!($name) => Some(Effect::$effect),)*
                _ => None,
            }
        }

        /// Runs a tool, and counts it.
        ///
        /// # Errors
        /// `unknown_tool`, `invalid_arguments`, or what the memory says.
        pub(super) async fn run(
            call: &Call<'_>,
            name: &str,
            arguments: Option<JsonObject>,
        ) -> Result<Answer, Failure> {
            let begin = Instant::now();
            let outcome = match name {
                $(stringify!($name) => match arguments::read(arguments) {
                    Ok(arguments) => $body(call, arguments).await,
                    Err(failure) => Err(failure),
                },)*
                _ => return Err(Failure {
                    code: "unknown_tool".to_owned(),
                    message: format!("there is no tool {name:?}"),
                }),
            };
            call.door.count(name, begin.elapsed());
            outcome
        }
    };
}

tools! {
    memory_search: "Search the memory", Looks, Search => Found, looking::search,
        "Search the long-term memory of this person and their agents by meaning and words. Use it \
         before answering anything that earlier conversations, decisions, preferences or notes may \
         know. Returns the best texts within max_tokens, with ids. What is returned counts as used, \
         which weighs a little in later searches.";
    memory_ask: "Ask the memory", Asks, Ask => Asked, asking::ask,
        "Ask the long-term memory a question and get one answer with numbered sources: worded by the \
         model that this person has set, from what the memory has and nothing else, or the best \
         passages where none is set; kind says which. Use it for a question that several texts answer \
         together. memory_search is quicker and gives the texts themselves. [1] in the text names the \
         first source; read it with memory_get and its id before you rely on it.";
    memory_store: "Remember", Adds, Store => Stored, storing::store,
        "Store a text in the memory, durably. Store facts, decisions, preferences and results that \
         later work will need; one fact a text, understandable alone. Search first, and use \
         memory_update if it is there already: storing the same twice keeps it twice.";
    memory_get: "Read a context", Looks, Get => Shown, looking::get,
        "Read one context by its id, with all that is known of it. Long texts come in parts: go on \
         at the offset that the answer names.";
    memory_list: "List contexts", Looks, List => Listed, looking::list,
        "List what is stored, page by page, filtered by level, session, agent or metadata. To find \
         something by its meaning use memory_search.";
    memory_update: "Change a context", Changes, Update => Shown, storing::update,
        "Change the text, metadata, level or expiry of a context, or bring back one that was marked \
         as deleted (restore). A new text takes the place of the old one, which is gone then.";
    memory_delete: "Delete contexts", Changes, Delete => Deleted, storing::delete,
        "Mark contexts as deleted. They are not found any more, and can be brought back with \
         memory_update and restore until a later clean-up removes them for good.";
    memory_explain: "Explain a search", Looks, Explain => Explained, explaining::explain,
        "Say why a search returned what it did: for every candidate its scores and the stage that \
         kept or dropped it; with an id, why that context was or was not returned and the smallest \
         change that lets it in. Counts as no use.";
    memory_sources: "Sources of the memory", Looks, Sources => Sources, sources::list,
        "List the folders and files that this person keeps in the memory: how many files and contexts \
         each has, when it was last read, what could not be read and why. Use it when something that \
         should be known from a file is not found, or may be out of date.";
    memory_source_run: "Read sources again", Changes, SourceRun => SourceRun, sources::run,
        "Begin to bring one source, or all, in line with their files: new texts are stored, changed \
         ones changed, and what is gone is marked as deleted. Use it when files have just been \
         written that are to be found, or memory_sources shows a run that failed. It goes on after \
         the answer.";
    search: "Search", Looks, PlainSearch => PlainResults, connector::search,
        "Search the memory, in the form that connectors expect: ids, titles and addresses, to be \
         read with fetch. memory_search gives the texts at once.";
    fetch: "Fetch", Looks, Fetch => Document, connector::fetch,
        "Read a result of search: its text and facts. Long texts are cut; memory_get reads on.";
}

/// Every tool, as it is listed.
pub(super) fn list() -> &'static [Tool] {
    &LIST
}

/// One call of a tool.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// The memory.
    pub(super) door: &'a Door,
    /// The name of the client, where it has told one.
    pub(super) client: Option<String>,
}

fn tool<Q: JsonSchema, A: JsonSchema>(
    name: &'static str,
    title: &'static str,
    effect: Effect,
    description: &'static str,
) -> Tool {
    let hints = ToolAnnotations::with_title(title)
        .read_only(effect == Effect::Looks)
        .destructive(effect == Effect::Changes)
        .idempotent(!matches!(effect, Effect::Adds | Effect::Asks))
        .open_world(false);
    Tool::new(name, description, schema::of::<Q>())
        .with_title(title)
        .with_raw_output_schema(schema::of::<A>())
        .with_annotations(hints)
}

/// What a client gets.
pub(super) fn result(outcome: Result<Answer, Failure>) -> CallToolResult {
    match outcome {
        Ok(answer) => {
            let mut result = CallToolResult::success(vec![ContentBlock::text(answer.words)]);
            result.structured_content = Some(answer.structure);
            result
        }
        Err(Failure { code, message }) => CallToolResult::error(vec![ContentBlock::text(format!(
            "error[{code}]: {message}"
        ))]),
    }
}
