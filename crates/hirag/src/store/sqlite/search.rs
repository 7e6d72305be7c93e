//! Candidates for a query: exact cosine and BM25 for every context that the search allows.

mod listed;
mod matches;

use std::cmp::Ordering;
use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use tracing::trace_span;

use self::listed::Listed;
use self::matches::Matches;
use super::resident::Resident;
use super::words::Lexicon;
use super::{filters, fixed_point, vectors};
use crate::context::{ContextId, ContextLevel, Filter};
use crate::retrieval::Candidates;
use crate::store::{Hit, StoreError, VectorQuery};

/// What candidates are asked for.
#[derive(Debug, Clone, Default)]
pub struct CandidateQuery {
    /// The query's unit vector; `None` searches by words alone.
    pub vector: Option<Vec<f32>>,
    /// The model that made the vector, where it matters: vectors of another one are not compared.
    pub model: Option<String>,
    /// The query's words; `None` searches by the vector alone.
    pub text: Option<String>,
    /// Levels to search; empty is all.
    pub levels: Vec<ContextLevel>,
    /// Conditions.
    pub filter: Filter,
    /// Whether to list what levels and filter exclude, with the reason.
    pub everything: bool,
}

/// Cosines in fixed point that differ by less may stand in either order: some hundred times the
/// usual rounding.
const CLOSE: f32 = 0.001;

/// Which slots pass the filter; `None` when all do.
type Allowed = Option<Vec<bool>>;

fn allowed(
    connection: &Connection,
    resident: &Resident,
    collection: i64,
    filter: &Filter,
) -> Result<Allowed, StoreError> {
    if filter.is_empty() {
        return Ok(None);
    }
    let clause = filters::clause(filter);
    let mut statement = connection.prepare_cached(&format!(
        "SELECT c.seq FROM contexts c WHERE c.collection = ? AND c.deleted_ms IS NULL AND {}",
        clause.sql
    ))?;
    let parameters = std::iter::once(Sql::Integer(collection)).chain(clause.parameters);
    let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
    let mut passes = vec![false; resident.slots()];
    while let Some(row) = rows.next()? {
        if let Some(slot) = resident.slot_of(row.get(0)?) {
            passes[slot as usize] = true;
        }
    }
    Ok(Some(passes))
}

/// The best contexts by cosine.
pub(super) fn by_vector(
    connection: &Connection,
    resident: &Resident,
    collection: i64,
    query: &VectorQuery,
    unit: &[f32],
    now_ms: i64,
) -> Result<Vec<Hit>, StoreError> {
    let passes = allowed(connection, resident, collection, &query.filter)?;
    let codes = fixed_point::encoded(unit);
    let mut near: Vec<(f32, i64, ContextId)> = Vec::new();
    let searched = |index: usize| {
        resident.expires_ms[index] > now_ms && passes.as_ref().is_none_or(|passes| passes[index])
    };
    let least = query.score_threshold.map(|least| least - CLOSE);
    resident.cosines(&codes, searched, |index, score| {
        if least.is_none_or(|least| score >= least) {
            near.push((score, resident.seqs[index], resident.facts.ids[index]));
        }
    });
    let near = nearest(near, query.limit);
    let set = vectors::active(connection, collection)?;
    let mut hits = Vec::with_capacity(near.len());
    for (_, seq, id) in near {
        // The exact vectors decide the order and the score that is told.
        let Some(vector) = vectors::get(connection, &set, seq)? else {
            continue;
        };
        let score = exact_cosine(unit, &vector);
        if query.score_threshold.is_none_or(|least| score >= least) {
            hits.push(Hit { id, score });
        }
    }
    let order = |a: &Hit, b: &Hit| -> Ordering {
        b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id))
    };
    hits.sort_unstable_by(order);
    hits.truncate(query.limit);
    Ok(hits)
}

/// The `limit` best, and those that come so close that only the exact vectors tell.
fn nearest(mut near: Vec<(f32, i64, ContextId)>, limit: usize) -> Vec<(f32, i64, ContextId)> {
    if limit == 0 {
        return Vec::new();
    }
    if near.len() > limit {
        near.select_nth_unstable_by(limit - 1, |a, b| b.0.total_cmp(&a.0));
        let least = near[limit - 1].0 - CLOSE;
        near.retain(|(score, ..)| *score >= least);
    }
    near
}

fn exact_cosine(a: &[f32], b: &[f32]) -> f32 {
    let sum: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum();
    (sum as f32).clamp(-1.0, 1.0)
}

/// Every context that a retrieval compares with its query.
pub(super) fn candidates(
    connection: &Connection,
    resident: &Resident,
    lexicon: &Lexicon,
    collection: i64,
    query: &CandidateQuery,
    now_ms: i64,
) -> Result<Candidates, StoreError> {
    let listed = trace_span!("filter")
        .in_scope(|| Listed::new(connection, resident, collection, query, now_ms))?;
    let matches = match &query.text {
        Some(text) => trace_span!("words")
            .in_scope(|| Matches::new(connection, resident, lexicon, text, &listed))?,
        None => Matches::none(),
    };
    let cosines = match &query.vector {
        Some(vector) => trace_span!("cosines")
            .in_scope(|| listed.cosines(resident, &fixed_point::encoded(vector))),
        None => Vec::new(),
    };
    let (facts, neighbours) = listed.facts(resident);
    Ok(Candidates {
        facts,
        cosines,
        bm25_bound: matches.bound,
        overlaps: matches.overlaps(),
        bm25: matches.scores,
        phrases: matches.phrases,
        neighbours,
        until_ms: listed.until_ms,
        excluded: listed.excluded,
    })
}

/// Residents of the collections that have been searched.
pub(super) type Residents = HashMap<i64, Resident>;
