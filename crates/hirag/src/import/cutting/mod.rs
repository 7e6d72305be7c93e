//! Texts to chunks, the same for all formats.

mod chunks;
mod code;
mod names;
mod outline;
mod parts;
mod piece;
mod script;
mod units;

use std::collections::{HashMap, HashSet};

use text_splitter::ChunkSizer;

use self::chunks::{Chunk, Sizes};
pub(super) use self::code::Language;
pub(super) use self::names::{clip, one_line};
use self::names::{insert_names, same, trim_lines};
pub(super) use self::outline::{Block, Kind, Outline, line_start, plain};
pub(crate) use self::parts::Part;
pub(super) use self::parts::parts;
pub(super) use self::piece::{Piece, Shape, stem};
pub(super) use self::script::Script;
use self::units::Sizer;
use super::ImportSettings;
use crate::context::{ContentHash, Limits, Metadata, NewContext, Priority};
use crate::tokens::TokenEstimator;

/// Cuts the pieces of one file to chunks that stand by themselves.
///
/// **Size.** A piece of at most `chunk_tokens` tokens is one chunk. A longer one is cut between
/// blocks, so that sections stay together where they fit; a block that is too long is cut between
/// items, rows and sentences, and a sentence that is too long by `text-splitter`. A code block stays whole up to four times
/// `chunk_tokens`, and is then cut between lines. A chunk that begins inside of a section repeats up
/// to `chunk_overlap` tokens of whole sentences or blocks from the one before. Source code is cut
/// by its syntax, and repeats nothing.
///
/// **Text.** The text is the piece's own, byte for byte but for blank lines around it. What a
/// reader of the document sees above it is what people search by:
/// so a chunk under headings that it does not itself begin with gets one line before it with the
/// document's title and those headings, `Title > Section`. The line is kept as metadata `prefix`, so
/// that it can be told from the document's own words.
///
/// **Identity.** `source` is the file, `source_key` the piece's own key, or else the SHA-256 of the
/// chunk's own text, with its number among equal ones: chunks that a change leaves alone keep their
/// key, also where the line before them is another because the file or a heading above got another name.
#[derive(Debug)]
pub(super) struct Cutter {
    source: String,
    chunk_tokens: usize,
    chunk_overlap: usize,
    room_for_names: usize,
    sizer: Sizer,
    doc_type: Option<String>,
    /// How often a key has been met. The start of its hash will do: a collision only counts one
    /// further.
    occurrences: HashMap<u64, u32>,
    next_position: i64,
}

impl Cutter {
    /// A cutter for the file `source`.
    pub(super) fn new(
        source: &str,
        settings: &ImportSettings,
        limits: &Limits,
        tokens: TokenEstimator,
    ) -> Self {
        Self {
            source: source.to_owned(),
            chunk_tokens: settings.chunk_tokens,
            chunk_overlap: settings.chunk_overlap,
            room_for_names: limits.max_metadata_bytes / 8,
            sizer: Sizer(tokens),
            doc_type: None,
            occurrences: HashMap::new(),
            next_position: 0,
        }
    }

    /// Calls what it cuts this, in place of what its reader calls it; what the document itself says
    /// it is comes before both.
    pub(super) fn called(self, doc_type: Option<String>) -> Self {
        Self { doc_type, ..self }
    }

