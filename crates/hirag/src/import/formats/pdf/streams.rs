//! What the streams of a PDF unpack to, looked at before anything is unpacked into memory.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::super::Fault;

/// Bytes that one stream of text or fonts may unpack to.
const MAX_STREAM: u64 = 64 << 20;
/// Bytes that all of them may unpack to.
const MAX_ALL: u64 = 512 << 20;
/// Bytes before a stream in which its description is.
const DESCRIPTION: usize = 2_048;

/// Refuses a document whose streams unpack to more than one that is read.
pub(super) fn check(bytes: &[u8]) -> Result<(), Fault> {
    const MARK: &[u8] = b"stream";
    let mut all = 0;
    let mut from = 0;
    while let Some(at) = find(&bytes[from..], MARK).map(|at| from + at) {
        from = at + MARK.len();
        let before = &bytes[at.saturating_sub(DESCRIPTION)..at];
        if before.ends_with(b"end") {
            continue;
        }
        let description = match before.windows(4).rposition(|window| window == b" obj") {
            Some(start) => &before[start..],
            None => before,
        };
        if count(description, b"/FlateDecode") + count(description, b"/Fl ") > 1 {
            return Err(Fault::over_limit(
                "has a stream that is packed more than once, as no program does".to_owned(),
            ));
        }
        let data = bytes[from..].trim_ascii_start();
        // Only what is packed grows; and pictures are never unpacked here.
        let image = count(description, b"/Image") > 0 && count(description, b"/Width") > 0;
        if image || data.first() != Some(&0x78) && data.first().is_none_or(|b| b & 0x0f != 8) {
            continue;
        }
        let unpacked = size_of(data, MAX_STREAM);
        all += unpacked;
        if unpacked > MAX_STREAM || all > MAX_ALL {
            return Err(Fault::over_limit(format!(
                "unpacks to more than a document does (the limits are {MAX_STREAM} bytes for one of its streams, and \
                 {MAX_ALL} for all)"
            )));
        }
    }
    Ok(())
}

/// Bytes that packed data unpacks to, counted no further than just over `most`.
fn size_of(packed: &[u8], most: u64) -> u64 {
    let mut unpacked = ZlibDecoder::new(packed).take(most + 1);
    let mut block = [0; 16 * 1024];
    let mut size = 0;
    loop {
        match unpacked.read(&mut block) {
            Ok(0) | Err(_) => return size,
            Ok(read) => size += read as u64,
        }
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}

fn count(bytes: &[u8], mark: &[u8]) -> usize {
    bytes
        .windows(mark.len())
        .filter(|window| *window == mark)
        .count()
}
