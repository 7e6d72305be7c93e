//! Contexts that wait for a vector, and vector sets that are being built.

use rusqlite::{Connection, params};

use super::contexts::signed;
use super::writer::Changes;
use super::{SqliteStore, collections, vectors};
use crate::context::Priority;
use crate::store::{StoreError, VectorSpec};

/// A text that waits for its vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingText {
    /// Where the vector belongs.
    pub ticket: i64,
    /// The text.
    pub text: String,
    /// How urgent it is.
    pub priority: Priority,
}

/// A vector set that is being built beside the one that serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Building {
    /// Model and dimension.
    pub spec: VectorSpec,
    /// Contexts that have their new vector.
    pub done: u64,
    /// Contexts in all.
    pub total: u64,
}

/// Which vectors are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Active,
    Building,
}

impl SqliteStore {
    /// Contexts without a vector of the model that serves: by priority, then by age.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn pending(
        &self,
        collection: &str,
        limit: usize,
    ) -> Result<Vec<PendingText>, StoreError> {
        let name = collection.to_owned();
        self.read(move |c| {
            let number = collections::number(c, &name)?;
            waiting(c, number, "pending = 1", limit)
        })
        .await
    }

    /// Gives waiting contexts their vectors. A context whose text has changed since keeps waiting.
    ///
    /// # Errors
    /// [`StoreError::BadVector`] when one does not fit; none was stored then.
    pub async fn fulfil(
        &self,
        collection: &str,
        vectors: Vec<(PendingText, Vec<f32>)>,
    ) -> Result<u64, StoreError> {
        self.store_vectors(collection, Which::Active, vectors).await
    }

    /// The set that is being built, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn building(&self, collection: &str) -> Result<Option<Building>, StoreError> {
        let name = collection.to_owned();
        self.read(move |c| {
            let number = collections::number(c, &name)?;
            let Some(set) = find(c, number, Which::Building)? else {
                return Ok(None);
            };
            let total: i64 = c.query_row(
                "SELECT count(*) FROM contexts WHERE collection = ?1",
                [number],
                |row| row.get(0),
            )?;
            Ok(Some(Building {
                done: vectors::count(c, &set)?,
                total: total.unsigned_abs(),
                spec: set.spec,
            }))
        })
        .await
    }

    /// Begins a new set beside the one that serves, or goes on with it; a begun set of yet
    /// another model is dropped.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub async fn begin_building(
        &self,
        collection: &str,
        spec: &VectorSpec,
    ) -> Result<(), StoreError> {
        let (name, spec, now_ms) = (collection.to_owned(), spec.clone(), self.now_ms());
        self.write(move |c, _| {
            let number = collections::number(c, &name)?;
            match find(c, number, Which::Building)? {
                Some(set) if set.spec == spec => return Ok(()),
                Some(other) => vectors::drop_set(c, &other)?,
                None => {}
            }
            vectors::create(c, number, &spec, false, now_ms)?;
            Ok(())
        })
        .await
    }

    /// Contexts without a vector in the set that is being built: by priority, then by age.
    ///
    /// # Errors
    /// [`StoreError`] when nothing is being built or the database fails.
    pub async fn missing(
        &self,
        collection: &str,
        limit: usize,
    ) -> Result<Vec<PendingText>, StoreError> {
        let name = collection.to_owned();
        self.read(move |c| {
            let number = collections::number(c, &name)?;
            let set = require(c, number, Which::Building)?;
            waiting(c, number, &set.lacks_row(), limit)
        })
        .await
    }

    /// Stores vectors in the set that is being built.
    ///
    /// # Errors
    /// [`StoreError::BadVector`] when one does not fit; none was stored then.
    pub async fn build(
        &self,
        collection: &str,
        vectors: Vec<(PendingText, Vec<f32>)>,
    ) -> Result<u64, StoreError> {
        self.store_vectors(collection, Which::Building, vectors)
            .await
    }

    /// Lets the new set serve and drops the old one, in one transaction. Contexts that the new
    /// one lacks become pending.
    ///
    /// # Errors
    /// [`StoreError`] when nothing is being built or the database fails; the old set serves then.
    pub async fn switch(&self, collection: &str) -> Result<(), StoreError> {
        let name = collection.to_owned();
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            let old = require(c, number, Which::Active)?;
            let new = require(c, number, Which::Building)?;
            vectors::drop_set(c, &old)?;
            c.execute("UPDATE vector_sets SET active = 1 WHERE id = ?1", [new.id])?;
            c.execute(
                &format!(
                    "UPDATE contexts SET pending = {} WHERE collection = ?1",
                    new.lacks_row()
                ),
                [number],
            )?;
            changes.everything = true;
            Ok(())
        })
        .await
    }

    async fn store_vectors(
        &self,
        collection: &str,
        which: Which,
        vectors: Vec<(PendingText, Vec<f32>)>,
    ) -> Result<u64, StoreError> {
        let name = collection.to_owned();
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            let set = require(c, number, which)?;
            let mut stored = 0;
            for (waiting, vector) in vectors {
                let unit = vectors::normalised(&set, &vector)?;
                if store_one(c, &set, &waiting, &unit, changes)? {
                    stored += 1;
                }
            }
            Ok(stored)
        })
        .await
    }
}

/// The rows that meet the condition, live or marked: by priority, then by age.
fn waiting(
    connection: &Connection,
    collection: i64,
    condition: &str,
    limit: usize,
) -> Result<Vec<PendingText>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT seq, text, priority FROM contexts WHERE collection = ?1 AND {condition}
         ORDER BY priority DESC, seq LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![collection, signed(limit)], |row| {
        Ok(PendingText {
            ticket: row.get(0)?,
            text: row.get(1)?,
            priority: Priority::from_number(row.get(2)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn store_one(
    connection: &Connection,
    set: &vectors::VectorSet,
    waiting: &PendingText,
    unit: &[f32],
    changes: &mut Changes,
) -> Result<bool, StoreError> {
    // The text may have changed, or the context gone, while the vector was made.
    let same: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM contexts WHERE seq = ?1 AND text = ?2)")?
        .query_row(params![waiting.ticket, waiting.text], |row| row.get(0))?;
    if !same {
        return Ok(false);
    }
    vectors::remove(connection, set, waiting.ticket)?;
    vectors::insert(connection, set, waiting.ticket, unit)?;
    if set.active {
        connection
            .prepare_cached("UPDATE contexts SET pending = 0 WHERE seq = ?1")?
            .execute([waiting.ticket])?;
        changes.rows.insert(waiting.ticket);
    }
    Ok(true)
}

fn find(
    connection: &Connection,
    collection: i64,
    which: Which,
) -> Result<Option<vectors::VectorSet>, StoreError> {
    Ok(vectors::sets(connection, collection)?
        .into_iter()
        .find(|set| set.active == (which == Which::Active)))
}

fn require(
    connection: &Connection,
    collection: i64,
    which: Which,
) -> Result<vectors::VectorSet, StoreError> {
    find(connection, collection, which)?
        .ok_or_else(|| StoreError::Internal("there is no such vector set".to_owned()))
}
