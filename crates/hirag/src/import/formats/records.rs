//! Files with one JSON object a line: our own export, anyone's JSONL, and the corpus of a BEIR set.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;

use jiff::Timestamp;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::context::{
    ContentHash, ContextError, ContextId, ContextLevel, Limits, Metadata, NewContext, parse_time,
};
use crate::import::lines::{Line, Lines};
use crate::import::{FileKind, Problem, SourceFile};

/// What the store computes itself; an exported context carries it, but cannot set it.
const COMPUTED: [&str; 7] = [
    "id",
    "updated_at",
    "accessed_at",
    "access_count",
    "token_count",
    "content_hash",
    "embedding",
];

/// The records of a file as contexts, one line at a time: a line that cannot be used is told by its
/// number, and the rest goes on. Take as many as a batch needs with [`Iterator::by_ref`].
///
/// **JSONL**: `text` (or `content`) is required; `level`, `agent`, `session`, `metadata` (an
/// object), `position`, `created_at` (or `timestamp`) and `expires_at` are taken as they are; a
/// `title` goes before the text; every other field becomes metadata. `source` with `source_key` is
/// the identity of the line; without both, it is the file with the SHA-256 of the line (for an
/// exported context, its id), and a `source` is kept as metadata `original_source`.
///
/// **BEIR**: `_id` (text or a number) is the identity within the file and kept as metadata
/// `source_id`; a `title` goes before the text and is kept as metadata; `timestamp` is the time of
/// creation; every other field becomes metadata, and `agent` and `session`, where they are text,
/// are those of the context too.
///
/// Times are RFC 3339, without zone in UTC, or Unix seconds or milliseconds. Without a `position`,
/// the line's place in the file is the context's.
#[derive(Debug)]
pub struct Records<R> {
    lines: Lines<R>,
    source: String,
    beir: bool,
    limits: Limits,
    /// How often a line of this hash has been met, for lines without an identity of their own. The
    /// start of the hash will do: a collision only counts one further.
    occurrences: HashMap<u64, u32>,
    /// The identities met, as the first half of their hash.
    identities: HashSet<u128>,
}

/// Why a record cannot be used.
struct Fault {
    code: &'static str,
    message: String,
}

impl Fault {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, message }
    }
}

