//! The forms in which models name sources: `[2]`, `[1, 3 and 5-7]`, `[Source 2]`, `【2】`, `(source 2)`.

/// Bytes between brackets that may name sources; longer ones are text.
const LONGEST: usize = 48;
/// Digits of a source's number at most: `[2024]` is a year.
const DIGITS: usize = 3;
/// What a source is called where its number alone would do, in the languages that are asked in most.
const SOURCE: [&str; 8] = [
    "source", "sources", "quelle", "quellen", "fuente", "fuentes", "fonte", "fonti",
];
/// What joins the last number to the others.
const AND: [&str; 7] = ["and", "or", "und", "et", "y", "e", "ed"];
/// What a link's definition goes on with, behind `[2]: `.
const TARGETS: [&str; 4] = ["http", "<", "/", "#"];
/// Spaces before that at most.
const SPACES: usize = 8;

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
    /// Whether what follows makes a link of them: how many bytes that is.
    pub(super) link: usize,
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
    let Some((end, last)) = within
        .char_indices()
        .find(|(at, c)| *at > LONGEST || !may_stand(*c))
    else {
        return if ended { Look::Text } else { Look::More };
    };
    if last != close {
        return Look::Text;
    }
    // Some models say where in the source it stands: `【2†L5-L9】`.
    let named = match open {
        '【' => within[..end].split('†').next().unwrap_or_default(),
        _ => &within[..end],
    };
    let Some(spans) = spans(named, open == '(') else {
        return Look::Text;
    };
    let length = open.len_utf8() + end + close.len_utf8();
    let square = open == '[';
    let link = match square {
        true => link(&text[length..], line_begins, ended),
        false => Some(0),
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

fn may_stand(c: char) -> bool {
    c.is_ascii_alphanumeric() || " ,;&+-–:#†".contains(c)
}

/// Bytes of what makes a link of the brackets before; `None` if that cannot be told yet.
fn link(behind: &str, line_begins: bool, ended: bool) -> Option<usize> {
    let Some(next) = behind.chars().next() else {
        return ended.then_some(0);
    };
    if next == '(' {
        return Some(1);
    }
    if next != ':' || !line_begins {
        return Some(0);
    }
    let target = behind[1..].trim_start_matches(' ');
    if behind.len() - target.len() > SPACES {
        return Some(0);
    }
    if TARGETS.iter().any(|known| target.starts_with(known)) {
        return Some(1);
    }
    let begun = TARGETS.iter().any(|known| known.starts_with(target));
    (ended || !begun).then_some(0)
}

/// The numbers that stand in a row, and nothing else; with a word for sources before them, if it
/// `needs_word`.
fn spans(within: &str, needs_word: bool) -> Option<Vec<Span>> {
    let within = within.trim_matches(' ');
    let mut rest = match word(within) {
        Some((see, behind)) if see.eq_ignore_ascii_case("see") => behind.trim_start_matches(' '),
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
    let text = text.trim_start_matches(' ');
    let text = text.strip_prefix(['-', '–'])?;
    number(text.trim_start_matches(' '))
}

/// What follows a number and joins it to the next, or ends the row.
fn joint(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches(' ');
    let mut joined = rest.is_empty();
    loop {
        let behind = match word(rest) {
            Some((word, behind)) if AND.contains(&word) => behind,
            _ => match rest.strip_prefix([',', ';', '&', '+']) {
                Some(behind) => behind,
                None => return joined.then_some(rest),
            },
        };
        (rest, joined) = (behind.trim_start_matches(' '), true);
    }
}

/// What follows a word for sources, and the signs between it and a number.
fn source_word(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let known = SOURCE
        .iter()
        .any(|known| known.eq_ignore_ascii_case(&text[..end]));
    known.then(|| text[end..].trim_start_matches([' ', ':', '#']))
}

/// The word that `text` begins with, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic());
    let (word, behind) = text.split_at(end.unwrap_or(text.len()));
    (!word.is_empty()).then_some((word, behind))
}
