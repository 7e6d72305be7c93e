use super::ContextLevel;

/// A context, an id, a level, metadata or a filter that is not allowed. Nothing was written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// The text is empty or only white space.
    #[error("the text is empty or blank; give at least one visible character")]
    BlankText,
    /// The text is over the limit.
    #[error(
        "the text has {bytes} bytes, over the limit of {limit}; shorten it, split it, or raise `limits.max_text_bytes`"
    )]
    TextTooLong {
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The input is not UTF-8.
    #[error("{what} is not valid UTF-8 (first bad byte at offset {offset}); convert it to UTF-8")]
    InvalidUtf8 {
        /// What was read.
        what: String,
        /// Offset of the first bad byte.
        offset: usize,
    },
    /// A NUL byte.
    #[error("{what} contains a NUL byte at offset {offset}; remove it")]
    NulByte {
        /// Which part of the input.
        what: String,
        /// Its offset in bytes.
        offset: usize,
    },
    /// An agent, session or source name that is empty or too long.
    #[error("{what} has {bytes} bytes; it must have 1 to {limit}")]
    BadName {
        /// Which name.
        what: &'static str,
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A metadata key that is empty.
    #[error("a metadata key is empty{at}; give every key a name", at = within(.path))]
    EmptyKey {
        /// Path of the object that holds it.
        path: String,
    },
    /// A metadata key that is too long.
    #[error(
        "the metadata key starting with `{start}` has {bytes} bytes, over the limit of {limit}"
    )]
    LongKey {
        /// The first characters of the key.
        start: String,
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Metadata nested too deep.
    #[error("the metadata is nested deeper than {limit} levels (at `{path}`); flatten it")]
    DeepMetadata {
        /// Path to where it becomes too deep.
        path: String,
        /// Levels allowed.
        limit: usize,
    },
    /// Metadata too large in all.
    #[error("the metadata has {bytes} bytes as JSON, over the limit of {limit}")]
    LargeMetadata {
        /// Bytes given.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A level nobody knows.
    #[error("unknown level `{0}`; use Immediate (L1), ShortTerm (L2) or LongTerm (L3)")]
    UnknownLevel(String),
    /// Something that is no UUID.
    #[error("`{0}` is not a context id; an id looks like 019a2b3c-4d5e-7f60-8123-456789abcdef")]
    MalformedId(String),
    /// A filter that says nothing sensible.
    #[error("malformed filter: {0}")]
    MalformedFilter(String),
    /// No such context.
    #[error("no context has the id {0}; `hirag list` shows the ids")]
    UnknownId(super::ContextId),
    /// A context that is marked as deleted.
    #[error("the context {0} is deleted; `hirag undo {0}` brings it back")]
    Deleted(super::ContextId),
    /// A context that is past its expiry, and that the next clean-up marks as deleted.
    #[error("the context {0} has expired; `hirag update {0} --expires never` keeps it")]
    Expired(super::ContextId),
    /// A context that is in another state than the one that the change is meant for.
    #[error("the context {0} was changed meanwhile; read it again and decide anew")]
    ChangedMeanwhile(super::ContextId),
    /// A priority nobody knows.
    #[error("unknown priority `{0}`; use low, normal, high or critical")]
    UnknownPriority(String),
    /// A vector that does not fit.
    #[error("the vector has {got} dimensions, but the model `{model}` has {expected}")]
    VectorDimension {
        /// Dimensions given.
        got: usize,
        /// Dimensions of the model.
        expected: usize,
        /// The model's id.
        model: String,
    },
    /// A vector with NaN or infinity, or of length zero.
    #[error(
        "the vector is not usable: component {index} is {value}; every component must be finite and not all zero"
    )]
    VectorValue {
        /// The component.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// Nothing to change.
    #[error("the update changes nothing; give a text, metadata, a level or an expiry")]
    EmptyPatch,
    /// The expiry lies in the past.
    #[error("the expiry {0} is not in the future")]
    PastExpiry(jiff::Timestamp),
    /// The level cannot be cleared or used here.
    #[error("{level} is switched off by the setting `hirag.l3_enabled`")]
    LevelDisabled {
        /// The level.
        level: ContextLevel,
    },
}

fn within(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" inside `{path}`")
    }
}

impl ContextError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BlankText | Self::InvalidUtf8 { .. } | Self::NulByte { .. } => "invalid_text",
            Self::TextTooLong { .. } => "text_too_long",
            Self::BadName { .. } => "invalid_name",
            Self::EmptyKey { .. }
            | Self::LongKey { .. }
            | Self::DeepMetadata { .. }
            | Self::LargeMetadata { .. } => "invalid_metadata",
            Self::UnknownLevel(_) => "unknown_level",
            Self::MalformedId(_) => "invalid_id",
            Self::MalformedFilter(_) => "invalid_filter",
            Self::UnknownId(_) | Self::Deleted(_) | Self::Expired(_) => "not_found",
            Self::ChangedMeanwhile(_) => "changed_meanwhile",
            Self::UnknownPriority(_) => "unknown_priority",
            Self::VectorDimension { .. } | Self::VectorValue { .. } => "invalid_vector",
            Self::EmptyPatch => "empty_update",
            Self::PastExpiry(_) => "invalid_expiry",
            Self::LevelDisabled { .. } => "level_disabled",
        }
    }
}
