//! Notes in Markdown or plain text to chunks.

mod blocks;
mod chunks;
mod pieces;
mod units;

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use text_splitter::ChunkSizer;

use self::blocks::{Kind, Outline};
use self::chunks::{Chunk, Sizes};
pub(crate) use self::pieces::{Piece, pieces};
use self::units::Sizer;
use super::front_matter::{self, FrontMatter};
use super::{Document, FileKind, ImportError, ImportSettings, Problem, SourceFile};
use crate::context::{ContentHash, Limits, Metadata, NewContext, Priority};
use crate::tokens::TokenEstimator;

/// Names of tags and links kept for one chunk.
const MAX_NAMES: usize = 128;
/// Characters of a title, or of all the headings in a prefix.
const MAX_TITLE_CHARS: usize = 200;

/// Cuts the note `bytes` of `file` to chunks that stand by themselves.
///
/// **Size.** A note of at most `chunk_tokens` tokens is one chunk. A longer one is cut between
/// blocks, so that sections stay together where they fit; a block that is too long is cut between
/// items, rows and sentences, and a sentence that is too long by `text-splitter`. A code block stays whole up to four times
/// `chunk_tokens`, and is then cut between lines. A chunk that begins inside of a section repeats up
/// to `chunk_overlap` tokens of whole sentences or blocks from the one before.
///
/// **Text.** The text is the note's own, byte for byte but for line ends (always `\n`), blank lines
/// around it, and front matter. What a reader of the note sees above it is what people search by:
/// so a chunk under headings that it does not itself begin with gets one line before it with the
/// note's title and those headings, `Title > Section`. The line is kept as metadata `prefix`, so
/// that it can be told from the note's own words.
///
/// **Metadata.** The keys of the front matter; `title` (front matter, or else the first heading of
/// level 1, or else the file's name without its ending), `file`, `heading` (`Title > Section`),
/// `tags` (of the front matter and of the whole note: they say what the note is about) and `links`
/// (the targets of the wikilinks in this chunk).
///
/// **Identity.** `source` is the file, `source_key` the SHA-256 of the chunk's text with its
/// number among equal ones: chunks that a change leaves alone keep their key.
///
/// # Errors
/// [`ImportError::Binary`], [`ImportError::InvalidUtf8`] or [`ImportError::Empty`].
pub fn read_markdown(
    file: &SourceFile,
    bytes: &[u8],
    settings: &ImportSettings,
    limits: &Limits,
    tokens: &TokenEstimator,
) -> Result<Document, ImportError> {
    let text = text_of(file, bytes)?;
    let mut warnings = Vec::new();
    let mut warn = |message: String| {
        warnings.push(Problem {
            path: file.source.clone(),
            line: None,
            code: "front_matter".to_owned(),
            message,
        });
    };
    let markdown = file.kind != FileKind::Text;
    let (front, body) = match front_matter::split(&text, limits) {
        _ if !markdown => (FrontMatter::default(), text.as_str()),
        Ok(parts) => parts,
        Err(reason) => {
            warn(format!(
                "the front matter is not valid YAML ({reason}); it was imported as text"
            ));
            (FrontMatter::default(), text.as_str())
        }
    };
    front.left_out.iter().cloned().for_each(&mut warn);
    let outline = if markdown {
        blocks::markdown(body)
    } else {
        blocks::plain(body)
    };
    let note = Note::new(file, front, body, outline, limits);
    let contexts = note.contexts(settings, limits, tokens);
    if contexts.is_empty() {
        let path = file.path.clone();
        return Err(ImportError::Empty { path });
    }
    Ok(Document {
        source: file.source.clone(),
        content_hash: ContentHash::from_bytes(Sha256::digest(bytes).into()),
        contexts,
        warnings,
    })
}

fn text_of(file: &SourceFile, bytes: &[u8]) -> Result<String, ImportError> {
    let path = || file.path.clone();
    // UTF-16 is full of NUL bytes, but it is text; its mark tells.
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(ImportError::InvalidUtf8 {
            path: path(),
            offset: 0,
        });
    }
    if let Some(offset) = bytes.iter().position(|&byte| byte == 0) {
        return Err(ImportError::Binary {
            path: path(),
            offset,
        });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| ImportError::InvalidUtf8 {
        path: path(),
        offset: error.valid_up_to(),
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(text.replace("\r\n", "\n"))
}

struct Note<'a> {
    file: &'a SourceFile,
    body: &'a str,
    outline: Outline,
    title: String,
    /// Whether the title stands in the body.
    title_is_heading: bool,
    /// What all chunks share.
    metadata: Metadata,
    created_at: Option<Timestamp>,
}

impl<'a> Note<'a> {
    fn new(
        file: &'a SourceFile,
        front: FrontMatter,
        body: &'a str,
        outline: Outline,
        limits: &Limits,
    ) -> Self {
        let heading = outline.blocks.iter().find_map(|block| match &block.kind {
            Kind::Heading(1, name) if !name.trim().is_empty() => Some(name.trim()),
            _ => None,
        });
        let name = file.path.file_name().unwrap_or_default();
        let stem = file.path.file_stem().unwrap_or(name).to_string_lossy();
        let title = front.title.as_deref().or(heading).unwrap_or(&stem);
        let title = clip(title, MAX_TITLE_CHARS);
        let title_is_heading = heading.is_some_and(|heading| same(heading, &title));
        let mut tags = front.tags;
        for (_, tag) in &outline.tags {
            if !tags.contains(tag) {
                tags.push(tag.clone());
            }
        }
        let mut metadata = front.metadata;
        metadata.insert("title".to_owned(), title.clone().into());
        metadata.insert("file".to_owned(), name.to_string_lossy().into());
        let room = limits.max_metadata_bytes / 8;
        insert_names(&mut metadata, "tags", tags.iter().map(String::as_str), room);
        Self {
            file,
            body,
            outline,
            title,
            title_is_heading,
            metadata,
            created_at: front.created_at,
        }
    }

