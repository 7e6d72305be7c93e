//! The words of a query in a text, in all their forms: for marking, not for finding.

use std::collections::HashMap;
use std::ops::Range;

/// Words that are told apart at most; a query of more is rare, and its first words say enough.
const WORDS: usize = 64;

/// The words of a query.
#[derive(Debug, Clone, Default)]
pub struct QueryWords {
    /// The number of each word by its stem.
    numbers: HashMap<String, usize>,
}

impl QueryWords {
    /// The words of `query`; those of one or two letters only where there are no others.
    #[must_use]
    pub fn of(query: &str) -> Self {
        let long = |word: &&str| word.chars().count() > 2;
        let any_long = words(query).any(|(_, word)| long(&word));
        let mut numbers = HashMap::new();
        for (_, word) in words(query) {
            if numbers.len() < WORDS && (long(&word) || !any_long) {
                let next = numbers.len();
                numbers.entry(stem(word)).or_insert(next);
            }
        }
        Self { numbers }
    }

    /// Where they stand in `text`, in bytes, in order.
    pub fn places(&self, text: &str) -> impl Iterator<Item = Range<usize>> {
        self.found(text).map(|(range, _)| range)
    }

    /// Which of them stand in `text`, a bit for each.
    pub(super) fn set(&self, text: &str) -> u64 {
        self.found(text)
            .fold(0, |set, (_, number)| set | 1 << number)
    }

    fn found(&self, text: &str) -> impl Iterator<Item = (Range<usize>, usize)> {
        words(text).filter_map(|(start, word)| {
            let number = self.numbers.get(&stem(word))?;
            Some((start..start + word.len(), *number))
        })
    }
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(move |word| (word.as_ptr() as usize - text.as_ptr() as usize, word))
}

/// Enough of a stem to see that `searching` and `searches` are one word.
fn stem(word: &str) -> String {
    let lower = word.to_lowercase();
    for ending in ["ing", "ed", "es", "s"] {
        if let Some(root) = lower.strip_suffix(ending)
            && root.chars().count() >= 3
        {
            return root.to_owned();
        }
    }
    lower
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(text: &str, query: &str) -> Vec<String> {
        let places = QueryWords::of(query).places(text).collect::<Vec<_>>();
        places
            .into_iter()
            .map(|place| text[place].to_owned())
            .collect()
    }

    #[test]
    fn words_are_found_in_all_their_forms() {
        assert_eq!(
            marked("She searches. For Keys", "searching key"),
            ["searches", "Keys"]
        );
        assert_eq!(marked("Größe, GRÖSSE", "größe"), ["Größe"]);
    }

    #[test]
    fn short_words_count_only_where_there_are_no_others() {
        assert_eq!(marked("is it up or down", "is it down"), ["down"]);
        assert_eq!(marked("is it up", "is it"), ["is", "it"]);
    }

    proptest! {
        #[test]
        fn places_are_in_order_and_inside(text in "\\PC{0,80}", query in "\\PC{0,80}") {
            let mut end = 0;
            for place in QueryWords::of(&query).places(&text) {
                prop_assert!(place.start >= end && !place.is_empty());
                prop_assert!(text.get(place.clone()).is_some());
                end = place.end;
            }
        }
    }
}
