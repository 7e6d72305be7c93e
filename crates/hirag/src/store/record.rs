//! What goes into a store and what comes out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::context::{Context, ContextId, ContextLevel, Filter, Metadata, Priority};

/// The model that vectors come from, and their length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VectorSpec {
    /// The model's id.
    pub model: String,
    /// Components of each vector.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub dimension: usize,
}

impl std::fmt::Display for VectorSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} dimensions)", self.model, self.dimension)
    }
}

/// A context to write, complete and validated.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The id.
    pub id: ContextId,
    /// The text.
    pub text: String,
    /// The level.
    pub level: ContextLevel,
    /// Who stores it.
    pub agent: Option<String>,
    /// In which conversation.
    pub session: Option<String>,
    /// When it was created; kept to the millisecond.
    pub created_at: Timestamp,
    /// When it was last changed, for what comes from an export.
    pub updated_at: Option<Timestamp>,
    /// When it was last returned, for what comes from an export.
    pub accessed_at: Option<Timestamp>,
    /// How often it was returned, for what comes from an export.
    pub access_count: u64,
    /// Tokens of the text.
    pub token_count: u32,
    /// Free metadata.
    pub metadata: Metadata,
    /// Where it comes from.
    pub source: Option<String>,
    /// Which part of the source it is.
    pub source_key: Option<String>,
    /// Its place in its session or source; `None` is after what is there.
    pub position: Option<i64>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// Whether the expiry follows from the level's time-to-live.
    pub level_expiry: bool,
    /// Its place in the embedding queue while it has no vector.
    pub priority: Priority,
    /// Its vector in the active set; `None` leaves it pending.
    pub vector: Option<Vec<f32>>,
}

/// A collection and its active vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionInfo {
    /// The name.
    pub name: String,
    /// Model and dimension of the vectors that serve.
    pub vectors: VectorSpec,
}

/// A search by vector.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VectorQuery {
    /// The query's vector, of the collection's dimension.
    pub vector: Vec<f32>,
    /// Evaluated inside the search: a filter that leaves three contexts returns those three.
    pub filter: Filter,
    /// Hits at most.
    pub limit: usize,
    /// Cosine that a hit must reach.
    pub score_threshold: Option<f32>,
}

/// A context found by its vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// The context.
    pub id: ContextId,
    /// Cosine, -1 to 1.
    pub score: f32,
}

/// The order of a listing. Among equals, what was stored last comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// What was stored last comes first.
    #[default]
    NewestFirst,
    /// What was stored first comes first.
    OldestFirst,
    /// What was changed last comes first.
    RecentlyChanged,
    /// What was returned last comes first; what never was counts from its creation.
    RecentlyUsed,
    /// What was returned most often comes first.
    MostUsed,
    /// What has the most tokens comes first.
    LongestFirst,
}

impl Order {
    /// All orders.
    pub const ALL: [Self; 6] = [
        Self::NewestFirst,
        Self::OldestFirst,
        Self::RecentlyChanged,
        Self::RecentlyUsed,
        Self::MostUsed,
        Self::LongestFirst,
    ];

    /// The stable name, in `snake_case`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NewestFirst => "newest_first",
            Self::OldestFirst => "oldest_first",
            Self::RecentlyChanged => "recently_changed",
            Self::RecentlyUsed => "recently_used",
            Self::MostUsed => "most_used",
            Self::LongestFirst => "longest_first",
        }
    }
}

/// A page to read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScrollRequest {
    /// Which contexts.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
    /// Where the page before ended; that page must have been of the same order.
    pub cursor: Option<String>,
    /// Contexts to pass over after the cursor, or from the start. Quick, as they are not read.
    pub skip: usize,
    /// Contexts at most.
    pub limit: usize,
    /// Whether to list what is marked as deleted, instead of what is not.
    pub deleted: bool,
}

/// A page of contexts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page {
    /// The contexts.
    pub contexts: Vec<Context>,
    /// The cursor of the next page; `None` at the end.
    pub next_cursor: Option<String>,
}
