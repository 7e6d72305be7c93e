//! Many vectors read past sqlite-vec, which looks up each by itself: all of a set in a sixth of the
//! time.
//!
//! sqlite-vec keeps the vectors of several contexts in one row, with their row numbers and a bit for
//! each place that is taken in another table. Tests compare what is read here with what it gives.

use rusqlite::blob::Blob;
use rusqlite::{CachedStatement, Connection, MAIN_DB, OptionalExtension};

use super::VectorSet;
use crate::store::StoreError;

/// Calls `visit` for every vector of the set, in no particular order.
pub(in super::super) fn for_all(
    connection: &Connection,
    set: &VectorSet,
    mut visit: impl FnMut(i64, &[u8]),
) -> Result<(), StoreError> {
    let width = set.width();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT k.validity, k.rowids, v.vectors FROM {}_chunks k JOIN {} v ON v._rowid_ = k.chunk_id",
        set.table(),
        set.chunks_table()
    ))?;
    let mut chunks = statement.query([])?;
    while let Some(chunk) = chunks.next()? {
        let bytes = |column| -> Result<&[u8], StoreError> {
            let value = chunk.get_ref(column)?;
            Ok(value.as_blob().map_err(rusqlite::Error::from)?)
        };
        let (taken, rows, vectors) = (bytes(0)?, bytes(1)?, bytes(2)?);
        let places = rows.chunks_exact(size_of::<i64>());
        for (place, (row, vector)) in places.zip(vectors.chunks_exact(width)).enumerate() {
            if taken[place / 8] >> (place % 8) & 1 == 1 {
                visit(bytemuck::pod_read_unaligned(row), vector);
            }
        }
    }
    Ok(())
}

/// Reads some vectors of a set, in a transaction of the connection: what is looked up first must be
/// true of what is read then.
pub(in super::super) struct Reader<'a> {
    connection: &'a Connection,
    set: &'a VectorSet,
    places: CachedStatement<'a>,
    /// The row that was read last.
    chunk: Option<Blob<'a>>,
    vector: Vec<f32>,
}

impl<'a> Reader<'a> {
    /// Reads from `set`.
    pub(in super::super) fn new(
        connection: &'a Connection,
        set: &'a VectorSet,
    ) -> Result<Self, StoreError> {
        let places = connection.prepare_cached(&format!(
            "SELECT chunk_id, chunk_offset FROM {} WHERE rowid = ?1",
            set.rows_table()
        ))?;
        Ok(Self {
            connection,
            set,
            places,
            chunk: None,
            vector: vec![0.0; set.spec.dimension],
        })
    }

    /// The vector of a context.
    pub(in super::super) fn get(&mut self, seq: i64) -> Result<Option<&[f32]>, StoreError> {
        let place = self
            .places
            .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((chunk, offset)): Option<(i64, u32)> = place else {
            return Ok(None);
        };
        let blob = match self.chunk.take() {
            Some(mut blob) => {
                blob.reopen(chunk)?;
                blob
            }
            None => {
                let table = self.set.chunks_table();
                let connection = self.connection;
                connection.blob_open(MAIN_DB, table.as_str(), "vectors", chunk, true)?
            }
        };
        let bytes = bytemuck::cast_slice_mut(&mut self.vector);
        blob.read_at_exact(bytes, offset as usize * self.set.width())?;
        self.chunk = Some(blob);
        Ok(Some(&self.vector))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{create, for_each, get, insert, remove};
    use super::*;
    use crate::store::VectorSpec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// A set as it is made today, or with as many vectors in a row as an earlier version put there.
    fn set(connection: &Connection, long: bool) -> VectorSet {
        let spec = VectorSpec {
            model: "m".to_owned(),
            dimension: 4,
        };
        let tables = "CREATE TABLE vector_sets (id INTEGER PRIMARY KEY, collection, model, dimension, active, created_ms)";
        connection.execute_batch(tables).unwrap();
        let set = create(connection, 1, &spec, true, 0).unwrap();
        if long {
            let table = set.table();
            connection
                .execute_batch(&format!(
                    "DROP TABLE {table}; CREATE VIRTUAL TABLE {table} USING vec0 (embedding float[4] distance_metric=cosine)"
                ))
                .unwrap();
        }
        set
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn what_is_read_is_what_sqlite_vec_gives(
            long in any::<bool>(),
            steps in prop::collection::vec((1_i64..60, prop::option::weighted(0.7, 1_u8..100)), 1..120),
        ) {
            crate::store::sqlite::register_vector_functions();
            let connection = Connection::open_in_memory().unwrap();
            let set = set(&connection, long);
            for (seq, value) in steps {
                remove(&connection, &set, seq).unwrap();
                if let Some(value) = value {
                    insert(&connection, &set, seq, &[f32::from(value), 0.0, 0.0, seq as f32]).unwrap();
                }
            }
            let mut wanted = BTreeMap::new();
            for_each(&connection, &set, |seq, bytes| drop(wanted.insert(seq, bytes.to_vec()))).unwrap();
            let mut found = BTreeMap::new();
            for_all(&connection, &set, |seq, bytes| drop(found.insert(seq, bytes.to_vec()))).unwrap();
            prop_assert_eq!(&found, &wanted);
            let mut reader = Reader::new(&connection, &set).unwrap();
            for seq in (0..61).rev() {
                let found = reader.get(seq).unwrap().map(<[f32]>::to_vec);
                prop_assert_eq!(found, get(&connection, &set, seq).unwrap());
            }
        }
    }
}
