//! Asking for an answer.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::answers::{Asked, Source};
use super::super::arguments;
use super::super::marking::{Marks, NOTICE};
use super::telling::without;
use super::{Answer, Call, Failure};

/// An answer, as far as it is told.
#[derive(Debug, Deserialize)]
struct Response {
    kind: String,
    text: String,
    sources: Vec<Source>,
    left_out: Vec<serde::de::IgnoredAny>,
    removed: Vec<String>,
    end: End,
    problem: Option<Failed>,
    model: Option<String>,
    cached: bool,
    session: Option<String>,
    trace_id: String,
    #[serde(default)]
    degraded: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct End {
    how: String,
}

#[derive(Debug, Deserialize)]
struct Failed {
    code: String,
    message: String,
}

/// What stands in the first mark of the answer.
#[derive(Serialize)]
struct Facts<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    sources: &'a [Source],
}

pub(super) async fn ask(call: &Call<'_>, arguments: arguments::Ask) -> Result<Answer, Failure> {
    let request = json!({
        "question": arguments.question,
        "session": arguments.conversation,
        "keep": arguments.conversation.is_some(),
        "max_tokens": arguments.max_tokens,
        "levels": arguments.levels,
        "filter": arguments.whose().filter(None),
        "mode": arguments.mode,
        "extractive": arguments.passages_only,
    });
    let response: Response = call.door.ask("ask", request).await?;
    let asked = asked(response);
    let words = told(&asked, &Marks::new());
    Answer::new(&asked, words)
}

fn asked(response: Response) -> Asked {
    let problem = |Failed { code, message }| format!("{code}: {message}");
    Asked {
        complete: response.end.how == "complete",
        kind: response.kind,
        text: response.text,
        sources: response.sources,
        left_out: u32::try_from(response.left_out.len()).unwrap_or(u32::MAX),
        removed: response.removed,
        problem: response.problem.map(problem),
        model: response.model,
        cached: response.cached,
        conversation: response.session,
        trace_id: response.trace_id,
        degraded: response.degraded,
        notice: NOTICE.to_owned(),
    }
}

/// The answer in words. What a model has worded from the memory's texts may be what one of them told it
/// to say: it stands between marks as they do.
fn told(asked: &Asked, marks: &Marks) -> String {
    let mut out = match asked.kind.as_str() {
        "worded" => "An answer worded from the memory.".to_owned(),
        "extractive" => "Nobody worded an answer; these are the best passages.".to_owned(),
        _ => "There is no answer.".to_owned(),
    };
    let _ = writeln!(out, " {}", marks.notice());
    let facts = Facts {
        kind: &asked.kind,
        model: asked.model.as_deref(),
        sources: &asked.sources,
    };
    marks.around(&mut out, &facts, &asked.text);
    if !asked.complete {
        out += "(it did not come to its end)\n";
    }
    if let Some(problem) = &asked.problem {
        let _ = writeln!(out, "({problem})");
    }
    if asked.left_out > 0 {
        let _ = writeln!(
            out,
            "({} more were found and had no room; a larger max_tokens may have some)",
            asked.left_out
        );
    }
    without(&mut out, &asked.degraded);
    out
}
