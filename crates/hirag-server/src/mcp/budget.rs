//! Keeping answers short: which share of a budget each text gets, and where it is cut.

/// Tokens below which a piece of a text tells nothing.
const LEAST: u32 = 24;

/// The tokens that each of some texts may have so that all together keep `budget`: what is shorter
/// than its share leaves the rest to the others. When the shares would be too small to tell
/// anything, the last texts get none; the first always has its share.
pub(super) fn shares(tokens: &[u32], budget: u32) -> Vec<u32> {
    let mut shown = tokens.len();
    loop {
        let share = fair_share(&tokens[..shown], budget);
        if share >= LEAST || shown <= 1 {
            let given = |(place, needed): (usize, &u32)| match place < shown {
                true => (*needed).min(share),
                false => 0,
            };
            return tokens.iter().enumerate().map(given).collect();
        }
        shown -= 1;
    }
}

/// The largest share that all can have.
fn fair_share(tokens: &[u32], budget: u32) -> u32 {
    let mut sorted = tokens.to_vec();
    sorted.sort_unstable();
    let mut left = budget;
    for (place, needed) in sorted.iter().enumerate() {
        let waiting = u32::try_from(sorted.len() - place).unwrap_or(u32::MAX);
        let share = left / waiting;
        if *needed > share {
            return share;
        }
        left -= needed;
    }
    u32::MAX
}

/// A part of a text. Places are characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// The part.
    pub(super) text: String,
    /// Where it begins.
    pub(super) from: usize,
    /// Where it ends.
    pub(super) to: usize,
    /// Characters of the whole text.
    pub(super) of: usize,
}

impl Piece {
    /// Whether the text goes on after it.
    pub(super) const fn goes_on(&self) -> bool {
        self.to < self.of
    }
}

/// About `budget` of the `tokens` that `text` has, from the character `from` on; cut at white space
/// where there is some near the end.
pub(super) fn cut(text: &str, tokens: u32, from: usize, budget: u32) -> Piece {
    let of = text.chars().count();
    let from = from.min(of);
    let rest: String = text.chars().skip(from).collect();
    let left = of - from;
    let most = match tokens {
        0 => left,
        tokens => usize::try_from(of as u64 * u64::from(budget) / u64::from(tokens))
            .unwrap_or(usize::MAX)
            .max(1),
    };
    if left <= most {
        return Piece {
            text: rest,
            from,
            to: of,
            of,
        };
    }
    let mut kept: String = rest.chars().take(most).collect();
    let end = kept.trim_end_matches(|c: char| !c.is_whitespace()).len();
    // A text without white space, or with little, is cut where the budget ends.
    if end * 4 > kept.len() * 3 {
        kept.truncate(end);
    }
    let to = from + kept.chars().count();
    Piece {
        text: kept,
        from,
        to,
        of,
    }
}

/// The first words of a text in one line, `chars` characters at most.
pub(super) fn line(text: &str, chars: usize) -> String {
    // A long text need not be read to its end for its beginning.
    let begin: String = text.chars().take(chars * 4 + 1).collect();
    let line = begin.split_whitespace().collect::<Vec<_>>().join(" ");
    let whole = begin.len() == text.len();
    match line.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if whole => line,
        None => format!("{line}…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_given_whole() {
        assert_eq!(shares(&[100, 200, 50], 400), [100, 200, 50]);
        assert_eq!(shares(&[], 10), Vec::<u32>::new());
    }

    #[test]
    fn short_texts_leave_their_rest_to_long_ones() {
        assert_eq!(shares(&[1_000, 50, 1_000], 650), [300, 50, 300]);
    }

    #[test]
    fn the_last_get_nothing_when_shares_would_tell_nothing() {
        assert_eq!(shares(&[90, 90, 90, 90], 60), [30, 30, 0, 0]);
        assert_eq!(shares(&[90, 90], 5), [5, 0]);
    }

    #[test]
    fn shares_never_exceed_the_budget() {
        for budget in [1, 10, 100, 1_000, 10_000] {
            for count in 1..30_u32 {
                let tokens: Vec<u32> = (0..count).map(|n| (n * 7_919) % 700 + 1).collect();
                let given: u32 = shares(&tokens, budget).iter().sum();
                assert!(given <= budget, "{given} of {budget} for {count}");
            }
        }
    }

    #[test]
    fn pieces_put_together_are_the_text() {
        let text = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich. ".repeat(40);
        let tokens = 600;
        let mut put_together = String::new();
        let mut from = 0;
        loop {
            let piece = cut(&text, tokens, from, 50);
            assert_eq!(piece.from, from);
            assert!(piece.to > from);
            put_together += &piece.text;
            if !piece.goes_on() {
                break;
            }
            from = piece.to;
        }
        assert_eq!(put_together, text);
    }

    #[test]
    fn a_text_without_white_space_is_cut_where_the_budget_ends() {
        let piece = cut(&"x".repeat(1_000), 250, 0, 25);
        assert_eq!((piece.to, piece.of), (100, 1_000));
        let past = cut("short", 2, 99, 10);
        assert_eq!((past.text.as_str(), past.from, past.to), ("", 5, 5));
    }

    #[test]
    fn a_line_has_no_breaks_and_says_that_it_was_cut() {
        assert_eq!(line("a\n b\tc", 80), "a b c");
        assert_eq!(line("abcdef", 3), "abc…");
        assert_eq!(line(&" ".repeat(1_000), 3), "…");
    }
}
