//! Which contexts become candidates, and their places among them.

use std::borrow::Cow;
use std::sync::Arc;

use rusqlite::Connection;
use rustc_hash::FxHashMap;

use super::super::resident::Resident;
use super::{CandidateQuery, allowed, exactly};
use crate::retrieval::{Exclusion, Facts, NONE, some};
use crate::store::StoreError;

/// The contexts that a query lists, in the order of their slots.
pub(super) struct Listed {
    count: usize,
    /// `None` where all slots are listed: place and slot are the same then.
    part: Option<Part>,
    /// Why a context is outside of the search, by place; empty where all are inside.
    pub(super) excluded: Vec<Option<Exclusion>>,
    /// When the first context of the collection expires that has not.
    pub(super) until_ms: Option<i64>,
}

/// Some of the slots.
struct Part {
    places: Places,
    /// Slots, by place.
    slots: Vec<u32>,
}

/// Places among the candidates, by slot.
enum Places {
    /// Of most slots; [`NONE`] for what is not listed.
    Most(Vec<u32>),
    /// Of a few.
    Few(FxHashMap<u32, u32>),
}

impl Places {
    fn get(&self, slot: u32) -> Option<u32> {
        match self {
            Self::Most(places) => some(places[slot as usize]),
            Self::Few(places) => places.get(&slot).copied(),
        }
    }
}

impl Listed {
    /// Lists what is not expired, and inside of levels and filter; with
    /// [`CandidateQuery::everything`] also what these exclude.
    pub(super) fn new(
        connection: &Connection,
        resident: &Resident,
        collection: i64,
        query: &CandidateQuery,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let passes = allowed(connection, resident, collection, &query.filter)?;
        let expires = &resident.expires_ms;
        let until_ms = expires.iter().copied().filter(|&at| at > now_ms).min();
        let until_ms = until_ms.filter(|&at| at != i64::MAX);
        let unbounded = passes.is_none() && query.levels.is_empty();
        if unbounded && expires.iter().all(|expires_ms| *expires_ms > now_ms) {
            return Ok(Self {
                count: resident.slots(),
                part: None,
                excluded: Vec::new(),
                until_ms,
            });
        }
        let mut excluded = Vec::new();
        let mut places = vec![NONE; resident.slots()];
        let mut slots = Vec::with_capacity(resident.slots());
        for slot in 0..resident.slots() {
            if expires[slot] <= now_ms {
                continue;
            }
            let level = &resident.facts.levels[slot];
            let why = if passes.as_ref().is_some_and(|passes| !passes[slot]) {
                Some(Exclusion::Filter)
            } else if !query.levels.is_empty() && !query.levels.contains(level) {
                Some(Exclusion::Level)
            } else {
                None
            };
            if why.is_some() {
                if !query.everything {
                    continue;
                }
                excluded.resize(slots.len(), None);
                excluded.push(why);
            }
            places[slot] = slots.len() as u32;
            slots.push(slot as u32);
        }
        if !excluded.is_empty() {
            excluded.resize(slots.len(), None);
        }
        Ok(Self {
            count: slots.len(),
            part: Some(Part {
                places: Places::Most(places),
                slots,
            }),
            excluded,
            until_ms,
        })
    }

    /// Only those at some places, ascending.
    pub(super) fn only(&self, places: &[u32]) -> Self {
        let slots: Vec<u32> = places.iter().map(|&at| self.slot(at as usize)).collect();
        let excluded = match self.excluded.is_empty() {
            true => Vec::new(),
            false => places
                .iter()
                .map(|&at| self.excluded[at as usize])
                .collect(),
        };
        Self {
            count: slots.len(),
            part: Some(Part {
                places: Places::Few(slots.iter().copied().zip(0..).collect()),
                slots,
            }),
            excluded,
            until_ms: self.until_ms,
        }
    }

    /// How many contexts are listed.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The place of a slot, if it is listed.
    pub(super) fn place(&self, slot: u32) -> Option<usize> {
        let place = match &self.part {
            Some(part) => part.places.get(slot)?,
            None => slot,
        };
        Some(place as usize)
    }

    /// The slot at a place.
    pub(super) fn slot(&self, place: usize) -> u32 {
        match &self.part {
            Some(part) => part.slots[place],
            None => place as u32,
        }
    }

    /// How many of them are inside of the search.
    pub(super) fn searched(&self) -> usize {
        self.count - self.excluded.iter().flatten().count()
    }

    /// Whether a context is inside of the search.
    pub(super) fn is_searched(&self, place: usize) -> bool {
        !matches!(self.excluded.get(place), Some(Some(_)))
    }

    /// What a column says of the listed contexts, by place.
    pub(super) fn of<'a, T: Copy>(&self, column: &'a [T]) -> Cow<'a, [T]> {
        match &self.part {
            Some(part) => part
                .slots
                .iter()
                .map(|&slot| column[slot as usize])
                .collect(),
            None => Cow::Borrowed(column),
        }
    }

    /// Facts and neighbours, by place. What is outside of the search is no neighbour.
    pub(super) fn facts(&self, resident: &Resident) -> (Arc<Facts>, Arc<Vec<[u32; 2]>>) {
        let Some(part) = &self.part else {
            return (
                Arc::clone(&resident.facts),
                Arc::clone(&resident.neighbours),
            );
        };
        let searched = |slot: u32| {
            let place = self.place(slot)?;
            self.is_searched(place).then_some(place as u32)
        };
        let near = part.slots.iter().map(|&slot| {
            let near = resident.neighbours[slot as usize];
            near.map(|near| some(near).and_then(searched).unwrap_or(NONE))
        });
        let facts = resident.facts.at(&part.slots);
        (Arc::new(facts), Arc::new(near.collect()))
    }

    /// Cosines to a unit vector, by place; not a number for one without a vector.
    pub(super) fn cosines(
        &self,
        connection: &Connection,
        resident: &Resident,
        collection: i64,
        unit: &[f32],
    ) -> Result<Vec<f32>, StoreError> {
        let mut cosines = vec![f32::NAN; self.count];
        let found = |slot: usize, cosine: f32| {
            if let Some(place) = self.place(slot as u32) {
                cosines[place] = cosine;
            }
        };
        match &self.part {
            Some(part) if resident.directions.held().is_none() => {
                exactly::cosines_of(connection, resident, collection, unit, &part.slots, found)?;
            }
            _ => {
                let wanted = |slot: usize| self.place(slot as u32).is_some();
                exactly::cosines(connection, resident, collection, unit, wanted, found)?;
            }
        }
        Ok(cosines)
    }
}
