//! What every search needs of every context, held in memory: facts and vectors, without texts.
//!
//! It is derived: after each commit the writer reads the changed rows again, and a new process
//! builds it from the database at its first search. It is never the truth.

mod check;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use super::directions::Directions;
use super::slot_index::{self, SlotIndex};
use super::{SearchLimits, contexts, vectors};
use crate::context::ContextId;
use crate::retrieval::{Fact, Facts, NONE, some};
use crate::store::{StoreError, VectorSpec};

/// The expiry of a slot without a context: long before any time.
const FREE: i64 = i64::MIN;

const FACTS: &str = "seq, id, level, agent, session, created_ms, updated_ms, \
     access_count, token_count, word_count, content_hash, source, expires_ms, position";

/// What is read of one context.
#[derive(Debug, Clone)]
struct Row {
    seq: i64,
    fact: Fact,
    words: u32,
    /// `i64::MAX` for never.
    expires_ms: i64,
    position: i64,
    session: Option<SessionKey>,
}

/// A session as far as order in it goes: contexts of another source or agent stand apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct SessionKey {
    session: String,
    agent: Option<String>,
    source: Option<String>,
}

/// All contexts of a collection that are not marked as deleted. A context has a slot, at which each
/// of the columns tells something of it.
#[derive(Debug)]
pub(super) struct Resident {
    /// The collection's name.
    pub(super) name: String,
    /// The vectors that serve.
    pub(super) spec: VectorSpec,
    /// Shared with searches under way: a change that comes meanwhile is made to a copy.
    pub(super) facts: Arc<Facts>,
    pub(super) seqs: Vec<i64>,
    pub(super) words: Vec<u32>,
    /// `i64::MAX` for never; [`FREE`] for a slot that waits to be used again.
    pub(super) expires_ms: Vec<i64>,
    /// Slots before and after it in its session. Shared as well.
    pub(super) neighbours: Arc<Vec<[u32; 2]>>,
    /// Session and place in it.
    places: Vec<(u32, i64)>,
    pub(super) directions: Directions,
    by_seq: SlotIndex,
    free: Vec<u32>,
    session_numbers: HashMap<SessionKey, u32>,
    sessions: Vec<BTreeMap<(i64, i64), u32>>,
}

impl Resident {
    fn empty(name: &str, spec: VectorSpec, limits: &SearchLimits) -> Self {
        Self {
            name: name.to_owned(),
            directions: Directions::new(spec.dimension, limits.hold_up_to),
            spec,
            facts: Arc::default(),
            seqs: Vec::new(),
            words: Vec::new(),
            expires_ms: Vec::new(),
            neighbours: Arc::default(),
            places: Vec::new(),
            by_seq: SlotIndex::default(),
            free: Vec::new(),
            session_numbers: HashMap::new(),
            sessions: Vec::new(),
        }
    }

    /// Reads everything.
    pub(super) fn load(
        connection: &Connection,
        name: &str,
        collection: i64,
        limits: &SearchLimits,
    ) -> Result<Self, StoreError> {
        let transaction = connection.unchecked_transaction()?;
        let set = vectors::active(&transaction, collection)?;
        let mut resident = Self::empty(name, set.spec.clone(), limits);
        {
            let mut statement = transaction.prepare_cached(&format!(
                "SELECT {FACTS} FROM contexts WHERE collection = ?1 AND deleted_ms IS NULL"
            ))?;
            let mut rows = statement.query([collection])?;
            while let Some(row) = rows.next()? {
                resident.put(read(row)?, None);
            }
        }
        vectors::for_all(&transaction, &set, |seq, bytes| {
            if let Some(slot) = resident.by_seq.get(seq) {
                resident
                    .directions
                    .set(slot as usize, Some(&vectors::floats(bytes)));
            }
        })?;
        Ok(resident)
    }

    /// Follows a commit that changed rows.
    pub(super) fn refresh(&mut self, rows: Vec<Fresh>) {
        for Fresh { seq, row } in rows {
            match row {
                Some((row, vector)) => self.put(row, vector.as_deref()),
                None => self.remove(seq),
            }
        }
    }

