//! Notes and questions in a made-up language with the statistics of English.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Different words.
const VOCABULARY: usize = 20_000;
/// Mandelbrot's shift of Zipf's law: the first words are less far apart than 1, 1/2, 1/3.
const SHIFT: f64 = 2.7;
/// Words that a topic prefers, and the share of a note's words that come from them: notes of one
/// conversation are about one thing.
const TOPIC_WORDS: usize = 40;
const TOPIC_SHARE: f64 = 0.25;
/// The most frequent words of English, in order. Questions and notes are full of them.
const FREQUENT: &[&str] = &[
    "the", "of", "and", "to", "a", "in", "is", "it", "you", "that", "he", "was", "for", "on",
    "are", "with", "as", "i", "his", "they", "be", "at", "one", "have", "this", "from", "or",
    "had", "by", "not", "but", "what", "some", "we", "can", "out", "other", "were", "all", "there",
    "when", "up", "use", "your", "how", "said", "an", "each", "she", "which", "do", "their",
    "time", "if", "will", "way", "about", "many", "then", "them", "would", "write", "like", "so",
    "these", "her", "long", "make", "thing", "see", "him", "two", "has", "look", "more", "day",
    "could", "go", "come", "did", "my", "sound", "no", "most", "number", "who", "over", "know",
    "water", "than", "call", "first", "people", "may", "down", "side", "been", "now", "find",
];
const OPENINGS: &[&str] = &[
    "what did",
    "when was",
    "how does the",
    "why is the",
    "who has the",
    "where can i find the",
    "which of the",
    "did we talk about",
];

/// Writes notes and questions, the same ones for the same seed.
#[derive(Debug)]
pub struct Writer {
    rng: StdRng,
    words: Vec<String>,
    /// Share of all words that the first `n` words have.
    cumulated: Vec<f64>,
}

impl Writer {
    /// A writer of its own for each seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut sum = 0.0;
        let mut cumulated: Vec<f64> = (0..VOCABULARY)
            .map(|rank| {
                sum += 1.0 / (rank as f64 + 1.0 + SHIFT);
                sum
            })
            .collect();
        for share in &mut cumulated {
            *share /= sum;
        }
        Self {
            rng: StdRng::seed_from_u64(seed),
            words: vocabulary(),
            cumulated,
        }
    }

    /// All words that there are.
    #[must_use]
    pub fn vocabulary(&self) -> &[String] {
        &self.words
    }

    /// The words of a new topic.
    pub fn topic(&mut self) -> Vec<usize> {
        (0..TOPIC_WORDS)
            .map(|_| self.rng.random_range(FREQUENT.len()..VOCABULARY))
            .collect()
    }

    /// A note of 20 to 60 words on a topic.
    pub fn note(&mut self, topic: &[usize]) -> String {
        let length = self.rng.random_range(20..=60);
        let mut note = String::new();
        for at in 0..length {
            let word = if self.rng.random_bool(TOPIC_SHARE) {
                topic[self.rng.random_range(0..topic.len())]
            } else {
                self.any_word()
            };
            if at > 0 {
                note.push_str(if at % 11 == 0 { ". " } else { " " });
            }
            note.push_str(&self.words[word]);
        }
        note.push('.');
        note
    }

    /// A question of 7 to 15 words that has not been asked before.
    pub fn question(&mut self) -> String {
        let opening = OPENINGS[self.rng.random_range(0..OPENINGS.len())];
        let mut question = opening.to_owned();
        for _ in 0..self.rng.random_range(5..=10) {
            let word = self.any_word();
            question.push(' ');
            question.push_str(&self.words[word]);
        }
        question.push('?');
        question
    }

    fn any_word(&mut self) -> usize {
        let share = self.rng.random_range(0.0..1.0);
        self.cumulated
            .partition_point(|&upto| upto < share)
            .min(VOCABULARY - 1)
    }
}

/// Real words first, then made-up ones that get longer as they get rarer.
fn vocabulary() -> Vec<String> {
    const ONSETS: &[&str] = &[
        "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "pl",
    ];
    const RHYMES: &[&str] = &["an", "e", "i", "or", "u", "al", "en", "ar", "it", "o"];
    let syllables = ONSETS.len() * RHYMES.len();
    let mut words: Vec<String> = FREQUENT.iter().map(|word| (*word).to_owned()).collect();
    let mut number = syllables;
    while words.len() < VOCABULARY {
        let mut word = String::new();
        let mut rest = number;
        while rest > 0 {
            word.push_str(ONSETS[rest % ONSETS.len()]);
            word.push_str(RHYMES[rest / ONSETS.len() % RHYMES.len()]);
            rest /= syllables;
        }
        words.push(word);
        number += 1;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_writes_the_same() {
        let write = |seed| {
            let mut writer = Writer::new(seed);
            let topic = writer.topic();
            (writer.note(&topic), writer.question())
        };
        assert_eq!(write(1), write(1));
        assert_ne!(write(1), write(2));
    }

    #[test]
    fn notes_have_20_to_60_words() {
        let mut writer = Writer::new(3);
        let topic = writer.topic();
        for _ in 0..100 {
            let words = writer.note(&topic).split_whitespace().count();
            assert!((20..=60).contains(&words));
        }
    }
}
