//! The best contexts by cosine alone.

use std::cmp::Ordering;

use rusqlite::Connection;

use super::super::resident::Resident;
use super::super::vectors;
use super::best::Best;
use super::{SearchLimits, allowed, exactly};
use crate::store::{Hit, StoreError, VectorQuery};

/// Cosines in fixed point that differ by less may stand in either order: some hundred times the
/// usual rounding.
const CLOSE: f32 = 0.001;

/// Contexts that are compared exactly for each that is asked for, and at least, where the others are
/// estimated: 0.99 of the ten best of 100,000 and of 400,000 are among them in the hardest of the mixtures
/// that decision 6 tells of.
const COMPARED_FOR_EACH: usize = 20;
const COMPARED_AT_LEAST: usize = 400;

/// How many are compared exactly, for so many that are asked for.
pub(super) fn compared_for(limit: usize) -> usize {
    limit
        .saturating_mul(COMPARED_FOR_EACH)
        .max(COMPARED_AT_LEAST)
}

/// The best contexts by cosine.
pub(in super::super) fn by_vector(
    connection: &Connection,
    resident: &Resident,
    collection: i64,
    limits: &SearchLimits,
    query: &VectorQuery,
    unit: &[f32],
    now_ms: i64,
) -> Result<Vec<Hit>, StoreError> {
    let passes = allowed(connection, resident, collection, &query.filter)?;
    let searched = |slot: usize| {
        resident.expires_ms[slot] > now_ms && passes.as_ref().is_none_or(|passes| passes[slot])
    };
    let mut near: Vec<(f32, u32)> = Vec::new();
    let least = query.score_threshold.map(|least| least - CLOSE);
    let found = |slot: usize, cosine: f32| {
        if least.is_none_or(|least| cosine >= least) {
            near.push((cosine, slot as u32));
        }
    };
    match promising(resident, limits, query.limit, unit, &passes, searched) {
        Some(slots) => {
            exactly::cosines_of(connection, resident, collection, unit, &slots, found)?;
        }
        None => exactly::cosines(connection, resident, collection, unit, searched, found)?,
    }
    let near = nearest(near, query.limit);
    // The exact vectors decide the order and the score that is told.
    let transaction = connection.unchecked_transaction()?;
    let set = vectors::active(&transaction, collection)?;
    let mut reader = vectors::Reader::new(&transaction, &set)?;
    let mut hits = Vec::with_capacity(near.len());
    for (_, slot) in near {
        let slot = slot as usize;
        let Some(vector) = reader.get(resident.seqs[slot])? else {
            continue;
        };
        let score = exactly::cosine(unit, vector);
        if query.score_threshold.is_none_or(|least| score >= least) {
            let id = resident.facts.ids[slot];
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

/// The slots among which the nearest are, by the codes; `None` where to compare all exactly is as
/// good.
fn promising(
    resident: &Resident,
    limits: &SearchLimits,
    limit: usize,
    unit: &[f32],
    passes: &Option<Vec<bool>>,
    searched: impl Fn(usize) -> bool,
) -> Option<Vec<u32>> {
    let slots = resident.slots();
    let count = compared_for(limit);
    if slots <= limits.compare_all_up_to || count >= slots / 2 {
        return None;
    }
    // A narrow filter leaves so few that all of them are compared.
    if let Some(passes) = passes {
        let mut all = (0..slots)
            .filter(|&slot| passes[slot])
            .map(|slot| slot as u32);
        let few: Vec<u32> = all.by_ref().take(count).collect();
        if all.next().is_none() {
            let searched = few.into_iter().filter(|&slot| searched(slot as usize));
            return Some(searched.collect());
        }
    }
    let estimates = resident.directions.estimates(unit);
    let mut best = Best::new(count);
    for (slot, &estimate) in estimates.iter().enumerate() {
        if estimate > best.least() && searched(slot) {
            best.offer(estimate, slot as u32);
        }
    }
    Some(best.slots())
}

/// The `limit` best, and those that come so close that only the exact vectors tell.
fn nearest(mut near: Vec<(f32, u32)>, limit: usize) -> Vec<(f32, u32)> {
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
