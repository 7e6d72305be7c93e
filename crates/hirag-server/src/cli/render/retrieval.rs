use std::collections::HashMap;
use std::fmt::Write;

use hirag::context::{
    Context, ContextId, ContextLevel, ContextResponse, Degradation, RetrievedContext,
};
use hirag::retrieval::{
    Change, Explanation, Outcome, RankingWeight, ScoreParts, StageCounts, StageTiming, TokenLedger,
    Trace, WhyNot,
};

use super::super::output::Style;
use super::count;
use super::snippet::{harmless, line, snippet};
use crate::commands::SearchResponse;

/// Dropped candidates that are told one by one.
const TOLD: usize = 20;

/// The contexts behind the ids of a record, as far as they are told of by name.
pub(in super::super) type Known = HashMap<ContextId, Context>;

/// The contexts that the text of a record names; `chosen` are the returned ones too.
pub(in super::super) fn named(trace: &Trace, chosen: bool) -> Vec<ContextId> {
    let told = dropped(trace).take(TOLD);
    let returned = trace.candidates.iter().filter(|c| chosen && is_chosen(c));
    told.chain(returned).map(|c| c.id).collect()
}

pub(in super::super) fn search(
    query: &str,
    answer: &SearchResponse,
    known: &Known,
    style: Style,
) -> String {
    let response = &answer.response;
    let mut out = String::new();
    degraded(&mut out, &response.metadata.degraded, style);
    if response.contexts.is_empty() {
        let _ = writeln!(out, "Nothing found.");
    }
    for found in &response.contexts {
        one(&mut out, found, query, style);
        if answer.trace.is_some() {
            let _ = writeln!(out, "    {}", style.dim(&parts(&found.parts)));
        }
    }
    summary(&mut out, response);
    let footer = format!("trace {}", response.metadata.trace_id);
    let _ = writeln!(out, "{}", style.dim(&footer));
    if let Some(trace) = &answer.trace {
        explain(&mut out, trace, known, false, style);
    }
    out
}

fn one(out: &mut String, found: &RetrievedContext, query: &str, style: Style) {
    let context = &found.context;
    let head = format!(
        "{:>2}. {} {} {}",
        found.rank,
        style.bold(&format!("{:.3}", found.score)),
        context.level,
        harmless(&origin(&found.context)),
    );
    let _ = writeln!(out, "{}", head.trim_end());
    let _ = writeln!(out, "    {}", style.dim(&context.id.to_string()));
    let _ = writeln!(out, "    {}", snippet(&context.text, query, style));
    if !found.same_text.is_empty() {
        let _ = writeln!(
            out,
            "    the same text stands in {} more",
            count(found.same_text.len() as u64, "context")
        );
    }
}

