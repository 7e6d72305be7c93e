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
}

impl Before {
    /// Takes the next character of what is text.
    pub(super) fn follow(&mut self, c: char) {
        // A letter behind an apostrophe or a hyphen is the end of a word, and no name of its own.
        let letter = c.is_alphanumeric();
        if !letter && !matches!(c, '_' | '\'' | '’' | '-') {
            *self = Self {
                bracket: c == ']',
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
        };
    }

    /// Takes brackets that name sources.
    pub(super) fn follow_sources(&mut self) {
        *self = Self::default();
    }

    /// Takes brackets that are an index. Behind `a[1]`, the next ones are one too.
    pub(super) fn follow_index(&mut self) {
        *self = Self {
            index: true,
            ..Self::default()
        };
    }

    /// Whether brackets that come now are the index of something: `a[9]`, `my_list[9]`. Behind other
    /// words, a number in brackets is a source that was written without a space.
    pub(super) fn is_index(&self) -> bool {
        self.index || self.joined || (self.word == 1 && self.small)
    }

    /// Whether brackets that come now belong to those before, as in `[the page][9]` and `a[i][9]`.
    pub(super) fn is_bracket(&self) -> bool {
        self.bracket
    }
}
