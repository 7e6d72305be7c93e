//! Letters to lines, and lines to paragraphs, by where they stand.

use hayro_interpret::kurbo::{Point, Vec2};

use super::glyphs::Glyph;

/// A gap between letters of this share of their height is a space.
const SPACE: f64 = 0.17;
/// Letters are on one line if their base lines differ by no more than this share of their height,
/// which an exponent does not.
const SAME_LINE: f64 = 0.55;
/// Lines belong together if they follow each other within this many times their height.
const LINE_PITCH: f64 = 1.75;

/// A line of text.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) size: f64,
    from: Point,
    to: Point,
    along: Vec2,
}

/// A paragraph or a heading.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) text: String,
    pub(super) size: f64,
    lines: usize,
}

impl Block {
    /// Whether it may be a heading.
    pub(super) fn is_short(&self) -> bool {
        self.lines <= 3 && self.text.len() <= 240
    }
}

/// The lines of a page, in the order in which it is drawn, which is the one in which it is read.
pub(super) fn lines(glyphs: &[Glyph]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut before: Option<&Glyph> = None;
    for glyph in glyphs {
        // Letters that are drawn twice, to look bold.
        let again = before.is_some_and(|before| {
            before.text == glyph.text && before.from.distance(glyph.from) < glyph.size * 0.1
        });
        if again || glyph.size <= 0.0 {
            continue;
        }
        match lines.last_mut().filter(|line| line.takes(glyph)) {
            Some(line) => line.push(glyph),
            None => lines.push(Line {
                text: glyph.text.clone(),
                size: glyph.size,
                from: glyph.from,
                to: glyph.to,
                along: glyph.along,
            }),
        }
        before = Some(glyph);
    }
    lines.retain(|line| !line.text.trim().is_empty());
    lines
}

impl Line {
    /// How far to the right of the line's end a point is, and how far from its base line.
    fn measure(&self, point: Point) -> (f64, f64) {
        let way = point - self.to;
        (way.dot(self.along), way.cross(self.along).abs())
    }

    fn takes(&self, glyph: &Glyph) -> bool {
        let size = self.size.max(glyph.size);
        let (gap, off) = self.measure(glyph.from);
        // Cells of a table stand far from each other, but on one line.
        self.along.dot(glyph.along) > 0.99 && off < size * SAME_LINE && gap > -size
    }

    fn push(&mut self, glyph: &Glyph) {
        let (gap, _) = self.measure(glyph.from);
        let apart =
            self.text.ends_with(char::is_whitespace) || glyph.text.starts_with(char::is_whitespace);
        if gap > glyph.size * SPACE && !apart {
            self.text.push(' ');
        }
        self.text.push_str(&glyph.text);
        self.size = self.size.max(glyph.size);
        // A small letter above or below does not move the line.
        self.to = glyph.to;
        if glyph.size < self.size * 0.9 {
            let (_, off) = self.measure(self.from);
            let normal = Vec2::new(-self.along.y, self.along.x);
            let back = (self.from - glyph.to).dot(normal);
            if off > 0.0 {
                self.to += normal * back;
            }
        }
    }

    /// Whether `next` goes on with the paragraph of this one.
    pub(super) fn goes_on_with(&self, next: &Line) -> bool {
        let size = self.size.max(next.size);
        let alike = (self.size - next.size).abs() < size * 0.12;
        let way = next.from - self.from;
        let normal = Vec2::new(-self.along.y, self.along.x);
        let (down, right) = (way.dot(normal), way.dot(self.along));
        alike
            && self.along.dot(next.along) > 0.99
            && down > 0.0
            && down < size * LINE_PITCH
            && right.abs() < size * 6.0
            && !is_item(&next.text)
    }
}

/// Whether a line begins with the mark of a list.
fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let marked = line.starts_with(['•', '◦', '▪', '–', '‣', '·']);
    let number = line.split(' ').next().unwrap_or_default();
    let digits = number.trim_end_matches(['.', ')']);
    marked
        || number.len() > digits.len()
            && digits.len() <= 3
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The paragraphs of a page.
pub(super) fn blocks(lines: &[Line]) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut before: Option<&Line> = None;
    for line in lines {
        let words = line.text.trim();
        match blocks.last_mut() {
            Some(block) if before.is_some_and(|before| before.goes_on_with(line)) => {
                append(&mut block.text, words);
                block.lines += 1;
            }
            _ => blocks.push(Block {
                text: words.to_owned(),
                size: line.size,
                lines: 1,
            }),
        }
        before = Some(line);
    }
    blocks
}

/// Appends a line; a word that was divided is put together.
fn append(text: &mut String, line: &str) {
    let divided = text.ends_with(['-', '\u{ad}', '\u{2010}'])
        && text.chars().rev().nth(1).is_some_and(char::is_alphabetic)
        && line.starts_with(char::is_lowercase);
    if divided {
        text.pop();
    } else {
        text.push(' ');
    }
    text.push_str(line);
}

/// The rest of a sentence that goes on on the next page goes to the page where it began.
pub(super) fn join_over_pages(pages: &mut [Vec<Block>]) {
    /// Bytes in which a sentence ends.
    const SENTENCE: usize = 600;
    for at in 1..pages.len() {
        let (before, after) = pages.split_at_mut(at);
        let (Some(last), Some(first)) = (
            before.last_mut().and_then(|page| page.last_mut()),
            after.first_mut().and_then(|page| page.first_mut()),
        ) else {
            continue;
        };
        let open = !last
            .text
            .ends_with(['.', '!', '?', ':', '…', '"', '”', ')']);
        let goes_on = first.text.starts_with(char::is_lowercase);
        if !open || !goes_on || (last.size - first.size).abs() > 0.5 {
            continue;
        }
        let end = first
            .text
            .find(['.', '!', '?'])
            .map_or(first.text.len(), |end| end + 1);
        if end > SENTENCE {
            continue;
        }
        append(&mut last.text, &first.text[..end]);
        first.text = first.text[end..].trim_start().to_owned();
        if first.text.is_empty()
            && let Some(page) = after.first_mut()
        {
            page.remove(0);
        }
    }
}
