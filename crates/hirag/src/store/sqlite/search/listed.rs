//! Which contexts become candidates, and their places among them.

use rusqlite::Connection;

use super::super::resident::{NONE, Resident};
use super::{CandidateQuery, allowed};
use crate::retrieval::Exclusion;
use crate::store::StoreError;

/// The contexts that a query lists, in the order of their slots.
pub(super) struct Listed {
    /// Places among the candidates, by slot; [`NONE`] for what is not listed.
    places: Vec<u32>,
    /// Slots, by place.
    slots: Vec<u32>,
    /// Why a context is outside of the search, by place; empty where all are inside.
    excluded: Vec<Option<Exclusion>>,
}

impl Listed {
    /// Lists what is live, not expired, and inside of levels and filter; with
    /// [`CandidateQuery::everything`] also what these exclude.
    pub(super) fn new(
        connection: &Connection,
        resident: &Resident,
        collection: i64,
        query: &CandidateQuery,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let passes = allowed(connection, resident, collection, &query.filter)?;
        let mut listed = Self {
            places: vec![NONE; resident.slots.len()],
            slots: Vec::with_capacity(resident.slots.len()),
            excluded: Vec::new(),
        };
        for (index, slot) in resident.slots.iter().enumerate() {
            if !slot.live || slot.facts.expires_ms <= now_ms {
                continue;
            }
            let excluded = if passes.as_ref().is_some_and(|passes| !passes[index]) {
                Some(Exclusion::Filter)
            } else if !query.levels.is_empty() && !query.levels.contains(&slot.facts.level) {
                Some(Exclusion::Level)
            } else {
                None
            };
            if excluded.is_some() {
                if !query.everything {
                    continue;
                }
                listed.excluded.resize(listed.slots.len(), None);
                listed.excluded.push(excluded);
            }
            listed.places[index] = listed.slots.len() as u32;
            listed.slots.push(index as u32);
        }
        Ok(listed)
    }

    /// How many contexts are listed.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn contains(&self, slot: usize) -> bool {
        self.places[slot] != NONE
    }

    /// Place, slot and exclusion of all.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize, Option<Exclusion>)> + '_ {
        let slots = self.slots.iter().enumerate();
        slots.map(|(place, &slot)| (place, slot as usize, self.excluded(place)))
    }

    /// The place of a slot, if it is listed.
    pub(super) fn place(&self, slot: u32) -> Option<usize> {
        let place = self.places[slot as usize];
        (place != NONE).then_some(place as usize)
    }

    /// The place of a slot, if it is inside of the search: what is outside lends nothing.
    pub(super) fn searched_place(&self, slot: u32) -> Option<u32> {
        let place = self.place(slot)?;
        self.is_searched(place).then_some(place as u32)
    }

    pub(super) fn is_searched(&self, place: usize) -> bool {
        self.excluded(place).is_none()
    }

    fn excluded(&self, place: usize) -> Option<Exclusion> {
        self.excluded.get(place).copied().flatten()
    }
}
