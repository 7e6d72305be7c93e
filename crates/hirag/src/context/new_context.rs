use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ContextError, ContextId, ContextLevel, Metadata, MetadataLimits, validate_metadata};

/// The order of work in the embedding queue.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// After everything else; bulk imports.
    Low,
    /// What agents and people store.
    #[default]
    Normal,
    /// Before what is stored; queries.
    High,
    /// First.
    Critical,
}

impl Priority {
    /// 0 (low) to 3 (critical): how it is stored.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The priority of a stored number; numbers over 3 are critical.
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Low,
            1 => Self::Normal,
            2 => Self::High,
            _ => Self::Critical,
        }
    }
}

impl FromStr for Priority {
    type Err = ContextError;

    fn from_str(s: &str) -> Result<Self, ContextError> {
        match s.trim().to_lowercase().as_str() {
            "low" => Ok(Self::Low),
            "normal" => Ok(Self::Normal),
            "high" => Ok(Self::High),
            "critical" => Ok(Self::Critical),
            _ => Err(ContextError::UnknownPriority(s.to_owned())),
        }
    }
}

/// Sizes that what is stored must keep, from the settings `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a text at most.
    pub max_text_bytes: usize,
    /// Bytes of the metadata as JSON at most.
    pub max_metadata_bytes: usize,
    /// Bytes of a query at most.
    pub max_query_bytes: usize,
}

/// Bytes of agent and session names at most.
pub(crate) const MAX_NAME_BYTES: usize = 256;
/// Bytes of a source at most: a long path.
const MAX_SOURCE_BYTES: usize = 8_192;

/// A context to store.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields = nullable))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct NewContext {
    /// The text; kept as it is.
    #[cfg_attr(
        feature = "openapi",
        schema(
            required = true,
            min_length = 1,
            max_length = 1_048_576,
            example = "The deploy key is kept by Jonas."
        )
    )]
    pub text: String,
    /// The level; `None` is L1, as what an agent stores is what it works with.
    pub level: Option<ContextLevel>,
    /// Who stores it.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 1, max_length = 256, example = "planner")
    )]
    pub agent: Option<String>,
    /// In which conversation.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 256))]
    pub session: Option<String>,
    /// Free metadata.
    #[cfg_attr(feature = "ts", ts(as = "Option<Metadata>", optional))]
    #[cfg_attr(feature = "openapi", schema(value_type = Object, example = json!({"topic": "deploy"})))]
    pub metadata: Metadata,
    /// Where it comes from.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 8_192))]
    pub source: Option<String>,
    /// Which part of the source it is: with `source`, an identity that importing again finds.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 8_192))]
    pub source_key: Option<String>,
    /// Its place in its session or source; by default, after what is there.
    #[cfg_attr(feature = "ts", ts(as = "Option<i32>"))]
    pub position: Option<i64>,
    /// The time stamp that it brings along; by default, now.
    #[cfg_attr(feature = "ts", ts(as = "Option<String>"))]
    pub created_at: Option<Timestamp>,
    /// When it expires; by default, as the level's settings say.
    #[cfg_attr(feature = "ts", ts(as = "Option<String>"))]
    pub expires_at: Option<Timestamp>,
    /// The id it had where it comes from; by default, a new one.
    pub id: Option<ContextId>,
    /// When it was last changed where it comes from.
    #[cfg_attr(feature = "ts", ts(as = "Option<String>"))]
    pub updated_at: Option<Timestamp>,
    /// When it was last returned where it comes from.
    #[cfg_attr(feature = "ts", ts(as = "Option<String>"))]
    pub accessed_at: Option<Timestamp>,
    /// How often it was returned where it comes from.
    #[cfg_attr(feature = "ts", ts(as = "Option<u32>", optional))]
    pub access_count: u64,
    /// Its place in the embedding queue, if it has to wait.
    #[cfg_attr(feature = "ts", ts(as = "Option<Priority>", optional))]
    pub priority: Priority,
    /// Its vector, if the caller has one of the active model; otherwise it is embedded.
    pub vector: Option<Vec<f32>>,
}

impl NewContext {
    /// A context to store, with everything but the text left to the defaults.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// The same at a level.
    #[must_use]
    pub fn at_level(mut self, level: ContextLevel) -> Self {
        self.level = Some(level);
        self
    }

