//! Deflate as a reader of PDF unpacks it that makes the best of what is damaged: it passes over sums
//! that are wrong, and over references to what was never there. A library that stops at the first
//! fault would count less than comes of it.

use std::collections::VecDeque;

use super::unpack::{Source, Unpack};

/// Bytes that what comes may refer back to.
const WINDOW: usize = 32 << 10;
/// What the lengths of the codes for lengths come in.
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

pub(super) struct Inflate<'a> {
    source: Source<'a>,
    bits: u32,
    held: u32,
    block: Block,
    /// Whether the block is the last.
    last: bool,
    window: VecDeque<u8>,
}

enum Block {
    None,
    Packed { lengths: Codes, distances: Codes },
}

/// For each number of bits, what it stands for and how many of its bits count.
struct Codes {
    meanings: Vec<(u16, u8)>,
    longest: u8,
}

impl<'a> Inflate<'a> {
    pub(super) fn of(source: Source<'a>) -> Self {
        Self {
            source,
            bits: 0,
            held: 0,
            block: Block::None,
            last: false,
            window: VecDeque::with_capacity(WINDOW),
        }
    }

    fn bits(&mut self, wanted: u32) -> Option<usize> {
        while self.held < wanted {
            self.bits |= u32::from(self.source.byte()?) << self.held;
            self.held += 8;
        }
        let bits = self.bits & ((1 << wanted) - 1);
        self.bits >>= wanted;
        self.held -= wanted;
        Some(bits as usize)
    }

    fn code(&mut self, codes: &Codes) -> Option<usize> {
        while self.held < u32::from(codes.longest) {
            let Some(byte) = self.source.byte() else {
                break;
            };
            self.bits |= u32::from(byte) << self.held;
            self.held += 8;
        }
        let at = self.bits & ((1 << codes.longest) - 1);
        let (meaning, length) = *codes.meanings.get(at as usize)?;
        if length == 0 || self.held < u32::from(length) {
            return None;
        }
        self.bits >>= length;
        self.held -= u32::from(length);
        Some(usize::from(meaning))
    }

    fn begin(&mut self, out: &mut Vec<u8>) -> Option<()> {
        if self.last {
            return None;
        }
        self.last = self.bits(1)? == 1;
        match self.bits(2)? {
            0 => self.stored(out),
            1 => {
                let lengths = [(8, 144), (9, 112), (7, 24), (8, 8)];
                let lengths = lengths.map(|(bits, times)| std::iter::repeat_n(bits, times));
                let lengths: Vec<u8> = lengths.into_iter().flatten().collect();
                self.block = Block::Packed {
                    lengths: Codes::of(&lengths),
                    distances: Codes::of(&[5; 32]),
                };
                Some(())
            }
            2 => self.tables(),
            _ => None,
        }
    }

    /// Bytes as they are, behind their number twice, of which the second is not looked at.
    fn stored(&mut self, out: &mut Vec<u8>) -> Option<()> {
        (self.bits, self.held) = (0, 0);
        let length = self.bits(16)?;
        self.bits(16)?;
        for _ in 0..length {
            let byte = self.source.byte()?;
            self.put(byte, out);
        }
        Some(())
    }

    fn tables(&mut self) -> Option<()> {
        let literals = self.bits(5)? + 257;
        let distances = self.bits(5)? + 1;
        let known = self.bits(4)? + 4;
        let mut lengths = [0; 19];
        for at in &ORDER[..known] {
            lengths[*at] = self.bits(3)? as u8;
        }
        let codes = Codes::of(&lengths);
        let all = literals + distances;
        let mut lengths: Vec<u8> = Vec::with_capacity(all);
        while lengths.len() < all {
            let (length, times) = match self.code(&codes)? {
                length @ 0..=15 => (length as u8, 1),
                16 => (lengths.last().copied().unwrap_or(0), self.bits(2)? + 3),
                17 => (0, self.bits(3)? + 3),
                _ => (0, self.bits(7)? + 11),
            };
            let room = all - lengths.len();
            lengths.extend(std::iter::repeat_n(length, times.min(room)));
        }
        self.block = Block::Packed {
            lengths: Codes::of(&lengths[..literals]),
            distances: Codes::of(&lengths[literals..]),
        };
        Some(())
    }

