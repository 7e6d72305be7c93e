//! Clean-up: what expires, what is promoted, what overflows, and what is purged for good.

use rusqlite::{Connection, params};
use serde::Serialize;

use super::contexts::signed;
use super::writer::Changes;
use super::{SqliteStore, collections, contexts, deletion, vectors};
use crate::context::{ContextId, ContextLevel};
use crate::store::StoreError;

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

type Row = (i64, CleanUpItem);

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

    /// Removes for good what was marked as deleted before a time: row, words, fields, vectors.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails; nothing was removed then.
    pub async fn purge(&self, collection: &str, before_ms: i64) -> Result<Purged, StoreError> {
        let name = collection.to_owned();
        self.write(move |c, changes| {
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

/// What the rules find, each context in the first list that it belongs to.
#[derive(Debug, Default)]
struct Plan {
    expired: Vec<Row>,
    promoted: Vec<Row>,
    evicted: Vec<Row>,
    overflowed: Vec<Row>,
    due_for_purge: u64,
}

impl Plan {
    fn make(
        connection: &Connection,
        collection: i64,
        rules: &CleanUpRules,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let mut plan = Self {
            expired: select(
                connection,
                "expires_ms <= ?2 ORDER BY seq",
                params![collection, now_ms],
            )?,
            evicted: beyond_l1(connection, collection, rules, now_ms)?,
            ..Self::default()
        };
        if rules.l3_enabled {
            if let Some(promotion) = rules.promotion {
                plan.promoted = select(
                    connection,
                    "level = 2 AND coalesce(expires_ms > ?2, 1) AND access_count >= ?3
                     ORDER BY seq",
                    params![collection, now_ms, signed(promotion)],
                )?;
            }
            let free = rules.l2_size;
            let promotion = rules.promotion.map_or(i64::MAX, signed);
            plan.overflowed = select(
                connection,
                "level = 2 AND coalesce(expires_ms > ?2, 1) AND access_count < ?3
                 ORDER BY accessed_ms DESC, seq DESC LIMIT -1 OFFSET ?4",
                params![collection, now_ms, promotion, signed(free)],
            )?;
        }
        plan.due_for_purge = connection
            .prepare_cached(
                "SELECT count(*) FROM contexts WHERE collection = ?1 AND deleted_ms < ?2",
            )?
            .query_row(params![collection, rules.purge_before_ms], |row| {
                row.get::<_, i64>(0)
            })?
            .unsigned_abs();
        Ok(plan)
    }

    fn report(self, dry_run: bool) -> CleanUp {
        let items = |rows: Vec<Row>| rows.into_iter().map(|(_, item)| item).collect();
        CleanUp {
            dry_run,
            expired: items(self.expired),
            promoted: items(self.promoted),
            evicted: items(self.evicted),
            overflowed: items(self.overflowed),
            due_for_purge: self.due_for_purge,
            operation: None,
        }
    }

    fn carry_out(
        self,
        connection: &Connection,
        rules: &CleanUpRules,
        now_ms: i64,
        changes: &mut Changes,
    ) -> Result<CleanUp, StoreError> {
        let mut operation = None;
        if !self.expired.is_empty() {
            let seqs: Vec<i64> = self.expired.iter().map(|(seq, _)| *seq).collect();
            operation = Some(deletion::mark(connection, &seqs, now_ms, changes)?.operation);
        }
        for (seq, _) in &self.evicted {
            change_level(connection, *seq, ContextLevel::ShortTerm, rules, changes)?;
        }
        for (seq, _) in self.promoted.iter().chain(&self.overflowed) {
            change_level(connection, *seq, ContextLevel::LongTerm, rules, changes)?;
        }
        Ok(CleanUp {
            operation,
            ..self.report(false)
        })
    }
}

/// Moves what L1 holds beyond its size to L2; part of every write that adds to L1.
pub(super) fn evict(
    connection: &Connection,
    collection: i64,
    rules: &CleanUpRules,
    now_ms: i64,
    changes: &mut Changes,
) -> Result<Vec<ContextId>, StoreError> {
    let beyond = beyond_l1(connection, collection, rules, now_ms)?;
    let mut evicted = Vec::with_capacity(beyond.len());
    for (seq, item) in beyond {
        change_level(connection, seq, ContextLevel::ShortTerm, rules, changes)?;
        evicted.push(item.id);
    }
    Ok(evicted)
}

/// What L1 holds beyond its size: the least recently used.
fn beyond_l1(
    connection: &Connection,
    collection: i64,
    rules: &CleanUpRules,
    now_ms: i64,
) -> Result<Vec<Row>, StoreError> {
    select(
        connection,
        "level = 1 AND coalesce(expires_ms > ?2, 1)
         ORDER BY accessed_ms DESC, seq DESC LIMIT -1 OFFSET ?3",
        params![collection, now_ms, signed(rules.l1_size)],
    )
}

/// Moves a row; an expiry that someone chose stays, one that follows from the level is made anew.
fn change_level(
    connection: &Connection,
    seq: i64,
    level: ContextLevel,
    rules: &CleanUpRules,
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let expiry = match level {
        ContextLevel::Immediate => None,
        ContextLevel::ShortTerm => rules.l2_expiry_ms,
        ContextLevel::LongTerm => rules.l3_expiry_ms,
    };
    connection
        .prepare_cached(
            "UPDATE contexts SET level = ?2,
                 expires_ms = CASE WHEN level_expiry OR expires_ms IS NULL THEN ?3
                      ELSE expires_ms END,
                 level_expiry = CASE WHEN expires_ms IS NULL THEN 1 ELSE level_expiry END
             WHERE seq = ?1",
        )?
        .execute(params![seq, level.number(), expiry])?;
    changes.rows.insert(seq);
    Ok(())
}

fn select(
    connection: &Connection,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Row>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT seq, id, level, substr(text, 1, 80) FROM contexts
         WHERE collection = ?1 AND deleted_ms IS NULL AND {condition}"
    ))?;
    let rows = statement.query_map(parameters, |row| {
        let level: u8 = row.get(2)?;
        Ok((
            row.get(0)?,
            CleanUpItem {
                id: ContextId::from_bytes(row.get(1)?),
                level: contexts::level_of(2, level)?,
                preview: row.get(3)?,
            },
        ))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
