//! A model that takes no time, so that what is left is the program's own.

use std::collections::HashMap;

use async_trait::async_trait;
use hirag::embedding::{EmbeddingError, EmbeddingProvider, Vector};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Components of the vectors: as many as the built-in model's.
pub const DIMENSION: usize = 384;

/// Gives each word of a vocabulary a direction and a text the sum of its words', of length 1.
/// Texts that share words are similar, others nearly orthogonal, as with a real model.
#[derive(Debug)]
pub struct WordVectors {
    words: HashMap<String, usize>,
    vectors: Vec<f32>,
}

impl WordVectors {
    /// Directions for `words`; earlier ones, being frequent, weigh less.
    #[must_use]
    pub fn new(words: &[String]) -> Self {
        let mut rng = StdRng::seed_from_u64(7);
        let mut vectors = Vec::with_capacity((words.len() + 1) * DIMENSION);
        for rank in 0..=words.len() {
            let weight = (rank as f32 / 500.0).min(1.0) + 0.1;
            vectors.extend((0..DIMENSION).map(|_| weight * rng.random_range(-1.0_f32..1.0)));
        }
        Self {
            words: words.iter().cloned().zip(0..).collect(),
            vectors,
        }
    }

    /// The vector of a text.
    #[must_use]
    pub fn of(&self, text: &str) -> Vector {
        // What is not in the vocabulary shares one direction: no text is without any.
        let other = self.words.len();
        let mut sum = vec![0.0_f32; DIMENSION];
        for word in text.split(|c: char| !c.is_alphanumeric()) {
            let word = self.words.get(word).copied().unwrap_or(other);
            let start = word * DIMENSION;
            let vector = &self.vectors[start..start + DIMENSION];
            sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
        }
        let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
        sum.iter_mut().for_each(|x| *x /= norm);
        sum
    }
}

#[async_trait]
impl EmbeddingProvider for WordVectors {
    fn model_id(&self) -> &str {
        "word-vectors"
    }

    fn dimension(&self) -> usize {
        DIMENSION
    }

    fn max_input_tokens(&self) -> usize {
        10_000
    }

    async fn embed_single(&self, text: &str) -> Result<Vector, EmbeddingError> {
        Ok(self.of(text))
    }

    async fn embed_batch(&self, texts: &[String]) -> Vec<Result<Vector, EmbeddingError>> {
        texts.iter().map(|text| Ok(self.of(text))).collect()
    }

    async fn check(&self) -> Result<(), EmbeddingError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Writer;

    #[test]
    fn vectors_are_of_length_one_and_alike_for_shared_words() {
        let mut writer = Writer::new(1);
        let model = WordVectors::new(writer.vocabulary());
        let (one, two) = (writer.topic(), writer.topic());
        let [a, b, c] = [&one, &one, &two].map(|topic| model.of(&writer.note(topic)));
        let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        assert!((cosine(&a, &a) - 1.0).abs() < 1e-4);
        assert!(cosine(&a, &b) > cosine(&a, &c));
    }
}
