//! How deep a page is nested, before and after it is parsed.

use dom_query::NodeRef;

/// Elements within each other at most.
pub(in crate::import::formats) const MAX_DEPTH: usize = 1_000;

/// How deep the elements are nested.
pub(in crate::import::formats) fn depth(root: &NodeRef<'_>) -> usize {
    let (mut deepest, mut depth) = (0, 0_usize);
    let mut node = root.first_child();
    while let Some(at) = node {
        deepest = deepest.max(depth + 1);
        if let Some(child) = at.first_child() {
            depth += 1;
            node = Some(child);
            continue;
        }
        // The next one beside it, or beside what it stands in.
        let mut up = at;
        node = loop {
            if let Some(next) = up.next_sibling() {
                break Some(next);
            }
            match up.parent() {
                Some(parent) if depth > 0 => {
                    depth -= 1;
                    up = parent;
                }
                _ => break None,
            }
        };
    }
    deepest
}

/// Elements that a parser opens again in every block that follows, until they are closed.
const FORMATTING: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];
/// Elements that need no end, or have none.
const OPEN: [&str; 24] = [
    "p", "li", "td", "th", "tr", "dt", "dd", "option", "tbody", "thead", "br", "img", "hr",
    "input", "meta", "link", "source", "col", "wbr", "area", "base", "embed", "param", "track",
];
/// Elements that may be opened again, all together.
const MOST_AGAIN: usize = 5_000_000;

/// Whether parsing a page alone would hold everything up: so many elements are opened and not closed
/// that its time, which grows with the square of the depth, has no end, or so many that are opened
/// again in every block that they fill the memory.
pub(in crate::import::formats) fn is_endless(html: &str) -> bool {
    let mut open: Vec<String> = Vec::new();
    // How many of each are open; and how many have been opened again.
    let (mut formatting, mut again) = ([0_usize; FORMATTING.len()], 0_usize);
    let mut from = 0;
    while let Some(at) = html[from..].find('<').map(|at| from + at) {
        from = at + 1;
        let rest = &html[from..];
        if rest.starts_with("!--") {
            from += end_of_comment(rest);
            continue;
        }
        let (closes, rest) = match rest.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        if name.is_empty() {
            continue;
        }
        again += formatting.iter().sum::<usize>();
        if let Some(kind) = FORMATTING.iter().position(|one| *one == name) {
            formatting[kind] = match closes {
                true => formatting[kind].saturating_sub(1),
                // A link ends the one before.
                false if name == "a" => 1,
                false => formatting[kind] + 1,
            };
        }
        if closes {
            // A stray end closes nothing; any other closes what is open inside as well.
            if let Some(last) = open.iter().rposition(|one| *one == name) {
                open.truncate(last);
            }
        } else if !OPEN.contains(&name.as_str()) {
            if matches!(name.as_str(), "script" | "style") && !is_foreign(&open) {
                from += end_of_raw(&html[from..], &name);
                continue;
            }
            open.push(name);
        }
        if open.len() > 2 * MAX_DEPTH || again > MOST_AGAIN {
            return true;
        }
    }
    false
}

/// Whether a script would be read as elements where these are open.
fn is_foreign(open: &[String]) -> bool {
    open.iter()
        .any(|name| matches!(name.as_str(), "svg" | "math" | "select"))
}

/// Bytes to the end of a comment that begins with `!--`, which may be `!-->` already.
fn end_of_comment(rest: &str) -> usize {
    let inside = &rest[1..];
    let ends = ["-->", "--!>"].map(|mark| inside.find(mark));
    ends.into_iter().flatten().min().unwrap_or(inside.len())
}

/// Bytes to the end of what is no page but a script or a style sheet.
fn end_of_raw(rest: &str, name: &str) -> usize {
    let ends = rest.match_indices("</").map(|(at, _)| at);
    let end = ends.into_iter().find(|at| {
        let found = rest.get(at + 2..at + 2 + name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    });
    end.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stray_ends_and_formats_that_are_never_closed_do_not_hide_an_endless_page() {
        let deep = |between: &str| format!("<div>{between}").repeat(3 * MAX_DEPTH);
        assert!(is_endless(&deep("")));
        assert!(is_endless(&deep("</x>")));
        assert!(is_endless(&deep("<!--><p-->")));
        assert!(is_endless(&format!(
            "{}{}",
            "<b>".repeat(1_000),
            "<p>x</p>".repeat(5_000)
        )));
        assert!(is_endless(&format!("<svg><style>{}", deep(""))));
    }

    #[test]
    fn a_long_page_with_scripts_comments_and_forgotten_ends_is_no_endless_one() {
        let page = "<div><p><b>bold</b> <a href=x>link</a><span>left open</div><!-- <b> <b> -->";
        assert!(!is_endless(&page.repeat(5_000)));
        let script = "if (a<b && c<i) {} ".repeat(5_000);
        assert!(!is_endless(&format!(
            "<script>{script}</script>{}",
            page.repeat(100)
        )));
    }
}
