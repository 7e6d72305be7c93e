//! Blocks of codes compared with a query: the loop that a search spends its time in.
//!
//! With AVX2, a table of sixteen bytes is looked up for 32 rows by one instruction (André, Kermarrec,
//! Le Scouarnec: *Cache locality is not enough*, 2015). Without it, each byte of a code is looked
//! up by itself. Both add the same whole numbers.

use super::BLOCK;
use super::tables::Tables;

/// Bytes of a code whose sums fit into 16 bits: each adds 254 at most.
#[cfg(target_arch = "x86_64")]
const FIT: usize = 256;

/// Gives the steps of the rows of each block, with what `places` has for it, to `done`.
pub(super) fn blocks<P>(
    query: &Tables,
    blocks: &[u8],
    places: impl Iterator<Item = P>,
    done: impl FnMut(&[u32; BLOCK], P),
) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[allow(unsafe_code, reason = "the compiler does not know what was just found")]
        // SAFETY: the processor has AVX2.
        return unsafe { wide(query, blocks, places, done) };
    }
    plain(query, blocks, places, done);
}

/// For every processor.
pub(super) fn plain<P>(
    query: &Tables,
    blocks: &[u8],
    places: impl Iterator<Item = P>,
    mut done: impl FnMut(&[u32; BLOCK], P),
) {
    let width = query.pairs.len();
    // Both halves at once: half as many look-ups.
    let whole: Vec<[u16; 256]> = query
        .pairs
        .iter()
        .map(|[lower, upper]| {
            std::array::from_fn(|byte| u16::from(lower[byte & 15]) + u16::from(upper[byte >> 4]))
        })
        .collect();
    for (block, place) in blocks.chunks_exact((BLOCK * width).max(1)).zip(places) {
        let mut sums = [0; BLOCK];
        for (column, table) in block.chunks_exact(BLOCK).zip(&whole) {
            for (sum, byte) in sums.iter_mut().zip(column) {
                *sum += u32::from(table[usize::from(*byte)]);
            }
        }
        done(&sums, place);
    }
}

/// For those with AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(super) fn wide<P>(
    query: &Tables,
    blocks: &[u8],
    places: impl Iterator<Item = P>,
    mut done: impl FnMut(&[u32; BLOCK], P),
) {
    use std::arch::x86_64::*;

    let width = query.pairs.len();
    let halves = _mm256_set1_epi8(0x0f);
    let even_bytes = _mm256_set1_epi16(0x00ff);
    for (block, place) in blocks.chunks_exact((BLOCK * width).max(1)).zip(places) {
        let mut sums = [0_u32; BLOCK];
        let parts = block.chunks(BLOCK * FIT).zip(query.pairs.chunks(FIT));
        for (columns, pairs) in parts {
            let (mut even, mut odd) = (_mm256_setzero_si256(), _mm256_setzero_si256());
            for (column, [lower, upper]) in columns.chunks_exact(BLOCK).zip(pairs) {
                let bytes: __m256i = bytemuck::pod_read_unaligned(column);
                let lower = _mm256_broadcastsi128_si256(bytemuck::cast(*lower));
                let upper = _mm256_broadcastsi128_si256(bytemuck::cast(*upper));
                let above = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), halves);
                let lower = _mm256_shuffle_epi8(lower, _mm256_and_si256(bytes, halves));
                let upper = _mm256_shuffle_epi8(upper, above);
                let both = _mm256_add_epi8(lower, upper);
                even = _mm256_add_epi16(even, _mm256_and_si256(both, even_bytes));
                odd = _mm256_add_epi16(odd, _mm256_srli_epi16::<8>(both));
            }
            let even: [u16; 16] = bytemuck::cast(even);
            let odd: [u16; 16] = bytemuck::cast(odd);
            for (pair, (even, odd)) in sums.chunks_exact_mut(2).zip(even.iter().zip(odd)) {
                pair[0] += u32::from(*even);
                pair[1] += u32::from(odd);
            }
        }
        done(&sums, place);
    }
}
