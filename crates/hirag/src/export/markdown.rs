//! Notes with front matter: one a context, or one a session.
//!
//! The front matter has every field as `key: JSON`, which is YAML as well. A text stands as it is.
//! In the note of a session, each begins behind a line that no text has in it: it names a hash of
//! all of them.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::columns::{COLUMNS, Row, row};
use crate::context::{ContentHash, Context};

/// The first lines of an exported note.
pub(super) const HEAD: &str = "---\nhirag: 1\n";
const END: &str = "---\n";
/// Characters of a file's name that tell what is in it.
const WORDS: usize = 40;

/// The note of a context.
///
/// # Errors
/// That the context has no text form.
pub fn of_context(context: &Context) -> std::io::Result<String> {
    let row = row(context)?;
    let mut note = HEAD.to_owned();
    for (name, _) in COLUMNS {
        match row.get(name) {
            None | Some(Value::Null) => {}
            Some(_) if name == "text" => {}
            Some(value) => note.push_str(&format!("{name}: {value}\n")),
        }
    }
    note.push_str(END);
    note.push_str(&context.text);
    note.push('\n');
    Ok(note)
}

/// The name of its file.
#[must_use]
pub fn name_of_context(context: &Context) -> String {
    format!("{}{}.md", words(&context.text), context.id)
}

/// The note of a session.
///
/// # Errors
/// As [`of_context`].
pub fn of_session(
    agent: Option<&str>,
    session: Option<&str>,
    contexts: &[Context],
) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    for context in contexts {
        hash.update(context.text.as_bytes());
    }
    let mark = ContentHash::from_bytes(hash.finalize().into()).to_string();
    let mut note = HEAD.to_owned();
    for (name, value) in [("agent", agent), ("session", session)] {
        if let Some(value) = value {
            note.push_str(&format!("{name}: {}\n", Value::from(value)));
        }
    }
    note.push_str(&format!(
        "contexts: {}\nmark: \"{mark}\"\n{END}",
        contexts.len()
    ));
    for context in contexts {
        let mut row = row(context)?;
        row.remove("text");
        // Nothing in it may end the remark that it stands in.
        let facts = Value::Object(row).to_string().replace('>', "\\u003e");
        note.push_str(&format!("<!-- {mark} {facts} -->\n{}\n", context.text));
    }
    Ok(note)
}

/// The name of its file.
#[must_use]
pub fn name_of_session(agent: Option<&str>, session: Option<&str>, part: usize) -> String {
    let hash = ContentHash::of(&format!("{agent:?} {session:?}")).to_string();
    let hash = &hash[..12];
    let name = words(session.unwrap_or("no session"));
    match part {
        0 => format!("{name}{hash}.md"),
        part => format!("{name}{hash}-{}.md", part + 1),
    }
}

/// What a text begins with, as a part of a file's name; `-` at the end.
fn words(text: &str) -> String {
    let mut name = String::new();
    for sign in text.chars().take(4 * WORDS) {
        match sign.is_alphanumeric() {
            true => name.extend(sign.to_lowercase()),
            false if name.is_empty() || name.ends_with('-') => {}
            false => name.push('-'),
        }
        if name.chars().count() >= WORDS {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    match name.is_empty() {
        true => String::new(),
        false => format!("{name}-"),
    }
}

/// The contexts of an exported note; `None` where it is none, or is no longer one.
pub(super) fn rows(note: &str) -> Option<Vec<Result<Row, String>>> {
    let (front, body) = note.strip_prefix(HEAD)?.split_once("\n---\n")?;
    let mut facts = Row::new();
    for line in front.lines() {
        let (name, value) = line.split_once(": ")?;
        facts.insert(name.to_owned(), serde_json::from_str(value).ok()?);
    }
    let Some(mark) = facts.get("mark").and_then(Value::as_str) else {
        let text = body.strip_suffix('\n').unwrap_or(body);
        facts.insert("text".to_owned(), text.into());
        return Some(vec![Ok(facts)]);
    };
    let start = format!("<!-- {mark} ");
    let mut parts = body.split(&start);
    // Whatever a person wrote before the first is not from here.
    parts.next()?;
    Some(parts.map(part).collect())
}

fn part(part: &str) -> Result<Row, String> {
    let cut = part
        .split_once(" -->\n")
        .ok_or("a context has no end of its facts");
    let (facts, text) = cut?;
    let mut row: Row = serde_json::from_str(facts).map_err(|error| error.to_string())?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    row.insert("text".to_owned(), text.into());
    Ok(row)
}
