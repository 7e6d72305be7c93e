//! What stands before the data of a stream, as far as nobody can read it in two ways.
//!
//! Where an object begins is for the table of contents to say, which may lie: in a string or in a
//! comment there may stand what looks like the description of another object. So a description is
//! believed only if it is whole, ends where the data begins, and holds nothing that another reader
//! might end it by.

use std::borrow::Cow;

/// Bytes before a stream in which its description is.
const WITHIN: usize = 16 << 10;

/// What stands before a `stream`.
#[derive(Debug, PartialEq)]
pub(super) enum Before<'a> {
    /// No dictionary: it is a word in a text.
    NoStream,
    /// Something that may be read in more ways than one.
    Unclear,
    Description(Description<'a>),
}

/// A dictionary.
#[derive(Debug, PartialEq)]
pub(super) struct Description<'a> {
    /// Its parts, its own brackets included.
    tokens: Vec<Token<'a>>,
    /// Where each of them begins in the file.
    places: Vec<usize>,
}

/// A part of a dictionary.
#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    Open(&'static str),
    Close(&'static str),
    /// Without its `/`, and without escapes.
    Name(Cow<'a, [u8]>),
    Word(&'a [u8]),
    String,
}

impl Token<'_> {
    fn name(&self) -> Option<&[u8]> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }
}

impl<'a> Before<'a> {
    /// Looks at what stands before `at`, where a `stream` is.
    pub(super) fn of(bytes: &'a [u8], at: usize) -> Self {
        let window = &bytes[at.saturating_sub(WITHIN)..at];
        let end = window.iter().rposition(|byte| !is_space(*byte));
        let Some(window) = end.map(|end| &window[..=end]) else {
            return Self::Unclear;
        };
        if !window.ends_with(b">>") {
            // Behind a comment there may still be one.
            return match has_comment(window) {
                true => Self::Unclear,
                false => Self::NoStream,
            };
        }
        let mut end = window.len();
        while let Some(start) = rfind(&window[..end], b"obj") {
            if !has_comment(&window[..start])
                && let Some(mut said) = Description::whole(&window[start + 3..])
            {
                let before = at.saturating_sub(WITHIN) + start + 3;
                said.places.iter_mut().for_each(|place| *place += before);
                return Self::Description(said);
            }
            end = start;
        }
        Self::Unclear
    }
}

impl<'a> Description<'a> {
    /// A dictionary that is all there is.
    fn whole(text: &'a [u8]) -> Option<Self> {
        let mut said = Self {
            tokens: Vec::new(),
            places: Vec::new(),
        };
        let mut open = Vec::new();
        let mut at = 0;
        loop {
            at += text[at..]
                .iter()
                .take_while(|byte| is_space(**byte))
                .count();
            let rest = &text[at..];
            if !said.tokens.is_empty() && open.is_empty() {
                return rest.is_empty().then_some(said);
            }
            let (token, length) = token(rest)?;
            match token {
                Token::Open(bracket) => open.push(bracket),
                Token::Close(bracket) => {
                    let fits = matches!((open.pop()?, bracket), ("<<", ">>") | ("[", "]"));
                    fits.then_some(())?;
                }
                // The dictionary is the first thing.
                _ if open.is_empty() => return None,
                _ => {}
            }
            said.tokens.push(token);
            said.places.push(at);
            at += length;
        }
    }

    /// Whether it is of what is never unpacked here: pictures, and files that are enclosed.
    pub(super) fn is_unread(&self) -> bool {
        let is = |key: &[u8], name: &[u8]| {
            let mut values = self.values(key);
            let first = values.next();
            values.next().is_none()
                && matches!(first, Some([Token::Name(value), ..]) if &**value == name)
        };
        is(b"Subtype", b"Image") || is(b"Type", b"EmbeddedFile")
    }

    /// The names of its filters in their order; `None` where they stand elsewhere, or twice.
    pub(super) fn filters(&self) -> Option<Vec<&[u8]>> {
        let mut found = self.values(b"Filter").chain(self.values(b"F"));
        let first = found.next();
        if found.next().is_some() {
            return None;
        }
        match first {
            None => Some(Vec::new()),
            Some([Token::Name(name), ..]) => Some(vec![name]),
            Some([Token::Open("["), rest @ ..]) => {
                let end = rest.iter().position(|token| *token == Token::Close("]"))?;
                rest[..end].iter().map(Token::name).collect()
            }
            _ => None,
        }
    }

    /// Whether a name stands anywhere in it.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        let is = |token: &Token<'_>| matches!(token, Token::Name(other) if **other == *name);
        self.tokens.iter().any(is)
    }

    /// The largest number of bytes that it says it has; `None` where that stands elsewhere.
    pub(super) fn length(&self) -> Option<usize> {
        let lengths = self.values(b"Length").map(|value| match value {
            [Token::Word(_), Token::Word(_), Token::Word(b"R"), ..] => None,
            [Token::Word(digits), ..] => std::str::from_utf8(digits).ok()?.parse().ok(),
            _ => None,
        });
        lengths.collect::<Option<Vec<usize>>>()?.into_iter().max()
    }

    /// What follows a key of the dictionary itself, as often as it comes.
    fn values<'b>(&'b self, key: &'b [u8]) -> impl Iterator<Item = &'b [Token<'a>]> {
        self.keys(key).map(|at| &self.tokens[at + 1..])
    }

    /// Where in the file the keys are that say how it is packed.
    pub(super) fn places_of_filters(&self) -> impl Iterator<Item = usize> {
        let keys = self.keys(b"Filter").chain(self.keys(b"F"));
        keys.map(|at| self.places[at])
    }

    fn keys<'b>(&'b self, key: &'b [u8]) -> impl Iterator<Item = usize> + 'b {
        let mut depth = 0;
        let tokens = self.tokens.iter().enumerate();
        tokens.filter_map(move |(at, token)| {
            match token {
                Token::Open(_) => depth += 1,
                Token::Close(_) => depth -= 1,
                Token::Name(name) if depth == 1 && **name == *key => return Some(at),
                _ => {}
            }
            None
        })
    }
}

