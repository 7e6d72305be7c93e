//! A clustered mixture: made-up contexts, as many as are asked for, of a thousand topics.
//!
//! A vector is its topic's direction, a part that lies in few dimensions (as real embeddings do, whose neighbours
//! are nearer than chance in all 384 would have them), and a little of everything; a text is a note on the same topic
//! with words by Zipf's law. All of it follows from a fixed seed, and the first contexts are the same however many
//! there are.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use hirag_benches::{DIMENSION, Writer};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::data::{QUERIES, QUERY_TEXTS, TEXTS, VECTORS, VectorFile};

const TOPICS: usize = 1_000;
/// Dimensions in which contexts of a topic differ most, and how far; and how far in all of them.
const INNER: usize = 64;
const INNER_SPREAD: f32 = 0.8;
const SPREAD: f32 = 0.3;

/// Writes the contexts and the queries into a folder.
pub(crate) fn write(folder: &Path, count: usize, queries: usize) -> Value {
    std::fs::create_dir_all(folder).expect("the folder can be made");
    let mut rng = StdRng::seed_from_u64(11);
    let mut writer = Writer::new(11);
    let topics: Vec<Topic> = (0..TOPICS)
        .map(|_| Topic::new(&mut rng, &mut writer))
        .collect();
    let inner: Vec<Vec<f32>> = (0..INNER).map(|_| direction(&mut rng)).collect();
    let lines = |name| {
        let file = File::create(folder.join(name)).expect("the file can be made");
        BufWriter::with_capacity(1 << 20, file)
    };
    let [mut texts, mut query_texts] = [TEXTS, QUERY_TEXTS].map(lines);
    let [mut vectors, mut query_vectors] =
        [VECTORS, QUERIES].map(|name| VectorFile::create(&folder.join(name)));
    for _ in 0..queries {
        let topic = &topics[rng.random_range(0..TOPICS)];
        query_vectors.put(&topic.vector(&inner, &mut rng));
        writeln!(query_texts, "{}", writer.question()).expect("the disk takes the texts");
    }
    for _ in 0..count {
        let topic = &topics[rng.random_range(0..TOPICS)];
        vectors.put(&topic.vector(&inner, &mut rng));
        writeln!(texts, "{}", writer.note(&topic.words)).expect("the disk takes the texts");
    }
    for file in [&mut vectors, &mut query_vectors] {
        file.flush();
    }
    for file in [&mut texts, &mut query_texts] {
        file.flush().expect("the disk takes the texts");
    }
    json!({ "contexts": count, "queries": queries, "topics": TOPICS })
}

struct Topic {
    middle: Vec<f32>,
    words: Vec<usize>,
}

impl Topic {
    fn new(rng: &mut StdRng, writer: &mut Writer) -> Self {
        Self {
            middle: direction(rng),
            words: writer.topic(),
        }
    }

    fn vector(&self, inner: &[Vec<f32>], rng: &mut StdRng) -> Vec<f32> {
        let mut vector = self.middle.clone();
        let step = INNER_SPREAD / (INNER as f32).sqrt();
        for direction in inner {
            let far = step * normal(rng);
            vector
                .iter_mut()
                .zip(direction)
                .for_each(|(v, d)| *v += far * d);
        }
        let step = SPREAD / (DIMENSION as f32).sqrt();
        vector.iter_mut().for_each(|v| *v += step * normal(rng));
        to_length_one(vector)
    }
}

fn direction(rng: &mut StdRng) -> Vec<f32> {
    to_length_one((0..DIMENSION).map(|_| normal(rng)).collect())
}

fn to_length_one(mut vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= length);
    vector
}

/// Nearly normal with variance 1: four evenly spread numbers together.
fn normal(rng: &mut StdRng) -> f32 {
    let bits: u64 = rng.random();
    let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
    (sum as f32 / 65_536.0 - 2.0) * 3.0_f32.sqrt()
}
