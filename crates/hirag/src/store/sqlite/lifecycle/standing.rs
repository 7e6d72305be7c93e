//! Who keeps a place in a level, said once: the clean-up moves by it, and it tells where one stands.

use rusqlite::{Connection, OptionalExtension, params};

use super::super::contexts::signed;
use super::super::{SqliteStore, collections};
use super::CleanUpRules;
use crate::context::{ContextId, ContextLevel};
use crate::store::StoreError;

/// The contexts of a level `?2` that compete for its places at the time `?3`: not those whose time
/// is over, and not those with `?4` accesses, which are promoted.
pub(super) const COMPETES: &str =
    "level = ?2 AND coalesce(expires_ms > ?3, 1) AND access_count < ?4";

/// The last used first; of those used at the same time, the last stored.
pub(super) const BEST_FIRST: &str = "accessed_ms DESC, seq DESC";

/// The contest for the places of a level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contest {
    pub(super) level: ContextLevel,
    pub(super) now_ms: i64,
    /// Accesses that take a context out of the contest, upwards.
    pub(super) promotion: i64,
    /// Places.
    pub(super) size: u64,
}

impl Contest {
    pub(super) fn for_l1(rules: &CleanUpRules, now_ms: i64) -> Self {
        Self {
            level: ContextLevel::Immediate,
            now_ms,
            promotion: i64::MAX,
            size: rules.l1_size,
        }
    }

    pub(super) fn for_l2(rules: &CleanUpRules, now_ms: i64) -> Self {
        Self {
            level: ContextLevel::ShortTerm,
            now_ms,
            promotion: rules.promotion.map_or(i64::MAX, signed),
            size: rules.l2_size,
        }
    }
}

/// Where a context stands among those that compete for the places of its level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Contexts that keep their places before it.
    pub before_it: u64,
    /// Contexts that compete, it included.
    pub competing: u64,
}

impl SqliteStore {
    /// Where a context stands by the rules of a clean-up; `None` where it does not compete: it is
    /// marked as deleted or past its time, is promoted, or its level has room for everything.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn standing(
        &self,
        collection: &str,
        id: ContextId,
        rules: CleanUpRules,
    ) -> Result<Option<Standing>, StoreError> {
        let (name, now_ms) = (collection.to_owned(), self.now_ms());
        self.read(move |c| {
            let number = collections::number(c, &name)?;
            for contest in [
                Contest::for_l1(&rules, now_ms),
                Contest::for_l2(&rules, now_ms),
            ] {
                if let Some(standing) = standing(c, number, id, &contest)? {
                    return Ok(Some(standing));
                }
            }
            Ok(None)
        })
        .await
    }
}

fn standing(
    connection: &Connection,
    collection: i64,
    id: ContextId,
    contest: &Contest,
) -> Result<Option<Standing>, StoreError> {
    // Among those that compete, each with its place.
    let mut statement = connection.prepare_cached(&format!(
        "SELECT before_it, competing FROM (
             SELECT id, row_number() OVER (ORDER BY {BEST_FIRST}) - 1 AS before_it,
                 count(*) OVER () AS competing
             FROM contexts WHERE collection = ?1 AND deleted_ms IS NULL AND {COMPETES})
         WHERE id = ?5"
    ))?;
    let (level, now_ms, promotion) = (contest.level.number(), contest.now_ms, contest.promotion);
    Ok(statement
        .query_row(
            params![collection, level, now_ms, promotion, id.as_bytes()],
            |row| {
                Ok(Standing {
                    before_it: row.get::<_, i64>(0)?.unsigned_abs(),
                    competing: row.get::<_, i64>(1)?.unsigned_abs(),
                })
            },
        )
        .optional()?)
}
