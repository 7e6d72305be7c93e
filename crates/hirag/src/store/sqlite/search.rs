//! Candidates for a query: cosine and BM25 of the contexts that the search allows; of a large store,
//! only those that are worth being ranked.

mod best;
mod check;
mod exactly;
mod listed;
mod matches;
mod nearest;
mod shortlist;

use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use tracing::trace_span;

pub use self::check::SearchCheck;
use self::listed::Listed;
use self::matches::Matches;
pub(super) use self::nearest::by_vector;
use super::filters;
use super::resident::Resident;
use super::words::Lexicon;
use crate::context::{ContextId, ContextLevel, Filter};
use crate::retrieval::{Candidates, Shortlisting};
use crate::store::StoreError;

/// From how many contexts on a search takes another way. The defaults are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SearchLimits {
    /// Up to so many contexts, a query is compared with each of them exactly. Above, its distance to
    /// each is estimated from one bit a component, and only the best are compared exactly.
    pub compare_all_up_to: usize,
    /// Up to so many contexts, their vectors are held in memory, two bytes a component. Above, those
    /// that are compared exactly are read from the database.
    pub hold_up_to: usize,
}

/// Contexts that are all compared exactly where their vectors have to be read from the database.
const READ: usize = 512;

impl SearchLimits {
    /// Up to how many contexts all are compared exactly.
    fn compare_all(&self, held: bool) -> usize {
        match held {
            true => self.compare_all_up_to,
            false => self.compare_all_up_to.min(READ),
        }
    }
}

impl Default for SearchLimits {
    fn default() -> Self {
        Self {
            compare_all_up_to: 10_000,
            hold_up_to: 150_000,
        }
    }
}

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
    /// Whether to compare all contexts exactly, however many they are and long it takes.
    pub exact: bool,
    /// Contexts that are compared exactly in any case.
    pub named: Vec<ContextId>,
    /// How a large store chooses what is worth being ranked; `None` ranks, and compares, all.
    pub shortlist: Option<Shortlisting>,
}

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

/// Every context that a retrieval ranks for its query.
pub(super) fn candidates(
    connection: &Connection,
    resident: &Resident,
    lexicon: &Lexicon,
    collection: i64,
    limits: &SearchLimits,
    query: &CandidateQuery,
    now_ms: i64,
) -> Result<Candidates, StoreError> {
    let mut listed = trace_span!("filter")
        .in_scope(|| Listed::new(connection, resident, collection, query, now_ms))?;
    let mut matches = match &query.text {
        Some(text) => trace_span!("words")
            .in_scope(|| Matches::new(connection, resident, lexicon, text, &listed))?,
        None => Matches::none(),
    };
    // Where all are held, to estimate first is of use only if most are not ranked then.
    let held = resident.directions.held().is_some();
    let is_large = listed.len() > limits.compare_all(held);
    let shortlist = query.shortlist.filter(|_| is_large && !query.exact);
    let searched = listed.searched();
    let mut estimates = Vec::new();
    if let Some(shortlist) = shortlist
        && !(held && query.everything)
    {
        if let Some(vector) = &query.vector {
            let span = trace_span!("estimates");
            estimates = span.in_scope(|| resident.directions.estimates(vector));
        }
        if !query.everything {
            let places = trace_span!("shortlist").in_scope(|| {
                shortlist::places(resident, &listed, &matches, &estimates, &shortlist)
            });
            if let Some(places) = places {
                matches = matches.only(&places);
                listed = listed.only(&places);
            }
        }
    }
    let phrases = match &query.text {
        Some(text) => matches.phrases(connection, resident, text, &listed)?,
        None => Vec::new(),
    };
    let (facts, neighbours) = listed.facts(resident);
    let mut candidates = Candidates {
        facts,
        cosines: Vec::new(),
        estimated: Vec::new(),
        bm25_bound: matches.bound,
        overlaps: matches.overlaps(),
        bm25: matches.scores,
        phrases,
        neighbours,
        distant: searched - listed.searched(),
        until_ms: listed.until_ms,
        excluded: std::mem::take(&mut listed.excluded),
    };
    if let Some(vector) = &query.vector {
        let _span = trace_span!("cosines").entered();
        if estimates.is_empty() {
            candidates.cosines = listed.cosines(connection, resident, collection, vector)?;
        } else {
            candidates.cosines = listed.of(&estimates).into_owned();
            shortlist::compare(
                connection,
                resident,
                collection,
                query,
                vector,
                &listed,
                &mut candidates,
            )?;
        }
    }
    Ok(candidates)
}

/// Residents of the collections that have been searched.
pub(super) type Residents = HashMap<i64, Resident>;
