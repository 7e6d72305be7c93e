//! Command bodies, shared by every front: a typed request in, a typed answer out, nothing printed.

mod asking;
mod contexts;
mod error;
mod host;
mod quality;
mod retrieval;
mod status;
pub mod studio;
mod transfer;
mod upkeep;

pub use asking::{
    ConversationFormat, ConversationRequest, ConversationStored, GoldenWritten, JudgeRequest,
    answer, ask, conversation, conversation_text, conversations, delete_conversation, golden,
    judge, restore_conversation, store_conversation,
};
pub use contexts::{
    DeleteRequest, MoveRequest, UndoRequest, UpdateRequest, clear, delete, get, list, move_to,
    store, undo, update, update_in,
};
pub use error::{Error, Failure, Result};
pub use host::Host;
pub use quality::eval;
pub use retrieval::{SearchResponse, WhyRequest, search, trace, why};
pub use status::{Doctor, Settings, StatsResponse, doctor, health, settings, stats};
pub use studio::StudioSettings;
pub use transfer::{
    Backup, Exported, RestoreRequest, RestoredDatabase, backup, export, export_file, import,
    restore,
};
pub use upkeep::{Collected, catch_up, collect, purge, reembed};