    /// The chunks of the file's next piece; none if nothing in it can be seen.
    pub(super) fn cut(&mut self, mut piece: Piece) -> Vec<NewContext> {
        let chunks = self.chunks(&mut piece);
        if let Shape::Blocks(outline) = &mut piece.shape {
            // Every chunk has them all; so they are told apart once.
            let mut seen = HashSet::new();
            outline.tags.retain(|(_, tag)| seen.insert(tag.clone()));
        }
        let mut contexts = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            if let Some((text, metadata)) = self.text_and_metadata(&piece, &chunk) {
                let own = trim_lines(&piece.text[chunk.range.clone()]);
                contexts.push(NewContext {
                    source: Some(self.source.clone()),
                    source_key: Some(self.key(piece.key.as_deref(), own)),
                    position: Some(self.next_position),
                    created_at: piece.created_at,
                    agent: piece.agent.clone(),
                    session: piece.session.clone(),
                    priority: Priority::Low,
                    metadata,
                    text,
                    ..NewContext::default()
                });
                self.next_position += 1;
            }
        }
        contexts
    }

    fn key(&mut self, own: Option<&str>, text: &str) -> String {
        let hash = ContentHash::of(own.unwrap_or(text));
        let mut start = [0; 8];
        start.copy_from_slice(&hash.as_bytes()[..8]);
        let occurrence = self
            .occurrences
            .entry(u64::from_le_bytes(start))
            .or_default();
        *occurrence += 1;
        match own {
            Some(own) => format!("{own}#{occurrence}"),
            None => format!("{hash}#{occurrence}"),
        }
    }

    fn chunks(&self, piece: &mut Piece) -> Vec<Chunk> {
        let most = self.chunk_tokens;
        let whole = self.sizer.size(piece.text.trim()) <= most;
        let blocks = match &mut piece.shape {
            Shape::Code(_) if whole => {
                return vec![Chunk::whole(&piece.text, Vec::new(), Vec::new())];
            }
            Shape::Code(language) => {
                return code::chunks(&piece.text, *language, most, self.sizer);
            }
            Shape::Blocks(outline) => std::mem::take(&mut outline.blocks),
        };
        if whole {
            let (above, path) = piece.paths_of_whole(&blocks);
            return vec![Chunk::whole(&piece.text, above, path)];
        }
        let sizes = Sizes {
            most,
            overlap: self.chunk_overlap,
        };
        let units = units::units(&piece.text, blocks, most - self.chunk_overlap, self.sizer);
        let above = std::mem::take(&mut piece.above);
        chunks::chunks(&piece.text, &units, above, sizes, self.sizer)
    }

    fn text_and_metadata(&self, piece: &Piece, chunk: &Chunk) -> Option<(String, Metadata)> {
        let own = trim_lines(&piece.text[chunk.range.clone()]);
        if own.is_empty() {
            return None;
        }
        let mut metadata = piece.metadata.clone();
        let doc_type = self.doc_type.as_ref().unwrap_or(&piece.doc_type);
        metadata
            .entry("doc_type")
            .or_insert_with(|| doc_type.as_str().into());
        metadata.insert("title".to_owned(), piece.title.clone().into());
        let mut text = own.to_owned();
        if piece.titled {
            let heading = piece.path(&chunk.path);
            metadata.insert("heading".to_owned(), heading.into());
            // The chunk's own headings say the rest of its path.
            let begins_with_title = chunk.above.is_empty()
                && chunk
                    .path
                    .first()
                    .is_some_and(|first| same(first, &piece.title));
            let above = piece.path(&chunk.above);
            if !begins_with_title && !above.is_empty() {
                text = format!("{above}\n\n{own}");
                metadata.insert("prefix".to_owned(), above.into());
            }
        }
        if let Shape::Blocks(outline) = &piece.shape {
            for (key, found) in [
                ("links", &outline.links),
                ("embeds", &outline.embeds),
                ("block_refs", &outline.block_refs),
            ] {
                // They are in the order of the text.
                let start = found.partition_point(|(at, _)| *at < chunk.range.start);
                let names = found[start..]
                    .iter()
                    .take_while(|(at, _)| *at < chunk.range.end)
                    .map(|(_, target)| target.as_str());
                insert_names(&mut metadata, key, names, self.room_for_names);
            }
            let tags = outline.tags.iter().map(|(_, tag)| tag.as_str());
            insert_names(&mut metadata, "tags", tags, self.room_for_names);
        }
        Some((text, metadata))
    }
}

#[cfg(test)]
mod tests;
