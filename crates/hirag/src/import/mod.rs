//! Folders and files to contexts, without the store: what is found, how it is cut, what is
//! reported.
//!
//! [`discover`] turns paths into files; a [`Reader`] opens one: a document becomes a [`Document`]
//! with all its chunks, a file of entries a stream of contexts. A format is read by a file in
//! `formats/`, which knows nothing of chunks; `cutting/` cuts, and knows nothing of formats.

mod cutting;
mod discover;
mod error;
mod formats;
mod kinds;
pub(crate) mod lines;
mod links;
mod reader;
mod report;
pub(crate) mod rows;
mod settings;
mod sniff;

pub(crate) use cutting::Part;
pub(crate) use discover::is_made;
pub use discover::{Discovery, SourceFile, discover, discover_until, path_text};
pub use error::ImportError;
pub(crate) use formats::markdown::parts;
pub use formats::records::Records;
pub use kinds::{FileKind, Format};
pub(crate) use links::LinkedNote;
pub use reader::{Contents, Document, Entries, Reader};
pub use report::{
    ImportProgress, ImportReport, PROBLEMS_PER_FILE, Problem, Refusal, Skipped, ToldAgain, Untold,
};
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
