//! Answers that were worded before.
//!
//! A worded answer is kept under all that it follows from: who words it and how, the conversation, and
//! the question with its sources, text by text. So it needs no rule for when it is out of date: the
//! search is made each time, which takes milliseconds, and a change that a search notices makes other
//! sources, and so another question. Time has its part in the search alone.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::chat::ChatMessage;
use crate::config::ChatSettings;
use crate::used::{Used, Uses, less_used_half};

/// Bytes of all answers at most.
const ROOM: u64 = 4_000_000;
/// How long an answer that nobody asks for is kept: a question is asked again within a sitting.
const IDLE: Duration = Duration::from_secs(3_600);

/// What an answer follows from.
pub(super) type Key = [u8; 32];

/// A whole answer, as it was checked.
#[derive(Debug)]
pub(super) struct Worded {
    pub(super) text: String,
    pub(super) cited: Vec<usize>,
    pub(super) removed: Vec<String>,
}

/// The answers that are kept.
#[derive(Debug)]
pub(in crate::manager) struct WordedAnswers {
    kept: Cache<Key, Used<Arc<Worded>>>,
    uses: Uses,
}

impl Default for WordedAnswers {
    fn default() -> Self {
        let kept = Cache::builder()
            .max_capacity(ROOM)
            .weigher(|_, worded: &Used<Arc<Worded>>| {
                u32::try_from(worded.text.len()).unwrap_or(u32::MAX)
            })
            .time_to_idle(IDLE)
            .build();
        Self {
            kept,
            uses: Uses::default(),
        }
    }
}

impl WordedAnswers {
    pub(super) fn get(&self, key: &Key) -> Option<Arc<Worded>> {
        let worded = self.kept.get(key)?;
        self.uses.again(&worded);
        Some(worded.into_inner())
    }

    pub(super) fn keep(&self, key: Key, worded: Worded) {
        self.kept.insert(key, self.uses.begin(Arc::new(worded)));
    }

    /// Drops the less used half; how many that were.
    pub(in crate::manager) fn shrink(&self) -> u64 {
        let dropped = less_used_half(self.kept.iter().map(|(key, worded)| (*key, worded)));
        for key in &dropped {
            self.kept.invalidate(key);
        }
        dropped.len() as u64
    }
}

/// What an answer to `messages` follows from; their marks must be the same for all.
pub(super) fn key(settings: &ChatSettings, messages: &[ChatMessage]) -> Option<Key> {
    let follows_from = (
        &settings.api_url,
        &settings.model,
        settings.temperature.to_bits(),
        settings.max_answer_tokens,
        messages,
    );
    Some(Sha256::digest(serde_json::to_vec(&follows_from).ok()?).into())
}

/// A question for the key: whoever types it again may space it otherwise, or begin small.
pub(super) fn normalised(question: &str) -> String {
    let words = question.split_whitespace().map(str::to_lowercase);
    words.collect::<Vec<_>>().join(" ")
}