    /// Refuses what may not be stored.
    ///
    /// # Errors
    /// [`ContextError`] that names the part, the value and the rule.
    pub fn validate(&self, limits: &Limits, now: Timestamp) -> Result<(), ContextError> {
        validate_text(&self.text, limits)?;
        validate_name("the agent", self.agent.as_deref(), MAX_NAME_BYTES)?;
        validate_name("the session", self.session.as_deref(), MAX_NAME_BYTES)?;
        validate_name("the source", self.source.as_deref(), MAX_SOURCE_BYTES)?;
        validate_name(
            "the source key",
            self.source_key.as_deref(),
            MAX_SOURCE_BYTES,
        )?;
        validate_metadata(
            &self.metadata,
            MetadataLimits {
                max_bytes: limits.max_metadata_bytes,
            },
        )?;
        validate_expiry(self.expires_at, now)
    }
}

/// What to change of a stored context; `None` leaves a part as it is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields = nullable))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ContextPatch {
    /// A new text; it is embedded again.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 1_048_576))]
    pub text: Option<String>,
    /// New metadata, in place of all of the old.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub metadata: Option<Metadata>,
    /// Keys to set (or, with null, to remove) in the metadata that is there.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub merge_metadata: Option<Metadata>,
    /// A new level.
    pub level: Option<ContextLevel>,
    /// A new expiry; `Some(None)`, in JSON null, removes it.
    #[serde(deserialize_with = "given")]
    #[cfg_attr(feature = "ts", ts(as = "Option<String>"))]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    pub expires_at: Option<Option<Timestamp>>,
}

/// A field that is there, even if it is null.
fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

impl ContextPatch {
    /// Refuses a patch that changes nothing or may not be stored.
    ///
    /// # Errors
    /// [`ContextError`] that names the part, the value and the rule.
    pub fn validate(&self, limits: &Limits, now: Timestamp) -> Result<(), ContextError> {
        if *self == Self::default() {
            return Err(ContextError::EmptyPatch);
        }
        if let Some(text) = &self.text {
            validate_text(text, limits)?;
        }
        let metadata_limits = MetadataLimits {
            max_bytes: limits.max_metadata_bytes,
        };
        for metadata in [&self.metadata, &self.merge_metadata].into_iter().flatten() {
            validate_metadata(metadata, metadata_limits)?;
        }
        validate_expiry(self.expires_at.flatten(), now)
    }
}

fn validate_text(text: &str, limits: &Limits) -> Result<(), ContextError> {
    if text.len() > limits.max_text_bytes {
        return Err(ContextError::TextTooLong {
            bytes: text.len(),
            limit: limits.max_text_bytes,
        });
    }
    no_nul("the text", text)?;
    if text.chars().all(is_invisible) {
        return Err(ContextError::BlankText);
    }
    Ok(())
}

/// White space, controls, and the marks that show nothing by themselves.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(
            c,
            '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{00ad}'
        )
}

fn validate_name(what: &'static str, name: Option<&str>, limit: usize) -> Result<(), ContextError> {
    let Some(name) = name else { return Ok(()) };
    if name.trim().is_empty() || name.len() > limit {
        return Err(ContextError::BadName {
            what,
            bytes: name.len(),
            limit,
        });
    }
    no_nul(what, name)
}

fn no_nul(what: &str, text: &str) -> Result<(), ContextError> {
    match text.find('\0') {
        Some(offset) => Err(ContextError::NulByte {
            what: what.to_owned(),
            offset,
        }),
        None => Ok(()),
    }
}

fn validate_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), ContextError> {
    match expires_at {
        Some(at) if at <= now => Err(ContextError::PastExpiry(at)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        max_text_bytes: 100,
        max_metadata_bytes: 1_000,
        max_query_bytes: 100,
    };

    fn check(new: &NewContext) -> Result<(), ContextError> {
        new.validate(&LIMITS, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn blank_long_and_nul_texts_are_refused() {
        for text in ["", " \n\t", "\u{200b}\u{feff}", "\u{3000}"] {
            assert_eq!(check(&NewContext::new(text)), Err(ContextError::BlankText));
        }
        assert!(matches!(
            check(&NewContext::new("x".repeat(101))),
            Err(ContextError::TextTooLong {
                bytes: 101,
                limit: 100
            })
        ));
        assert!(matches!(
            check(&NewContext::new("a\0b")),
            Err(ContextError::NulByte { offset: 1, .. })
        ));
        check(&NewContext::new("x".repeat(100))).unwrap();
        check(&NewContext::new("👍")).unwrap();
    }

    #[test]
    fn empty_names_and_past_expiries_are_refused() {
        let mut new = NewContext::new("text");
        new.session = Some(String::new());
        assert_eq!(check(&new).unwrap_err().code(), "invalid_name");
        new.session = None;
        new.expires_at = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(check(&new).unwrap_err().code(), "invalid_expiry");
    }

    #[test]
    fn a_patch_must_change_something() {
        let empty = ContextPatch::default().validate(&LIMITS, Timestamp::UNIX_EPOCH);
        assert_eq!(empty, Err(ContextError::EmptyPatch));
    }
}
