//! Stored text on a terminal: harmless, short, the query's words marked.

use hirag::answering::QueryWords;

use super::super::output::Style;

/// Characters of a snippet.
pub(super) const SNIPPET: usize = 320;
/// Characters of a line in a list.
pub(super) const LINE: usize = 90;

/// The text without characters that would steer the terminal.
pub(in super::super) fn harmless(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

/// The beginning of a text, on one line.
pub(super) fn line(text: &str) -> String {
    let flat = flat(text);
    match flat.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}…", flat[..end].trim_end()),
        None => flat,
    }
}

/// The part of a text that has most of the query's words, on one line, with them marked.
pub(super) fn snippet(text: &str, query: &str, style: Style) -> String {
    let flat = flat(text);
    let hits: Vec<(usize, usize)> = QueryWords::of(query)
        .places(&flat)
        .map(|place| (place.start, place.end))
        .collect();
    let (from, to) = window(&flat, &hits);
    let mut out = String::new();
    if from > 0 {
        out.push('…');
    }
    let mut at = from;
    for &(start, end) in hits
        .iter()
        .filter(|(start, end)| *start >= from && *end <= to)
    {
        out.push_str(&flat[at..start]);
        out.push_str(&style.mark(&flat[start..end]));
        at = end;
    }
    out.push_str(&flat[at..to]);
    if to < flat.len() {
        out.push('…');
    }
    out
}

fn flat(text: &str) -> String {
    let spaced = text.replace(|c: char| c.is_control(), " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The bytes from and to which a snippet goes: where most hits are, starting at a word.
fn window(flat: &str, hits: &[(usize, usize)]) -> (usize, usize) {
    let end_of = |from: usize| {
        flat[from..]
            .char_indices()
            .nth(SNIPPET)
            .map_or(flat.len(), |(offset, _)| from + offset)
    };
    if end_of(0) == flat.len() {
        return (0, flat.len());
    }
    let mut best = (0, 0);
    for &(start, _) in hits {
        let end = end_of(start);
        let inside = hits.iter().filter(|hit| hit.0 >= start && hit.1 <= end);
        let inside = inside.count();
        if inside > best.0 {
            best = (inside, start);
        }
    }
    // Some words before the first hit, for the reader.
    let before = flat[..best.1]
        .char_indices()
        .rev()
        .nth(SNIPPET / 4)
        .map_or(0, |(offset, _)| offset);
    let from = match before {
        0 => 0,
        _ => flat[before..best.1]
            .find(' ')
            .map_or(best.1, |space| before + space + 1),
    };
    (from, end_of(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Style = Style {
        terminal: false,
        marks: false,
    };
    const MARKED: Style = Style {
        terminal: true,
        marks: true,
    };

    #[test]
    fn the_words_of_the_query_are_marked_in_all_their_forms() {
        let shown = snippet("She searches.\nFor Keys", "searching key", MARKED);
        assert_eq!(
            shown,
            "She \u{1b}[1;33msearches\u{1b}[0m. For \u{1b}[1;33mKeys\u{1b}[0m"
        );
    }

    #[test]
    fn a_snippet_shows_where_the_words_are() {
        let text = format!("{}needle here {}", "hay ".repeat(300), "hay ".repeat(300));
        let shown = snippet(&text, "needle", PLAIN);
        assert!(shown.contains("needle here"), "{shown}");
        assert!(shown.starts_with("…hay") && shown.ends_with('…'), "{shown}");
        assert!(shown.chars().count() <= SNIPPET + 2);
    }

    #[test]
    fn characters_of_several_bytes_are_not_cut() {
        let text = "日本語の長い文章です。".repeat(100);
        assert!(snippet(&text, "文章", PLAIN).chars().count() <= SNIPPET + 2);
        assert!(line(&text).ends_with('…'));
        assert_eq!(line("kurz"), "kurz");
    }

    #[test]
    fn stored_text_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\nc\td\u{9b}"), "a[2Jb\nc\td");
        assert!(!snippet("\u{1b}]0;title\u{7}x", "x", PLAIN).contains('\u{1b}'));
    }
}
