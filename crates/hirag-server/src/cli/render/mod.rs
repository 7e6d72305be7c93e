//! Answers as text for people.

mod asking;
mod contexts;
mod load;
mod profile;
mod retrieval;
mod snippet;
mod sources;
mod status;
mod upkeep;

pub(super) use asking::{answer, conversations};
pub(super) use contexts::{context, deletion, list, moved, restored, stored};
pub(super) use load::load;
pub(super) use profile::profile;
pub(super) use retrieval::{Known, named, search, trace, why};
pub(super) use snippet::harmless;
pub(super) use sources::{ran_sources, source, source_added, source_removed, sources};
pub(super) use status::{doctor, eval, health, settings, stats};
pub(super) use upkeep::{
    backup, collected, exported, import, purge, reembedded, restored_database,
};

use crate::commands::counted as count;

/// `1 context`, `2 contexts`.
pub(super) fn contexts(number: usize) -> String {
    count(number as u64, "context")
}

/// `1 query`, `2 queries`.
pub(super) fn queries(number: usize) -> String {
    match number {
        1 => "1 query".to_owned(),
        _ => format!("{number} queries"),
    }
}

/// Bytes in the unit that suits them.
fn bytes(number: u64) -> String {
    indicatif::HumanBytes(number).to_string()
}
