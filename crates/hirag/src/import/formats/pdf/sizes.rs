//! What packed bytes unpack to, counted and not kept.

use std::io::Read;

use flate2::read::{DeflateDecoder, ZlibDecoder};

/// Bytes that `packed` unpacks to at most, whichever way it is packed; counted no further than just
/// over `most`. With the first of them, as far as they are kept: they may be packed again.
pub(super) fn largest(packed: &[u8], most: u64, kept: usize) -> (u64, Vec<u8>) {
    let mut found = inflated(ZlibDecoder::new(packed), most, kept);
    if found.0 == 0 {
        // Behind a head of two bytes that is wrong there may be good data.
        let behind = packed.get(2..).unwrap_or_default();
        found = inflated(DeflateDecoder::new(behind), most, kept);
    }
    let raw = inflated(DeflateDecoder::new(packed), most, kept);
    let (size, start) = if raw.0 > found.0 { raw } else { found };
    let lzw = lzw(packed, most, 0).max(lzw(packed, most, 1));
    (size.max(lzw), start)
}

fn inflated(input: impl Read, most: u64, kept: usize) -> (u64, Vec<u8>) {
    let mut unpacked = input.take(most + 1);
    let mut block = [0; 16 * 1024];
    let (mut size, mut start) = (0, Vec::new());
    loop {
        match unpacked.read(&mut block) {
            Ok(0) | Err(_) => return (size, start),
            Ok(read) => {
                size += read as u64;
                let room = kept.saturating_sub(start.len());
                start.extend_from_slice(&block[..read.min(room)]);
            }
        }
    }
}

/// Bytes that LZW unpacks to: the lengths of its entries are enough to know. Codes grow `early` codes
/// before they have to.
fn lzw(packed: &[u8], most: u64, early: usize) -> u64 {
    const CLEAR: usize = 256;
    const END: usize = 257;
    const FIRST: usize = 258;
    const ENTRIES: usize = 4_096;
    let mut lengths = vec![1_u64; FIRST];
    let mut before: Option<u64> = None;
    let (mut size, mut bits, mut held) = (0_u64, 0_u64, 0);
    let mut input = packed.iter();
    while size <= most {
        let width = match lengths.len() + early {
            ..512 => 9,
            512..1_024 => 10,
            1_024..2_048 => 11,
            _ => 12,
        };
        while held < width {
            let Some(byte) = input.next() else {
                return size;
            };
            bits = bits << 8 | u64::from(*byte);
            held += 8;
        }
        held -= width;
        let code = (bits >> held) as usize & ((1 << width) - 1);
        bits &= (1 << held) - 1;
        if code == CLEAR {
            lengths.truncate(FIRST);
            before = None;
            continue;
        }
        let length = match (lengths.get(code), before) {
            _ if code == END => return size,
            (Some(length), _) => *length,
            (None, Some(before)) if code == lengths.len() => before + 1,
            (None, _) => return size,
        };
        if let Some(before) = before
            && lengths.len() < ENTRIES
        {
            lengths.push(before + 1);
        }
        size += length;
        before = Some(length);
    }
    size
}

/// Bytes that are written as text, in either way that there is: hexadecimal, or 85 signs.
pub(super) fn from_text(data: &[u8]) -> Vec<Vec<u8>> {
    /// Bytes that show that it is text.
    const LOOKED_AT: usize = 64;
    let head = &data[..data.len().min(LOOKED_AT)];
    if head.is_empty()
        || !head
            .iter()
            .all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace())
    {
        return Vec::new();
    }
    vec![from_hex(data), from_85(data)]
}

fn from_hex(data: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = data
        .iter()
        .map_while(|byte| match byte {
            b if b.is_ascii_whitespace() => Some(None),
            b => (*b as char).to_digit(16).map(|digit| Some(digit as u8)),
        })
        .flatten()
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0))
        .collect()
}

fn from_85(data: &[u8]) -> Vec<u8> {
    let data = data.strip_prefix(b"<~").unwrap_or(data);
    let mut bytes = Vec::new();
    let mut group: Vec<u32> = Vec::with_capacity(5);
    for byte in data {
        match byte {
            b if b.is_ascii_whitespace() => {}
            b'z' if group.is_empty() => bytes.extend([0; 4]),
            b'!'..=b'u' => group.push(u32::from(byte - b'!')),
            _ => break,
        }
        if group.len() == 5 {
            bytes.extend(word(&group));
            group.clear();
        }
    }
    if group.len() > 1 {
        let whole = group.len() - 1;
        group.resize(5, 84);
        bytes.extend(&word(&group)[..whole]);
    }
    bytes
}

fn word(group: &[u32]) -> [u8; 4] {
    let number = group.iter().fold(0_u32, |number, digit| {
        number.wrapping_mul(85).wrapping_add(*digit)
    });
    number.to_be_bytes()
}
