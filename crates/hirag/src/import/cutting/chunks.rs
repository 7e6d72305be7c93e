//! Units to chunks: how many go together, and what a chunk repeats from the one before.

use std::ops::Range;

use text_splitter::ChunkSizer;

use super::units::{Sizer, Unit, UnitKind, sentence_starts};

/// A chunk of a note.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chunk {
    /// Its text, contiguous in the note.
    pub(super) range: Range<usize>,
    /// How many of its first bytes the chunk before has, too.
    pub(super) overlap: usize,
    /// The headings above its first line, outermost first.
    pub(super) above: Vec<String>,
    /// The same with the headings that it begins with.
    pub(super) path: Vec<String>,
}

impl Chunk {
    /// All of `text`, which stands under the headings `above`, and with its own under `path`.
    pub(super) fn whole(text: &str, above: Vec<String>, path: Vec<String>) -> Self {
        Self {
            range: 0..text.len(),
            overlap: 0,
            above,
            path,
        }
    }
}

/// Sizes in tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) most: usize,
    pub(super) overlap: usize,
}

impl Sizes {
    /// A chunk of fewer tokens says too little by itself: it goes on, whatever follows.
    fn least(self) -> usize {
        self.most / 4
    }
}

/// Packs units in order into chunks of at most about `sizes.most` tokens.
///
/// A chunk ends before a unit that does not fit, and before a heading whose section does not fit
/// while the chunk is not small, so that sections stay together; a heading does not end a chunk. A
/// small chunk takes the next unit in any case, so a chunk has at most a quarter more than `most`,
/// or than its one code block. A small last chunk joins the one before. The first
/// headings stand under those of `above`, unless they are of their level.
pub(super) fn chunks(
    text: &str,
    units: &[Unit],
    above: Vec<(u8, String)>,
    sizes: Sizes,
    sizer: Sizer,
) -> Vec<Chunk> {
    let mut spans: Vec<Span> = Vec::new();
    let mut next = 0;
    while next < units.len() {
        let overlap = match spans.last() {
            Some(before) => overlap(text, units, before, sizes.overlap, sizer),
            None => Overlap::default(),
        };
        let end = extend(units, next, overlap.tokens, sizes);
        spans.push(Span {
            units: next..end,
            overlap,
        });
        next = end;
    }
    if let [.., before, last] = spans.as_mut_slice() {
        let size: usize = units[last.units.clone()].iter().map(|u| u.tokens).sum();
        if size < sizes.least() {
            before.units.end = last.units.end;
            spans.pop();
        }
    }
    let mut path = Path { open: above };
    spans
        .into_iter()
        .map(|span| span.chunk(units, &mut path))
        .collect()
}

/// The unit behind the last one of the chunk that starts with `first`, `size` tokens being in it.
fn extend(units: &[Unit], first: usize, mut size: usize, sizes: Sizes) -> usize {
    let mut own = 0;
    let mut headings_only = true;
    for (at, unit) in units.iter().enumerate().skip(first) {
        let small = own < sizes.least() || headings_only && own < sizes.most;
        if !small {
            let needed = match unit.kind {
                UnitKind::Heading(..) => section(units, at, sizes.most),
                _ => unit.tokens,
            };
            if size + needed > sizes.most {
                return at;
            }
        }
        headings_only &= matches!(unit.kind, UnitKind::Heading(..));
        size += unit.tokens;
        own += unit.tokens;
    }
    units.len()
}

/// Tokens of the section that a heading opens, counted no further than `most`.
fn section(units: &[Unit], at: usize, most: usize) -> usize {
    let UnitKind::Heading(level, _) = units[at].kind else {
        return units[at].tokens;
    };
    let mut size = units[at].tokens;
    for unit in &units[at + 1..] {
        let ends = matches!(unit.kind, UnitKind::Heading(other, _) if other <= level);
        if ends || size > most {
            break;
        }
        size += unit.tokens;
    }
    size
}

#[derive(Debug, Clone, Copy, Default)]
struct Overlap {
    bytes: usize,
    tokens: usize,
}

/// How much of the end of the chunk `before` the next one repeats: whole units, and of the first
/// that is too long its last sentences. A chunk that begins with a heading repeats nothing, and
/// code is repeated whole or not at all.
fn overlap(text: &str, units: &[Unit], before: &Span, most: usize, sizer: Sizer) -> Overlap {
    let end = before.units.end;
    let mut found = Overlap::default();
    if units
        .get(end)
        .is_none_or(|next| matches!(next.kind, UnitKind::Heading(..)))
    {
        return found;
    }
    // The first unit is never repeated whole: that would be the chunk itself.
    for at in before.units.clone().rev() {
        let unit = &units[at];
        if matches!(unit.kind, UnitKind::Heading(..)) {
            break;
        }
        if found.tokens + unit.tokens <= most && at > before.units.start {
            found.tokens += unit.tokens;
            found.bytes += unit.range.len();
            continue;
        }
        if unit.kind == UnitKind::Prose {
            let tail = sentences(&text[unit.range.clone()], most - found.tokens, sizer);
            found.tokens += tail.tokens;
            found.bytes += tail.bytes;
        }
        break;
    }
    found
}

/// The last sentences of `text` within `most` tokens, not all of it.
fn sentences(text: &str, most: usize, sizer: Sizer) -> Overlap {
    let mut best = Overlap::default();
    let starts: Vec<usize> = sentence_starts(text).collect();
    for &start in starts.iter().rev() {
        let size = sizer.size(&text[start..]);
        if size > most {
            break;
        }
        best = Overlap {
            bytes: text.len() - start,
            tokens: size,
        };
    }
    best
}

struct Span {
    units: Range<usize>,
    overlap: Overlap,
}

impl Span {
    fn chunk(&self, units: &[Unit], path: &mut Path) -> Chunk {
        let own = &units[self.units.clone()];
        let start = own.first().map_or(0, |unit| unit.range.start);
        let end = own.last().map_or(start, |unit| unit.range.end);
        let run = leading_headings(own);
        let (mut above, mut path_here) = (path.names(), None);
        for (at, unit) in own.iter().enumerate() {
            if at == run {
                path_here = Some(path.names());
            }
            if let UnitKind::Heading(level, name) = &unit.kind {
                path.close(*level);
                if at == 0 {
                    above = path.names();
                }
                path.open(*level, name);
            }
        }
        Chunk {
            range: start - self.overlap.bytes..end,
            overlap: self.overlap.bytes,
            above,
            path: path_here.unwrap_or_else(|| path.names()),
        }
    }
}

/// How many headings stand at the head of a chunk.
fn leading_headings(own: &[Unit]) -> usize {
    own.iter()
        .take_while(|unit| matches!(unit.kind, UnitKind::Heading(..)))
        .count()
}

/// The headings that are open at a place.
#[derive(Debug, Default)]
struct Path {
    open: Vec<(u8, String)>,
}

impl Path {
    fn close(&mut self, level: u8) {
        while self.open.last().is_some_and(|(open, _)| *open >= level) {
            self.open.pop();
        }
    }

    fn open(&mut self, level: u8, name: &str) {
        self.open.push((level, name.to_owned()));
    }

    fn names(&self) -> Vec<String> {
        self.open.iter().map(|(_, name)| name.clone()).collect()
    }
}
