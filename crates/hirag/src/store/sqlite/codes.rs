//! One bit a component: what a search of a large store compares a query with first.
//!
//! A code has the signs of a unit vector's components, and one factor that makes the estimate of a
//! cosine right on average (Gao and Long, *RaBitQ*, 2024): with the signs `s` of a vector `x`, the
//! product with any `q` is near to `<s, q>·|x|²/<s, x>`. The query keeps its components, so that
//! only one of the two sides is rounded. For 384 components an estimate is off by about 0.04; that is
//! enough to tell which contexts are worth an exact comparison, and it reads 52 bytes a context.
//!
//! Codes of 32 rows are interleaved, byte by byte: a block is what the processor compares at once.

mod scan;
mod tables;

use std::ops::Range;

pub(super) use self::tables::Tables;

/// Rows that are compared at once.
const BLOCK: usize = 32;
/// Rows from which on a comparison is shared between two threads: below, to start one takes longer
/// than it helps.
const SHARED_FROM: usize = 1 << 17;

/// Codes of many vectors, by row.
#[derive(Debug, Clone, Default)]
pub(super) struct Codes {
    /// Bytes of one code.
    width: usize,
    /// Blocks one after the other; the last may have rows that are not used.
    blocks: Vec<u8>,
    /// What brings a product of signs to a cosine, by row; not a number where there is no vector.
    factors: Vec<f32>,
}

impl Codes {
    /// No codes yet, of vectors of `dimension` components.
    pub(super) fn new(dimension: usize) -> Self {
        Self {
            width: dimension.div_ceil(8),
            ..Self::default()
        }
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.factors.len()
    }

    /// One more row, without a vector.
    pub(super) fn push(&mut self) {
        if self.factors.len().is_multiple_of(BLOCK) {
            let end = self.blocks.len() + BLOCK * self.width;
            self.blocks.resize(end, 0);
        }
        self.factors.push(f32::NAN);
    }

    /// Puts the code of a unit vector into a row; `None` takes it out.
    pub(super) fn set(&mut self, row: usize, unit: Option<&[f32]>) {
        let start = row / BLOCK * BLOCK * self.width + row % BLOCK;
        let bytes = self.blocks[start..].iter_mut().step_by(BLOCK);
        let Some(unit) = unit else {
            self.factors[row] = f32::NAN;
            bytes.take(self.width).for_each(|byte| *byte = 0);
            return;
        };
        for (byte, components) in bytes.zip(unit.chunks(8)) {
            let signs = components.iter().enumerate();
            *byte = signs.fold(0, |byte, (bit, x)| byte | u8::from(*x > 0.0) << bit);
        }
        let lengths = unit.iter().map(|x| (x * x, x.abs()));
        let (square, sum) = lengths.fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
        self.factors[row] = square / sum;
    }

    /// Whether a row has a vector.
    pub(super) fn has(&self, row: usize) -> bool {
        !self.factors[row].is_nan()
    }

    /// Estimates of the cosines to the vectors of all rows, -1 to 1, into `found`, which has a place
    /// for each; not a number for a row without a vector.
    pub(super) fn estimates(&self, query: &Tables, found: &mut [f32]) {
        let rows = self.len();
        if rows < SHARED_FROM {
            return self.estimates_of(query, 0..rows, found);
        }
        let half = (rows / 2).next_multiple_of(BLOCK);
        let (first, second) = found.split_at_mut(half);
        std::thread::scope(|scope| {
            scope.spawn(|| self.estimates_of(query, 0..half, first));
            self.estimates_of(query, half..rows, second);
        });
    }

    /// The same for some rows, of which the first is the first of a block.
    fn estimates_of(&self, query: &Tables, rows: Range<usize>, found: &mut [f32]) {
        let from = rows.start / BLOCK * BLOCK * self.width;
        let factors = self.factors[rows].chunks(BLOCK);
        let found = found.chunks_mut(BLOCK).zip(factors);
        scan::blocks(
            query,
            &self.blocks[from..],
            found,
            |sums, (found, factors)| {
                for ((found, factor), sum) in found.iter_mut().zip(factors).zip(sums) {
                    // `clamp` keeps what is no number.
                    *found = (factor * query.product(*sum)).clamp(-1.0, 1.0);
                }
            },
        );
    }
}

#[cfg(test)]
mod tests;
