//! Why a search returned what it did.

use std::collections::HashMap;
use std::fmt::Write;

use hirag::retrieval::{Change, Explanation, Outcome, StageCounts, Trace, WhyNot};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answers::{Candidate, Context, Explained};
use super::super::arguments;
use super::super::budget::line;
use super::super::marking::{Marks, NOTICE};
use super::telling::id;
use super::{Answer, Call, Failure};

/// Characters of a candidate's text that are told.
const BEGINS: usize = 80;

#[derive(Debug, Deserialize)]
struct Texts {
    contexts: Vec<Context>,
}

#[derive(Debug, Deserialize)]
struct Reasons {
    candidates: Vec<Explanation>,
}

pub(super) async fn explain(
    call: &Call<'_>,
    arguments: arguments::Explain,
) -> Result<Answer, Failure> {
    let explained = match (&arguments.id, &arguments.trace_id) {
        (Some(context), None) => why(call, &arguments, context).await?,
        (context, Some(trace)) => earlier(call, &arguments, trace, context.as_deref()).await?,
        (None, None) => now(call, &arguments).await?,
    };
    let words = told(&explained);
    Answer::new(&explained, words)
}

fn request(arguments: &arguments::Explain, explain: bool) -> Value {
    json!({
        "query": arguments.query,
        "limit": arguments.limit,
        "levels": arguments.levels,
        "filter": arguments.whose().filter(None),
        "explain": explain,
    })
}

/// Searches, without that it counts as a use, and tells of the candidates.
async fn now(call: &Call<'_>, arguments: &arguments::Explain) -> Result<Explained, Failure> {
    let answer: Value = call.door.ask("search", request(arguments, true)).await?;
    let trace_id = answer["metadata"]["trace_id"].as_str().unwrap_or_default();
    let reasons: Reasons = call.door.ask("reasons", json!({ "id": trace_id })).await?;
    let counts = serde_json::from_value(answer["trace"]["counts"].clone()).ok();
    let candidates = candidates(call, reasons.candidates, arguments.dropped).await?;
    Ok(Explained {
        query: arguments.query.clone(),
        trace_id: Some(trace_id.to_owned()),
        stages: counts.as_ref().map(stages),
        candidates,
        suggestions: Vec::new(),
        notice: NOTICE.to_owned(),
    })
}

/// Tells of the candidates of an earlier search, or of one of them.
async fn earlier(
    call: &Call<'_>,
    arguments: &arguments::Explain,
    trace: &str,
    only: Option<&str>,
) -> Result<Explained, Failure> {
    let trace = trace.trim();
    let trace = trace
        .strip_prefix(super::super::resources::TRACES)
        .unwrap_or(trace);
    let trace: Trace = call.door.ask("trace", json!({ "id": trace })).await?;
    let mut of = trace.candidates;
    if let Some(only) = only {
        let only = id(only)?;
        of.retain(|candidate| candidate.id.to_string() == only);
        if of.is_empty() {
            return Err(Failure {
                code: "not_compared".to_owned(),
                message: format!(
                    "the record of this search does not list {only}; give the query instead of the \
                     trace to look again"
                ),
            });
        }
    }
    Ok(Explained {
        query: Some(trace.request.query),
        trace_id: Some(trace.id.to_string()),
        stages: Some(stages(&trace.counts)),
        candidates: candidates(call, of, arguments.dropped.max(1)).await?,
        suggestions: Vec::new(),
        notice: NOTICE.to_owned(),
    })
}

/// Tells why one context was or was not returned.
async fn why(
    call: &Call<'_>,
    arguments: &arguments::Explain,
    context: &str,
) -> Result<Explained, Failure> {
    let request = json!({ "id": id(context)?, "request": request(arguments, false) });
    let why: WhyNot = call.door.ask("why", request).await?;
    let suggestions = why.suggestions.iter().map(|suggestion| {
        let changes: Vec<String> = suggestion.changes.iter().map(change).collect();
        format!(
            "{}: number {} then",
            changes.join(", and "),
            suggestion.rank
        )
    });
    Ok(Explained {
        query: arguments.query.clone(),
        trace_id: None,
        stages: None,
        suggestions: suggestions.collect(),
        candidates: candidates(call, vec![why.explanation], 1).await?,
        notice: NOTICE.to_owned(),
    })
}

