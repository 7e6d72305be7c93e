//! Prompts that a person chooses: recalling what is known, and summarising a session.

use rmcp::ErrorData;
use rmcp::model::{GetPromptResult, JsonObject, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::json;

use super::arguments::{self, Checked, filter};
use super::door::Door;
use super::handler::protocol_error;
use super::marking::Marks;
use super::tools::{Page, fit, found, gather, mark, told};
use crate::commands::Failure;

/// Tokens of a recall, unless the person says otherwise.
const RECALL: u32 = 2_000;
/// Tokens of a session's texts.
const SESSION: u32 = 6_000;
/// Contexts of a session.
const CONTEXTS: usize = 200;

/// Every prompt.
pub(super) fn list() -> Vec<Prompt> {
    let argument = |name: &str, description: &str, required| {
        PromptArgument::new(name)
            .with_description(description)
            .with_required(required)
    };
    vec![
        Prompt::new(
            "recall",
            Some("Answer from the memory: what it knows about a question is put before the model"),
            Some(vec![
                argument("query", "The question, in words", true),
                argument("budget", "Tokens of the texts at most, 64 to 20000", false),
            ]),
        )
        .with_title("Recall"),
        Prompt::new(
            "summarise_session",
            Some("Summarise what is stored of one conversation or project"),
            Some(vec![argument("session", "The session's name", true)]),
        )
        .with_title("Summarise a session"),
    ]
}

/// A prompt with what the memory has for it.
///
/// # Errors
/// Invalid parameters for an unknown prompt or a bad argument; what the memory says.
pub(super) async fn get(
    door: &Door,
    name: &str,
    arguments: &JsonObject,
) -> Result<GetPromptResult, ErrorData> {
    let text = match name {
        "recall" => recall(door, arguments).await,
        "summarise_session" => summarise(door, arguments).await,
        _ => {
            let sentence = format!("there is no prompt {name:?}; prompts/list names them");
            return Err(ErrorData::invalid_params(sentence, None));
        }
    };
    let text = text.map_err(protocol_error)?;
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(
        Role::User,
        text,
    )]))
}

async fn recall(door: &Door, given: &JsonObject) -> Result<String, Failure> {
    let budget = match text(given, "budget")? {
        None => RECALL,
        Some(budget) => budget.trim().parse().map_err(|_| {
            bad(format!(
                "`budget` is {budget:?}; it must be a whole number of tokens"
            ))
        })?,
    };
    let search = arguments::Search {
        limit: 50,
        max_tokens: budget,
        ..arguments::Search::new(needed(given, "query")?)
    };
    search.check()?;
    let found = found(gather(door, &search).await?, budget);
    Ok(format!(
        "{}\n\nAnswer from these texts of the memory, and say which you used. Say so if they do \
         not answer it.\n\n{}",
        search.query,
        told(&found, &Marks::new())
    ))
}

async fn summarise(door: &Door, given: &JsonObject) -> Result<String, Failure> {
    let session = needed(given, "session")?;
    let request = json!({
        "filter": filter(None, Some(&session), None, None),
        "order": "oldest_first",
        "limit": CONTEXTS,
    });
    let mut page: Page = door.ask("list", request).await?;
    if page.contexts.is_empty() {
        return Err(Failure {
            code: "not_found".to_owned(),
            message: format!("nothing is stored of the session {session:?}"),
        });
    }
    let (_, out) = fit(&mut page.contexts, SESSION);
    let marks = Marks::new();
    let mut texts = format!("{}\n", marks.notice());
    for context in &page.contexts {
        mark(&mut texts, &marks, context);
    }
    let missing = page.total.saturating_sub(page.contexts.len() as u64);
    let note = match missing.max(out.into()) {
        0 => String::new(),
        missing => format!(" {missing} later ones are not among them; memory_list has all."),
    };
    Ok(format!(
        "Summarise this session: what was to be done, what was decided and why, what is open. \
         Its texts follow, oldest first.{note}\n\n{texts}"
    ))
}

fn bad(message: String) -> Failure {
    Failure {
        code: "invalid_arguments".to_owned(),
        message,
    }
}

fn text<'a>(given: &'a JsonObject, name: &str) -> Result<Option<&'a str>, Failure> {
    match given.get(name) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) => Ok(Some(text)),
            None => Err(bad(format!("`{name}` must be a text"))),
        },
    }
}

fn needed(given: &JsonObject, name: &str) -> Result<String, Failure> {
    match text(given, name)? {
        Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(bad(format!("`{name}` is missing; give it"))),
    }
}
