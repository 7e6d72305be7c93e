use std::path::PathBuf;

/// A golden set that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A file that cannot be read.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A line of the queries that cannot be used.
    #[error("{path}, line {line}: {reason}")]
    Query {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong, and the rule.
        reason: String,
    },
    /// A line of the judgements that cannot be used.
    #[error("{path}, line {line}: {reason}")]
    Judgement {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong, and the rule.
        reason: String,
    },
    /// No query has a relevant document.
    #[error(
        "none of the {queries} queries has a relevant document; check that both files are of one set"
    )]
    NothingJudged {
        /// Queries read.
        queries: usize,
    },
    /// A query without the field that the filter needs.
    #[error(
        "the query `{query}` has no usable field `{field}`; drop --filter-field or name another"
    )]
    MissingField {
        /// The query.
        query: String,
        /// The field.
        field: String,
    },
    /// `k` is zero.
    #[error("k is 0; look at one result at least")]
    ZeroK,
}

impl EvalError {
    /// The stable code, in `snake_case`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::Query { .. } => "invalid_queries",
            Self::Judgement { .. } => "invalid_qrels",
            Self::NothingJudged { .. } => "nothing_judged",
            Self::MissingField { .. } => "missing_field",
            Self::ZeroK => "invalid_k",
        }
    }
}
