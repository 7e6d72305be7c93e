use std::sync::Arc;

use super::facts::{Fact, Facts, NONE, some};
use crate::context::{ContextId, ContextLevel};

/// One context that a query was compared with: the facts that ranking needs, without its text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The context.
    pub id: ContextId,
    /// Its level.
    pub level: ContextLevel,
    /// Its tokens.
    pub tokens: u32,
    /// When it was created, in milliseconds since the epoch.
    pub created_ms: i64,
    /// When it was last changed, in milliseconds since the epoch.
    pub updated_ms: i64,
    /// How often it was returned.
    pub access_count: u32,
    /// The first eight bytes of its content hash: equal texts have equal keys.
    pub text_key: u64,
    /// Cosine to the query, -1 to 1; `None` without a vector on either side.
    pub cosine: Option<f32>,
    /// BM25 of the query's words, above 0, larger is better; `None` where no word matches.
    pub bm25: Option<f32>,
    /// Share of the query's words, without its stop words, that stand in it, 0 to 1.
    pub overlap: f32,
    /// Whether the whole query stands in it as a phrase.
    pub phrase: bool,
    /// Indices, among the same candidates, of the contexts before and after it in its session.
    pub neighbours: [Option<u32>; 2],
    /// Why it is outside of the search, if it is; only when everything was asked for.
    pub excluded: Option<Exclusion>,
}

/// Why a context was not searched. One that both exclude counts as excluded by the filter, so that
/// adding a level to the search brings in just those with [`Exclusion::Level`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exclusion {
    /// Its level was not asked for; the filter would let it through.
    Level,
    /// The filter does not let it through.
    Filter,
}

/// Everything that a query was compared with, or what is worth being ranked of it, in no particular
/// order. A column for each fact: a search walks through one fact of all contexts after the other,
/// and most are never looked at as a whole.
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    /// Shared, as long as nothing changes, with those of other queries.
    pub(crate) facts: Arc<Facts>,
    /// By place; not a number where there is none. Empty without a query's vector.
    pub(crate) cosines: Vec<f32>,
    /// Whether the cosine is an estimate, by place. Empty where all are exact.
    pub(crate) estimated: Vec<bool>,
    /// By place; 0 where no word matches. Empty without words.
    pub(crate) bm25: Vec<f32>,
    /// By place. Empty without words.
    pub(crate) overlaps: Vec<f32>,
    /// Places of those with the whole query as a phrase, ascending.
    pub(crate) phrases: Vec<u32>,
    /// Places of the contexts before and after each in its session; [`NONE`] without one. Shared as
    /// well.
    pub(crate) neighbours: Arc<Vec<[u32; 2]>>,
    /// By place. Empty where all are inside of the search.
    pub(crate) excluded: Vec<Option<Exclusion>>,
    /// The largest BM25 that any text could have for this query's words: the sum over its words
    /// of idf·(k₁+1). 0 when there are no words.
    pub(crate) bm25_bound: f32,
    /// Contexts inside of the search that are none of them: by their estimates, too far from the query
    /// to be ranked.
    pub(crate) distant: usize,
    /// When the first of them expires, in milliseconds since the epoch: there are others from then on.
    pub(crate) until_ms: Option<i64>,
}

impl Candidates {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at a place.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn get(&self, place: usize) -> Candidate {
        let facts = &self.facts;
        Candidate {
            id: facts.ids[place],
            level: facts.levels[place],
            tokens: facts.tokens[place],
            created_ms: facts.created_ms[place],
            updated_ms: facts.updated_ms[place],
            access_count: facts.access_counts[place],
            text_key: facts.text_keys[place],
            cosine: self.cosine(place),
            bm25: self.bm25(place),
            overlap: self.overlap(place),
            phrase: self.phrase(place),
            neighbours: self.neighbours[place].map(some),
            excluded: self.excluded(place),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Candidate> + '_ {
        (0..self.len()).map(|place| self.get(place))
    }

    pub(crate) fn cosine(&self, place: usize) -> Option<f32> {
        let cosine = self.cosines.get(place).copied();
        cosine.filter(|cosine| !cosine.is_nan())
    }

    pub(crate) fn estimated(&self, place: usize) -> bool {
        self.estimated
            .get(place)
            .is_some_and(|estimated| *estimated)
    }

    pub(crate) fn bm25(&self, place: usize) -> Option<f32> {
        self.bm25.get(place).copied().filter(|bm25| *bm25 > 0.0)
    }

    pub(crate) fn overlap(&self, place: usize) -> f32 {
        self.overlaps.get(place).copied().unwrap_or(0.0)
    }

    pub(crate) fn phrase(&self, place: usize) -> bool {
        // Most queries stand nowhere as a phrase.
        !self.phrases.is_empty() && self.phrases.binary_search(&(place as u32)).is_ok()
    }

    pub(crate) fn excluded(&self, place: usize) -> Option<Exclusion> {
        self.excluded.get(place).copied().flatten()
    }
}

impl FromIterator<Candidate> for Candidates {
    /// With a bound of 0: no text could match.
    fn from_iter<I: IntoIterator<Item = Candidate>>(items: I) -> Self {
        let mut all = Self::default();
        let (mut facts, mut neighbours) = (Facts::default(), Vec::new());
        for (place, item) in (0..).zip(items) {
            facts.push(&Fact::from(&item));
            all.cosines.push(item.cosine.unwrap_or(f32::NAN));
            all.bm25.push(item.bm25.unwrap_or(0.0));
            all.overlaps.push(item.overlap);
            if item.phrase {
                all.phrases.push(place);
            }
            let near = item.neighbours.map(|near| near.unwrap_or(NONE));
            neighbours.push(near);
            all.excluded.push(item.excluded);
        }
        (all.facts, all.neighbours) = (Arc::new(facts), Arc::new(neighbours));
        all
    }
}
