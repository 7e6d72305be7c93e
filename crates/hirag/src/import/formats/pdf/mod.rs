//! PDF: the words of every page, as they are drawn.

mod described;
mod furniture;
mod glyphs;
mod inflate;
mod layout;
mod opened;
mod sizes;
mod streams;
mod unpack;

use std::collections::BTreeMap;

use hayro_interpret::hayro_syntax::metadata::Metadata;
use hayro_interpret::hayro_syntax::object::DateTime;
use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use hayro_interpret::kurbo::{Affine, Rect};
use hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings, RenderContent, interpret_page,
};
use jiff::Timestamp;
use jiff::civil;
use jiff::tz::Offset;

use self::glyphs::Collector;
use self::layout::{Block, Line};
use self::opened::{Contents, LoadFault};
use super::decode::decode;
use super::{Deadline, Fault, Manuscript};
use crate::import::SourceFile;
use crate::import::cutting::{Piece, Script, clip, one_line, stem};

/// Pages at most; the longest of books has a few thousand.
const MAX_PAGES: usize = 20_000;
/// A heading's letters are larger than those of the text by this factor.
const HEADING: f64 = 1.15;

/// Reads a document. Every page is cut by itself, so that a chunk has one number of a page; a
/// sentence that goes on behind the end of its page stays with the page that it begins on.
pub(super) fn read(
    file: &SourceFile,
    bytes: &[u8],
    deadline: Deadline,
) -> Result<Manuscript, Fault> {
    check_begin(bytes)?;
    let mut bytes = bytes.to_vec();
    if let Some(careful) = streams::check(&mut bytes, deadline)? {
        opened::check_hidden(careful, deadline).map_err(|fault| match fault {
            LoadFault::Load(error) => not_opened(error),
            LoadFault::Over(fault) => fault,
        })?;
    }
    let pdf = Pdf::new(bytes).map_err(not_opened)?;
    let pages = pdf.pages();
    if pages.is_empty() {
        return Err(Fault::damaged(
            "is damaged or cut off: it has no page; save it anew",
        ));
    }
    if pages.len() > MAX_PAGES {
        return Err(Fault::over_limit(format!(
            "says that it has {} pages, over the limit of {MAX_PAGES}",
            pages.len()
        )));
    }
    let cache = InterpreterCache::new();
    let mut contents = Contents::new(deadline);
    let mut room = glyphs::MOST;
    let mut lines: Vec<Vec<Line>> = Vec::with_capacity(pages.len());
    for page in pages.iter() {
        deadline.check()?;
        contents.add(page)?;
        lines.push(lines_of(page, &pdf, &cache, &mut room, deadline));
    }
    let body_size = usual_size(&lines);
    furniture::remove(&mut lines, body_size * HEADING);
    let mut pages: Vec<Vec<Block>> = lines.iter().map(|lines| layout::blocks(lines)).collect();
    layout::join_over_pages(&mut pages);

    let facts = pdf.metadata();
    let title = words(facts.title.as_deref());
    let mut pieces: Vec<Piece> = Vec::new();
    // What stands on a page is still part of the section that began before.
    let mut open: BTreeMap<u8, String> = BTreeMap::new();
    let heading_levels = heading_levels(&pages, body_size);
    let title = title.unwrap_or_else(|| stem(&file.path));
    for (number, blocks) in (1..).zip(&pages) {
        let mut script = Script::default();
        let above = open.clone().into_iter().collect();
        for block in blocks {
            match heading_levels
                .get(&size_key(block.size))
                .filter(|_| block.is_short())
            {
                Some(level) => {
                    script.heading(*level, &block.text);
                    open.retain(|other, _| other < level);
                    open.insert(*level, clip(&block.text, 120));
                }
                None => script.prose(&block.text),
            }
        }
        if script.len() > 0 {
            let piece = script.piece("pdf", &title).of_file(&file.path);
            pieces.push(described(piece, facts, number).below(above));
        }
    }
    if pieces.is_empty() {
        return Err(Fault::Refused(
            "no_text",
            "has no text in it, only pictures of it; run a text recognition (OCR) over it first"
                .to_owned(),
        ));
    }
    Ok(Manuscript {
        pieces,
        warnings: Vec::new(),
    })
}

