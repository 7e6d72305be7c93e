//! Checks the sources that an answer names, while it comes: `[2]` and `[1, 3]` stay if there are such
//! sources, and numbers that name none are taken out.

use std::collections::BTreeSet;

/// Characters of brackets that may be a citation; longer ones are text.
const LONGEST: usize = 48;
/// Digits of a source's number at most: `[2024]` is a year.
const DIGITS: usize = 3;

/// What brackets begin with; some models use the second.
const BEGINS: [char; 2] = ['[', '【'];

/// The check of one answer.
#[derive(Debug, Default)]
pub struct Citations {
    sources: usize,
    /// What cannot be told yet: a space, and brackets that have begun.
    held: String,
    /// Whether brackets that were let go stand open right before: what is taken out there must not
    /// make a citation of them.
    inside: bool,
    code: Code,
    cited: BTreeSet<usize>,
    removed: Vec<String>,
}

/// Whether the text is code, in which brackets are no citations.
#[derive(Debug, Default)]
struct Code {
    /// Marks just now, one after the other.
    run: usize,
    /// What they are: backticks or tildes.
    mark: char,
    /// Whether nothing but space stands before them in their line.
    leads: bool,
    /// Whether anything but space stands in this line so far.
    written: bool,
    open: Option<Open>,
}

/// Code that has begun.
#[derive(Debug, Clone, Copy)]
struct Open {
    mark: char,
    run: usize,
    /// Whether it goes on over lines: it began with three marks or more at the start of one.
    block: bool,
}

impl Code {
    /// Follows a character; whether it stands in code.
    fn follow(&mut self, c: char) -> bool {
        if self.run > 0 && c != self.mark {
            self.settle();
        }
        if matches!(c, '`' | '~') {
            if self.run == 0 {
                (self.mark, self.leads) = (c, !self.written);
            }
            self.run += 1;
            self.written = true;
            return c == '`' || self.open.is_some();
        }
        if c == '\n' {
            // A stray mark must not hide all that follows.
            self.open = self.open.filter(|open| open.block);
            self.written = false;
        } else if !c.is_whitespace() {
            self.written = true;
        }
        self.open.is_some()
    }

    /// What the marks mean, now that there are no more of them.
    fn settle(&mut self) {
        let (mark, run) = (self.mark, std::mem::take(&mut self.run));
        let block = run >= 3 && self.leads;
        self.open = match self.open {
            None if block || mark == '`' => Some(Open { mark, run, block }),
            Some(open) if open.mark != mark => Some(open),
            Some(open) if open.block && block && run >= open.run => None,
            Some(open) if !open.block && run == open.run => None,
            other => other,
        };
    }
}

impl Citations {
    /// A check against sources numbered from 1 to `sources`.
    #[must_use]
    pub fn of(sources: usize) -> Self {
        Self {
            sources,
            ..Self::default()
        }
    }

    /// The next piece of the answer; what of it, and of those before, can be told.
    pub fn push(&mut self, piece: &str) -> String {
        let mut out = String::with_capacity(piece.len());
        for c in piece.chars() {
            self.take(c, &mut out);
        }
        out
    }

    /// What is left when the answer has ended.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// The numbers of the sources that were named.
    #[must_use]
    pub fn cited(&self) -> &BTreeSet<usize> {
        &self.cited
    }

    /// The numbers that name no source, as they stood in the answer.
    #[must_use]
    pub fn removed(&self) -> &[String] {
        &self.removed
    }

    fn take(&mut self, c: char, out: &mut String) {
        if self.code.follow(c) {
            out.push_str(&std::mem::take(&mut self.held));
            out.push(c);
            self.inside = false;
            return;
        }
        let begun = self.held.contains(BEGINS);
        match c {
            ']' | '】' if begun => {
                let held = std::mem::take(&mut self.held);
                out.push_str(&self.judge(&held, c));
            }
            '0'..='9' | ',' | ';' | ' ' | '-' | '–' if begun && self.held.len() < LONGEST => {
                self.held.push(c);
            }
            '[' | '【' | ' ' => {
                // A space stands before brackets, which take it with them.
                let goes_on = c != ' ' && !begun;
                if !goes_on {
                    out.push_str(&std::mem::take(&mut self.held));
                    self.inside |= begun;
                }
                self.held.push(c);
            }
            _ => {
                out.push_str(&std::mem::take(&mut self.held));
                out.push(c);
                self.inside = false;
            }
        }
    }

    /// Brackets, which `end` ends, as they may stay.
    fn judge(&mut self, held: &str, end: char) -> String {
        let inside = std::mem::take(&mut self.inside);
        let whole = || format!("{held}{end}");
        let Some((space, within)) = held.split_once(BEGINS) else {
            return whole();
        };
        let parts: Vec<&str> = within.split([',', ';']).map(str::trim).collect();
        let Some(spans) = parts
            .iter()
            .map(|part| span(part))
            .collect::<Option<Vec<_>>>()
        else {
            return whole();
        };
        // Several numbers with a 0 among them are a list or a range in the text: nobody counts
        // sources from 0.
        if spans.contains(&(0, 0)) && spans.len() > 1
            || spans.iter().any(|(a, b)| *a == 0 && *b > 0)
        {
            return whole();
        }
        let (mut kept, mut all) = (Vec::new(), true);
        for (part, (first, last)) in parts.into_iter().zip(spans) {
            let there = last.min(self.sources);
            all &= first > 0 && there == last;
            if first == 0 || first > self.sources {
                self.remove(part);
                continue;
            }
            if there < last {
                self.remove(part);
            }
            self.cited.extend(first..=there);
            kept.push(match first == there {
                true => first.to_string(),
                false => format!("{first}-{there}"),
            });
        }
        match kept.is_empty() {
            true if inside => "?".to_owned(),
            true => String::new(),
            // Other brackets become those that everybody looks for.
            false if all => format!("{space}[{within}]"),
            false => format!("{space}[{}]", kept.join(", ")),
        }
    }

