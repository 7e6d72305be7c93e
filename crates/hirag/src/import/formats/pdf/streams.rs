//! What the streams of a PDF unpack to, looked at before anything is unpacked into memory.
//!
//! What a stream says of itself is not believed: a description can be far from it, in another object,
//! or there twice. So every way of packing is tried on every stream.

use super::super::{Deadline, Fault};
use super::sizes;

/// Bytes that one stream of text or fonts may unpack to.
const MAX_STREAM: u64 = 64 << 20;
/// Bytes that all of them may unpack to.
const MAX_ALL: u64 = 512 << 20;
/// Bytes that a stream may have in an encrypted document, where nobody sees what it unpacks to: up to
/// a thousand times as many.
const MAX_HIDDEN: usize = 1 << 20;
/// Bytes before a stream in which its description is.
const DESCRIPTION: usize = 2_048;
/// Bytes of what was unpacked that are looked at again.
const KEPT: usize = 1 << 20;
/// How often something may be packed.
const TIMES: usize = 3;

/// Refuses a document whose streams unpack to more than one that is read.
pub(super) fn check(bytes: &[u8], deadline: Deadline) -> Result<(), Fault> {
    const MARK: &[u8] = b"stream";
    let encrypted = find(bytes, b"/Encrypt").is_some();
    let mut all = 0;
    let mut from = 0;
    while let Some(at) = find(&bytes[from..], MARK).map(|at| from + at) {
        deadline.check()?;
        from = at + MARK.len();
        let before = &bytes[at.saturating_sub(DESCRIPTION)..at];
        if before.ends_with(b"end") || is_picture(before) {
            continue;
        }
        let rest = bytes[from..].trim_ascii_start();
        if encrypted && find(rest, b"endstream").unwrap_or(rest.len()) > MAX_HIDDEN {
            return Err(Fault::over_limit(format!(
                "is encrypted, and has a stream of more than {MAX_HIDDEN} bytes that may unpack to any size; save it \
                 without encryption"
            )));
        }
        // Where it ends is not believed either: what is packed knows that itself.
        let unpacked = unpacked(rest, TIMES);
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

/// Whether it describes a picture, which is never unpacked here, and can be large.
fn is_picture(before: &[u8]) -> bool {
    let description = match before.windows(4).rposition(|window| window == b" obj") {
        Some(start) => &before[start..],
        None => return false,
    };
    let says = |mark: &[u8]| find(description, mark).is_some();
    let image = says(b"/Subtype /Image") || says(b"/Subtype/Image");
    let other = [
        &b"/Form"[..],
        b"/ObjStm",
        b"/XRef",
        b"/Length1",
        b"/Length3",
    ];
    image && says(b"/Width") && says(b"/Height") && !other.iter().any(|mark| says(mark))
}

/// Bytes that a stream unpacks to, or what it unpacks to does, and so on.
fn unpacked(data: &[u8], times: usize) -> u64 {
    let mut most = 0;
    let texts = sizes::from_text(data);
    for packed in std::iter::once(data).chain(texts.iter().map(Vec::as_slice)) {
        let (size, start) = sizes::largest(packed, MAX_STREAM, KEPT);
        most = most.max(size);
        if times > 1 && most <= MAX_STREAM && !start.is_empty() {
            most = most.max(unpacked(&start, times - 1));
        }
    }
    most
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}
