//! Exact cosines: from memory while the vectors are held there, from the database otherwise.

use rusqlite::Connection;

use super::super::resident::Resident;
use super::super::{fixed_point, vectors};
use crate::store::StoreError;

/// One vector looked up by itself costs what this many cost that are read one after the other.
const LOOKED_UP: usize = 16;

/// Cosines of a unit vector to the vectors of all slots that `wanted` tells of, to `found` with the
/// slot. Slots without a vector have none.
pub(super) fn cosines(
    connection: &Connection,
    resident: &Resident,
    collection: i64,
    unit: &[f32],
    wanted: impl Fn(usize) -> bool,
    mut found: impl FnMut(usize, f32),
) -> Result<(), StoreError> {
    if let Some(held) = resident.directions.held() {
        held.cosines(&fixed_point::encoded(unit), wanted, found);
        return Ok(());
    }
    let set = vectors::active(connection, collection)?;
    let mut slots = resident.slots_of();
    let mut vector = vec![0.0; unit.len()];
    vectors::for_all(connection, &set, |seq, bytes| {
        let slot = slots.get(seq).map(|slot| slot as usize);
        if let Some(slot) = slot.filter(|&slot| wanted(slot)) {
            bytemuck::cast_slice_mut(&mut vector).copy_from_slice(bytes);
            found(slot, cosine(unit, &vector));
        }
    })
}

/// The same for some slots, each once.
pub(super) fn cosines_of(
    connection: &Connection,
    resident: &Resident,
    collection: i64,
    unit: &[f32],
    slots: &[u32],
    mut found: impl FnMut(usize, f32),
) -> Result<(), StoreError> {
    let present = slots
        .iter()
        .map(|&slot| slot as usize)
        .filter(|&slot| resident.directions.has(slot));
    if let Some(held) = resident.directions.held() {
        let unit = fixed_point::encoded(unit);
        present.for_each(|slot| found(slot, held.cosine(&unit, slot)));
        return Ok(());
    }
    if slots.len() > resident.slots() / LOOKED_UP {
        let mut wanted = vec![false; resident.slots()];
        present.for_each(|slot| wanted[slot] = true);
        return cosines(
            connection,
            resident,
            collection,
            unit,
            |slot| wanted[slot],
            found,
        );
    }
    // What tells where a vector stands must be of the same moment as what stands there.
    let transaction = connection.unchecked_transaction()?;
    let set = vectors::active(&transaction, collection)?;
    let mut reader = vectors::Reader::new(&transaction, &set)?;
    for slot in present {
        // A context that was removed a moment ago has none any more.
        if let Some(vector) = reader.get(resident.seqs[slot])? {
            found(slot, cosine(unit, vector));
        }
    }
    Ok(())
}

/// The cosine of two unit vectors.
pub(super) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let sum: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum();
    (sum as f32).clamp(-1.0, 1.0)
}
