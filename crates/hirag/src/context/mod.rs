//! The words everything else speaks: contexts, levels, requests, responses, filters.

mod error;
mod filter;
mod level;
mod metadata;
mod new_context;
mod request;
mod state;

pub use error::ContextError;
pub use filter::{Condition, Field, Filter, Range, Test, Value, parse_time};
pub use level::ContextLevel;
pub use metadata::{Metadata, MetadataLimits, validate_metadata};
pub(crate) use new_context::MAX_NAME_BYTES;
pub use new_context::{ContextPatch, Limits, NewContext, Priority};
pub use request::{
    ContextRequest, ContextResponse, Degradation, LevelCounts, RetrievalMetadata, RetrievedContext,
    SearchMode,
};
pub use state::StateTag;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The id of a context: a UUID of version 7, so ids sort by the time of storing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct ContextId(Uuid);

impl ContextId {
    /// A new id for a context stored at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        let stamp = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos);
        Self(Uuid::new_v7(stamp))
    }

    /// The id's sixteen bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// An id from its sixteen bytes, as [`Self::as_bytes`] gave them.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ContextId {
    type Err = ContextError;

    fn from_str(s: &str) -> Result<Self, ContextError> {
        Uuid::parse_str(s.trim())
            .map(Self)
            .map_err(|_| ContextError::MalformedId(s.to_owned()))
    }
}

/// SHA-256 of a context's text as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// The hash of `text`, byte for byte.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The hash's thirty-two bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A hash from its thirty-two bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

impl Serialize for ContentHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether a context has its vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EmbeddingState {
    /// It has a vector of the active model.
    Ready,
    /// It waits in the embedding queue; full text finds it meanwhile.
    Pending,
}

/// One stored text with its level, metadata and times.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Context {
    /// The id.
    pub id: ContextId,
    /// The text, exactly as it was given.
    pub text: String,
    /// The level it stands in.
    pub level: ContextLevel,
    /// Who stored it.
    pub agent: Option<String>,
    /// In which conversation.
    pub session: Option<String>,
    /// When it was stored, or the time stamp that it was imported with.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub created_at: Timestamp,
    /// When its text, metadata or level last changed.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub updated_at: Timestamp,
    /// When a retrieval last returned it; equal to `created_at` until then.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub accessed_at: Timestamp,
    /// How often a retrieval returned it.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub access_count: u64,
    /// Tokens of the text by the configured estimator.
    pub token_count: u32,
    /// SHA-256 of the text, in hexadecimal.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    #[cfg_attr(feature = "openapi", schema(value_type = String, min_length = 64, max_length = 64))]
    pub content_hash: ContentHash,
    /// Free metadata.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub metadata: Metadata,
    /// Where it came from, e.g. a file's path.
    pub source: Option<String>,
    /// Which part of its source it is.
    pub source_key: Option<String>,
    /// When it expires, if ever.
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    pub expires_at: Option<Timestamp>,
    /// When it was marked as deleted; until it is purged, it can be brought back.
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    pub deleted_at: Option<Timestamp>,
    /// Whether it has its vector.
    pub embedding: EmbeddingState,
    /// Its place in its session (or in its source), counted upwards.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub position: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_survive_text_and_bytes() {
        let early = ContextId::new(Timestamp::UNIX_EPOCH);
        let late = ContextId::new(Timestamp::from_second(1_800_000_000).unwrap());
        assert!(early < late);
        assert_eq!(late.to_string().parse::<ContextId>().unwrap(), late);
        assert_eq!(ContextId::from_bytes(*late.as_bytes()), late);
    }

    #[test]
    fn a_malformed_id_is_named() {
        let error = "not-an-id".parse::<ContextId>().unwrap_err();
        assert_eq!(error.code(), "invalid_id");
        assert!(error.to_string().contains("not-an-id"));
    }

    #[test]
    fn the_hash_is_sha256_in_hexadecimal() {
        assert_eq!(
            ContentHash::of("abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
