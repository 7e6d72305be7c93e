//! What stands on every page and says nothing: running titles and numbers of pages.

use std::collections::{HashMap, HashSet};

use super::layout::Line;

/// Pages from which something stands on every page.
const PAGES: usize = 3;
/// Lines at the start and at the end of a page that may be such.
const LINES: usize = 2;
/// The mark of a number that stands alone, and the begin of that of words with a number; no text
/// begins so.
const NUMBER: char = '\u{1}';
const NUMBERED: char = '\u{2}';

/// Removes lines, where pages begin and end, that are the same on most of them, or that say the number
/// of the page, alone or among the same words. What has other numbers stands by itself, and in letters
/// no larger than `largest`: a heading with a number and a line of a paragraph are no furniture.
pub(super) fn remove(pages: &mut [Vec<Line>], largest: f64) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let candidates: Vec<Vec<Vec<String>>> = (0_i64..)
        .zip(pages.iter())
        .map(|(number, page)| {
            let marks = |at| marks(page, at, number, largest);
            (0..page.len()).map(marks).collect()
        })
        .collect();
    for page in &candidates {
        let own: HashSet<&String> = page.iter().flatten().collect();
        for mark in own {
            *seen.entry(mark.clone()).or_default() += 1;
        }
    }
    let total = pages.len();
    let repeated = |mark: &String| {
        total >= PAGES && seen.get(mark).is_some_and(|times| times * 2 > total)
            || total > 1 && mark.starts_with(NUMBER)
    };
    for (page, marks) in pages.iter_mut().zip(candidates) {
        let mut marks = marks.iter();
        page.retain(|_| !marks.next().is_some_and(|own| own.iter().any(repeated)));
    }
}

/// What a line at the start or the end of a page has in common with those of other pages: its words,
/// and where it may be, these with a number that grows as that of the page does.
fn marks(page: &[Line], at: usize, number: i64, largest: f64) -> Vec<String> {
    if at >= LINES && at + LINES < page.len() {
        return Vec::new();
    }
    let line = &page[at];
    let words = line.text.trim();
    let mut marks = vec![words.to_owned()];
    let goes_on = at > 0 && page[at - 1].goes_on_with(line);
    let is_gone_on = page.get(at + 1).is_some_and(|next| line.goes_on_with(next));
    if !goes_on && !is_gone_on && line.size <= largest {
        let pattern = pattern(words);
        if pattern.trim_matches(['-', ' ']) == "0" {
            marks.push(NUMBER.to_string());
        }
        let numbers = words.split(|c: char| !c.is_ascii_digit());
        let ahead = numbers
            .filter_map(|digits| digits.parse::<i64>().ok())
            .map(|digits| digits.saturating_sub(number));
        marks.extend(ahead.map(|ahead| format!("{NUMBERED}{ahead} {pattern}")));
    }
    marks
}

/// The line with one zero for every number.
fn pattern(line: &str) -> String {
    let mut pattern = String::new();
    for c in line.chars() {
        if !c.is_ascii_digit() {
            pattern.push(c);
        } else if !pattern.ends_with('0') {
            pattern.push('0');
        }
    }
    pattern
}