    /// Follows a commit that counted accesses.
    pub(super) fn count_accesses(&mut self, accesses: &BTreeMap<i64, u64>) {
        if accesses.is_empty() {
            return;
        }
        let counts = &mut Arc::make_mut(&mut self.facts).access_counts;
        for (&seq, &access) in accesses {
            if let Some(slot) = self.by_seq.get(seq) {
                counts[slot as usize] = saturated(access);
            }
        }
    }

    /// The slot of a row.
    pub(super) fn slot_of(&self, seq: i64) -> Option<u32> {
        self.by_seq.get(seq)
    }

    /// How many slots there are, free ones included.
    pub(super) fn slots(&self) -> usize {
        self.facts.len()
    }

    /// How many of them have a context.
    pub(super) fn used(&self) -> usize {
        self.slots() - self.free.len()
    }

    /// Looks up the slots of many rows.
    pub(super) fn slots_of(&self) -> slot_index::Reader<'_> {
        self.by_seq.reader()
    }

    /// Tokens of a context, on average.
    pub(super) fn average_tokens(&self) -> f32 {
        let tokens: u64 = self
            .facts
            .tokens
            .iter()
            .map(|&tokens| u64::from(tokens))
            .sum();
        tokens as f32 / self.slots().max(1) as f32
    }

    pub(super) fn dimension(&self) -> usize {
        self.spec.dimension
    }

    fn put(&mut self, row: Row, vector: Option<&[f32]>) {
        self.remove(row.seq);
        let number = row.session.map_or(NONE, |key| self.session_number(key));
        let slot = match self.free.pop() {
            Some(slot) => {
                Arc::make_mut(&mut self.facts).set(slot as usize, &row.fact);
                slot
            }
            None => {
                Arc::make_mut(&mut self.facts).push(&row.fact);
                self.seqs.push(0);
                self.words.push(0);
                self.expires_ms.push(FREE);
                Arc::make_mut(&mut self.neighbours).push([NONE; 2]);
                self.places.push((NONE, 0));
                self.directions.push();
                (self.slots() - 1) as u32
            }
        };
        let index = slot as usize;
        self.seqs[index] = row.seq;
        self.words[index] = row.words;
        self.expires_ms[index] = row.expires_ms;
        self.places[index] = (number, row.position);
        self.by_seq.insert(row.seq, slot);
        self.directions.set(index, vector);
        if number != NONE {
            let place = (row.position, row.seq);
            let session = &mut self.sessions[number as usize];
            let before = session.range(..place).next_back().map(|(_, &slot)| slot);
            let after = session.range(place..).next().map(|(_, &slot)| slot);
            session.insert(place, slot);
            self.link(before, Some(slot));
            self.link(Some(slot), after);
        }
    }

    fn remove(&mut self, seq: i64) {
        let Some(slot) = self.by_seq.remove(seq) else {
            return;
        };
        let index = slot as usize;
        let [before, after] = self.neighbours[index].map(some);
        self.link(before, after);
        let neighbours = Arc::make_mut(&mut self.neighbours);
        if before.is_none()
            && let Some(after) = after
        {
            neighbours[after as usize][0] = NONE;
        }
        if after.is_none()
            && let Some(before) = before
        {
            neighbours[before as usize][1] = NONE;
        }
        neighbours[index] = [NONE; 2];
        let (number, position) = self.places[index];
        if number != NONE {
            self.sessions[number as usize].remove(&(position, seq));
        }
        self.expires_ms[index] = FREE;
        self.directions.set(index, None);
        self.free.push(slot);
    }

    fn link(&mut self, before: Option<u32>, after: Option<u32>) {
        if let (Some(before), Some(after)) = (before, after) {
            let neighbours = Arc::make_mut(&mut self.neighbours);
            neighbours[before as usize][1] = after;
            neighbours[after as usize][0] = before;
        }
    }

    fn session_number(&mut self, key: SessionKey) -> u32 {
        let next = self.sessions.len() as u32;
        let number = *self.session_numbers.entry(key).or_insert(next);
        if number == next {
            self.sessions.push(BTreeMap::new());
        }
        number
    }
}

