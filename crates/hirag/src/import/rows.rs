//! Rows of tables larger than memory.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An input that ends with an error when one row has more bytes than allowed: a quote that is never
/// closed makes all of the file one cell.
pub(crate) struct Bounded<R> {
    input: R,
    read: RowBytes,
    most: u64,
}

/// Bytes that were read since a row began.
#[derive(Clone, Default)]
pub(crate) struct RowBytes(Arc<AtomicU64>);

impl RowBytes {
    /// The next row begins.
    pub(crate) fn begin(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl<R> Bounded<R> {
    /// Rows of at most about `most` bytes; who reads them says when one begins.
    pub(crate) fn new(input: R, most: usize) -> (Self, RowBytes) {
        let (read, most) = (RowBytes::default(), most as u64);
        let bounded = Self {
            input,
            read: read.clone(),
            most,
        };
        (bounded, read)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let before = self.read.0.fetch_add(read as u64, Ordering::Relaxed);
        if before > self.most {
            return Err(io::Error::other(format!(
                "a row has more than {} bytes (a quote that is not closed?); mend it, or raise `import.max_line_bytes`",
                self.most
            )));
        }
        Ok(read)
    }
}
