//! What lies around one context: its vector, the nearest others, its neighbours in the session.

use rusqlite::{OptionalExtension, params};

use super::{SqliteStore, scroll, search, vectors};
use crate::context::{ContextId, Filter};
use crate::store::{Hit, StoreError, VectorQuery, VectorSpec};

/// What lies around a context.
#[derive(Debug, Clone, PartialEq)]
pub struct Around {
    /// The model whose vectors serve.
    pub spec: VectorSpec,
    /// Its vector's length; `None` without a vector.
    pub norm: Option<f32>,
    /// The nearest others by cosine, best first; none without a vector.
    pub nearest: Vec<Hit>,
    /// The contexts before and after it in its session.
    pub neighbours: [Option<ContextId>; 2],
}

impl SqliteStore {
    /// What lies around a context; `None` where it is unknown or marked as deleted.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn around(
        &self,
        collection: &str,
        id: ContextId,
        nearest: usize,
    ) -> Result<Option<Around>, StoreError> {
        let (now_ms, limits) = (self.now_ms(), self.shared.limits);
        self.with_resident(collection, move |c, resident, number| {
            let seq = c
                .prepare_cached("SELECT seq FROM contexts WHERE collection = ?1 AND id = ?2")?
                .query_row(params![number, id.as_bytes()], |row| row.get::<_, i64>(0))
                .optional()?;
            let found = seq.and_then(|seq| Some((seq, resident.slot_of(seq)?)));
            let Some((seq, slot)) = found else {
                return Ok(None);
            };
            let kept = vectors::get(c, &vectors::active(c, number)?, seq)?;
            let nearest = match &kept {
                Some(vector) => {
                    let query = VectorQuery {
                        vector: vector.clone(),
                        filter: Filter::default(),
                        // It is its own nearest.
                        limit: nearest + 1,
                        score_threshold: None,
                    };
                    let hits =
                        search::by_vector(c, resident, number, &limits, &query, vector, now_ms)?;
                    hits.into_iter()
                        .filter(|hit| hit.id != id)
                        .take(nearest)
                        .collect()
                }
                None => Vec::new(),
            };
            let neighbours = resident.neighbours[slot as usize];
            Ok(Some(Around {
                spec: resident.spec.clone(),
                norm: kept.map(|v| v.iter().map(|x| x * x).sum::<f32>().sqrt()),
                nearest,
                neighbours: neighbours.map(|slot| resident.facts.ids.get(slot as usize).copied()),
            }))
        })
        .await
    }

    /// How many contexts that are marked as deleted pass a filter.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn count_deleted(
        &self,
        collection: &str,
        filter: &Filter,
    ) -> Result<u64, StoreError> {
        let (name, filter) = (collection.to_owned(), filter.clone());
        self.read(move |c| {
            let number = super::collections::number(c, &name)?;
            scroll::count(c, number, &filter, true)
        })
        .await
    }
}