impl From<ContextError> for Fault {
    fn from(error: ContextError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl<R: BufRead> Records<R> {
    /// The records of `input`, which is the content of `file`.
    #[must_use]
    pub fn new(input: R, file: &SourceFile, max_line_bytes: usize, limits: Limits) -> Self {
        Self {
            lines: Lines::new(input, max_line_bytes),
            source: file.source.clone(),
            beir: file.kind == FileKind::Beir,
            limits,
            occurrences: HashMap::new(),
            identities: HashSet::new(),
        }
    }

    fn problem(&self, line: Option<u64>, code: &str, message: String) -> Problem {
        Problem {
            path: self.source.clone(),
            line,
            code: code.to_owned(),
            message,
        }
    }

    fn record(&mut self, line: Line) -> Result<NewContext, Fault> {
        let text = line
            .text
            .map_err(|fault| Fault::new(fault.code(), fault.to_string()))?;
        let object = match serde_json::from_str(&text) {
            Ok(Json::Object(object)) => object,
            Ok(other) => {
                let found = kind_of(&other);
                return Err(Fault::new(
                    "invalid_json",
                    format!("the line is {found}; write one JSON object a line"),
                ));
            }
            Err(error) => {
                return Err(Fault::new(
                    "invalid_json",
                    format!("the line is not valid JSON: {error}"),
                ));
            }
        };
        let mut new = if self.beir {
            beir(object)?
        } else {
            jsonl(object)?
        };
        let identity = match (&new.id, &new.source_key) {
            (Some(id), _) => Some(id.to_string()),
            (None, key) => key.clone(),
        };
        match identity {
            Some(name) => {
                let source = new.source.as_ref().unwrap_or(&self.source);
                if !self.identities.insert(identity_of(source, &name)) {
                    return Err(Fault::new(
                        "duplicate_id",
                        format!("an earlier line has the id `{name}` already; make the ids unique"),
                    ));
                }
            }
            None => new.source_key = Some(self.key_of(&text)),
        }
        // A line of an export stands for itself, with or without the source that it came from.
        if new.source.is_none() && new.id.is_none() {
            new.source = Some(self.source.clone());
        }
        if new.position.is_none() {
            new.position = i64::try_from(line.number - 1).ok();
        }
        // Whether an expiry has passed is the store's to say; it knows the time.
        new.validate(&self.limits, Timestamp::MIN)?;
        Ok(new)
    }

    fn key_of(&mut self, line: &str) -> String {
        let hash = ContentHash::of(line.trim());
        let mut start = [0; 8];
        start.copy_from_slice(&hash.as_bytes()[..8]);
        let count = self
            .occurrences
            .entry(u64::from_le_bytes(start))
            .or_default();
        *count += 1;
        format!("{hash}#{count}")
    }
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = Result<NewContext, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.lines.next()? {
            Ok(line) => {
                let number = line.number;
                Some(
                    self.record(line)
                        .map_err(|fault| self.problem(Some(number), fault.code, fault.message)),
                )
            }
            Err(error) => {
                let message = format!("{} cannot be read further: {error}", self.source);
                Some(Err(self.problem(None, "unreadable", message)))
            }
        }
    }
}

fn identity_of(source: &str, key: &str) -> u128 {
    let mut hash = Sha256::new();
    hash.update((source.len() as u64).to_le_bytes());
    hash.update(source.as_bytes());
    hash.update(key.as_bytes());
    let mut half = [0; 16];
    half.copy_from_slice(&hash.finalize()[..16]);
    u128::from_le_bytes(half)
}

fn jsonl(mut object: Metadata) -> Result<NewContext, Fault> {
    let exported = COMPUTED.iter().all(|key| object.contains_key(*key));
    let (mut id, mut updated_at, mut accessed_at, mut access_count) = (None, None, None, 0);
    if exported {
        if object.remove("deleted_at").is_some_and(|at| !at.is_null()) {
            return Err(Fault::new(
                "deleted",
                "the exported context was deleted; set its `deleted_at` to null to import it",
            ));
        }
        id = take_text(&mut object, "id")?
            .map(|id| id.parse::<ContextId>())
            .transpose()?;
        updated_at = take_time(&mut object, "updated_at")?;
        accessed_at = take_time(&mut object, "accessed_at")?;
        access_count = take_whole(&mut object, "access_count")?
            .and_then(|count| u64::try_from(count).ok())
            .unwrap_or(0);
        for key in COMPUTED {
            object.remove(key);
        }
    }
    let text = match take_text(&mut object, "text")? {
        Some(text) => text,
        None => take_text(&mut object, "content")?
            .ok_or_else(|| Fault::new("missing_text", "the line has no `text`; give it one"))?,
    };
    let title = take_text(&mut object, "title")?.filter(|title| !title.trim().is_empty());
    let created_at = match take_time(&mut object, "created_at")? {
        Some(at) => Some(at),
        None => take_time(&mut object, "timestamp")?,
    };
    let level = take_level(&mut object)?;
    let agent = take_text(&mut object, "agent")?;
    let session = take_text(&mut object, "session")?;
    let expires_at = take_time(&mut object, "expires_at")?;
    let position = take_whole(&mut object, "position")?;
    let mut source = take_text(&mut object, "source")?;
    let source_key = take_text(&mut object, "source_key")?;
    let own = match object.remove("metadata") {
        None | Some(Json::Null) => Metadata::new(),
        Some(Json::Object(own)) => own,
        Some(other) => return Err(wrong_type("metadata", "an object", &other)),
    };
    let mut metadata = object;
    if let Some(title) = &title {
        metadata.insert("title".to_owned(), title.clone().into());
    }
    if source_key.is_none() && id.is_none() {
        // Half an identity would make the line a part of a file that it does not come from.
        if let Some(source) = source.take() {
            metadata.insert("original_source".to_owned(), source.into());
        }
    }
    metadata.extend(own);
    Ok(NewContext {
        text: titled(title.as_deref(), text),
        level,
        agent,
        session,
        metadata,
        source,
        source_key,
        position,
        created_at,
        expires_at,
        id,
        updated_at,
        accessed_at,
        access_count,
        ..NewContext::default()
    })
}

fn beir(mut object: Metadata) -> Result<NewContext, Fault> {
    let id = match object.remove("_id") {
        Some(Json::String(id)) if !id.trim().is_empty() => id,
        Some(Json::Number(id)) => id.to_string(),
        None | Some(Json::Null | Json::String(_)) => {
            return Err(Fault::new(
                "missing_id",
                "the line has no `_id`; give it one",
            ));
        }
        Some(other) => return Err(wrong_type("_id", "text or a number", &other)),
    };
    let text = take_text(&mut object, "text")?.unwrap_or_default();
    let title = take_text(&mut object, "title")?.filter(|title| !title.trim().is_empty());
    let created_at = take_time(&mut object, "timestamp")?;
    let name = |key: &str| {
        let name = object.get(key).and_then(Json::as_str)?;
        (!name.trim().is_empty()).then(|| name.to_owned())
    };
    let (agent, session) = (name("agent"), name("session"));
    let mut metadata = object;
    // BEIR's own converters write an empty `metadata` on every line.
    if metadata
        .get("metadata")
        .is_some_and(|own| own.as_object().is_some_and(Metadata::is_empty))
    {
        metadata.remove("metadata");
    }
    metadata.insert("source_id".to_owned(), id.clone().into());
    if let Some(title) = &title {
        metadata.insert("title".to_owned(), title.clone().into());
    }
    Ok(NewContext {
        text: titled(title.as_deref(), text),
        agent,
        session,
        metadata,
        source_key: Some(id),
        created_at,
        ..NewContext::default()
    })
}

fn titled(title: Option<&str>, text: String) -> String {
    match title {
        Some(title) if text.trim().is_empty() => title.to_owned(),
        Some(title) => format!("{title}\n{text}"),
        None => text,
    }
}

fn take_text(object: &mut Metadata, key: &str) -> Result<Option<String>, Fault> {
    match object.remove(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong_type(key, "text", &other)),
    }
}

