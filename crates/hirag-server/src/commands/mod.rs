//! Command bodies, shared by every front: a typed request in, a typed answer out, nothing printed.

mod asking;
mod contexts;
mod error;
mod export;
mod host;
mod quality;
mod retrieval;
mod sources;
mod status;
pub mod studio;
mod transfer;
mod upkeep;

pub use asking::{
    ConversationFormat, ConversationRequest, ConversationStored, GoldenWritten, JudgeRequest, ask,
    conversation, conversation_text, conversations, delete_conversation, golden, judge,
    restore_conversation, store_conversation, whole,
};
pub use contexts::{
    DeleteRequest, MoveRequest, UndoRequest, UpdateRequest, clear, delete, get, list, move_to,
    store, undo, update, update_in,
};
pub use error::{Error, Failure, Result};
pub use export::{ExportRequest, Exported, export, export_file};
pub use host::Host;
pub use quality::eval;
pub use retrieval::{SearchResponse, WhyRequest, search, trace, why};
pub use sources::{
    RanSource, RanSources, SourceChange, SourceRemoval, SourceRequest, SourceRunRequest,
    SourcesResponse, source, source_add, source_called, source_change, source_remove, source_run,
    sources,
};
pub use status::{
    Doctor, Settings, StatsResponse, doctor, doctor_of_closed, health, settings, stats,
};
pub use studio::StudioSettings;
pub use transfer::{Backup, RestoreRequest, RestoredDatabase, backup, import, restore};
pub use upkeep::{Collected, catch_up, collect, purge, reembed};

/// `1 context`, `2 contexts`, `2 files or lines`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {}s", thing.replace(" or ", "s or ")),
    }
}