    fn put(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.window.len() == WINDOW {
            self.window.pop_front();
        }
        self.window.push_back(byte);
        out.push(byte);
    }

    /// A byte, or a run of what came before; `false` at the end of the block.
    fn step(&mut self, lengths: &Codes, distances: &Codes, out: &mut Vec<u8>) -> Option<bool> {
        let code = self.code(lengths)?;
        if code <= 256 {
            if code < 256 {
                self.put(code as u8, out);
            }
            return Some(code < 256);
        }
        let length = match code - 257 {
            at @ 0..8 => at + 3,
            at @ 8..28 => {
                let more = at as u32 / 4 - 1;
                ((at % 4 + 4) << more) + 3 + self.bits(more)?
            }
            28 => 258,
            _ => 0,
        };
        let distance = match self.code(distances)? {
            at @ 0..4 => at + 1,
            at @ 4..30 => {
                let more = at as u32 / 2 - 1;
                ((at % 2 + 2) << more) + 1 + self.bits(more)?
            }
            _ => return None,
        };
        for _ in 0..length {
            let place = self.window.len().checked_sub(distance);
            let Some(byte) = place.and_then(|place| self.window.get(place).copied()) else {
                break;
            };
            self.put(byte, out);
        }
        Some(true)
    }
}

impl Unpack for Inflate<'_> {
    fn more(&mut self, out: &mut Vec<u8>) -> Option<()> {
        /// Bytes after which a reader is given what there is.
        const ENOUGH: usize = 16 << 10;
        let Block::Packed { lengths, distances } = std::mem::replace(&mut self.block, Block::None)
        else {
            return self.begin(out);
        };
        while out.len() < ENOUGH {
            if !self.step(&lengths, &distances, out)? {
                return Some(());
            }
        }
        self.block = Block::Packed { lengths, distances };
        Some(())
    }
}

impl Codes {
    fn of(lengths: &[u8]) -> Self {
        let longest = lengths.iter().copied().max().unwrap_or(0).max(1);
        let mut meanings = vec![(0, 0); 1 << longest];
        let mut code = 0_u32;
        for length in 1..=longest {
            let these = lengths
                .iter()
                .enumerate()
                .filter(|(_, bits)| **bits == length);
            for (meaning, _) in these {
                // Too many codes of a length run over into those before.
                let first = code.reverse_bits() >> (32 - u32::from(length));
                for place in (first as usize..meanings.len()).step_by(1 << length) {
                    meanings[place] = (meaning as u16, length);
                }
                code += 1;
            }
            code <<= 1;
        }
        Self { meanings, longest }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use flate2::Compression;
    use flate2::write::DeflateEncoder;
    use proptest::prelude::*;

    use super::super::unpack::Unpacked;
    use super::*;

    fn unpacked(packed: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let source = Source::of(Box::new(packed));
        Unpacked::by(Inflate::of(source))
            .read_to_end(&mut bytes)
            .unwrap();
        bytes
    }

    proptest! {
        #[test]
        fn what_a_library_packs_comes_back(
            parts in prop::collection::vec((any::<u8>(), 1..9_000_usize), 0..40),
            level in 0..=9_u32,
        ) {
            let bytes: Vec<u8> = parts
                .iter()
                .flat_map(|(byte, times)| (0..*times).map(move |n| byte.wrapping_add((n % 251) as u8)))
                .collect();
            let mut packed = DeflateEncoder::new(Vec::new(), Compression::new(level));
            packed.write_all(&bytes).unwrap();
            prop_assert!(unpacked(&packed.finish().unwrap()) == bytes);
        }

        #[test]
        fn any_bytes_are_survived(packed in prop::collection::vec(any::<u8>(), 0..300)) {
            // No code stands for more than 258 bytes, nor has fewer than two bits.
            prop_assert!(unpacked(&packed).len() <= packed.len() * 4 * 258);
        }
    }

    #[test]
    fn a_wrong_sum_of_a_stored_block_is_passed_over() {
        assert_eq!(
            unpacked(b"\x00\x03\x00zzabc\x01\x02\x00\xfd\xffde"),
            b"abcde"
        );
    }
}
