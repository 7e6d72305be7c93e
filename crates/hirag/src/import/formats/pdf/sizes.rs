//! What packed bytes unpack to, counted and not kept.

use std::io::{Cursor, Read};

use flate2::read::DeflateDecoder;

use super::super::{Deadline, Fault};
use super::inflate::Inflate;
use super::unpack::{Base85, Hex, Input, Lzw, RunLength, Source, Unpacked};

/// How often something may be packed.
pub(super) const TIMES: usize = 3;

/// A way of packing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Whether what is damaged is made the best of.
    Deflate {
        lenient: bool,
    },
    Lzw(usize),
    RunLength,
    Hex,
    Base85,
}

impl Way {
    const ALL: [Self; 7] = [
        Self::Deflate { lenient: false },
        Self::Deflate { lenient: true },
        Self::Lzw(0),
        Self::Lzw(1),
        Self::RunLength,
        Self::Hex,
        Self::Base85,
    ];

    /// The ways that the name of a filter stands for; none for one that gives no text.
    fn of(filter: &[u8]) -> &'static [Self] {
        let ways = match filter {
            b"FlateDecode" | b"Fl" => 0..2,
            b"LZWDecode" | b"LZW" => 2..4,
            b"RunLengthDecode" | b"RL" => 4..5,
            b"ASCIIHexDecode" | b"AHx" => 5..6,
            b"ASCII85Decode" | b"A85" => 6..7,
            _ => 0..0,
        };
        &Self::ALL[ways]
    }

    fn over(self, input: Input<'_>) -> Input<'_> {
        match self {
            Self::Deflate { lenient: false } => Box::new(DeflateDecoder::new(behind_head(input))),
            Self::Deflate { lenient: true } => {
                let source = Source::of(behind_head(input));
                Box::new(Unpacked::by(Inflate::of(source)))
            }
            Self::Lzw(early) => Box::new(Unpacked::by(Lzw::of(Source::of(input), early))),
            Self::RunLength => Box::new(Unpacked::by(RunLength(Source::of(input)))),
            Self::Hex => Box::new(Unpacked::by(Hex(Source::of(input)))),
            Self::Base85 => Box::new(Unpacked::by(Base85(Source::of(input)))),
        }
    }
}

/// Passes over the head that packed data has by `zlib`, where there is one.
fn behind_head(mut input: Input<'_>) -> Input<'_> {
    let mut head = Vec::new();
    // What cannot be read here cannot be read by who comes next.
    let _ = (&mut input).take(2).read_to_end(&mut head);
    let is_head = matches!(*head, [method, flags] if method & 15 == 8
        && flags & 32 == 0
        && u16::from_be_bytes([method, flags]).is_multiple_of(31));
    match is_head {
        true => input,
        false => Box::new(Cursor::new(head).chain(input)),
    }
}

/// Counts what is unpacked, and no further than just over `most`.
#[derive(Clone, Copy)]
pub(super) struct Counter {
    pub(super) most: u64,
    pub(super) deadline: Deadline,
}

type Open<'a, 'b> = &'b dyn Fn() -> Input<'a>;

impl Counter {
    /// Bytes that `packed` unpacks to at most, by these filters one after another.
    pub(super) fn by(self, filters: &[&[u8]], packed: &[u8]) -> Result<u64, Fault> {
        let ways: Vec<&[Way]> = filters.iter().map(|name| Way::of(name)).collect();
        self.explore(&|| Box::new(packed), &ways)
    }

    /// The same, whichever way it is packed, and whatever comes of it is.
    pub(super) fn by_any(self, packed: &[u8]) -> Result<u64, Fault> {
        self.explore(&|| Box::new(packed), &[&Way::ALL[..]; TIMES])
    }

    /// The most that comes of any choice of ways, or of the first of them.
    fn explore<'a>(self, open: Open<'a, '_>, ways: &[&[Way]]) -> Result<u64, Fault> {
        let Some((first, others)) = ways.split_first() else {
            return Ok(0);
        };
        let (mut largest, mut whole) = (0, false);
        for way in *first {
            // What has no fault is the same to everybody.
            if *way == (Way::Deflate { lenient: true }) && whole {
                continue;
            }
            let unpack = || way.over(open());
            let (size, ended) = self.count(unpack())?;
            whole = ended;
            largest = largest.max(size);
            if size > 0 && largest <= self.most {
                largest = largest.max(self.explore(&unpack, others)?);
            }
            if largest > self.most {
                break;
            }
        }
        Ok(largest)
    }

    /// How many bytes there are, and whether they end without a fault.
    fn count(self, mut unpacked: Input<'_>) -> Result<(u64, bool), Fault> {
        let mut block = [0; 16 << 10];
        let mut size = 0;
        while size <= self.most {
            self.deadline.check()?;
            match unpacked.read(&mut block) {
                Ok(0) => return Ok((size, true)),
                Ok(read) => size += read as u64,
                Err(_) => return Ok((size, false)),
            }
        }
        Ok((size, true))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, ZlibEncoder};

    use super::*;

    fn counter() -> Counter {
        Counter {
            most: 1_000_000,
            deadline: Deadline::within(Duration::from_secs(600)),
        }
    }

    fn flate(bytes: &[u8]) -> Vec<u8> {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn size(filters: &[&str], packed: &[u8]) -> u64 {
        let filters: Vec<&[u8]> = filters.iter().map(|name| name.as_bytes()).collect();
        let size = counter().by(&filters, packed).unwrap();
        // Who does not know the ways finds no less.
        let any = counter().by_any(packed).unwrap();
        assert!(any >= size.min(counter().most), "{filters:?}");
        size
    }

    #[test]
    fn what_is_packed_is_counted_through_every_way() {
        let text = b"words and words ".repeat(500);
        let zlib = flate(&text);
        assert_eq!(size(&["FlateDecode"], &zlib), 8_000);
        let hex: String = zlib.iter().map(|byte| format!("{byte:02X}\n")).collect();
        let hex = format!("{hex}>");
        assert_eq!(size(&["AHx", "Fl"], hex.as_bytes()), 8_000);
        // Runs of one, as they are.
        let runs: Vec<u8> = zlib
            .iter()
            .flat_map(|byte| [0, *byte])
            .chain([128])
            .collect();
        assert_eq!(size(&["RunLengthDecode", "FlateDecode"], &runs), 8_000);
        assert_eq!(size(&["A85"], b"9jqo^ z ~>"), 8);
        assert_eq!(size(&["LZW"], b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01"), 10);
        assert_eq!(size(&["DCTDecode"], &zlib), 0);
        assert_eq!(size(&[], &zlib), 0);
    }

    #[test]
    fn what_is_packed_again_behind_a_long_start_is_counted_to_its_end() {
        let mut behind: Vec<u8> = (0..300_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        behind.resize(5_000_000, 0);
        assert!(size(&["Fl", "Fl"], &flate(&flate(&behind))) > 1_000_000);
    }

    #[test]
    fn what_is_damaged_counts_as_who_makes_the_best_of_it_reads_it() {
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
        raw.write_all(&vec![0; 1_100_000]).unwrap();
        let raw = raw.finish().unwrap();
        assert!(size(&["Fl"], &[b"\x00\x03\x00zzabc", &*raw].concat()) > 1_000_000);
    }

    #[test]
    fn runs_of_runs_are_counted() {
        assert!(size(&["RL", "RL", "RL"], &[129; 280]) > 1_000_000);
    }
}
