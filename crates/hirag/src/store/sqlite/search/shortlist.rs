//! Candidates of a large store: those whose estimates and words are good enough, and what stands
//! around them.

use std::sync::Arc;

use rusqlite::Connection;

use super::super::resident::Resident;
use super::best::Best;
use super::listed::Listed;
use super::matches::Matches;
use super::{CandidateQuery, READ, exactly};
use crate::context::ContextLevel;
use crate::retrieval::{Candidates, Ranking, Rough, Shortlisting, some};
use crate::store::StoreError;

/// The places, ascending, of the listed contexts that are worth being ranked; `None` for all.
pub(super) fn places(
    resident: &Resident,
    listed: &Listed,
    matches: &Matches,
    estimates: &[f32],
    wanted: &Shortlisting,
) -> Option<Vec<u32>> {
    let count = wanted.count(listed.len(), resident.average_tokens())?;
    let rough = wanted.rough(matches.bound);
    let chosen = best(resident, listed, matches, estimates, wanted, &rough, count);
    let mut all = Vec::with_capacity(chosen.len() * 3);
    for place in chosen {
        all.push(place);
        // A good match lifts the two before and after it in its session.
        for side in 0..2 {
            let next = |slot: u32| some(resident.neighbours[slot as usize][side]);
            let next_to = next(listed.slot(place as usize));
            let around = next_to.into_iter().chain(next_to.and_then(next));
            let around = around.filter_map(|slot| listed.place(slot));
            all.extend(
                around
                    .filter(|&at| listed.is_searched(at))
                    .map(|at| at as u32),
            );
        }
    }
    all.sort_unstable();
    all.dedup();
    Some(all)
}

fn best(
    resident: &Resident,
    listed: &Listed,
    matches: &Matches,
    estimates: &[f32],
    wanted: &Shortlisting,
    rough: &Rough,
    count: usize,
) -> Vec<u32> {
    let facts = &resident.facts;
    let mut best = Best::new(count);
    let mut of_levels = ContextLevel::ALL.map(|_| Best::new(wanted.of_a_level()));
    for place in 0..listed.len() {
        let slot = listed.slot(place) as usize;
        let cosine = estimates.get(slot).copied().unwrap_or(f32::NAN);
        let similarity = rough.similarity(cosine, matches.score(place));
        let of_level = &mut of_levels[facts.levels[slot].index()];
        // Most come to nothing, whatever their facts are.
        if similarity <= 0.0 || rough.most(similarity) <= best.least().min(of_level.least()) {
            continue;
        }
        let score = rough.score(facts, slot, similarity);
        best.offer(score, place as u32);
        of_level.offer(score, place as u32);
    }
    let all = of_levels.into_iter().chain([best]);
    all.flat_map(Best::slots).collect()
}

/// Compares those exactly that matter: all if their vectors are in memory, otherwise the best, and
/// those that were named.
pub(super) fn compare(
    connection: &Connection,
    resident: &Resident,
    collection: i64,
    query: &CandidateQuery,
    unit: &[f32],
    listed: &Listed,
    candidates: &mut Candidates,
) -> Result<(), StoreError> {
    let mut exact = vec![false; candidates.len()];
    let slots: Vec<u32> = if resident.directions.held().is_some() {
        (0..listed.len()).map(|place| listed.slot(place)).collect()
    } else {
        let named = query.named.iter();
        let named = named.filter_map(|id| candidates.facts.ids.iter().position(|one| one == id));
        let mut places: Vec<u32> = named.map(|place| place as u32).collect();
        if let Some(Shortlisting { settings, request }) = &query.shortlist {
            let shared = Arc::new(std::mem::take(candidates));
            let ranking = Ranking::new(&shared, settings, request);
            places.extend(ranking.best(READ));
            drop(ranking);
            *candidates = Arc::unwrap_or_clone(shared);
        }
        places.sort_unstable();
        places.dedup();
        places
            .iter()
            .map(|&place| listed.slot(place as usize))
            .collect()
    };
    exactly::cosines_of(
        connection,
        resident,
        collection,
        unit,
        &slots,
        |slot, cosine| {
            if let Some(place) = listed.place(slot as u32) {
                candidates.cosines[place] = cosine;
                exact[place] = true;
            }
        },
    )?;
    let estimated = candidates.cosines.iter().zip(exact);
    candidates.estimated = estimated
        .map(|(cosine, exact)| !exact && !cosine.is_nan())
        .collect();
    if !candidates.estimated.contains(&true) {
        candidates.estimated = Vec::new();
    }
    Ok(())
}
