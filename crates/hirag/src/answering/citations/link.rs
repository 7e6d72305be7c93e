//! What makes a link of the brackets before it: `[2](notes.md)`, and in a line of its own `[2]: /notes`.

/// What the target of a link begins with, behind `[2](`.
const TARGETS: [&str; 6] = ["<", "/", "./", "../", "#", "mailto:"];
/// Bytes of a target by which it is known at the latest.
const LONGEST: usize = 48;
/// What a link's definition goes on with, behind `[2]: `.
const DEFINED: [&str; 4] = ["http", "<", "/", "#"];
/// Spaces before that at most.
const GAP: usize = 8;

/// Whether `behind`, of which there is no more if it has `ended`, makes a link of the brackets before;
/// `None` if that cannot be told yet.
pub(super) fn follows(behind: &str, line_begins: bool, ended: bool) -> Option<bool> {
    let Some(next) = behind.chars().next() else {
        return ended.then_some(false);
    };
    match next {
        '(' => is_target(&behind[1..], ended),
        ':' if line_begins => is_defined(&behind[1..], ended),
        _ => Some(false),
    }
}

/// Whether `text` begins with the target of a link, and not with words in brackets.
fn is_target(text: &str, ended: bool) -> Option<bool> {
    let end = text.find(|c: char| c.is_whitespace() || c == ')');
    let word = &text[..end.unwrap_or(text.len())];
    // However much of it is there, the same is looked at.
    let first = &word[..word.floor_char_boundary(LONGEST)];
    if TARGETS.iter().any(|known| first.starts_with(known)) || first.contains("://") {
        return Some(true);
    }
    if word.len() > LONGEST {
        // No word is that long, but in a script that has no spaces.
        return Some(first.is_ascii());
    }
    (ended || end.is_some()).then(|| is_name(first))
}

/// Whether a word is the name of a file or a host: `notes.md`, but neither `e.g.` nor `3.2`.
fn is_name(word: &str) -> bool {
    word.contains('.')
        && word.contains(char::is_alphabetic)
        && word.starts_with(char::is_alphanumeric)
        && word.ends_with(|c: char| c == '/' || !c.is_ascii_punctuation())
}

/// Whether `text` begins with what defines a link.
fn is_defined(text: &str, ended: bool) -> Option<bool> {
    let target = text.trim_start_matches(' ');
    if text.len() - target.len() > GAP {
        return Some(false);
    }
    if DEFINED.iter().any(|known| target.starts_with(known)) {
        return Some(true);
    }
    let begun = DEFINED.iter().any(|known| known.starts_with(target));
    (ended || !begun).then_some(false)
}
