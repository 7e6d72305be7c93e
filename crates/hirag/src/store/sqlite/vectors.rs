//! Vector sets and their sqlite-vec tables: `vectors_N` holds set N, one row a context.

mod reading;

use rusqlite::{Connection, OptionalExtension, params};

pub(super) use self::reading::{Reader, for_all};
use crate::store::{StoreError, VectorSpec};

/// The vectors of one model in a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VectorSet {
    pub(super) id: i64,
    pub(super) spec: VectorSpec,
    pub(super) active: bool,
}

impl VectorSet {
    fn table(&self) -> String {
        format!("vectors_{}", self.id)
    }

    /// The table that sqlite-vec keeps beside, one row a vector: counted and joined quickly.
    pub(super) fn rows_table(&self) -> String {
        format!("{}_rowids", self.table())
    }

    /// The table in which sqlite-vec keeps the vectors, [`CHUNK`] in one row, or 1,024 in a set that
    /// an earlier version made.
    fn chunks_table(&self) -> String {
        format!("{}_vector_chunks00", self.table())
    }

    /// Bytes of one vector.
    fn width(&self) -> usize {
        self.spec.dimension * size_of::<f32>()
    }

    /// The SQL condition on a row of `contexts` that it has no vector here.
    pub(super) fn lacks_row(&self) -> String {
        format!(
            "NOT EXISTS (SELECT 1 FROM {} v WHERE v.rowid = contexts.seq)",
            self.rows_table()
        )
    }
}

/// Vectors that stand in one row of sqlite-vec's table. SQLite finds a place in a row by following the
/// row's pages from the first: in rows of 1,024 vectors, sqlite-vec's own number, one vector of 384
/// components takes 350 µs to read; in rows of 16, 18 µs, for 1.3 % more on the disk.
const CHUNK: usize = 16;

/// All sets of a collection, the active one first.
pub(super) fn sets(connection: &Connection, collection: i64) -> Result<Vec<VectorSet>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, model, dimension, active FROM vector_sets WHERE collection = ?1
         ORDER BY active DESC, id",
    )?;
    let rows = statement.query_map([collection], |row| {
        Ok(VectorSet {
            id: row.get(0)?,
            spec: VectorSpec {
                model: row.get(1)?,
                dimension: row.get::<_, u32>(2)? as usize,
            },
            active: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The set that serves.
pub(super) fn active(connection: &Connection, collection: i64) -> Result<VectorSet, StoreError> {
    sets(connection, collection)?
        .into_iter()
        .find(|set| set.active)
        .ok_or_else(|| StoreError::Internal("the collection has no active vectors".to_owned()))
}

/// Makes an empty set.
pub(super) fn create(
    connection: &Connection,
    collection: i64,
    spec: &VectorSpec,
    active: bool,
    now_ms: i64,
) -> Result<VectorSet, StoreError> {
    let dimension = u32::try_from(spec.dimension)
        .map_err(|_| StoreError::Internal("the dimension is too large".to_owned()))?;
    let id = connection
        .prepare_cached(
            "INSERT INTO vector_sets (collection, model, dimension, active, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .insert(params![collection, spec.model, dimension, active, now_ms])?;
    let set = VectorSet {
        id,
        spec: spec.clone(),
        active,
    };
    connection.execute_batch(&format!(
        "CREATE VIRTUAL TABLE {} USING vec0 (
             embedding float[{dimension}] distance_metric=cosine, chunk_size={CHUNK}
         )",
        set.table()
    ))?;
    Ok(set)
}

/// Removes a set with all its vectors.
pub(super) fn drop_set(connection: &Connection, set: &VectorSet) -> Result<(), StoreError> {
    connection.execute_batch(&format!("DROP TABLE {}", set.table()))?;
    connection.execute("DELETE FROM vector_sets WHERE id = ?1", [set.id])?;
    Ok(())
}

/// Refuses what is no direction in the set's space, and brings the rest to length 1.
pub(super) fn normalised(set: &VectorSet, vector: &[f32]) -> Result<Vec<f32>, StoreError> {
    let bad = |reason: String| StoreError::BadVector {
        collection: set.spec.to_string(),
        reason,
    };
    if vector.len() != set.spec.dimension {
        return Err(bad(format!(
            "it has {} dimensions, not {}",
            vector.len(),
            set.spec.dimension
        )));
    }
    if let Some(index) = vector.iter().position(|x| !x.is_finite()) {
        return Err(bad(format!("component {index} is {}", vector[index])));
    }
    let norm = vector
        .iter()
        .map(|x| f64::from(*x) * f64::from(*x))
        .sum::<f64>()
        .sqrt();
    if norm < f64::from(f32::MIN_POSITIVE) {
        return Err(bad("its length is zero".to_owned()));
    }
    Ok(vector
        .iter()
        .map(|x| (f64::from(*x) / norm) as f32)
        .collect())
}

/// Stores the vector of a context; it must be normalised.
pub(super) fn insert(
    connection: &Connection,
    set: &VectorSet,
    seq: i64,
    vector: &[f32],
) -> Result<(), StoreError> {
    connection
        .prepare_cached(&format!(
            "INSERT INTO {} (rowid, embedding) VALUES (?1, ?2)",
            set.table()
        ))?
        .execute(params![seq, bytemuck::cast_slice::<f32, u8>(vector)])?;
    Ok(())
}

/// Removes the vector of a context, if it has one.
pub(super) fn remove(connection: &Connection, set: &VectorSet, seq: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(&format!("DELETE FROM {} WHERE rowid = ?1", set.table()))?
        .execute([seq])?;
    Ok(())
}

/// The vector of a context.
pub(super) fn get(
    connection: &Connection,
    set: &VectorSet,
    seq: i64,
) -> Result<Option<Vec<f32>>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT embedding FROM {} WHERE rowid = ?1",
        set.table()
    ))?;
    let bytes: Option<Vec<u8>> = statement.query_row([seq], |row| row.get(0)).optional()?;
    Ok(bytes.map(|bytes| floats(&bytes)))
}

/// Calls `visit` for every vector of the set, as sqlite-vec gives them.
pub(super) fn for_each(
    connection: &Connection,
    set: &VectorSet,
    mut visit: impl FnMut(i64, &[u8]),
) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT rowid, embedding FROM {}", set.table()))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        visit(row.get(0)?, bytes);
    }
    Ok(())
}

/// How many vectors the set has.
pub(super) fn count(connection: &Connection, set: &VectorSet) -> Result<u64, StoreError> {
    Ok(connection
        .prepare_cached(&format!("SELECT count(*) FROM {}", set.rows_table()))?
        .query_row([], |row| row.get::<_, i64>(0))?
        .unsigned_abs())
}

/// Components from their bytes, as sqlite-vec stores them (native order).
pub(super) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .chunks_exact(4)
        .map(|c| f32::from_ne_bytes([c[0], c[1], c[2], c[3]]))
        .collect()
}
