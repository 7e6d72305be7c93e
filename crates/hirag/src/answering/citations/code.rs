//! Where a text is code, in which brackets name no sources.

/// Follows a text, character by character.
#[derive(Debug, Default)]
pub(super) struct Code {
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
    /// Whether brackets that come now stand in code.
    pub(super) fn is_open(&mut self) -> bool {
        if self.run > 0 {
            self.settle();
        }
        self.open.is_some()
    }

    /// Whether nothing but space stands in this line so far.
    pub(super) fn line_begins(&self) -> bool {
        !self.written
    }

    /// Takes the next character.
    pub(super) fn follow(&mut self, c: char) {
        if self.run > 0 && c != self.mark {
            self.settle();
        }
        if matches!(c, '`' | '~') {
            if self.run == 0 {
                (self.mark, self.leads) = (c, !self.written);
            }
            self.run += 1;
            self.written = true;
        } else if c == '\n' {
            // A stray mark must not hide all that follows.
            self.open = self.open.filter(|open| open.block);
            self.written = false;
        } else if !c.is_whitespace() {
            self.written = true;
        }
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
