//! Which slot holds which row.
//!
//! The rows of a word come in ascending order, thousands at a time. Rows that follow one another
//! stand on one page, so that a page is looked up once for all of them.

use rustc_hash::FxHashMap;

use crate::retrieval::{NONE, some};

/// Rows of one page.
const PAGE: usize = 1_024;

/// Slots by row.
#[derive(Debug, Default)]
pub(super) struct SlotIndex {
    pages: FxHashMap<i64, Page>,
}

#[derive(Debug)]
struct Page {
    slots: Box<[u32; PAGE]>,
    /// How many of them are there.
    used: usize,
}

/// The page of a row, and its place on it.
fn place(seq: i64) -> (i64, usize) {
    let page = seq.div_euclid(PAGE as i64);
    (page, seq.rem_euclid(PAGE as i64) as usize)
}

impl SlotIndex {
    /// The slot of a row.
    pub(super) fn get(&self, seq: i64) -> Option<u32> {
        self.reader().get(seq)
    }

    /// Looks up many rows; fast where they ascend.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader {
            index: self,
            open: None,
        }
    }

    /// Puts a row into a slot; the row has none yet.
    pub(super) fn insert(&mut self, seq: i64, slot: u32) {
        let (number, place) = place(seq);
        let page = self.pages.entry(number).or_insert_with(|| Page {
            slots: Box::new([NONE; PAGE]),
            used: 0,
        });
        page.used += usize::from(page.slots[place] == NONE);
        page.slots[place] = slot;
    }

    /// Takes a row out of its slot.
    pub(super) fn remove(&mut self, seq: i64) -> Option<u32> {
        let (number, place) = place(seq);
        let page = self.pages.get_mut(&number)?;
        let slot = some(std::mem::replace(&mut page.slots[place], NONE))?;
        page.used -= 1;
        if page.used == 0 {
            self.pages.remove(&number);
        }
        Some(slot)
    }
}

/// Looks up one row after the other, with the last one's page at hand.
pub(super) struct Reader<'a> {
    index: &'a SlotIndex,
    open: Option<(i64, &'a [u32; PAGE])>,
}

impl Reader<'_> {
    /// The slot of a row.
    pub(super) fn get(&mut self, seq: i64) -> Option<u32> {
        let (number, place) = place(seq);
        let slots = match self.open {
            Some((open, slots)) if open == number => slots,
            _ => {
                let slots = &*self.index.pages.get(&number)?.slots;
                self.open = Some((number, slots));
                slots
            }
        };
        some(slots[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Rows on few pages, and the ends of what a row number can be.
    fn any_row() -> impl Strategy<Value = i64> {
        prop_oneof![-1_100_i64..3_100, Just(i64::MIN), Just(i64::MAX)]
    }

    proptest! {
        #[test]
        fn it_holds_what_was_put_in_and_not_taken_out(
            steps in prop::collection::vec((any_row(), any::<bool>()), 0..60),
            asked in prop::collection::vec(any_row(), 0..60),
        ) {
            let mut index = SlotIndex::default();
            let mut model = BTreeMap::new();
            for (slot, (seq, put)) in (0_u32..).zip(&steps) {
                if *put {
                    index.insert(*seq, slot);
                    model.insert(*seq, slot);
                } else {
                    prop_assert_eq!(index.remove(*seq), model.remove(seq));
                }
            }
            let mut reader = index.reader();
            for seq in asked.into_iter().chain(steps.iter().map(|(seq, _)| *seq)) {
                prop_assert_eq!(reader.get(seq), model.get(&seq).copied());
            }
            for (seq, slot) in &model {
                prop_assert_eq!(index.remove(*seq), Some(*slot));
            }
            prop_assert!(index.pages.is_empty());
        }
    }
}