    fn contexts(
        mut self,
        settings: &ImportSettings,
        limits: &Limits,
        tokens: &TokenEstimator,
    ) -> Vec<NewContext> {
        let chunks = self.cut(settings, tokens);
        let mut occurrences: HashMap<ContentHash, u32> = HashMap::new();
        let mut contexts = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let Some((text, metadata)) = self.text_and_metadata(&chunk, limits) else {
                continue;
            };
            let hash = ContentHash::of(&text);
            let occurrence = occurrences.entry(hash).or_default();
            *occurrence += 1;
            contexts.push(NewContext {
                source: Some(self.file.source.clone()),
                source_key: Some(format!("{hash}#{occurrence}")),
                position: i64::try_from(contexts.len()).ok(),
                created_at: self.created_at,
                priority: Priority::Low,
                metadata,
                text,
                ..NewContext::default()
            });
        }
        contexts
    }

    fn cut(&mut self, settings: &ImportSettings, tokens: &TokenEstimator) -> Vec<Chunk> {
        let blocks = std::mem::take(&mut self.outline.blocks);
        let most = settings.chunk_tokens;
        let sizer = Sizer(*tokens);
        if sizer.size(self.body.trim()) <= most {
            return vec![self.whole(&blocks)];
        }
        let sizes = Sizes {
            most,
            overlap: settings.chunk_overlap,
        };
        let units = units::units(self.body, blocks, most - settings.chunk_overlap, sizer);
        chunks::chunks(self.body, &units, sizes, sizer)
    }

    /// The whole note as one chunk.
    fn whole(&self, blocks: &[blocks::Block]) -> Chunk {
        let path = match blocks.first().map(|block| &block.kind) {
            _ if self.title_is_heading => vec![self.title.clone()],
            Some(Kind::Heading(_, name)) => vec![name.clone()],
            _ => Vec::new(),
        };
        Chunk {
            range: 0..self.body.len(),
            overlap: 0,
            above: Vec::new(),
            path,
        }
    }

    fn text_and_metadata(&self, chunk: &Chunk, limits: &Limits) -> Option<(String, Metadata)> {
        let own = trim_lines(&self.body[chunk.range.clone()]);
        if own.is_empty() {
            return None;
        }
        let mut metadata = self.metadata.clone();
        let heading = self.path(&chunk.path);
        metadata.insert("heading".to_owned(), heading.clone().into());
        // The chunk's own headings say the rest of its path.
        let above = if chunk.above.is_empty()
            && chunk
                .path
                .first()
                .is_some_and(|first| same(first, &self.title))
        {
            String::new()
        } else {
            self.path(&chunk.above)
        };
        let text = if above.is_empty() {
            own.to_owned()
        } else {
            metadata.insert("prefix".to_owned(), above.clone().into());
            format!("{above}\n\n{own}")
        };
        let links = self
            .outline
            .links
            .iter()
            .filter(|(at, _)| chunk.range.contains(at))
            .map(|(_, target)| target.as_str());
        insert_names(&mut metadata, "links", links, limits.max_metadata_bytes / 8);
        Some((text, metadata))
    }

    /// The title and the headings below it.
    fn path(&self, headings: &[String]) -> String {
        let mut parts: Vec<&str> = Vec::new();
        if !headings
            .first()
            .is_some_and(|first| same(first, &self.title))
        {
            parts.push(&self.title);
        }
        parts.extend(headings.iter().map(|name| name.trim()));
        parts.retain(|part| !part.is_empty());
        clip(&parts.join(" > "), MAX_TITLE_CHARS * 2)
    }
}

/// Without blank lines around; the first line keeps its indentation, which is code's.
fn trim_lines(text: &str) -> &str {
    let text = text.trim_end();
    let first = text.len() - text.trim_start().len();
    let line = text[..first].rfind('\n').map_or(0, |at| at + 1);
    &text[line..]
}

fn same(a: &str, b: &str) -> bool {
    let plain = |text: &str| {
        text.split_whitespace()
            .flat_map(|word| word.chars().flat_map(char::to_lowercase).chain([' ']))
            .collect::<String>()
    };
    plain(a) == plain(b)
}

/// At most `chars` characters on one line.
fn clip(text: &str, chars: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(chars) {
        Some((end, _)) => line[..end].trim_end().to_owned(),
        None => line,
    }
}

/// Inserts the names, each once, as far as they fit; nothing if there are none.
fn insert_names<'n>(
    metadata: &mut Metadata,
    key: &str,
    names: impl Iterator<Item = &'n str>,
    mut room: usize,
) {
    let mut kept: Vec<&str> = Vec::new();
    for name in names {
        if name.is_empty() || kept.contains(&name) {
            continue;
        }
        if kept.len() == MAX_NAMES || name.len() > room {
            break;
        }
        room -= name.len();
        kept.push(name);
    }
    if !kept.is_empty() {
        let kept: Vec<Json> = kept.into_iter().map(Json::from).collect();
        metadata.insert(key.to_owned(), kept.into());
    }
}

#[cfg(test)]
mod tests;
