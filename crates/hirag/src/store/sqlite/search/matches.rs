//! The words of a query in the listed contexts.

use rusqlite::Connection;

use super::super::resident::Resident;
use super::super::words::{self, Lexicon};
use super::listed::Listed;
use crate::store::StoreError;
use crate::store::bm25::Population;

/// BM25 and what else the words say, by place among the listed contexts.
pub(super) struct Matches {
    /// The score that counts as a full match; 0 where there are no words.
    pub(super) bound: f32,
    /// Words of the query, without its stop words.
    terms: usize,
    /// BM25; 0 where no word matches.
    pub(super) scores: Vec<f32>,
    /// How many words match.
    matched: Vec<u32>,
}

impl Matches {
    /// No words to look for.
    pub(super) fn none() -> Self {
        Self {
            bound: 0.0,
            terms: 0,
            scores: Vec::new(),
            matched: Vec::new(),
        }
    }

    /// Looks for the words of `text`.
    pub(super) fn new(
        connection: &Connection,
        resident: &Resident,
        lexicon: &Lexicon,
        text: &str,
        listed: &Listed,
    ) -> Result<Self, StoreError> {
        let terms = lexicon.terms(&words::query_words(text))?;
        if terms.is_empty() || listed.len() == 0 {
            return Ok(Self::none());
        }
        let words = listed.of(&resident.words);
        let (mut texts, mut total) = (0_u32, 0_u64);
        for (place, words) in words.iter().enumerate() {
            if listed.is_searched(place) {
                texts += 1;
                total += u64::from(*words);
            }
        }
        let population = Population {
            texts,
            average_words: if texts == 0 {
                1.0
            } else {
                total as f32 / texts as f32
            },
        };
        let lengths: Vec<f32> = words
            .iter()
            .map(|&words| population.length(words))
            .collect();
        let (mut known, mut unknown) = (0.0, 0.0);
        let mut matches = Self {
            terms: terms.len(),
            scores: vec![0.0; listed.len()],
            matched: vec![0; listed.len()],
            ..Self::none()
        };
        let mut found: Vec<(usize, u32)> = Vec::new();
        for term in &terms {
            let postings = lexicon.postings(connection, term)?;
            let mut slots = resident.slots_of();
            found.clear();
            found.extend(postings.iter().filter_map(|&(seq, occurrences)| {
                Some((listed.place(slots.get(seq)?)?, occurrences))
            }));
            let searched = found.iter().filter(|(place, _)| listed.is_searched(*place));
            let frequency = searched.count() as u32;
            let idf = population.idf(frequency);
            if frequency == 0 {
                unknown += idf;
            } else {
                known += idf;
            }
            for &(place, occurrences) in &found {
                matches.scores[place] += Population::term(idf, occurrences, lengths[place]);
                matches.matched[place] += 1;
            }
        }
        let scores = matches.scores.iter().enumerate();
        let best = scores
            .filter(|(place, _)| listed.is_searched(*place))
            .map(|(_, &score)| score)
            .fold(0.0, f32::max);
        matches.bound = population.scale(known, unknown, best);
        Ok(matches)
    }

    /// Places of those listed with the whole query as a phrase, ascending. They may be fewer than
    /// those that were matched.
    pub(super) fn phrases(
        &self,
        connection: &Connection,
        resident: &Resident,
        text: &str,
        listed: &Listed,
    ) -> Result<Vec<u32>, StoreError> {
        // A text with the phrase has all its words. Few queries have such a text, and looking for a
        // phrase reads the places of its stop words, which most texts have.
        let terms = self.terms as u32;
        if terms == 0 || !self.matched.contains(&terms) {
            return Ok(Vec::new());
        }
        let mut phrases: Vec<u32> = words::phrase_matches(connection, text)?
            .into_iter()
            .filter_map(|seq| Some(listed.place(resident.slot_of(seq)?)? as u32))
            .collect();
        phrases.sort_unstable();
        Ok(phrases)
    }

    /// BM25 at a place.
    pub(super) fn score(&self, place: usize) -> f32 {
        self.scores.get(place).copied().unwrap_or(0.0)
    }

    /// Only those at some places.
    pub(super) fn only(&self, places: &[u32]) -> Self {
        fn pick<T: Copy>(column: &[T], places: &[u32]) -> Vec<T> {
            match column.is_empty() {
                true => Vec::new(),
                false => places.iter().map(|&at| column[at as usize]).collect(),
            }
        }
        Self {
            bound: self.bound,
            terms: self.terms,
            scores: pick(&self.scores, places),
            matched: pick(&self.matched, places),
        }
    }

    /// The shares of the query's words that match, 0 to 1.
    pub(super) fn overlaps(&self) -> Vec<f32> {
        let terms = self.terms as f32;
        self.matched
            .iter()
            .map(|&words| words as f32 / terms)
            .collect()
    }
}
