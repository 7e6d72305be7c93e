//! What a clean-up finds to do, and doing it.

use rusqlite::{Connection, params};

use super::super::contexts::signed;
use super::super::writer::Changes;
use super::super::{contexts, deletion};
use super::standing::{BEST_FIRST, COMPETES, Contest};
use super::{CleanUp, CleanUpItem, CleanUpRules};
use crate::context::{ContextId, ContextLevel};
use crate::store::StoreError;

type Row = (i64, CleanUpItem);

/// What the rules find, each context in the first list that it belongs to.
#[derive(Debug, Default)]
pub(super) struct Plan {
    expired: Vec<Row>,
    promoted: Vec<Row>,
    evicted: Vec<Row>,
    overflowed: Vec<Row>,
    due_for_purge: u64,
}

impl Plan {
    pub(super) fn make(
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
            evicted: beyond(connection, collection, &Contest::for_l1(rules, now_ms))?,
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
            plan.overflowed = beyond(connection, collection, &Contest::for_l2(rules, now_ms))?;
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

    pub(super) fn report(self, dry_run: bool) -> CleanUp {
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

    pub(super) fn carry_out(
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
pub(in super::super) fn evict(
    connection: &Connection,
    collection: i64,
    rules: &CleanUpRules,
    now_ms: i64,
    changes: &mut Changes,
) -> Result<Vec<ContextId>, StoreError> {
    let beyond = beyond(connection, collection, &Contest::for_l1(rules, now_ms))?;
    let mut evicted = Vec::with_capacity(beyond.len());
    for (seq, item) in beyond {
        change_level(connection, seq, ContextLevel::ShortTerm, rules, changes)?;
        evicted.push(item.id);
    }
    Ok(evicted)
}

/// What a level holds beyond its size.
fn beyond(
    connection: &Connection,
    collection: i64,
    contest: &Contest,
) -> Result<Vec<Row>, StoreError> {
    select(
        connection,
        &format!("{COMPETES} ORDER BY {BEST_FIRST} LIMIT -1 OFFSET ?5"),
        params![
            collection,
            contest.level.number(),
            contest.now_ms,
            contest.promotion,
            signed(contest.size)
        ],
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
