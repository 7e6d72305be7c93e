//! Whether what is in memory is what the database has.

use super::Resident;
use crate::context::ContextId;
use crate::retrieval::some;

impl Resident {
    /// The contexts of which this and `other`, built from the same database, say different things.
    pub(in super::super) fn differences(&self, other: &Self) -> Vec<ContextId> {
        // Estimates of one query tell codes apart: each sign and factor counts in it.
        let probe: Vec<f32> = (0..self.dimension())
            .map(|at| (at as f32 * 0.7 + 1.0).sin())
            .collect();
        let estimates = [self, other].map(|one| one.directions.estimates(&probe));
        let mut wrong: Vec<ContextId> = self
            .seqs()
            .filter(|(seq, _)| other.slot_of(*seq).is_none())
            .map(|(_, slot)| self.facts.ids[slot])
            .collect();
        for (seq, theirs) in other.seqs() {
            let mine = self.slot_of(seq).map(|slot| slot as usize);
            let same = mine.is_some_and(|mine| {
                estimates[0][mine].to_bits() == estimates[1][theirs].to_bits()
                    && self.directions.row(mine) == other.directions.row(theirs)
                    && self.facts.get(mine) == other.facts.get(theirs)
                    && self.words[mine] == other.words[theirs]
                    && self.expires_ms[mine] == other.expires_ms[theirs]
                    && self.around(mine) == other.around(theirs)
            });
            if !same {
                wrong.push(other.facts.ids[theirs]);
            }
        }
        wrong
    }

    /// Rows with their slots.
    fn seqs(&self) -> impl Iterator<Item = (i64, usize)> + '_ {
        let used = |slot: &usize| self.expires_ms[*slot] != super::FREE;
        (0..self.slots())
            .filter(used)
            .map(|slot| (self.seqs[slot], slot))
    }

    /// The rows before and after one in its session.
    fn around(&self, slot: usize) -> [Option<i64>; 2] {
        self.neighbours[slot].map(|near| some(near).map(|near| self.seqs[near as usize]))
    }
}
