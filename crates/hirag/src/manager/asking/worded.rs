//! Answers that were worded before.
//!
//! A worded answer is kept with all that it follows from: who words it and how, the conversation, and
//! the question with its sources, text by text. So it needs no rule for when it is out of date: the
//! search is made each time, which takes milliseconds, and a change that a search notices makes other
//! sources. Then the answer that is kept is let go. Time has its part in the search alone.

use std::sync::Arc;
use std::time::Duration;

use moka::notification::RemovalCause;
use moka::sync::Cache;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::answering::{AskRequest, RemovedMark};
use crate::chat::ChatMessage;
use crate::config::ChatSettings;
use crate::metrics::{CacheCounters, CacheLayerStats};
use crate::used::{Used, Uses, less_used_half};

/// Bytes of all answers at most.
const ROOM: u64 = 4_000_000;
/// How long an answer that nobody asks for is kept: a question is asked again within a sitting.
const IDLE: Duration = Duration::from_secs(3_600);

/// A question, and what an answer to it follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// Who is asked what, about which part of the memory.
    asked: [u8; 32],
    /// All that goes to the model.
    from: [u8; 32],
}

/// A whole answer, as it was checked.
#[derive(Debug)]
pub(super) struct Worded {
    pub(super) text: String,
    pub(super) cited: Vec<usize>,
    pub(super) removed: Vec<String>,
    pub(super) marks: Vec<RemovedMark>,
}

#[derive(Debug)]
struct Kept {
    from: [u8; 32],
    worded: Arc<Worded>,
}

/// The answers that are kept, the latest to each question.
#[derive(Debug)]
pub(in crate::manager) struct WordedAnswers {
    kept: Cache<[u8; 32], Used<Arc<Kept>>>,
    uses: Uses,
    counters: Arc<CacheCounters>,
    marks: String,
}

impl Default for WordedAnswers {
    fn default() -> Self {
        let counters = Arc::new(CacheCounters::default());
        let expired = Arc::clone(&counters);
        let kept = Cache::builder()
            .max_capacity(ROOM)
            .weigher(|_, kept: &Used<Arc<Kept>>| {
                u32::try_from(kept.worded.text.len()).unwrap_or(u32::MAX)
            })
            .time_to_idle(IDLE)
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Expired {
                    expired.count_invalidations(1);
                }
            })
            .build();
        Self {
            kept,
            uses: Uses::default(),
            counters,
            marks: format!("{:032x}", rand::random::<u128>()),
        }
    }
}

impl WordedAnswers {
    /// What stands in the marks of sources where keys are made: the same for all of them, and known to
    /// no text.
    pub(super) fn marks(&self) -> &str {
        &self.marks
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Worded>> {
        let kept = self.kept.get(&key.asked);
        let same = kept.as_ref().is_some_and(|kept| kept.from == key.from);
        if kept.is_some() && !same {
            self.kept.invalidate(&key.asked);
            self.counters.count_invalidations(1);
        }
        self.counters.count(same);
        let kept = kept.filter(|_| same)?;
        self.uses.again(&kept);
        Some(Arc::clone(&kept.worded))
    }

    pub(super) fn keep(&self, key: Key, worded: Worded) {
        let (from, worded) = (key.from, Arc::new(worded));
        let kept = self.uses.begin(Arc::new(Kept { from, worded }));
        self.kept.insert(key.asked, kept);
    }

    pub(in crate::manager) fn stats(&self) -> CacheLayerStats {
        self.kept.run_pending_tasks();
        let (entries, bytes) = (self.kept.entry_count(), self.kept.weighted_size());
        self.counters.stats(entries, bytes)
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

/// What an answer to `messages` follows from. They hold the question as [`normalised`], and
/// [`WordedAnswers::marks`]; the first of them are the rules and the conversation.
pub(super) fn key(
    settings: &ChatSettings,
    request: &AskRequest,
    messages: &[ChatMessage],
) -> Option<Key> {
    let (_, before) = messages.split_last()?;
    let asked = (
        (
            &settings.api_url,
            &settings.model,
            settings.temperature.to_bits(),
            settings.max_answer_tokens,
        ),
        (
            request.max_tokens,
            &request.levels,
            &request.filter,
            request.mode,
        ),
        before,
        normalised(&request.question),
    );
    let asked = hash(&asked)?;
    let from = hash(&(asked, messages))?;
    Some(Key { asked, from })
}

fn hash(of: &impl Serialize) -> Option<[u8; 32]> {
    Some(Sha256::digest(serde_json::to_vec(of).ok()?).into())
}

/// A question for the key: whoever types it again may space it otherwise, or begin small.
pub(super) fn normalised(question: &str) -> String {
    let words = question.split_whitespace().map(str::to_lowercase);
    words.collect::<Vec<_>>().join(" ")
}
