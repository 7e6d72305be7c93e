//! Checks the sources that an answer names, while it comes: numbers that name a source are told as `[2]`
//! or `[1, 3]`, however they were written, and a number that names none is taken out and leaves a mark.

mod before;
mod code;
mod form;
mod link;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use self::before::Before;
use self::code::Code;
use self::form::{Look, Sources, Span};
use super::RemovedMark;

/// What stands where a number was taken out.
const REMOVED_MARK: &str = "[?]";

/// Whose numbers a text has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    /// An answer to check: it gets marks.
    Answer,
    /// An answer from before, whose numbers and marks go.
    Former,
    /// What a source says: its numbers in square brackets go, as they would be read as ours. All else
    /// is its own.
    Passage,
}

/// The check of one answer.
#[derive(Debug)]
pub struct Citations {
    sources: usize,
    of: Text,
    /// What cannot be told yet: brackets that have begun, or what may make a link of them.
    held: String,
    code: Code,
    before: Before,
    /// Whether a space went with a number: a word that follows must not hang on the one before.
    space: bool,
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
        Self::within(Text::Answer, sources)
    }

    fn within(of: Text, sources: usize) -> Self {
        Self {
            sources,
            of,
            held: String::new(),
            code: Code::default(),
            before: Before::default(),
            space: false,
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
                true if self.of == Text::Former && rest.starts_with(REMOVED_MARK) => {
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
        let word = text.starts_with(|c: char| c == '(' || c.is_alphanumeric());
        if std::mem::take(&mut self.space) && word {
            self.write(" ", out);
        }
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
        let text = &text[..named.length];
        let index = self.before.is_index();
        match self.of {
            Text::Passage if !named.square => return self.let_go(text, out),
            Text::Passage => self.take_out(out),
            _ if named.square && index => return self.let_go(text, out),
            Text::Former => self.take_out(out),
            Text::Answer if named.square && (named.link || self.before.is_bracket()) => {
                self.tell_link(text, named, out);
            }
            Text::Answer => {
                // Behind a letter, they would be read as an index.
                if index {
                    self.write(" ", out);
                }
                self.tell_sources(named, out);
                self.before.follow_sources();
            }
        }
        named.length
    }

    /// A link stays a link; where all its numbers name sources, it may well mean them.
    fn tell_link(&mut self, text: &str, named: &Sources, out: &mut String) {
        let there = |(first, last): &Span| *first > 0 && *last <= self.sources;
        if !named.spans.iter().all(there) {
            self.let_go(text, out);
            return;
        }
        let numbers = named.spans.iter().flat_map(|(first, last)| *first..=*last);
        let written: Vec<String> = numbers.clone().map(|number| number.to_string()).collect();
        self.cited.extend(numbers);
        self.let_go(&format!("[{}]", written.join(", ")), out);
    }

    fn tell_sources(&mut self, named: &Sources, out: &mut String) {
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
            self.write(REMOVED_MARK, out);
        }
        for number in gone {
            if !self.removed.contains(&number) {
                self.removed.push(number);
            }
        }
    }

    /// Leaves nothing of a number.
    fn take_out(&mut self, out: &mut String) {
        // Two halves of brackets must not come together as a number.
        if form::is_open(out) {
            self.let_go("…", out);
        } else if out.ends_with(' ') {
            out.pop();
            self.space = true;
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
    taken_out(Text::Former, answer)
}

/// A source's own text without what a reader of the answer would take for the number of one of ours.
pub(super) fn passage(text: &str) -> String {
    taken_out(Text::Passage, text)
}

/// Whether what follows `text` in its last line would be code: a mark in it was not closed.
pub(super) fn ends_in_code(text: &str) -> bool {
    let mut code = Code::default();
    text.chars().for_each(|c| code.follow(c));
    code.is_open()
}

fn taken_out(of: Text, text: &str) -> String {
    let mut citations = Citations::within(of, 0);
    text.clone_into(&mut citations.held);
    citations.finish()
}
