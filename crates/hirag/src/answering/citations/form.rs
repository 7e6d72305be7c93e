//! The forms in which models name sources: `[2]`, `[1, 3 and 5-7]`, `[Source 2]`, `【2】`, `(source 2)`.

use super::link;

/// Bytes between brackets that may name sources; longer ones are text.
const LONGEST: usize = 48;
/// Digits of a source's number at most: `[2024]` is a year.
const DIGITS: usize = 3;
/// What a source is called where its number alone would do, in the languages that are asked in most.
const SOURCE: [&str; 9] = [
    "source", "sources", "quelle", "quellen", "fuente", "fuentes", "fonte", "fontes", "fonti",
];
/// What may stand before that.
const SEE: &str = "see";
/// What joins the last number to the others.
const AND: [&str; 7] = ["and", "or", "und", "et", "y", "e", "ed"];
/// Spaces; some models write those that break no line.
const SPACES: [char; 3] = [' ', '\u{a0}', '\u{202f}'];
/// What stands between the first and the last number of a range; the last one breaks no line.
const TO: [char; 3] = ['-', '–', '\u{2011}'];
/// The first and the last of numbers that follow each other.
pub(super) type Span = (usize, usize);

/// What a text begins with.
#[derive(Debug)]
pub(super) enum Look {
    /// That cannot be told before more of it is there.
    More,
    /// Something else than the number of a source.
    Text,
    /// Numbers of sources.
    Sources(Sources),
}

/// Numbers of sources.
#[derive(Debug)]
pub(super) struct Sources {
    /// Bytes of them with what stands around.
    pub(super) length: usize,
    pub(super) spans: Vec<Span>,
    /// Whether they stand in square brackets, which mean other things too.
    pub(super) square: bool,
    /// Whether what follows makes a link of them.
    pub(super) link: bool,
}

/// Whether numbers of sources may begin with `c`.
pub(super) fn begins(c: char) -> bool {
    matches!(c, '[' | '【' | '(')
}

/// What `text` begins with, of which there is no more if it has `ended`. A link may be defined where a
/// line begins.
pub(super) fn read(text: &str, line_begins: bool, ended: bool) -> Look {
    let (open, close) = match text.chars().next() {
        Some('[') => ('[', ']'),
        Some('【') => ('【', '】'),
        Some('(') => ('(', ')'),
        _ => return Look::Text,
    };
    let within = &text[open.len_utf8()..];
    if !may_begin(within) {
        return Look::Text;
    }
    let Some((end, last)) = within
        .char_indices()
        .find(|(at, c)| *at > LONGEST || !may_stand(*c))
    else {
        return if ended { Look::Text } else { Look::More };
    };
    if last != close {
        return Look::Text;
    }
    let named = match open {
        '【' => without_place(&within[..end]),
        _ => &within[..end],
    };
    let Some(spans) = spans(named, open == '(') else {
        return Look::Text;
    };
    let length = open.len_utf8() + end + close.len_utf8();
    let square = open == '[';
    let link = match square {
        true => link::follows(&text[length..], line_begins, ended),
        false => Some(false),
    };
    match link {
        None => Look::More,
        Some(link) => Look::Sources(Sources {
            length,
            spans,
            square,
            link,
        }),
    }
}

/// Whether `text` ends within brackets that may name sources, once what follows completes them.
pub(super) fn is_open(text: &str) -> bool {
    let mut last = text.char_indices().rev().take(LONGEST + 1);
    last.find(|(_, c)| !may_stand(*c))
        .is_some_and(|(at, c)| begins(c) && may_begin(&text[at + c.len_utf8()..]))
}

fn may_stand(c: char) -> bool {
    c.is_ascii_alphanumeric() || ",;&+:#†._".contains(c) || SPACES.contains(&c) || TO.contains(&c)
}

/// Whether a number or a known word may stand first between brackets, as far as they are there.
fn may_begin(within: &str) -> bool {
    let within = match word(within.trim_start_matches(SPACES)) {
        Some((see, behind)) if see.eq_ignore_ascii_case(SEE) && !behind.is_empty() => behind,
        _ => within,
    };
    let within = within.trim_start_matches(SPACES);
    let Some((first, behind)) = word(within) else {
        return within.is_empty() || within.starts_with(|c: char| c.is_ascii_digit());
    };
    let (first, whole) = (first.to_ascii_lowercase(), !behind.is_empty());
    [SEE].iter().chain(&SOURCE).any(|known| match whole {
        true => **known == first,
        false => known.starts_with(&first),
    })
}

/// Some models say where in the source it stands: `【2†L5-L9】`, `【2:0†source】`.
fn without_place(within: &str) -> &str {
    let named = within.split('†').next().unwrap_or_default();
    let digits = |text: &str| text.ends_with(|c: char| c.is_ascii_digit());
    match named.rsplit_once(':') {
        Some((number, place)) if digits(number) && digits(place) => number,
        _ => named,
    }
}

/// The numbers that stand in a row, and nothing else; with a word for sources before them, if it
/// `needs_word`.
fn spans(within: &str, needs_word: bool) -> Option<Vec<Span>> {
    let within = within.trim_matches(SPACES);
    let mut rest = match word(within) {
        Some((see, behind)) if see.eq_ignore_ascii_case(SEE) => behind.trim_start_matches(SPACES),
        _ => within,
    };
    let (mut spans, mut called) = (Vec::new(), false);
    while !rest.is_empty() {
        if let Some(behind) = source_word(rest) {
            (rest, called) = (behind, true);
        }
        let (first, behind) = number(rest)?;
        let (last, behind) = range(behind).unwrap_or((first, behind));
        if first > last {
            return None;
        }
        spans.push((first, last));
        rest = joint(behind)?;
    }
    // Nobody counts sources from 0: with others, it is a list or a range in the text.
    let zero = |(first, last): &Span| *first == 0 && (*last > 0 || spans.len() > 1);
    let text = spans.is_empty() || spans.iter().any(zero) || (needs_word && !called);
    (!text).then_some(spans)
}

fn number(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (digits, behind) = text.split_at(end.unwrap_or(text.len()));
    let number = digits.parse().ok().filter(|_| digits.len() <= DIGITS)?;
    // `9a` is the name of something.
    (!behind.starts_with(|c: char| c.is_ascii_alphanumeric())).then_some((number, behind))
}

/// The last number of a range, behind its first.
fn range(text: &str) -> Option<(usize, &str)> {
    let text = text.trim_start_matches(SPACES);
    let text = text.strip_prefix(TO)?;
    number(text.trim_start_matches(SPACES))
}

/// What follows a number and joins it to the next, or ends the row.
fn joint(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches(SPACES);
    let mut joined = rest.is_empty();
    loop {
        let behind = match word(rest) {
            Some((word, behind)) if AND.contains(&word) => behind,
            _ => match rest.strip_prefix([',', ';', '&', '+']) {
                Some(behind) => behind,
                None => return joined.then_some(rest),
            },
        };
        (rest, joined) = (behind.trim_start_matches(SPACES), true);
    }
}

/// What follows a word for sources, and the signs between it and a number.
fn source_word(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let known = SOURCE
        .iter()
        .any(|known| known.eq_ignore_ascii_case(&text[..end]));
    known.then(|| text[end..].trim_start_matches(|c| SPACES.contains(&c) || matches!(c, ':' | '#')))
}

/// The word that `text` begins with, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic());
    let (word, behind) = text.split_at(end.unwrap_or(text.len()));
    (!word.is_empty()).then_some((word, behind))
}
