//! Candidates for a query: exact cosine and BM25 for every context that the search allows.

use std::cmp::Ordering;
use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use super::resident::{NONE, Resident};
use super::words::{self, Lexicon};
use super::{filters, fixed_point, vectors};
use crate::context::{ContextId, ContextLevel, Filter};
use crate::retrieval::{Candidate, Candidates, Exclusion};
use crate::store::bm25::Population;
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
    let mut passes = vec![false; resident.slots.len()];
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
    for (index, slot) in resident.slots.iter().enumerate() {
        let searched = slot.live
            && slot.has_vector
            && slot.facts.expires_ms > now_ms
            && passes.as_ref().is_none_or(|passes| passes[index]);
        if searched {
            let score = resident.cosine(index, &codes);
            let least = query.score_threshold.map(|least| least - CLOSE);
            if least.is_none_or(|least| score >= least) {
                near.push((score, slot.facts.seq, slot.facts.id));
            }
        }
    }
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
    let passes = allowed(connection, resident, collection, &query.filter)?;
    let codes = query.vector.as_deref().map(fixed_point::encoded);
    let mut items: Vec<Candidate> = Vec::with_capacity(resident.slots.len());
    let mut places = vec![NONE; resident.slots.len()];
    for (index, slot) in resident.slots.iter().enumerate() {
        if !slot.live || slot.facts.expires_ms <= now_ms {
            continue;
        }
        let facts = &slot.facts;
        let excluded = if passes.as_ref().is_some_and(|passes| !passes[index]) {
            Some(Exclusion::Filter)
        } else if !query.levels.is_empty() && !query.levels.contains(&facts.level) {
            Some(Exclusion::Level)
        } else {
            None
        };
        if excluded.is_some() && !query.everything {
            continue;
        }
        places[index] = items.len() as u32;
        let cosine = codes
            .as_deref()
            .filter(|_| slot.has_vector)
            .map(|codes| resident.cosine(index, codes));
        items.push(Candidate {
            id: facts.id,
            level: facts.level,
            tokens: facts.tokens,
            created_ms: facts.created_ms,
            updated_ms: facts.updated_ms,
            access_count: facts.access_count,
            text_key: facts.text_key,
            cosine,
            bm25: None,
            overlap: 0.0,
            phrase: false,
            neighbours: slot.neighbours.map(super::resident::some),
            excluded,
        });
    }
    link(&mut items, &places);
    let mut bm25_bound = 0.0;
    if let Some(text) = &query.text {
        bm25_bound = score_words(connection, resident, lexicon, text, &mut items, &places)?;
    }
    Ok(Candidates { items, bm25_bound })
}

/// Turns neighbours from slots into places among the candidates. What the search excludes lends
/// nothing.
fn link(items: &mut [Candidate], places: &[u32]) {
    for item in 0..items.len() {
        let mut neighbours = items[item].neighbours;
        for neighbour in &mut neighbours {
            *neighbour = neighbour
                .map(|slot| places[slot as usize])
                .filter(|&place| place != NONE && items[place as usize].excluded.is_none());
        }
        items[item].neighbours = neighbours;
    }
}

/// BM25 of every candidate; returns the score that counts as a full match.
fn score_words(
    connection: &Connection,
    resident: &Resident,
    lexicon: &Lexicon,
    text: &str,
    items: &mut [Candidate],
    places: &[u32],
) -> Result<f32, StoreError> {
    let terms = lexicon.terms(&words::query_words(text))?;
    if terms.is_empty() || items.is_empty() {
        return Ok(0.0);
    }
    let mut lengths = vec![0_u32; items.len()];
    let (mut texts, mut total) = (0_u32, 0_u64);
    for (slot, &place) in places.iter().enumerate() {
        if place != NONE {
            let words = resident.slots[slot].facts.words;
            lengths[place as usize] = words;
            if items[place as usize].excluded.is_none() {
                texts += 1;
                total += u64::from(words);
            }
        }
    }
    let population = Population {
        texts,
        average_words: if texts == 0 {
            1.0
        } else {
            total as f32 / texts as f32
        },
    };
    let (mut known, mut unknown) = (0.0, 0.0);
    let mut scores = vec![0.0_f32; items.len()];
    let mut matched = vec![0_u32; items.len()];
    for term in &terms {
        let postings = lexicon.postings(connection, term)?;
        let place_of = |seq: i64| -> Option<usize> {
            let place = places[resident.slot_of(seq)? as usize];
            (place != NONE).then_some(place as usize)
        };
        let found: Vec<(usize, u32)> = postings
            .iter()
            .filter_map(|&(seq, occurrences)| Some((place_of(seq)?, occurrences)))
            .collect();
        let frequency = found
            .iter()
            .filter(|(place, _)| items[*place].excluded.is_none())
            .count() as u32;
        let idf = population.idf(frequency);
        if frequency == 0 {
            unknown += idf;
        } else {
            known += idf;
        }
        for (place, occurrences) in found {
            scores[place] += population.term(idf, occurrences, lengths[place]);
            matched[place] += 1;
        }
    }
    let mut best = 0.0_f32;
    for ((item, &score), &found) in items.iter_mut().zip(&scores).zip(&matched) {
        if score > 0.0 {
            item.bm25 = Some(score);
            item.overlap = found as f32 / terms.len() as f32;
            if item.excluded.is_none() {
                best = best.max(score);
            }
        }
    }
    // A text with the phrase has all its words. Few queries have such a text, and looking for a
    // phrase reads the places of its stop words, which most texts have.
    if best > 0.0 && matched.contains(&(terms.len() as u32)) {
        mark_phrases(connection, resident, text, items, places)?;
    }
    Ok(population.scale(known, unknown, best))
}

fn mark_phrases(
    connection: &Connection,
    resident: &Resident,
    text: &str,
    items: &mut [Candidate],
    places: &[u32],
) -> Result<(), StoreError> {
    for seq in words::phrase_matches(connection, text)? {
        if let Some(slot) = resident.slot_of(seq) {
            let place = places[slot as usize];
            if place != NONE {
                items[place as usize].phrase = true;
            }
        }
    }
    Ok(())
}

/// Residents of the collections that have been searched.
pub(super) type Residents = HashMap<i64, Resident>;
