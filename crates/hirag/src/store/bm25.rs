//! BM25 over the contexts that a search allows.
//!
//! Robertson and Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond* (2009), with
//! Lucene's idf, which stays above zero for words that most texts have. FTS5 has a `bm25()` of
//! its own, but with k₁ 1.2 and b 0.75 fixed and the idf of the whole table; for short texts and
//! filtered searches this form ranks better.

/// How fast more occurrences of a word stop to count. 0.9 and 0.4 are the defaults of Anserini,
/// chosen there over many collections.
const K1: f32 = 0.9;
/// How much long texts are held back.
const B: f32 = 0.4;
/// What a word that no text has weighs in the scale: it may be a typo.
const UNKNOWN_WORD: f32 = 0.5;
/// Least scale, as a share of the rarest word's idf, so that queries of very common words do not
/// look like perfect matches.
const LEAST_SCALE: f32 = 0.25;

/// The texts that are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Population {
    /// How many.
    pub(super) texts: u32,
    /// Words of one, on average.
    pub(super) average_words: f32,
}

impl Population {
    /// Weight of a word that stands in `frequency` of the texts.
    pub(super) fn idf(&self, frequency: u32) -> f32 {
        let texts = self.texts as f32;
        let frequency = frequency as f32;
        (1.0 + (texts - frequency + 0.5).max(0.0) / (frequency + 0.5)).ln()
    }

    /// How much a text of `words` words is held back.
    pub(super) fn length(&self, words: u32) -> f32 {
        K1 * (1.0 - B + B * (words as f32 / self.average_words.max(1.0)))
    }

    /// What one word adds to a text of a [`Self::length`] in which it occurs `occurrences` times.
    pub(super) fn term(idf: f32, occurrences: u32, length: f32) -> f32 {
        let occurrences = occurrences as f32;
        idf * occurrences * (K1 + 1.0) / (occurrences + length)
    }

    /// The score that counts as a full match: every word of the query once in a text of average
    /// length, or the best score there is, if that is higher.
    pub(super) fn scale(&self, idf_known: f32, idf_unknown: f32, best: f32) -> f32 {
        best.max(idf_known + UNKNOWN_WORD * idf_unknown)
            .max(LEAST_SCALE * self.idf(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUNDRED: Population = Population {
        texts: 100,
        average_words: 10.0,
    };

    #[test]
    fn a_word_once_in_a_text_of_average_length_adds_its_idf() {
        let idf = HUNDRED.idf(3);
        assert!((Population::term(idf, 1, HUNDRED.length(10)) - idf).abs() < 1e-6);
        assert!((idf - (1.0_f32 + 97.5 / 3.5).ln()).abs() < 1e-6);
    }

    #[test]
    fn rare_words_more_occurrences_and_short_texts_weigh_more() {
        assert!(HUNDRED.idf(1) > HUNDRED.idf(50));
        assert!(HUNDRED.idf(100) > 0.0);
        let term = |occurrences, words| Population::term(1.0, occurrences, HUNDRED.length(words));
        assert!(term(3, 10) > term(1, 10));
        assert!(term(1, 5) > term(1, 50));
    }

    #[test]
    fn the_scale_is_never_below_the_best_score_nor_zero() {
        assert!((HUNDRED.scale(2.0, 1.0, 9.0) - 9.0).abs() < f32::EPSILON);
        assert!((HUNDRED.scale(2.0, 1.0, 1.0) - 2.5).abs() < f32::EPSILON);
        assert!(HUNDRED.scale(0.0, 0.0, 0.0) > 0.0);
    }
}
