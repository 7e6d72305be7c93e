//! The fast search checked against the database.

use rusqlite::Connection;

use super::super::resident::Resident;
use super::super::{SqliteStore, collections, vectors};
use super::{SearchLimits, by_vector};
use crate::context::{ContextId, Filter};
use crate::store::{StoreError, VectorQuery};

/// How many of the best are compared for the recall.
const BEST: usize = 10;

/// What came of a check.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchCheck {
    /// Contexts that were compared with the database.
    pub contexts: u64,
    /// Those of which memory and database say different things; it is a fault of the program if
    /// there are any.
    pub wrong: Vec<ContextId>,
    /// Searches that were made both ways.
    pub sampled: u64,
    /// The share of the ten nearest, on average, that the fast search finds as well; 1 without
    /// searches.
    pub recall: f64,
}

impl SqliteStore {
    /// Compares what is held in memory for searching with the database, and for the vectors of
    /// `samples` contexts the fast search with the exact one. Changes wait meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] when the collection is unknown or the database fails.
    pub async fn check_search(
        &self,
        collection: &str,
        samples: usize,
    ) -> Result<SearchCheck, StoreError> {
        let (now_ms, limits) = (self.now_ms(), self.shared.limits);
        let name = collection.to_owned();
        self.with_resident(collection, move |connection, resident, number| {
            let again = Resident::load(
                connection,
                &name,
                collections::number(connection, &name)?,
                &limits,
            )?;
            let mut check = SearchCheck {
                contexts: resident.used() as u64,
                wrong: resident.differences(&again),
                sampled: 0,
                recall: 1.0,
            };
            drop(again);
            let mut found = 0.0;
            for unit in sample(connection, resident, number, samples)? {
                check.sampled += 1;
                found += recall(connection, resident, number, &limits, &unit, now_ms)?;
            }
            if check.sampled > 0 {
                check.recall = found / check.sampled as f64;
            }
            Ok(check)
        })
        .await
    }
}

/// The vectors of some contexts, spread over all of them.
fn sample(
    connection: &Connection,
    resident: &Resident,
    collection: i64,
    samples: usize,
) -> Result<Vec<Vec<f32>>, StoreError> {
    let transaction = connection.unchecked_transaction()?;
    let set = vectors::active(&transaction, collection)?;
    let mut reader = vectors::Reader::new(&transaction, &set)?;
    let step = (resident.slots() / samples.max(1)).max(1);
    let slots = (0..resident.slots())
        .step_by(step)
        .filter(|&slot| resident.directions.has(slot));
    let mut found = Vec::new();
    for slot in slots.take(samples) {
        found.extend(reader.get(resident.seqs[slot])?.map(<[f32]>::to_vec));
    }
    Ok(found)
}

/// The share of the nearest that the fast search finds.
fn recall(
    connection: &Connection,
    resident: &Resident,
    collection: i64,
    limits: &SearchLimits,
    unit: &[f32],
    now_ms: i64,
) -> Result<f64, StoreError> {
    let query = VectorQuery {
        vector: unit.to_vec(),
        filter: Filter::default(),
        limit: BEST,
        score_threshold: None,
    };
    let exact = SearchLimits {
        compare_all_up_to: usize::MAX,
        ..*limits
    };
    let search = |limits| {
        by_vector(
            connection, resident, collection, limits, &query, unit, now_ms,
        )
    };
    let (fast, exact) = (search(limits)?, search(&exact)?);
    let both = exact
        .iter()
        .filter(|one| fast.iter().any(|other| other.id == one.id));
    Ok(both.count() as f64 / exact.len().max(1) as f64)
}