/// All that were returned, and the best `dropped` of the others, with the beginnings of their texts.
async fn candidates(
    call: &Call<'_>,
    all: Vec<Explanation>,
    dropped: u32,
) -> Result<Vec<Candidate>, Failure> {
    let (mut told, rest): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|one| matches!(one.outcome, Outcome::Chosen { .. }));
    let dropped = usize::try_from(dropped).unwrap_or(usize::MAX);
    told.extend(rest.into_iter().take(dropped));
    let ids: Vec<_> = told.iter().map(|one| one.id).collect();
    let texts: Texts = call.door.ask("texts", json!({ "ids": ids })).await?;
    let mut begins: HashMap<String, String> = texts
        .contexts
        .into_iter()
        .map(|context| (context.id, line(&context.text, BEGINS)))
        .collect();
    let told = told.into_iter().map(|one| {
        let id = one.id.to_string();
        Candidate {
            returned: matches!(one.outcome, Outcome::Chosen { .. }),
            reason: one.outcome.to_string(),
            level: one.level.to_string(),
            tokens: one.tokens,
            score: one.score,
            similarity: one.parts.similarity,
            vector: one.parts.vector,
            words: one.parts.text,
            phrase: one.parts.phrase,
            neighbour: one.parts.neighbour,
            recency: one.parts.recency,
            level_part: one.parts.level,
            frequency: one.parts.frequency,
            begins: begins.remove(&id),
            id,
        }
    });
    Ok(told.collect())
}

fn stages(counts: &StageCounts) -> String {
    let distant = match counts.distant {
        0 => String::new(),
        count => format!("{count} too far by estimates, "),
    };
    format!(
        "{} searched (outside: {} by level, {} by filter), {distant}{} not relevant enough, {} with the same \
         text as another, {} over the budget, {} over the limit, {} returned",
        counts.searched,
        counts.level,
        counts.filter,
        counts.threshold,
        counts.duplicate,
        counts.budget,
        counts.outranked,
        counts.chosen
    )
}

fn change(change: &Change) -> String {
    match change {
        Change::Level { level } => format!("search the level {level} too"),
        Change::Filter { .. } => "leave out the filter that excludes it".to_owned(),
        Change::Threshold { from, to } => {
            format!("the setting hirag.relevance_threshold {to:.4} instead of {from:.4}")
        }
        Change::Tokens { from, to } => format!("a budget of {to} tokens instead of {from}"),
        Change::Limit { from, to } => format!("limit {to} instead of {from}"),
        Change::Weight { name, from, to, .. } => {
            let name = format!("{name:?}").to_lowercase();
            format!("the setting hirag.ranking_weights.{name} {to:.4} instead of {from:.4}")
        }
        Change::VectorWeight { from, to } => format!(
            "the setting hirag.retrieval_strategy.vector_weight {to:.4} instead of {from:.4}"
        ),
    }
}

fn told(explained: &Explained) -> String {
    let marks = Marks::new();
    let mut out = String::new();
    if let Some(trace) = &explained.trace_id {
        let _ = writeln!(out, "Trace {trace}.");
    }
    if let Some(stages) = &explained.stages {
        let _ = writeln!(out, "{stages}.");
    }
    if !explained.candidates.is_empty() {
        let _ = writeln!(out, "{}", marks.notice());
    }
    for one in &explained.candidates {
        let _ = writeln!(
            out,
            "{} {}: {}. score {:.3} = similarity {:.3} (meaning {}, words {:.3}), recency {:.3}, \
             level {:.1}, frequency {:.3}",
            one.id,
            one.level,
            one.reason,
            one.score,
            one.similarity,
            one.vector.map_or("none".to_owned(), |v| format!("{v:.3}")),
            one.words,
            one.recency,
            one.level_part,
            one.frequency
        );
        if let Some(begins) = &one.begins {
            marks.around(&mut out, &json!({ "begins": true }), begins);
        }
    }
    for suggestion in &explained.suggestions {
        let _ = writeln!(out, "It would be returned with {suggestion}.");
    }
    out
}
