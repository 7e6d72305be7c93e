//! Folders and files to contexts, without the store: what is found, how it is cut, what is
//! reported.
//!
//! [`discover`] turns paths into files; a [`Reader`] opens one: a note becomes a [`Document`] with
//! all its chunks, a file of records becomes [`Records`], read line by line.

mod discover;
mod error;
mod front_matter;
pub(crate) mod lines;
mod markdown;
mod reader;
mod records;
mod report;
mod settings;

pub use discover::{Discovery, FileKind, Format, SourceFile, discover, path_text};
pub use error::ImportError;
pub use markdown::read_markdown;
pub(crate) use markdown::{Piece, pieces};
pub use reader::{Contents, Document, Reader};
pub use records::Records;
pub use report::{ImportProgress, ImportReport, PROBLEMS_PER_FILE, Problem, Skipped, Untold};
pub use settings::ImportSettings;

#[cfg(test)]
mod tests {
    use super::ImportSettings;
    use crate::context::Limits;
    use crate::tokens::{TokenEstimator, TokenEstimatorKind, TokenSettings};

    pub(super) const SETTINGS: ImportSettings = ImportSettings {
        chunk_tokens: 200,
        chunk_overlap: 30,
        max_file_bytes: 100_000,
        max_line_bytes: 100_000,
    };

    pub(super) const LIMITS: Limits = Limits {
        max_text_bytes: 50_000,
        max_metadata_bytes: 8_000,
        max_query_bytes: 1_000,
    };

    pub(super) fn estimator(kind: TokenEstimatorKind) -> TokenEstimator {
        TokenEstimator::new(TokenSettings {
            kind,
            chars_per_token: 4.0,
            tokens_per_word: 1.3,
        })
        .unwrap()
    }
}
