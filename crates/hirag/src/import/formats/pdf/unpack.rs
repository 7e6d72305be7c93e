//! The ways in which a PDF may be packed, read a little at a time, so that nothing of it has to be kept.

use std::io::{self, BufReader, Bytes, Read};

/// What is packed.
pub(super) type Input<'a> = Box<dyn Read + 'a>;

/// One way of packing.
pub(super) trait Unpack {
    /// Adds some more of what is unpacked; `None` at the end, whyever it has come.
    fn more(&mut self, out: &mut Vec<u8>) -> Option<()>;
}

/// What is unpacked, as it is asked for.
pub(super) struct Unpacked<U> {
    unpack: U,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<U: Unpack> Unpacked<U> {
    pub(super) fn by(unpack: U) -> Self {
        Self {
            unpack,
            ready: Vec::new(),
            at: 0,
            ended: false,
        }
    }
}

impl<U: Unpack> Read for Unpacked<U> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            self.ready.clear();
            self.at = 0;
            while self.ready.is_empty() && !self.ended {
                self.ended = self.unpack.more(&mut self.ready).is_none();
            }
        }
        let left = &self.ready[self.at..];
        let read = left.len().min(buffer.len());
        buffer[..read].copy_from_slice(&left[..read]);
        self.at += read;
        Ok(read)
    }
}

/// The bytes of what is packed. An input that fails ends.
pub(super) struct Source<'a>(Bytes<BufReader<Input<'a>>>);

impl<'a> Source<'a> {
    pub(super) fn of(input: Input<'a>) -> Self {
        Self(BufReader::new(input).bytes())
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.0.next()?.ok()
    }

    /// The next byte that is no white space.
    fn sign(&mut self) -> Option<u8> {
        loop {
            match self.byte()? {
                0 | b'\t' | b'\n' | 12 | b'\r' | b' ' => {}
                byte => return Some(byte),
            }
        }
    }
}

/// Runs of one byte, and bytes as they are.
pub(super) struct RunLength<'a>(pub(super) Source<'a>);

impl Unpack for RunLength<'_> {
    fn more(&mut self, out: &mut Vec<u8>) -> Option<()> {
        match self.0.byte()? {
            128 => None,
            length @ 0..=127 => {
                for _ in 0..=length {
                    out.push(self.0.byte()?);
                }
                Some(())
            }
            length => {
                let byte = self.0.byte()?;
                out.extend(std::iter::repeat_n(byte, 257 - usize::from(length)));
                Some(())
            }
        }
    }
}

/// Two hexadecimal digits a byte.
pub(super) struct Hex<'a>(pub(super) Source<'a>);

impl Unpack for Hex<'_> {
    fn more(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let mut digit = || (self.0.sign()? as char).to_digit(16);
        let high = digit()? as u8;
        let low = digit();
        out.push(high << 4 | low.unwrap_or(0) as u8);
        low.map(|_| ())
    }
}

/// Five signs of 85 for four bytes.
pub(super) struct Base85<'a>(pub(super) Source<'a>);

impl Unpack for Base85<'_> {
    fn more(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let mut group = [84_u32; 5];
        for (at, digit) in group.iter_mut().enumerate() {
            match self.0.sign() {
                Some(b'z') if at == 0 => {
                    out.extend([0; 4]);
                    return Some(());
                }
                Some(sign @ b'!'..=b'u') => *digit = u32::from(sign - b'!'),
                _ => {
                    let bytes = word(group);
                    out.extend(&bytes[..at.saturating_sub(1)]);
                    return None;
                }
            }
        }
        out.extend(word(group));
        Some(())
    }
}

fn word(group: [u32; 5]) -> [u8; 4] {
    let number = group.iter().fold(0_u32, |number, digit| {
        number.wrapping_mul(85).wrapping_add(*digit)
    });
    number.to_be_bytes()
}

/// Codes of 9 to 12 bits for what came before. Codes grow `early` codes before they have to.
pub(super) struct Lzw<'a> {
    source: Source<'a>,
    early: usize,
    /// From the first code that is no byte: the entry that it prolongs, its last byte, its length.
    entries: Vec<(usize, u8, usize)>,
    before: Option<usize>,
    bits: u32,
    held: u32,
}

impl<'a> Lzw<'a> {
    const CLEAR: usize = 256;
    const END: usize = 257;
    const FIRST: usize = 258;
    const ENTRIES: usize = 4_096;

    pub(super) fn of(source: Source<'a>, early: usize) -> Self {
        Self {
            source,
            early,
            entries: Vec::new(),
            before: None,
            bits: 0,
            held: 0,
        }
    }

    fn next_free(&self) -> usize {
        Self::FIRST + self.entries.len()
    }

    fn code(&mut self) -> Option<usize> {
        let width = match self.next_free() + self.early {
            ..512 => 9,
            512..1_024 => 10,
            1_024..2_048 => 11,
            _ => 12,
        };
        while self.held < width {
            self.bits = self.bits << 8 | u32::from(self.source.byte()?);
            self.held += 8;
        }
        self.held -= width;
        let code = self.bits >> self.held & ((1 << width) - 1);
        self.bits &= (1 << self.held) - 1;
        Some(code as usize)
    }

    /// Writes an entry, from its end; gives its first byte.
    fn write(&self, code: usize, out: &mut Vec<u8>) -> u8 {
        let entry = |code: usize| self.entries.get(code.wrapping_sub(Self::FIRST));
        let start = out.len();
        let length = entry(code).map_or(1, |entry| entry.2);
        out.resize(start + length, 0);
        let mut code = code;
        for place in out[start..].iter_mut().rev() {
            match entry(code) {
                Some((before, byte, _)) => (*place, code) = (*byte, *before),
                None => *place = code as u8,
            }
        }
        out[start]
    }

    fn add(&mut self, before: usize, byte: u8) {
        if self.next_free() < Self::ENTRIES {
            let known = self.entries.get(before.wrapping_sub(Self::FIRST));
            let length = known.map_or(1, |entry| entry.2) + 1;
            self.entries.push((before, byte, length));
        }
    }
}

impl Unpack for Lzw<'_> {
    fn more(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let code = self.code()?;
        match (code, self.before) {
            (Self::CLEAR, _) => {
                self.entries.clear();
                self.before = None;
                return Some(());
            }
            (Self::END, _) => return None,
            (code, before) if code < self.next_free() => {
                let first = self.write(code, out);
                if let Some(before) = before {
                    self.add(before, first);
                }
            }
            (code, Some(before)) if code == self.next_free() && code < Self::ENTRIES => {
                let first = self.write(before, out);
                out.push(first);
                self.add(before, first);
            }
            _ => return None,
        }
        self.before = Some(code);
        Some(())
    }
}