    /// Notes what was taken out, once.
    fn remove(&mut self, part: &str) {
        if !self.removed.iter().any(|known| known == part) {
            self.removed.push(part.to_owned());
        }
    }
}

/// The first and the last number of `3` or `3-5`.
fn span(part: &str) -> Option<(usize, usize)> {
    let number = |text: &str| {
        let text = text.trim();
        let digits = text.len() <= DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits)
    };
    let (first, last) = part.split_once(['-', '–']).unwrap_or((part, part));
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

/// An answer without its citations, which name sources of its own question only.
pub(crate) fn without(answer: &str) -> String {
    let mut citations = Citations::of(0);
    let mut text = citations.push(answer);
    text.push_str(&citations.finish());
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checked(text: &str, sources: usize) -> (String, Vec<usize>, Vec<String>) {
        let mut citations = Citations::of(sources);
        let mut out = citations.push(text);
        out.push_str(&citations.finish());
        let cited = citations.cited().iter().copied().collect();
        (out, cited, citations.removed().to_vec())
    }

    #[test]
    fn numbers_that_name_no_source_are_taken_out_and_told() {
        for (text, expected, cited, removed) in [
            ("It is so [1].", "It is so [1].", vec![1], vec![]),
            ("It is so [4].", "It is so.", vec![], vec!["4"]),
            ("a[1][9][2]b", "a[1][2]b", vec![1, 2], vec!["9"]),
            ("both [1, 7; 3]", "both [1, 3]", vec![1, 3], vec!["7"]),
            ("none [0] here", "none here", vec![], vec!["0"]),
            ("[8] starts", " starts", vec![], vec!["8"]),
            ("open [1", "open [1", vec![], vec![]),
            ("a range [1-3]", "a range [1-3]", vec![1, 2, 3], vec![]),
            ("too far [2–9]", "too far [2-3]", vec![2, 3], vec!["2–9"]),
            ("[3-7, 5-6]", "[3]", vec![3], vec!["3-7", "5-6"]),
            ("other【1】 and 【9】", "other[1] and", vec![1], vec!["9"]),
            ("[9] twice [9]", " twice", vec![], vec!["9"]),
            (
                "mid ``` line [9]\nx [9]",
                "mid ``` line [9]\nx",
                vec![],
                vec!["9"],
            ),
        ] {
            let (text, found, gone) = checked(text, 3);
            assert_eq!((text.as_str(), found), (expected, cited));
            assert_eq!(gone, removed);
        }
    }

    #[test]
    fn other_brackets_years_and_code_are_left_alone() {
        for text in [
            "[x] done, [ ] open, [^1], [] and [, ]",
            "in [2024] and [12 34]",
            "`a[9]` and ``b[9] ` ``",
            "```\nlet c = a[9];\n\nb[8]\n```\n",
            "[[wiki]] [link](http://x)",
            "[0, 1] and [0-9] and [9-1] and [2024-01]",
            "~~~\na[9]\n```\nb[9]\n~~~\n",
            "````\n```\na[9]\n````\n",
        ] {
            assert_eq!(checked(text, 3), (text.to_owned(), vec![], vec![]));
        }
        let (text, _, removed) = checked("a stray ` tick [9]\nand [9]", 3);
        assert_eq!(
            (text.as_str(), removed.len()),
            ("a stray ` tick [9]\nand", 1)
        );
    }

    #[test]
    fn an_answer_without_its_citations_is_its_text() {
        assert_eq!(without("So it is [1, 2]. Yes [3]!"), "So it is. Yes!");
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_pieces_come(
            text in "([a-c `~\n\\[\\],–【】-]|[0-9]|\\[[0-9]\\]|é){0,60}",
            cut in 0usize..60,
        ) {
            let mut citations = Citations::of(3);
            let at = text.floor_char_boundary(cut);
            let mut out = citations.push(&text[..at]);
            out.push_str(&citations.push(&text[at..]));
            out.push_str(&citations.finish());
            prop_assert_eq!(out, checked(&text, 3).0);
        }

        #[test]
        fn what_is_left_names_sources_that_there_are(text in "([a-c ,–-]|\\[|\\]|【|】|[0-9]|\\[[0-9]{1,2}((, |-)[0-9])?\\]){0,60}") {
            let (once, cited, _) = checked(&text, 3);
            prop_assert!(cited.iter().all(|number| (1..=3).contains(number)));
            let (again, cited_again, removed) = checked(&once, 3);
            prop_assert!(removed.is_empty(), "{:?} {:?}", once, removed);
            prop_assert_eq!(&again, &once);
            prop_assert_eq!(cited_again, cited);
        }

        #[test]
        fn a_text_without_brackets_is_not_changed(text in "[^\\[\\]【】]{0,80}") {
            prop_assert_eq!(checked(&text, 2).0, text);
        }
    }
}
