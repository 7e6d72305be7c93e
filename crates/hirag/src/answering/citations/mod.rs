//! Checks the sources that an answer names, while it comes: numbers that name a source are told as `[2]`
//! or `[1, 3]`, however they were written, and a number that names none is taken out and leaves a mark.

mod before;
mod code;
mod form;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use self::before::Before;
use self::code::Code;
use self::form::{Look, Sources, Span};
use super::RemovedMark;

/// What stands where a number was taken out.
const REMOVED_MARK: &str = "[?]";

/// The check of one answer.
#[derive(Debug)]
pub struct Citations {
    sources: usize,
    /// What is left of a number that is taken out.
    mark: &'static str,
    /// What cannot be told yet: brackets that have begun, or what may make a link of them.
    held: String,
    code: Code,
    before: Before,
    /// Characters that were told.
    told: usize,
    cited: BTreeSet<usize>,
    removed: Vec<String>,
    marks: Vec<RemovedMark>,
}

impl Citations {
    /// A check against sources numbered from 1 to `sources`.
    #[must_use]
    pub fn of(sources: usize) -> Self {
        Self::leaving(REMOVED_MARK, sources)
    }

    fn leaving(mark: &'static str, sources: usize) -> Self {
        Self {
            sources,
            mark,
            held: String::new(),
            code: Code::default(),
            before: Before::default(),
            told: 0,
            cited: BTreeSet::new(),
            removed: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// The next piece of the answer; what of it, and of those before, can be told.
    pub fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        self.tell(false)
    }

    /// What is left when the answer has ended.
    pub fn finish(&mut self) -> String {
        self.tell(true)
    }

    /// The numbers of the sources that were named.
    #[must_use]
    pub fn cited(&self) -> &BTreeSet<usize> {
        &self.cited
    }

    /// The numbers that name no source, each once.
    #[must_use]
    pub fn removed(&self) -> &[String] {
        &self.removed
    }

    /// Where they stood.
    #[must_use]
    pub fn marks(&self) -> &[RemovedMark] {
        &self.marks
    }

    fn tell(&mut self, ended: bool) -> String {
        let held = std::mem::take(&mut self.held);
        let (mut out, mut rest) = (String::with_capacity(held.len()), held.as_str());
        while let Some(c) = rest.chars().next() {
            let look = match form::begins(c) && !self.code.is_open() {
                true if self.mark.is_empty() && rest.starts_with(REMOVED_MARK) => {
                    self.take_out(&mut out);
                    rest = &rest[REMOVED_MARK.len()..];
                    continue;
                }
                true => form::read(rest, self.code.line_begins(), ended),
                false => Look::Text,
            };
            let length = match look {
                Look::More => break,
                Look::Text => self.let_go(&rest[..c.len_utf8()], &mut out),
                Look::Sources(sources) => self.judge(rest, &sources, &mut out),
            };
            rest = &rest[length..];
        }
        rest.clone_into(&mut self.held);
        out
    }

    /// Tells what is no number of a source; its bytes.
    fn let_go(&mut self, text: &str, out: &mut String) -> usize {
        for c in text.chars() {
            self.before.follow(c);
        }
        self.write(text, out);
        text.len()
    }

    fn write(&mut self, text: &str, out: &mut String) {
        for c in text.chars() {
            self.code.follow(c);
            self.told += 1;
        }
        out.push_str(text);
    }

    /// Tells numbers of sources, with which `text` begins, as they may stay; their bytes.
    fn judge(&mut self, text: &str, named: &Sources, out: &mut String) -> usize {
        let there = |(first, last): &Span| *first > 0 && *last <= self.sources;
        let index = named.square && self.before.is_index();
        let other = index || named.link > 0 || (named.square && self.before.is_bracket());
        if other && !named.spans.iter().all(there) {
            return self.let_go(&text[..named.length + named.link], out);
        }
        let (mut kept, mut gone) = (Vec::new(), Vec::new());
        for (first, last) in named.spans.iter().copied() {
            let end = last.min(self.sources);
            if first > 0 {
                self.cited.extend(first..=end);
                kept.extend((first..=end).map(|number| number.to_string()));
            }
            if first == 0 || end < last {
                let from = first.max(end + usize::from(first > 0));
                gone.push(written((from, last)));
            }
        }
        if !kept.is_empty() {
            self.write(&format!("[{}]", kept.join(", ")), out);
        }
        if !gone.is_empty() {
            self.marks.push(RemovedMark {
                at: self.told,
                numbers: gone.join(", "),
            });
            self.take_out(out);
        }
        for number in gone {
            if !self.removed.contains(&number) {
                self.removed.push(number);
            }
        }
        self.before.follow_sources(index);
        named.length
    }

    /// Leaves what is left of a number.
    fn take_out(&mut self, out: &mut String) {
        if !self.mark.is_empty() {
            return self.write(self.mark, out);
        }
        // Two halves of brackets must not come together as a number.
        let open = out.trim_end_matches(|c: char| c.is_ascii_digit() || " ,;-–".contains(c));
        if open.ends_with(['[', '【']) {
            out.push('…');
        } else if out.ends_with(' ') {
            out.pop();
        }
    }
}

fn written((first, last): Span) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    }
}

/// An answer without the numbers of its sources, which name those of its own question only, and without
/// the marks of such as there were none.
pub(crate) fn without(answer: &str) -> String {
    let mut citations = Citations::leaving("", 0);
    answer.clone_into(&mut citations.held);
    citations.finish()
}