fn token(rest: &[u8]) -> Option<(Token<'_>, usize)> {
    Some(match rest {
        [b'<', b'<', ..] => (Token::Open("<<"), 2),
        [b'>', b'>', ..] => (Token::Close(">>"), 2),
        [b'[', ..] => (Token::Open("["), 1),
        [b']', ..] => (Token::Close("]"), 1),
        [b'<', digits @ ..] => {
            let is_digit = |byte: &&u8| byte.is_ascii_hexdigit() || is_space(**byte);
            let length = digits.iter().take_while(is_digit).count();
            (digits.get(length) == Some(&b'>')).then_some((Token::String, length + 2))?
        }
        [b'(', ..] => (Token::String, string(rest)?),
        [b'/', name @ ..] => {
            let length = name.iter().take_while(|byte| is_regular(**byte)).count();
            (Token::Name(unescaped(&name[..length])), length + 1)
        }
        [first, ..] if is_regular(*first) => {
            let length = rest.iter().take_while(|byte| is_regular(**byte)).count();
            (Token::Word(&rest[..length]), length)
        }
        _ => return None,
    })
}

/// Bytes of a string with its brackets.
fn string(text: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0, 0);
    loop {
        match text.get(at)? {
            b'\\' => at += 1,
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at + 1),
            b')' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

/// Whether a name stands anywhere, however it is written.
pub(super) fn has_name(bytes: &[u8], wanted: &[u8]) -> bool {
    let longest = 3 * wanted.len();
    bytes.iter().enumerate().any(|(at, byte)| {
        *byte == b'/' && {
            let name = &bytes[at + 1..];
            unescaped(&name[..name.len().min(longest)]).starts_with(wanted)
        }
    })
}

fn unescaped(name: &[u8]) -> Cow<'_, [u8]> {
    if !name.contains(&b'#') {
        return Cow::Borrowed(name);
    }
    let digit = |byte: Option<&u8>| (*byte? as char).to_digit(16);
    let (mut plain, mut at) = (Vec::new(), 0);
    while let Some(byte) = name.get(at) {
        let code = digit(name.get(at + 1)).zip(digit(name.get(at + 2)));
        match code.filter(|_| *byte == b'#') {
            Some((high, low)) => {
                plain.push((high << 4 | low) as u8);
                at += 3;
            }
            None => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    Cow::Owned(plain)
}

/// Whether something in the last line may be behind a `%`.
fn has_comment(text: &[u8]) -> bool {
    let line = text.rsplit(|byte| matches!(byte, b'\n' | b'\r')).next();
    line.is_some_and(|line| line.contains(&b'%') || line.len() == text.len())
}

fn is_space(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 12 | b'\r' | b' ')
}

/// Whether a name or a word may hold it. A backslash may be in a name, and may be the escape of
/// what follows.
fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !b"()<>[]{}/%\\".contains(&byte)
}

fn rfind(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).rposition(|window| window == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Before<'_> {
        let at = text.rfind("stream").unwrap();
        Before::of(text.as_bytes(), at)
    }

    fn description(text: &str) -> Description<'_> {
        match said(text) {
            Before::Description(said) => said,
            other => panic!("{other:?}: {text}"),
        }
    }

    #[test]
    fn a_description_is_read_with_escapes_and_strings() {
        let text = "\n7 0 obj\n<< /Filter [/A85 /Fl#61teDecode]/Length 12 /X (a \\) (b) >>) /Y <41 4> >>\nstream";
        let said = description(text);
        assert_eq!(said.filters().unwrap(), [&b"A85"[..], b"FlateDecode"]);
        assert_eq!(said.length(), Some(12));
        let place = said.places_of_filters().next().unwrap();
        assert!(text[place..].starts_with("/Filter"));
        assert!(!said.is_unread());
        let picture = description("\n7 0 obj <</Subtype/Image/Length 9 0 R>> stream");
        assert!(picture.is_unread() && picture.length().is_none());
        let twice = description("\n7 0 obj <</Filter /Fl /F /LZW>> stream");
        assert_eq!(twice.filters(), None);
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_believed() {
        for text in [
            // All of this is in a string, or in a comment, for who begins before it.
            "\n6 0 obj << /S (\n7 0 obj << /Subtype /Image ) >>\nstream",
            "\n6 0 obj << >> % 7 0 obj << /Subtype /Image >>\nstream",
            "\n6 0 obj << /S (\n7 0 obj << /Subtype /Image /X \\) >>\nstream",
            "\n6 0 obj << /S <41 7 0 obj << /Subtype /Image >> >>\nstream",
            "\n6 0 obj << /A 1 >> % and\nstream",
            "<< /Subtype /Image >> stream",
        ] {
            let is_picture = match said(text) {
                Before::Description(said) => said.is_unread(),
                other => {
                    assert_eq!(other, Before::Unclear, "{text}");
                    false
                }
            };
            assert!(!is_picture, "{text}");
        }
        for text in ["\nthe stream", "\n7 0 obj << >> endobj\n(a stream"] {
            assert_eq!(said(text), Before::NoStream, "{text}");
        }
    }

    #[test]
    fn names_are_found_however_they_are_written() {
        assert!(has_name(b"<< /Encrypt 9 0 R", b"Encrypt"));
        assert!(has_name(b"<< /#45ncr#79pt 9 0 R", b"Encrypt"));
        assert!(!has_name(b"<< /Encry /pt", b"Encrypt"));
    }
}
