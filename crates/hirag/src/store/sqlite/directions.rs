//! The vectors of a resident's contexts, by slot: a code of each, and while they are not too many,
//! each in fixed point as well.

use super::codes::{Codes, Tables};
use super::fixed_point;

/// Slots that are compared before anything else is done: enough to pay for the call, few enough to
/// stay in the nearest cache.
const COMPARED_AT_ONCE: usize = 256;

/// Unit vectors of the same number of components.
#[derive(Debug)]
pub(super) struct Directions {
    dimension: usize,
    codes: Codes,
    /// In fixed point, one after the other; zeros where there is no vector. `None` where they would
    /// take too much memory: the database has them.
    held: Option<Vec<i16>>,
    /// How many are held at most.
    held_up_to: usize,
}

impl Directions {
    /// None yet.
    pub(super) fn new(dimension: usize, held_up_to: usize) -> Self {
        Self {
            dimension,
            codes: Codes::new(dimension),
            held: Some(Vec::new()),
            held_up_to,
        }
    }

    /// How many slots there are.
    pub(super) fn len(&self) -> usize {
        self.codes.len()
    }

    /// One more slot, without a vector.
    pub(super) fn push(&mut self) {
        self.codes.push();
        let count = self.len();
        if count > self.held_up_to {
            self.held = None;
        }
        if let Some(held) = &mut self.held {
            held.resize(count * self.dimension, 0);
        }
    }

    /// Puts a vector into a slot. One of another dimension is none.
    pub(super) fn set(&mut self, slot: usize, vector: Option<&[f32]>) {
        let vector = vector.filter(|vector| vector.len() == self.dimension);
        self.codes.set(slot, vector);
        let Some(held) = &mut self.held else {
            return;
        };
        let start = slot * self.dimension;
        let place = &mut held[start..start + self.dimension];
        match vector {
            Some(vector) => {
                for (code, component) in place.iter_mut().zip(vector) {
                    *code = fixed_point::encode(*component);
                }
            }
            None => place.fill(0),
        }
    }

    /// Whether a slot has a vector.
    pub(super) fn has(&self, slot: usize) -> bool {
        self.codes.has(slot)
    }

    /// The vector of a slot in fixed point, if they are held.
    pub(super) fn row(&self, slot: usize) -> Option<&[i16]> {
        let start = slot * self.dimension;
        Some(&self.held.as_ref()?[start..start + self.dimension])
    }

    /// Estimates of the cosines to all slots, in their order; not a number for a slot without a
    /// vector.
    pub(super) fn estimates(&self, unit: &[f32]) -> Vec<f32> {
        let mut found = vec![f32::NAN; self.len()];
        self.codes.estimates(&Tables::new(unit), &mut found);
        found
    }

    /// The vectors in fixed point, if they are held.
    pub(super) fn held(&self) -> Option<Held<'_>> {
        let vectors = self.held.as_deref()?;
        Some(Held { all: self, vectors })
    }
}

/// Vectors in memory.
#[derive(Clone, Copy)]
pub(super) struct Held<'a> {
    all: &'a Directions,
    vectors: &'a [i16],
}

impl Held<'_> {
    /// Cosines of a unit vector in fixed point to the vectors of all slots that `wanted` tells of,
    /// to `found` with the slot. Slots without a vector have none.
    pub(super) fn cosines(
        &self,
        unit: &[i16],
        wanted: impl Fn(usize) -> bool,
        mut found: impl FnMut(usize, f32),
    ) {
        let (slots, dimension) = (self.all.len(), self.all.dimension);
        let mut cosines = [0.0; COMPARED_AT_ONCE];
        let mut next = 0;
        while next < slots {
            if !wanted(next) {
                next += 1;
                continue;
            }
            // Neighbours in memory are compared in one go.
            let last = slots.min(next + COMPARED_AT_ONCE);
            let end = (next + 1..last).find(|&slot| !wanted(slot)).unwrap_or(last);
            let rows = &self.vectors[next * dimension..end * dimension];
            fixed_point::cosines(unit, rows, &mut cosines[..end - next]);
            for (slot, &cosine) in (next..end).zip(&cosines) {
                if self.all.has(slot) {
                    found(slot, cosine);
                }
            }
            next = end;
        }
    }

    /// The cosine to the vector of one slot, which has one.
    pub(super) fn cosine(&self, unit: &[i16], slot: usize) -> f32 {
        let start = slot * self.all.dimension;
        let mut cosine = [0.0];
        let row = &self.vectors[start..start + self.all.dimension];
        fixed_point::cosines(unit, row, &mut cosine);
        cosine[0]
    }
}
