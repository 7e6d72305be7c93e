use crate::context::{ContextId, ContextLevel};

/// One context that a query was compared with: the facts that ranking needs, without its text.
#[derive(Debug, Clone, PartialEq)]
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
    pub access_count: u64,
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

/// Everything that a query was compared with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Candidates {
    /// The contexts, in no particular order.
    pub items: Vec<Candidate>,
    /// The largest BM25 that any text could have for this query's words: the sum over its words
    /// of idf·(k₁+1). 0 when there are no words.
    pub bm25_bound: f32,
}
