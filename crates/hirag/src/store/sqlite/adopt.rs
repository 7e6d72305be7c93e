//! A set of vectors that is still empty takes the model that comes; texts that are still stored.

use std::collections::HashSet;

use rusqlite::params;
use rusqlite::types::Value as Sql;

use super::{SqliteStore, collections, filters, vectors};
use crate::context::{ContentHash, ContextId, Filter};
use crate::store::{StoreError, VectorSpec};

impl SqliteStore {
    /// Lets vectors of `spec` serve if there are none of another model yet. `false` when there
    /// are, and nothing was changed.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn adopt(&self, collection: &str, spec: &VectorSpec) -> Result<bool, StoreError> {
        let (name, spec, now_ms) = (collection.to_owned(), spec.clone(), self.now_ms());
        self.write(move |c, changes| {
            let number = collections::number(c, &name)?;
            let active = vectors::active(c, number)?;
            if active.spec == spec {
                return Ok(true);
            }
            if vectors::count(c, &active)? > 0 {
                return Ok(false);
            }
            vectors::drop_set(c, &active)?;
            vectors::create(c, number, &spec, true, now_ms)?;
            changes.everything = true;
            Ok(true)
        })
        .await
    }

    /// Whether a context passes a filter.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn passes(
        &self,
        collection: &str,
        filter: Filter,
        id: ContextId,
    ) -> Result<bool, StoreError> {
        let name = collection.to_owned();
        self.read(move |c| {
            let number = collections::number(c, &name)?;
            let clause = filters::clause(&filter);
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM contexts c
                 WHERE c.collection = ? AND c.id = ? AND {})",
                clause.sql
            );
            let parameters = [Sql::Integer(number), Sql::Blob(id.as_bytes().to_vec())]
                .into_iter()
                .chain(clause.parameters);
            Ok(c.prepare_cached(&sql)?
                .query_row(rusqlite::params_from_iter(parameters), |row| row.get(0))?)
        })
        .await
    }

    /// Those of the texts that some context still has.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn texts_still_stored(
        &self,
        collection: &str,
        texts: Vec<String>,
    ) -> Result<HashSet<String>, StoreError> {
        let name = collection.to_owned();
        self.read(move |c| {
            let number = collections::number(c, &name)?;
            let mut statement = c.prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM contexts
                 WHERE collection = ?1 AND content_hash = ?2)",
            )?;
            let mut kept = HashSet::new();
            for text in texts {
                let hash = ContentHash::of(&text);
                if statement.query_row(params![number, hash.as_bytes()], |row| row.get(0))? {
                    kept.insert(text);
                }
            }
            Ok(kept)
        })
        .await
    }
}
