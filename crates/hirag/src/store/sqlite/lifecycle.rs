//! Clean-up: what expires, what is promoted, what overflows, and what is purged for good.

mod plan;
mod standing;

use rusqlite::params;
use serde::Serialize;

use self::plan::Plan;
use super::{SqliteStore, collections, contexts, conversations, vectors};
use crate::context::{ContextId, ContextLevel};
use crate::store::StoreError;

pub(super) use self::plan::evict;
pub use self::standing::Standing;

/// The rules of one clean-up, resolved from the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanUpRules {
    /// Contexts that L1 keeps; the least recently used beyond move to L2.
    pub l1_size: u64,
    /// Contexts that L2 keeps; the least recently used beyond move to L3.
    pub l2_size: u64,
    /// Whether anything moves to L3 at all.
    pub l3_enabled: bool,
    /// Accesses that promote from L2 to L3; `None` for never.
    pub promotion: Option<u64>,
    /// Expiry of what arrives in L2, in milliseconds since the epoch.
    pub l2_expiry_ms: Option<i64>,
    /// Expiry of what arrives in L3, in milliseconds since the epoch.
    pub l3_expiry_ms: Option<i64>,
    /// Deletion marks before this are due to be purged, in milliseconds since the epoch.
    pub purge_before_ms: i64,
}

/// One context that a clean-up concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CleanUpItem {
    /// The context.
    pub id: ContextId,
    /// Its level before.
    pub level: ContextLevel,
    /// The first characters of its text.
    pub preview: String,
}

/// What a clean-up did or, as a dry run, would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CleanUp {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// Past their expiry: marked as deleted.
    pub expired: Vec<CleanUpItem>,
    /// Used often enough: moved from L2 to L3.
    pub promoted: Vec<CleanUpItem>,
    /// Beyond the size of L1: moved to L2.
    pub evicted: Vec<CleanUpItem>,
    /// Beyond the size of L2: moved to L3.
    pub overflowed: Vec<CleanUpItem>,
    /// Marked long enough ago: due to be purged.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub due_for_purge: u64,
    /// The deletion that `undo` brings back, if anything expired.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub operation: Option<i64>,
}

/// What was removed for good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purged {
    /// The texts, so that what was derived from them elsewhere can go too.
    pub texts: Vec<String>,
}

impl SqliteStore {
    /// Applies the rules, or tells what they would do.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing was changed then.
    pub async fn clean_up(
        &self,
        collection: &str,
        rules: CleanUpRules,
        dry_run: bool,
    ) -> Result<CleanUp, StoreError> {
        let (name, now_ms) = (collection.to_owned(), self.now_ms());
        if dry_run {
            return self
                .read(move |c| {
                    let number = collections::number(c, &name)?;
                    Ok(Plan::make(c, number, &rules, now_ms)?.report(true))
                })
                .await;
        }
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            let plan = Plan::make(c, number, &rules, now_ms)?;
            plan.carry_out(c, &rules, now_ms, changes)
        })
        .await
    }

    /// Removes for good what was marked as deleted before a time: row, words, fields, vectors; and
    /// conversations.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing was removed then.
    pub async fn purge(&self, collection: &str, before_ms: i64) -> Result<Purged, StoreError> {
        let name = collection.to_owned();
        self.write(move |c, changes| {
            conversations::purge(c, before_ms)?;
            let number = collections::number(c, &name)?;
            let sets = vectors::sets(c, number)?;
            let rows: Vec<(i64, String)> = {
                let mut statement = c.prepare_cached(
                    "SELECT seq, text FROM contexts WHERE collection = ?1 AND deleted_ms < ?2",
                )?;
                let rows = statement.query_map(params![number, before_ms], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
                rows.collect::<Result<_, _>>()?
            };
            let mut purged = Purged::default();
            for (seq, text) in rows {
                contexts::remove(c, &sets, seq, changes)?;
                purged.texts.push(text);
            }
            Ok(purged)
        })
        .await
    }
}