fn take_whole(object: &mut Metadata, key: &str) -> Result<Option<i64>, Fault> {
    match object.remove(key) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => value
            .as_i64()
            .map(Some)
            .ok_or_else(|| wrong_type(key, "a whole number", &value)),
    }
}

fn take_level(object: &mut Metadata) -> Result<Option<ContextLevel>, Fault> {
    match object.remove("level") {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(name)) => Ok(Some(name.parse()?)),
        Some(Json::Number(number)) => Ok(Some(number.to_string().parse()?)),
        Some(other) => Err(wrong_type("level", "text, e.g. `L3`", &other)),
    }
}

fn take_time(object: &mut Metadata, key: &str) -> Result<Option<Timestamp>, Fault> {
    /// Seconds up to this are before the year 5138; greater numbers are milliseconds.
    const MOST_SECONDS: u64 = 100_000_000_000;
    let at = match object.remove(key) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(text)) if text.trim().is_empty() => return Ok(None),
        Some(Json::String(text)) => parse_time(&text),
        Some(value) => match value.as_i64() {
            Some(number) if number.unsigned_abs() <= MOST_SECONDS => {
                Timestamp::from_second(number).map_err(|error| error.to_string())
            }
            Some(number) => Timestamp::from_millisecond(number).map_err(|error| error.to_string()),
            None => return Err(wrong_type(key, "a time", &value)),
        },
    };
    at.map(Some)
        .map_err(|reason| Fault::new("invalid_time", format!("`{key}`: {reason}")))
}

fn wrong_type(key: &str, wanted: &str, found: &Json) -> Fault {
    let found = kind_of(found);
    Fault::new(
        "wrong_type",
        format!("`{key}` must be {wanted}, but is {found}"),
    )
}

fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