/// Where a context comes from: source and heading, or else session and agent.
fn origin(context: &Context) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(context.source.clone());
    if let Some(serde_json::Value::String(heading)) = context.metadata.get("heading") {
        parts.push(heading.clone());
    }
    if let Some(serde_json::Value::String(id)) = context.metadata.get("source_id") {
        parts.push(id.clone());
    }
    if parts.is_empty() {
        parts.extend(context.agent.clone());
        parts.extend(context.session.clone());
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

fn summary(out: &mut String, response: &ContextResponse) {
    let _ = writeln!(
        out,
        "{}, {} of {} tokens, {:.1} ms, {} searched",
        count(response.contexts.len() as u64, "context"),
        response.total_tokens,
        response.metadata.ledger.budget,
        response.retrieval_time_ms,
        response.metadata.total_searched
    );
}

fn degraded(out: &mut String, degraded: &[Degradation], style: Style) {
    for what in degraded {
        let sentence = match what {
            Degradation::Embedding => {
                "The query could not be embedded, so only its words were searched; \
                 `hirag health` says why."
            }
            Degradation::Model => {
                "The stored vectors are of another model than the settings name, so only the \
                 query's words were searched; `hirag reembed` builds new ones."
            }
        };
        let _ = writeln!(out, "{}", style.bold(sentence));
    }
}

fn parts(parts: &ScoreParts) -> String {
    let vector = match parts.vector {
        Some(vector) => format!("{vector:.3}"),
        None => "none".to_owned(),
    };
    let phrase = if parts.phrase { ", whole phrase" } else { "" };
    format!(
        "similarity {:.3} (vector {vector}, words {:.3} with {:.0} % of them, \
         neighbour {:.3}{phrase}), recency {:.3}, level {:.1}, frequency {:.3}",
        parts.similarity,
        parts.text,
        parts.overlap * 100.0,
        parts.neighbour,
        parts.recency,
        parts.level,
        parts.frequency
    )
}

/// The record of a retrieval; `chosen` tells the returned ones too.
fn explain(out: &mut String, trace: &Trace, known: &Known, chosen: bool, style: Style) {
    ledger(out, &trace.ledger, style);
    stages(out, &trace.counts, style);
    timings(out, &trace.timings, style);
    if chosen {
        let _ = writeln!(out, "{}", style.bold("returned"));
        for candidate in trace.candidates.iter().filter(|c| is_chosen(c)) {
            explanation(out, candidate, known, style);
        }
    }
    let dropped: Vec<&Explanation> = dropped(trace).collect();
    if dropped.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", style.bold("dropped"));
    for candidate in dropped.iter().take(TOLD) {
        explanation(out, candidate, known, style);
    }
    if dropped.len() > TOLD {
        let _ = writeln!(out, "  and {} more (--json has all)", dropped.len() - TOLD);
    }
    if !trace.complete {
        let _ = writeln!(
            out,
            "  (the record keeps the best alone; --explain keeps all)"
        );
    }
}

fn dropped(trace: &Trace) -> impl Iterator<Item = &Explanation> {
    trace.candidates.iter().filter(|c| !is_chosen(c))
}

fn is_chosen(candidate: &Explanation) -> bool {
    matches!(candidate.outcome, Outcome::Chosen { .. })
}

fn explanation(out: &mut String, candidate: &Explanation, known: &Known, style: Style) {
    let name = known.get(&candidate.id).map(|context| {
        let origin = harmless(&origin(context));
        match origin.is_empty() {
            true => line(&context.text),
            false => origin,
        }
    });
    let _ = writeln!(
        out,
        "  {:.3} {} {}: {}",
        candidate.score,
        candidate.level,
        style.bold(&name.unwrap_or_default()),
        candidate.outcome
    );
    let reasons = format!("{} {}", candidate.id, parts(&candidate.parts));
    let _ = writeln!(out, "    {}", style.dim(&reasons));
}

fn ledger(out: &mut String, ledger: &TokenLedger, style: Style) {
    let _ = writeln!(
        out,
        "{}: {} of {} tokens",
        style.bold("budget"),
        ledger.used,
        ledger.budget
    );
    for level in ContextLevel::ALL {
        let part = ledger.level(level);
        let _ = writeln!(
            out,
            "  {level:9} share {}, used {} by {}, {} skipped",
            part.allotted,
            part.used,
            count(ledger.chosen.get(level), "context"),
            part.skipped
        );
    }
}

fn stages(out: &mut String, counts: &StageCounts, style: Style) {
    let distant = match counts.distant {
        0 => String::new(),
        count => format!("{count} too far by estimates, "),
    };
    let _ = writeln!(
        out,
        "{}: {} searched (outside: {} by level, {} by filter), {distant}{} under the threshold, \
         {} with the same text, {} over the budget, {} over the limit, {} returned",
        style.bold("stages"),
        counts.searched,
        counts.level,
        counts.filter,
        counts.threshold,
        counts.duplicate,
        counts.budget,
        counts.outranked,
        counts.chosen
    );
}

fn timings(out: &mut String, timings: &[StageTiming], style: Style) {
    let stages: Vec<String> = timings
        .iter()
        .map(|timing| format!("{} {:.2} ms", timing.stage, timing.ms))
        .collect();
    let _ = writeln!(out, "{}: {}", style.bold("time"), stages.join(", "));
}

pub(in super::super) fn trace(trace: &Trace, known: &Known, style: Style) -> String {
    let mut out = format!(
        "{} at {}\n{} tokens, {:.1} ms\n",
        style.bold(&harmless(&trace.request.query)),
        trace.time,
        trace.total_tokens,
        trace.retrieval_time_ms
    );
    degraded(&mut out, &trace.degraded, style);
    explain(&mut out, trace, known, true, style);
    out
}

pub(in super::super) fn why(why: &WhyNot, style: Style) -> String {
    let found = &why.explanation;
    let mut out = format!(
        "{} {}\n  {}\n",
        style.bold(&found.id.to_string()),
        found.outcome,
        parts(&found.parts)
    );
    let ranks = &found.ranks;
    let places: Vec<String> = [
        ("vector", ranks.vector),
        ("words", ranks.text),
        ("both", ranks.fused),
        ("similarity", ranks.similarity),
        ("score", ranks.score),
        ("without equal texts", ranks.folded),
        ("result", ranks.chosen),
    ]
    .into_iter()
    .filter_map(|(name, place)| Some(format!("{name} {}", place?)))
    .collect();
    if !places.is_empty() {
        let _ = writeln!(out, "  places: {}", places.join(", "));
    }
    if why.returned_as_another {
        let _ = writeln!(out, "  The one with the same text was returned.");
    }
    if matches!(found.outcome, Outcome::Chosen { .. }) {
        return out;
    }
    match why.suggestions.is_empty() {
        true => {
            let _ = writeln!(out, "No single change was found that lets it in.");
        }
        false => {
            let _ = writeln!(out, "{}", style.bold("what would let it in"));
        }
    }
    for suggestion in &why.suggestions {
        let changes: Vec<String> = suggestion.changes.iter().map(change).collect();
        let smallest = if suggestion.smallest {
            ""
        } else {
            " (a smaller change may do)"
        };
        let _ = writeln!(
            out,
            "  {}: number {} then{smallest}",
            changes.join(", and "),
            suggestion.rank
        );
    }
    if !why.ruled_out.is_empty() {
        let names: Vec<String> = why.ruled_out.iter().map(|name| weight_key(*name)).collect();
        let _ = writeln!(
            out,
            "No value of one of these alone lets it in: {}",
            names.join(", ")
        );
    }
    out
}

fn weight_key(name: RankingWeight) -> String {
    format!(
        "`hirag.ranking_weights.{}`",
        format!("{name:?}").to_lowercase()
    )
}

fn change(change: &Change) -> String {
    match change {
        Change::Level { level } => format!("search {level} too"),
        Change::Filter { condition } => match condition {
            Some(condition) => format!("leave out the condition {}", harmless(condition)),
            None => "leave out the filter".to_owned(),
        },
        Change::Threshold { from, to } => {
            format!(
                "`hirag.relevance_threshold` from {} to {}",
                short(*from),
                short(*to)
            )
        }
        Change::Tokens { from, to } => format!("--max-tokens {to} instead of {from}"),
        Change::Limit { from, to } => format!("--limit {to} instead of {from}"),
        Change::Weight { name, from, to, .. } => {
            format!(
                "{} from {} to {}, the others scaled alike",
                weight_key(*name),
                short(*from),
                short(*to)
            )
        }
        Change::VectorWeight { from, to } => {
            format!(
                "`hirag.retrieval_strategy.vector_weight` from {} to {}",
                short(*from),
                short(*to)
            )
        }
    }
}

/// At most four decimals, and none that say nothing.
fn short(number: f64) -> String {
    format!("{}", (number * 1e4).round() / 1e4)
}
