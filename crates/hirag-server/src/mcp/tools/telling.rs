//! Contexts for a model: cut to the budget, between marks.

use std::fmt::Write;

use serde::Serialize;

use super::super::answers::{Context, Cut};
use super::super::budget::{cut, shares};
use super::super::marking::Marks;
use super::Failure;

/// What stands in the first mark of a text.
#[derive(Serialize)]
struct Facts<'a> {
    id: &'a str,
    level: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f32>,
    created: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<&'a str>,
}

/// Cuts a text to a part of `budget` tokens that begins at `from`, and notes where.
pub(super) fn cut_to(context: &mut Context, from: usize, budget: u32) {
    let piece = cut(&context.text, context.token_count, from, budget);
    if from > 0 || piece.goes_on() {
        context.cut = Some(Cut {
            from: piece.from,
            to: piece.to,
            of: piece.of,
        });
    }
    context.text = piece.text;
}

/// Cuts texts so that all together keep `budget`, and takes out those that have no share. Returns
/// how many tokens stay, and how many contexts were taken out.
pub(in crate::mcp) fn fit(contexts: &mut Vec<Context>, budget: u32) -> (u32, u32) {
    let tokens: Vec<u32> = contexts.iter().map(|context| context.token_count).collect();
    let shares = shares(&tokens, budget);
    let before = contexts.len();
    let mut given = shares.iter();
    contexts.retain_mut(|context| {
        let share = given.next().copied().unwrap_or_default();
        if share == 0 {
            return context.token_count == 0;
        }
        cut_to(context, 0, share);
        true
    });
    let out = u32::try_from(before - contexts.len()).unwrap_or(u32::MAX);
    (shares.iter().sum(), out)
}

/// Puts a context between marks, with a note where it is cut.
pub(in crate::mcp) fn mark(out: &mut String, marks: &Marks, context: &Context) {
    let facts = Facts {
        id: &context.id,
        level: &context.level,
        score: context
            .score
            .map(|score| (score * 1_000.0).round() / 1_000.0),
        created: &context.created_at,
        session: context.session.as_deref(),
        agent: context.agent.as_deref(),
        source: context.source.as_deref(),
        deleted: context.deleted_at.as_deref(),
    };
    marks.around(out, &facts, &context.text);
    if let Some(Cut { from, to, of }) = context.cut {
        *out += &match to < of {
            true => format!(
                "(cut: characters {from} to {to} of {of}; memory_get with this id and offset {to} \
                 reads on)\n"
            ),
            false => format!("(characters {from} to {to} of {of}, its end)\n"),
        };
    }
}

/// Says what a search had to do without.
pub(super) fn without(out: &mut String, degraded: &[String]) {
    if !degraded.is_empty() {
        let what = degraded.join(", ");
        let _ = writeln!(out, "(without {what}: only words were searched)");
    }
}

/// The id in an argument, which may be an address.
pub(in crate::mcp) fn id(argument: &str) -> Result<String, Failure> {
    let id = argument.trim();
    let id = id
        .strip_prefix(super::super::resources::CONTEXTS)
        .unwrap_or(id);
    let id: hirag::context::ContextId = id
        .parse()
        .map_err(|error: hirag::context::ContextError| super::Error::from(error))?;
    Ok(id.to_string())
}
