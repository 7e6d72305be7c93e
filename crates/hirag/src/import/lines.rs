//! Lines of files larger than memory.

use std::io::{self, BufRead};

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number, from 1.
    pub(crate) number: u64,
    /// Its text, or why there is none.
    pub(crate) text: Result<String, LineFault>,
}

/// Why a line cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineFault {
    /// It is over the limit.
    #[error("the line has more than {limit} bytes; shorten it, or raise `import.max_line_bytes`")]
    TooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// It is not UTF-8.
    #[error("the line is not valid UTF-8 (first bad byte at offset {offset}); convert it to UTF-8")]
    InvalidUtf8 {
        /// Offset of the first bad byte in the line.
        offset: usize,
    },
}

impl LineFault {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::TooLong { .. } => "line_too_long",
            Self::InvalidUtf8 { .. } => "invalid_text",
        }
    }
}

/// Reads lines of a bounded length, and goes on behind those that are longer. A byte order mark at
/// the start and blank lines are left out. An input that fails ends them: it might fail for ever.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    input: R,
    limit: usize,
    number: u64,
    buffer: Vec<u8>,
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(input: R, limit: usize) -> Self {
        Self {
            input,
            limit,
            number: 0,
            buffer: Vec::new(),
            ended: false,
        }
    }

    /// Fills the buffer with the next line; `false` at the end. What is over the limit is read
    /// and dropped, and the buffer then has more bytes than the limit.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        let mut any = false;
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(any);
            }
            any = true;
            let end = available.iter().position(|&byte| byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            // One byte over the limit tells that the line is too long; the others leave room for
            // a byte order mark and `\r`.
            let room = self
                .limit
                .saturating_add(5)
                .saturating_sub(self.buffer.len());
            self.buffer.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    fn text(&self) -> Result<String, LineFault> {
        let mut line = self.buffer.as_slice();
        if self.number == 1 {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > self.limit {
            return Err(LineFault::TooLong { limit: self.limit });
        }
        match std::str::from_utf8(line) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(LineFault::InvalidUtf8 {
                offset: error.valid_up_to(),
            }),
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.fill() {
                Ok(true) => self.number += 1,
                Ok(false) => {
                    self.ended = true;
                    break;
                }
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
            let text = self.text();
            if text.as_ref().is_ok_and(|text| text.trim().is_empty()) {
                continue;
            }
            return Some(Ok(Line {
                number: self.number,
                text,
            }));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(input: &[u8], buffer: usize) -> Vec<(u64, Result<String, LineFault>)> {
        Lines::new(io::BufReader::with_capacity(buffer, input), 5)
            .map(|line| line.unwrap())
            .map(|line| (line.number, line.text))
            .collect()
    }

    #[test]
    fn long_and_broken_lines_are_told_by_number_and_the_rest_goes_on() {
        for buffer in [1, 3, 64] {
            assert_eq!(
                read(
                    b"\xef\xbb\xbfone\r\n\n123456\nab\xff\n12345\r\nlast",
                    buffer
                ),
                [
                    (1, Ok("one".to_owned())),
                    (3, Err(LineFault::TooLong { limit: 5 })),
                    (4, Err(LineFault::InvalidUtf8 { offset: 2 })),
                    (5, Ok("12345".to_owned())),
                    (6, Ok("last".to_owned())),
                ]
            );
        }
    }

    #[test]
    fn an_input_that_fails_for_ever_is_told_once() {
        struct Failing;
        impl io::Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let input = io::BufReader::new(io::Read::chain(&b"one\n"[..], Failing));
        let read: Vec<bool> = Lines::new(input, 5)
            .take(9)
            .map(|line| line.is_ok())
            .collect();
        assert_eq!(read, [true, false]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let lines = read(&bytes, 7);
            prop_assert!(lines.len() <= bytes.iter().filter(|&&b| b == b'\n').count() + 1);
        }
    }
}
