use super::course::Course;
use crate::context::{ContextId, NewContext};
use crate::import::{Problem, ToldAgain};
use crate::store::sqlite::{Edit, SourceState};

/// Changes that share a transaction: a document, or some entries of a file.
#[derive(Debug, Default)]
pub(super) struct Unit {
    pub(super) insert: Vec<NewContext>,
    /// Contexts whose text changed, each with what else of it the file says now.
    pub(super) edit: Vec<(ContextId, NewContext, Edit)>,
    /// Contexts whose text is as it was, and with it their vector; they stand elsewhere in their
    /// source, or have other metadata.
    pub(super) kept_text: Vec<(ContextId, Edit)>,
    pub(super) remove: Vec<ContextId>,
    pub(super) state: Option<SourceState>,
    pub(super) tally: Tally,
}

impl Unit {
    /// How many texts have to be embedded.
    pub(super) fn texts(&self) -> usize {
        self.insert.len() + self.edit.len()
    }

    /// The texts that have to be embedded.
    pub(super) fn new_contexts(&self) -> impl Iterator<Item = &NewContext> {
        let edited = self.edit.iter().map(|(_, new, _)| new);
        self.insert.iter().chain(edited)
    }
}

/// What a unit comes to once it is written.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The file that it is of.
    pub(super) path: String,
    pub(super) imported: u64,
    pub(super) updated: u64,
    pub(super) unchanged: u64,
    pub(super) removed: u64,
    pub(super) pending: u64,
    /// Whether it is the last of its file, and the file's bytes.
    pub(super) ends_file: bool,
    pub(super) bytes: u64,
    pub(super) failed: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    /// Where the time of a document went.
    pub(super) course: Option<Course>,
    /// What is wrong with the file as a whole or was before, and whether it is a failure even where
    /// a file in a folder would be passed over.
    pub(super) told: Option<(ToldAgain, bool)>,
}

impl Tally {
    /// Whether nothing could be read of the file.
    pub(super) fn is_refused(&self) -> bool {
        let told = self.told.as_ref();
        told.is_some_and(|(told, _)| told.refused.is_some())
    }
}
