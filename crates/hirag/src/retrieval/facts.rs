//! What ranking needs to know of contexts, whatever the query.

use super::Candidate;
use crate::context::{ContextId, ContextLevel};

/// Marks the absence of a place.
pub(crate) const NONE: u32 = u32::MAX;

/// A place that is there.
pub(crate) fn some(place: u32) -> Option<u32> {
    (place != NONE).then_some(place)
}

/// Facts of many contexts, a column for each fact.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    pub(crate) ids: Vec<ContextId>,
    pub(crate) levels: Vec<ContextLevel>,
    pub(crate) tokens: Vec<u32>,
    pub(crate) created_ms: Vec<i64>,
    pub(crate) updated_ms: Vec<i64>,
    pub(crate) access_counts: Vec<u32>,
    /// The first eight bytes of the content hashes.
    pub(crate) text_keys: Vec<u64>,
}

/// Facts of one context.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fact {
    pub(crate) id: ContextId,
    pub(crate) level: ContextLevel,
    pub(crate) tokens: u32,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    pub(crate) access_count: u32,
    pub(crate) text_key: u64,
}

impl Facts {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn push(&mut self, fact: &Fact) {
        self.ids.push(fact.id);
        self.levels.push(fact.level);
        self.tokens.push(fact.tokens);
        self.created_ms.push(fact.created_ms);
        self.updated_ms.push(fact.updated_ms);
        self.access_counts.push(fact.access_count);
        self.text_keys.push(fact.text_key);
    }

    pub(crate) fn set(&mut self, place: usize, fact: &Fact) {
        self.ids[place] = fact.id;
        self.levels[place] = fact.level;
        self.tokens[place] = fact.tokens;
        self.created_ms[place] = fact.created_ms;
        self.updated_ms[place] = fact.updated_ms;
        self.access_counts[place] = fact.access_count;
        self.text_keys[place] = fact.text_key;
    }

    /// Those at a place.
    pub(crate) fn get(&self, place: usize) -> Fact {
        Fact {
            id: self.ids[place],
            level: self.levels[place],
            tokens: self.tokens[place],
            created_ms: self.created_ms[place],
            updated_ms: self.updated_ms[place],
            access_count: self.access_counts[place],
            text_key: self.text_keys[place],
        }
    }

    /// Those at some places, in their order.
    pub(crate) fn at(&self, places: &[u32]) -> Self {
        fn pick<T: Copy>(column: &[T], places: &[u32]) -> Vec<T> {
            places.iter().map(|&place| column[place as usize]).collect()
        }
        Self {
            ids: pick(&self.ids, places),
            levels: pick(&self.levels, places),
            tokens: pick(&self.tokens, places),
            created_ms: pick(&self.created_ms, places),
            updated_ms: pick(&self.updated_ms, places),
            access_counts: pick(&self.access_counts, places),
            text_keys: pick(&self.text_keys, places),
        }
    }
}

impl From<&Candidate> for Fact {
    fn from(candidate: &Candidate) -> Self {
        Self {
            id: candidate.id,
            level: candidate.level,
            tokens: candidate.tokens,
            created_ms: candidate.created_ms,
            updated_ms: candidate.updated_ms,
            access_count: candidate.access_count,
            text_key: candidate.text_key,
        }
    }
}