/// A row that a commit changed, as it is now.
pub(super) struct Fresh {
    seq: i64,
    /// `None` when it is not there, marked as deleted, or in another collection.
    row: Option<(Row, Option<Vec<f32>>)>,
}

/// Reads rows of a collection again.
pub(super) fn fresh(
    connection: &Connection,
    collection: i64,
    rows: &BTreeSet<i64>,
) -> Result<Vec<Fresh>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let set = vectors::active(connection, collection)?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {FACTS} FROM contexts WHERE seq = ?1 AND collection = ?2 AND deleted_ms IS NULL"
    ))?;
    rows.iter()
        .map(|&seq| {
            let row = statement.query_row([seq, collection], read).optional()?;
            let row = match row {
                Some(row) => Some((row, vectors::get(connection, &set, seq)?)),
                None => None,
            };
            Ok(Fresh { seq, row })
        })
        .collect()
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let hash: [u8; 32] = row.get(10)?;
    let mut key = [0; 8];
    key.copy_from_slice(&hash[..8]);
    let level: u8 = row.get(2)?;
    let fact = Fact {
        id: ContextId::from_bytes(row.get(1)?),
        level: contexts::level_of(2, level)?,
        created_ms: row.get(5)?,
        updated_ms: row.get(6)?,
        access_count: saturated(row.get::<_, i64>(7)?.unsigned_abs()),
        tokens: row.get(8)?,
        text_key: u64::from_be_bytes(key),
    };
    let session: Option<String> = row.get(4)?;
    let session = match session {
        Some(session) => Some(SessionKey {
            session,
            agent: row.get(3)?,
            source: row.get(11)?,
        }),
        None => None,
    };
    Ok(Row {
        seq: row.get(0)?,
        fact,
        words: row.get(9)?,
        expires_ms: row.get::<_, Option<i64>>(12)?.unwrap_or(i64::MAX),
        position: row.get(13)?,
        session,
    })
}

/// Frequency stops growing long before.
fn saturated(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::ContextLevel;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn neighbours_always_follow_the_order_in_the_session(
            steps in proptest::collection::vec((0_i64..20, 0_i64..12, any::<bool>()), 1..60),
        ) {
            let spec = VectorSpec { model: String::new(), dimension: 2 };
            let mut resident = Resident::empty("", spec, &SearchLimits::default());
            let mut model: BTreeMap<(i64, i64), ()> = BTreeMap::new();
            for (seq, position, keep) in steps {
                model.retain(|(_, known), ()| *known != seq);
                resident.remove(seq);
                if keep {
                    resident.put(row(seq, position), Some(&[1.0, 0.0]));
                    model.insert((position, seq), ());
                }
                let order: Vec<i64> = model.keys().map(|(_, seq)| *seq).collect();
                for (place, seq) in order.iter().enumerate() {
                    let slot = resident.slot_of(*seq).unwrap();
                    let found = resident.neighbours[slot as usize]
                        .map(|n| some(n).map(|n| resident.seqs[n as usize]));
                    let before = place.checked_sub(1).map(|p| order[p]);
                    prop_assert_eq!(found, [before, order.get(place + 1).copied()]);
                }
            }
        }
    }

    fn row(seq: i64, position: i64) -> Row {
        Row {
            seq,
            fact: Fact {
                id: ContextId::from_bytes([0; 16]),
                level: ContextLevel::LongTerm,
                tokens: 1,
                created_ms: 0,
                updated_ms: 0,
                access_count: 0,
                text_key: 0,
            },
            words: 1,
            expires_ms: i64::MAX,
            position,
            session: Some(SessionKey {
                session: "s".into(),
                agent: None,
                source: None,
            }),
        }
    }
}