fn not_opened(error: LoadPdfError) -> Fault {
    match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => {
            Fault::encrypted("is protected by a password; save it without one, and import it again")
        }
        LoadPdfError::Decryption(_) => {
            Fault::encrypted("is encrypted in a way that is not known; save it without encryption")
        }
        LoadPdfError::Invalid => {
            Fault::damaged("is damaged or cut off: its pages cannot be found; save it anew")
        }
    }
}

/// Whether it is a PDF at all; what stands before its mark is not looked at by anyone.
fn check_begin(bytes: &[u8]) -> Result<(), Fault> {
    const WITHIN: usize = 1_024;
    if bytes.is_empty() {
        return Err(Fault::Empty);
    }
    let head = &bytes[..bytes.len().min(WITHIN)];
    if head.windows(5).any(|window| window == b"%PDF-") {
        return Ok(());
    }
    Err(Fault::damaged(
        "is no PDF, whatever its name says: it has no `%PDF-` at its start",
    ))
}

fn lines_of<'a>(
    page: &Page<'a>,
    pdf: &'a Pdf,
    cache: &InterpreterCache<'a>,
    room: &mut usize,
    deadline: Deadline,
) -> Vec<Line> {
    let settings = InterpreterSettings {
        render_content: RenderContent::PAGE,
        ..InterpreterSettings::default()
    };
    let flip = page.initial_transform(true);
    let place = Affine::new(flip.as_coeffs());
    let bounds = Rect::new(0.0, 0.0, 1.0, 1.0);
    let mut context = Context::new(place, bounds, cache, pdf.xref(), settings);
    let mut collector = Collector::new(*room, deadline);
    interpret_page(page, &mut context, &mut collector);
    let (glyphs, left) = collector.finish();
    *room = left;
    layout::lines(&glyphs)
}

/// The size of most of the letters.
fn usual_size(pages: &[Vec<Line>]) -> f64 {
    let mut letters: BTreeMap<u32, usize> = BTreeMap::new();
    for line in pages.iter().flatten() {
        *letters.entry(size_key(line.size)).or_default() += line.text.len();
    }
    let most = letters.iter().max_by_key(|(_, count)| **count);
    most.map_or(0.0, |(key, _)| f64::from(*key) / 2.0)
}

/// Sizes to half a point: what looks equal is.
fn size_key(size: f64) -> u32 {
    (size * 2.0).round().clamp(0.0, 10_000.0) as u32
}

/// The levels of the sizes that headings have, the largest first.
fn heading_levels(pages: &[Vec<Block>], body: f64) -> BTreeMap<u32, u8> {
    let larger = |block: &&Block| block.size > body * HEADING && block.is_short();
    let sizes: std::collections::BTreeSet<u32> = pages
        .iter()
        .flatten()
        .filter(larger)
        .map(|block| size_key(block.size))
        .collect();
    sizes
        .into_iter()
        .rev()
        .zip((1..=6).chain(std::iter::repeat(6)))
        .collect()
}

fn described(piece: Piece, facts: &Metadata, page: u32) -> Piece {
    let mut piece = piece
        .with("page", page)
        .with("author", words(facts.author.as_deref()));
    let date = facts.creation_date.or(facts.modification_date);
    piece.created_at = date.and_then(|date| time(&date));
    piece
}

/// A text of the document's own data: UTF-16 with a mark, or else what it seems to be.
fn words(bytes: Option<&[u8]>) -> Option<String> {
    let decoded = decode(bytes?, None).ok()?;
    let words = one_line(&decoded.text);
    (!words.is_empty()).then_some(words)
}

fn time(date: &DateTime) -> Option<Timestamp> {
    let narrow = |part: u8| i8::try_from(part).ok();
    let at = civil::DateTime::new(
        i16::try_from(date.year).ok()?,
        narrow(date.month)?,
        narrow(date.day)?,
        narrow(date.hour)?,
        narrow(date.minute)?,
        narrow(date.second)?,
        0,
    )
    .ok()?;
    let hours = i32::from(date.utc_offset_hour) * 3_600;
    let minutes = i32::from(date.utc_offset_minute) * 60 * hours.signum();
    let offset = Offset::from_seconds(hours + minutes).ok()?;
    offset.to_timestamp(at).ok()
}
