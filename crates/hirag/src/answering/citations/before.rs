//! What stands right before brackets, as far as it says that they name no source.

/// Follows a text, character by character.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Characters of the word that ends here.
    word: usize,
    /// Whether all of them are small letters of ASCII.
    small: bool,
    /// Whether the last of them is a letter or a digit.
    letter: bool,
    /// Whether underscores end here that stand behind a letter or a digit.
    joint: bool,
    /// Whether underscores stand between two of them; else they may be the marks of `_emphasis_`.
    joined: bool,
    /// Whether brackets end here that are text.
    bracket: bool,
    /// Whether they are an index.
    index: bool,
    /// The brackets that are open since an index began: behind a first 1, a bit for each that says whether
    /// it is one. Nothing while none has begun.
    open: u32,
}

impl Before {
    /// Takes the next character of what is text.
    pub(super) fn follow(&mut self, c: char) {
        // A letter behind an apostrophe or a hyphen is the end of a word, and no name of its own.
        let letter = c.is_alphanumeric();
        let open = match (c, self.open) {
            ('\n', _) => 0,
            ('[', 0) if self.is_index() => 0b11,
            // Nobody nests that deep.
            ('[', open) if open > 0 && open.leading_zeros() > 0 => {
                open << 1 | u32::from(self.is_index())
            }
            (']', 2 | 3) => 0,
            (']', open) => open >> 1,
            (_, open) => open,
        };
        if !letter && !matches!(c, '_' | '\'' | '’' | '-') {
            *self = Self {
                bracket: c == ']',
                index: c == ']' && self.open & 1 == 1,
                open,
                ..Self::default()
            };
            return;
        }
        *self = Self {
            word: self.word + 1,
            small: c.is_ascii_lowercase() && (self.small || self.word == 0),
            letter,
            joint: c == '_' && (self.letter || self.joint),
            joined: self.joined || (letter && self.joint),
            bracket: false,
            index: false,
            open,
        };
    }

    /// Takes brackets that name sources.
    pub(super) fn follow_sources(&mut self) {
        *self = Self {
            open: self.open,
            ..Self::default()
        };
    }

    /// Whether brackets that come now are the index of something: `a[9]`, `my_list[9]`, `a[i][9]`. Behind
    /// other words, a number in brackets is a source that was written without a space.
    pub(super) fn is_index(&self) -> bool {
        self.index || self.joined || (self.word == 1 && self.small)
    }

    /// Whether brackets that come now belong to those before, as in `[the page][9]`.
    pub(super) fn is_bracket(&self) -> bool {
        self.bracket
    }
}
