//! Searching, reading, listing.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answers::{Context, Found, Listed, Shown};
use super::super::arguments::{self, MOST_TOKENS};
use super::super::marking::{Marks, NOTICE};
use super::telling::{cut_to, fit, id, mark, without};
use super::{Answer, Call, Failure};
use crate::commands::counted;

/// Tokens that a search gathers for an answer: long texts are cut here, and not left out there.
const GATHERED: u32 = 50_000;

/// A search's answer, as far as it is told.
#[derive(Debug, Deserialize)]
pub(in crate::mcp) struct Response {
    pub(in crate::mcp) contexts: Vec<Context>,
    pub(in crate::mcp) metadata: Facts,
}

#[derive(Debug, Deserialize)]
pub(in crate::mcp) struct Facts {
    pub(in crate::mcp) trace_id: String,
    #[serde(default)]
    pub(in crate::mcp) degraded: Vec<String>,
    #[serde(default)]
    ledger: Ledger,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ledger {
    immediate: LevelLedger,
    short_term: LevelLedger,
    long_term: LevelLedger,
}

#[derive(Debug, Default, Deserialize)]
struct LevelLedger {
    skipped: u32,
}

/// Runs the search of some arguments.
pub(in crate::mcp) async fn gather(
    door: &super::Door,
    arguments: &arguments::Search,
) -> Result<Response, Failure> {
    let request = |tokens: Option<u32>| {
        json!({
            "query": arguments.query,
            "limit": arguments.limit,
            "max_tokens": tokens,
            "levels": arguments.levels,
            "filter": arguments.whose().filter(None),
            "mode": arguments.mode,
        })
    };
    match door.ask("search", request(Some(GATHERED))).await {
        // A setting allows less; what it gives by default is always allowed.
        Err(failure) if failure.code == "invalid_budget" => door.ask("search", request(None)).await,
        outcome => outcome,
    }
}

/// Cuts what a search found to the budget.
pub(in crate::mcp) fn found(response: Response, max_tokens: u32) -> Found {
    let Response {
        mut contexts,
        metadata,
    } = response;
    let (tokens, out) = fit(&mut contexts, max_tokens);
    let Ledger {
        immediate,
        short_term,
        long_term,
    } = metadata.ledger;
    Found {
        contexts,
        tokens,
        max_tokens,
        left_out: out + immediate.skipped + short_term.skipped + long_term.skipped,
        trace_id: metadata.trace_id,
        degraded: metadata.degraded,
        notice: NOTICE.to_owned(),
    }
}

/// What a search found, in words.
pub(in crate::mcp) fn told(found: &Found, marks: &Marks) -> String {
    let mut out = match found.contexts.len() {
        0 => "Nothing found.".to_owned(),
        1 => "1 context found.".to_owned(),
        many => format!("{many} contexts found, best first."),
    };
    if !found.contexts.is_empty() {
        let _ = write!(out, " {}", marks.notice());
    }
    out.push('\n');
    for context in &found.contexts {
        mark(&mut out, marks, context);
    }
    if found.left_out > 0 {
        let _ = match found.max_tokens {
            MOST_TOKENS.. => writeln!(
                out,
                "({} more matched and did not fit, even into the largest max_tokens)",
                found.left_out
            ),
            less => writeln!(
                out,
                "({} more matched and did not fit; a larger max_tokens than {less} may show them)",
                found.left_out
            ),
        };
    }
    without(&mut out, &found.degraded);
    out
}

pub(super) async fn search(
    call: &Call<'_>,
    arguments: arguments::Search,
) -> Result<Answer, Failure> {
    let response = gather(call.door, &arguments).await?;
    let found = found(response, arguments.max_tokens);
    let words = told(&found, &Marks::new());
    Answer::new(&found, words)
}

pub(super) async fn get(call: &Call<'_>, arguments: arguments::Get) -> Result<Answer, Failure> {
    let request = json!({ "id": id(&arguments.id)? });
    let mut context: Context = call.door.ask("get", request).await?;
    cut_to(&mut context, arguments.offset, arguments.max_tokens);
    shown(context)
}

/// One context as an answer.
pub(super) fn shown(context: Context) -> Result<Answer, Failure> {
    let marks = Marks::new();
    let mut words = format!("{}\n", marks.notice());
    mark(&mut words, &marks, &context);
    if !context.metadata.is_empty() {
        let metadata = Value::Object(context.metadata.clone());
        let _ = writeln!(words, "metadata (data, too): {metadata}");
    }
    let shown = Shown {
        context,
        notice: NOTICE.to_owned(),
    };
    Answer::new(&shown, words)
}

/// A page, as the command gives it.
#[derive(Debug, Deserialize)]
pub(in crate::mcp) struct Page {
    pub(in crate::mcp) contexts: Vec<Context>,
    pub(in crate::mcp) next_cursor: Option<String>,
    #[serde(default)]
    pub(in crate::mcp) total: u64,
}

pub(super) async fn list(call: &Call<'_>, arguments: arguments::List) -> Result<Answer, Failure> {
    let request = json!({
        "filter": arguments.whose().filter(arguments.level),
        "order": arguments.order,
        "cursor": arguments.cursor,
        "limit": arguments.limit,
        "deleted": arguments.deleted,
    });
    let mut page: Page = call.door.ask("list", request).await?;
    // All of a page is told, however little of each: what is left out would be on no page.
    let share =
        |count: usize| arguments.max_tokens / u32::try_from(count).unwrap_or(u32::MAX).max(1);
    let share = share(page.contexts.len()).max(8);
    for context in &mut page.contexts {
        cut_to(context, 0, share);
    }
    let marks = Marks::new();
    let mut words = format!(
        "{} of {}.",
        page.contexts.len(),
        counted(page.total, "context")
    );
    if !page.contexts.is_empty() {
        let _ = write!(words, " {}", marks.notice());
    }
    words.push('\n');
    for context in &page.contexts {
        mark(&mut words, &marks, context);
    }
    if let Some(cursor) = &page.next_cursor {
        let _ = writeln!(words, "(the next page has the cursor {cursor})");
    }
    let listed = Listed {
        contexts: page.contexts,
        total: page.total,
        next_cursor: page.next_cursor,
        notice: NOTICE.to_owned(),
    };
    Answer::new(&listed, words)
}
