use std::fmt::Write;

use hirag::context::{Context, ContextLevel, EmbeddingState};
use hirag::manager::Stored;
use hirag::store::Page;
use hirag::store::sqlite::{Deletion, Restored};

use super::super::output::Style;
use super::count;
use super::snippet::{harmless, line};

pub(in super::super) fn stored(stored: &Stored, _: Style) -> String {
    let mut out = format!(
        "{}\nstored in {}, {}",
        stored.id,
        stored.level,
        count(stored.token_count.into(), "token")
    );
    if let Some(reason) = &stored.pending_because {
        let _ = write!(
            out,
            "\nits vector comes later, words find it meanwhile: {reason}"
        );
    }
    out
}

pub(in super::super) fn context(context: &Context, style: Style) -> String {
    let mut out = String::new();
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(out, "{} {value}", style.dim(&format!("{name:9}")));
    };
    field("id", &context.id.to_string());
    field("level", &context.level.to_string());
    for (name, value) in [
        ("agent", &context.agent),
        ("session", &context.session),
        ("source", &context.source),
    ] {
        if let Some(value) = value {
            field(name, &harmless(value));
        }
    }
    field("created", &context.created_at.to_string());
    if context.updated_at != context.created_at {
        field("changed", &context.updated_at.to_string());
    }
    match context.access_count {
        0 => field("returned", "never"),
        n => field(
            "returned",
            &format!("{}, last {}", count(n, "time"), context.accessed_at),
        ),
    }
    if let Some(at) = context.expires_at {
        field("expires", &at.to_string());
    }
    if let Some(at) = context.deleted_at {
        field("deleted", &format!("{at}; `hirag undo` brings it back"));
    }
    field("tokens", &context.token_count.to_string());
    if context.embedding == EmbeddingState::Pending {
        field("vector", "pending");
    }
    for (key, value) in &context.metadata {
        field("metadata", &harmless(&format!("{key} = {value}")));
    }
    // A program that reads gets the text byte for byte.
    let text = match style.terminal {
        true => harmless(&context.text),
        false => context.text.clone(),
    };
    let _ = write!(out, "\n{text}");
    out
}

pub(in super::super) fn moved(context: &Context, _: Style) -> String {
    let expiry = match context.expires_at {
        Some(at) => format!("it expires {at}"),
        None => "it does not expire".to_owned(),
    };
    format!("{} is in {} now; {expiry}", context.id, context.level)
}

pub(in super::super) fn list(page: &Page, style: Style) -> String {
    if page.contexts.is_empty() {
        return "Nothing.".to_owned();
    }
    let mut out = String::new();
    for context in &page.contexts {
        let pending = match context.embedding {
            EmbeddingState::Pending => " (pending)",
            EmbeddingState::Ready => "",
        };
        let _ = writeln!(
            out,
            "{} {:9} {} {}{pending}",
            style.bold(&context.id.to_string()),
            context.level,
            style.dim(&context.created_at.strftime("%Y-%m-%d %H:%M").to_string()),
            line(&context.text),
        );
    }
    if let Some(cursor) = &page.next_cursor {
        let _ = writeln!(out, "{}", style.dim(&format!("more: --cursor {cursor}")));
    }
    out
}

pub(in super::super) fn deletion(deletion: &Deletion, _: Style) -> String {
    let number = deletion.ids.len() as u64;
    if number == 0 {
        return "There was nothing to delete.".to_owned();
    }
    let levels: Vec<String> = ContextLevel::ALL
        .into_iter()
        .filter(|&level| deletion.per_level.get(level) > 0)
        .map(|level| format!("{} in {level}", deletion.per_level.get(level)))
        .collect();
    format!(
        "{} marked as deleted ({}); `hirag undo` brings back what was deleted last",
        count(number, "context"),
        levels.join(", ")
    )
}

pub(in super::super) fn restored(restored: &Restored, _: Style) -> String {
    let mut out = format!(
        "{} brought back",
        count(restored.ids.len() as u64, "context")
    );
    for id in &restored.ids {
        let _ = write!(out, "\n{id}");
    }
    if !restored.superseded.is_empty() {
        let _ = write!(
            out,
            "\n{} left deleted, as the same part of the source was imported again since",
            count(restored.superseded.len() as u64, "context")
        );
    }
    out
}
