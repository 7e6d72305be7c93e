//! What stands on every page and says nothing: running titles and numbers of pages.

use std::collections::HashMap;

use super::layout::Line;

/// Pages from which something stands on every page.
const PAGES: usize = 3;
/// Lines at the start and at the end of a page that may be such.
const LINES: usize = 2;

/// Removes lines that are the number of the page alone, or the same but for numbers on most pages,
/// where pages begin and end.
pub(super) fn remove(pages: &mut [Vec<Line>]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for page in pages.iter() {
        let mut own: Vec<String> = ends(page).map(|line| pattern(&line.text)).collect();
        own.sort();
        own.dedup();
        for pattern in own {
            *seen.entry(pattern).or_default() += 1;
        }
    }
    let total = pages.len();
    for page in pages.iter_mut() {
        let last = page.len().saturating_sub(LINES);
        let mut at = 0;
        page.retain(|line| {
            let outside = at < LINES || at >= last;
            at += 1;
            let pattern = pattern(&line.text);
            let number = pattern.chars().all(|c| c == '0' || c == '-' || c == ' ');
            let repeated =
                total >= PAGES && seen.get(&pattern).is_some_and(|times| times * 2 > total);
            !(outside && (repeated || number && total > 1))
        });
    }
}

fn ends(page: &[Line]) -> impl Iterator<Item = &Line> {
    let last = page.len().saturating_sub(LINES).max(LINES.min(page.len()));
    page[..LINES.min(page.len())].iter().chain(&page[last..])
}

/// The line with one zero for every number.
fn pattern(line: &str) -> String {
    let mut pattern = String::new();
    for c in line.trim().chars() {
        if !c.is_ascii_digit() {
            pattern.push(c);
        } else if !pattern.ends_with('0') {
            pattern.push('0');
        }
    }
    pattern
}
