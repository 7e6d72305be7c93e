use std::fmt::Write;

use hirag::answering::{Answer, AnswerEnd, AnswerKind, AnswerSource, Conversations, LeftOut};
use hirag::chat::CutBy;

use super::super::output::Style;
use super::count;
use super::snippet::{harmless, line};

/// Sources that were left out and are told one by one.
const TOLD: usize = 5;

/// What is told after the words of an answer, which have been told as they came; of passages, all.
pub(in super::super) fn answer(answer: &Answer, style: Style) -> String {
    let mut out = String::new();
    match answer.kind {
        AnswerKind::Worded => out.push('\n'),
        AnswerKind::Nothing => {
            let _ = writeln!(out, "{}", answer.text);
        }
        AnswerKind::Extractive => passages(&mut out, answer, style),
    }
    match &answer.end {
        AnswerEnd::Complete => {}
        AnswerEnd::Cut { by } => {
            let _ = writeln!(out, "{}", style.bold(cut(*by)));
        }
        AnswerEnd::BrokenOff => {
            let _ = writeln!(out, "{}", style.bold("The answer broke off."));
        }
    }
    if let Some(problem) = &answer.problem {
        let _ = writeln!(out, "{}", harmless(&problem.message));
    }
    if !answer.removed.is_empty() {
        let removed = answer.removed.join("], [");
        let sentence = format!("Taken out, as there is no such source: [{removed}]");
        let _ = writeln!(out, "{}", style.dim(&sentence));
    }
    sources(&mut out, answer, style);
    let footer = [
        answer
            .model
            .as_ref()
            .map(|model| format!("model {}", line(model))),
        answer
            .cached
            .then(|| "worded before, from the same sources".to_owned()),
        answer
            .session
            .as_ref()
            .map(|session| format!("conversation {}", line(session))),
        answer.id.map(|id| format!("answer {id}")),
    ];
    let footer: Vec<String> = footer.into_iter().flatten().collect();
    if !footer.is_empty() {
        let _ = writeln!(out, "{}", style.dim(&footer.join(", ")));
    }
    out
}

fn cut(by: CutBy) -> &'static str {
    match by {
        CutBy::Tokens => "The answer was cut off at `chat.max_answer_tokens`.",
        CutBy::Bytes => "The answer was cut off, as it was longer than so many tokens can be.",
        CutBy::Time => "The answer was cut off after `chat.answer_timeout`.",
        CutBy::Endpoint => "The endpoint held the rest of the answer back.",
    }
}

fn passages(out: &mut String, answer: &Answer, style: Style) {
    let sentence = "Nobody worded this answer; these are passages of the memory.";
    let _ = writeln!(out, "{}", style.bold(sentence));
    for passage in &answer.passages {
        out.push('\n');
        for piece in &passage.pieces {
            let text = harmless(&piece.text);
            match piece.marked {
                true => out.push_str(&style.mark(&text)),
                false => out.push_str(&text),
            }
        }
        let _ = writeln!(out, " [{}]", passage.number);
    }
}

fn sources(out: &mut String, answer: &Answer, style: Style) {
    if answer.sources.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", style.bold("Sources"));
    for source in &answer.sources {
        let part = if source.trimmed { ", a part" } else { "" };
        let label = format!("[{}] {}{part}", source.number, named(source));
        let shown = if source.cited {
            label
        } else {
            style.dim(&label)
        };
        let _ = writeln!(out, "{shown} {}", style.dim(&source.id.to_string()));
    }
    let left_out = answer.left_out.len();
    if left_out > 0 {
        let budget = &answer.budget;
        let sentence = format!(
            "Left out, as {} of {} tokens are used: {}",
            budget.used,
            budget.sources,
            count(left_out as u64, "context")
        );
        let _ = writeln!(out, "{}", style.dim(&sentence));
        for one in answer.left_out.iter().take(TOLD) {
            let _ = writeln!(out, "{}", style.dim(&format!("  {}", of(one))));
        }
    }
}

fn named(source: &AnswerSource) -> String {
    let named = source.section.as_ref().or(source.title.as_ref());
    let parts = [named, source.source.as_ref()];
    let parts: Vec<String> = parts.into_iter().flatten().map(|part| line(part)).collect();
    match (parts.is_empty(), &source.session) {
        (false, _) => parts.join(", "),
        (true, Some(session)) => format!("session {}", line(session)),
        (true, None) => source.level.to_string(),
    }
}

fn of(left_out: &LeftOut) -> String {
    let parts = [left_out.section.as_ref(), left_out.source.as_ref()];
    let parts: Vec<String> = parts.into_iter().flatten().map(|part| line(part)).collect();
    format!(
        "{} {} ({})",
        left_out.id,
        parts.join(", "),
        count(left_out.tokens.into(), "token")
    )
}

pub(in super::super) fn conversations(found: &Conversations, style: Style) -> String {
    let mut out = String::new();
    if found.conversations.is_empty() {
        out.push_str("No conversations.\n");
    }
    for conversation in &found.conversations {
        let _ = writeln!(out, "{}", style.bold(&line(&conversation.title)));
        let facts = format!(
            "  {}, {}, {}",
            line(&conversation.session),
            count(conversation.answers, "answer"),
            conversation.updated_at
        );
        let _ = writeln!(out, "{}", style.dim(&facts));
    }
    out
}
