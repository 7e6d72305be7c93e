//! What the streams of a PDF unpack to, looked at before anything is unpacked into memory.
//!
//! A reader finds them by a table of contents, which is not believed: every `stream` in the file is
//! looked at. Of those that are never unpacked here, the word is taken away, so that nothing else can
//! be made of them than was said.

use super::super::{Deadline, Fault};
use super::described::{Before, Description, has_name};
use super::sizes::Counter;

/// Bytes that one stream of text or fonts may unpack to.
pub(super) const MAX_STREAM: u64 = 64 << 20;
/// Bytes that all of them may unpack to.
pub(super) const MAX_ALL: u64 = 512 << 20;
/// How many times its size a stream may unpack to, where only that can be known of it.
const MAX_RATIO: u64 = 1_032;

/// What a key that is hidden begins with.
pub(super) const HIDDEN: u8 = b'X';

const MARK: &[u8] = b"stream";

/// Refuses a document whose streams unpack to more than one that is read, and takes away what is not
/// unpacked.
///
/// What is encrypted has to be looked at again when it is open: for that, there is a copy in which
/// only what holds other objects says how it is packed, so that nothing else is unpacked by whoever
/// reads it.
pub(super) fn check(bytes: &mut [u8], deadline: Deadline) -> Result<Option<Vec<u8>>, Fault> {
    let counter = Counter {
        most: MAX_STREAM,
        deadline,
    };
    let mut careful = has_name(bytes, b"Encrypt").then(|| bytes.to_vec());
    let mut all = Load::default();
    let mut from = 0;
    while let Some(at) = find(&bytes[from..], MARK).map(|at| from + at) {
        deadline.check()?;
        from = at + MARK.len();
        if bytes[..at].ends_with(b"end") {
            continue;
        }
        let data = &bytes[from..];
        let packed = behind_line_end(data);
        let size = match (Before::of(bytes, at), &mut careful) {
            (Before::NoStream, _) => continue,
            (Before::Description(said), careful) if said.is_unread() => {
                // Spaces, so that what is in it is not looked through for objects.
                let end = find(data, b"endstream").unwrap_or(0);
                for copy in [Some(&mut *bytes), careful.as_deref_mut()]
                    .into_iter()
                    .flatten()
                {
                    copy[at..from].fill(b'x');
                    copy[from..from + end].fill(b' ');
                }
                continue;
            }
            (Before::Description(said), Some(careful)) => {
                let most = hidden(&said, data);
                // A table of contents may be found out anew, and what it is of may not.
                if said.has(b"First") || (said.has(b"W") && most.is_ok()) {
                    most?
                } else {
                    let places = said.places_of_filters();
                    places.for_each(|place| careful[place + 1] = HIDDEN);
                    0
                }
            }
            (Before::Unclear, Some(_)) => return Err(unclear()),
            (Before::Description(said), None) => match said.filters() {
                Some(filters) => {
                    let plain = plain_length(&said, data).unwrap_or(0);
                    counter.by(&filters, packed)?.max(plain)
                }
                None => counter.by_any(packed)?,
            },
            (Before::Unclear, None) => counter.by_any(packed)?,
        };
        all.add(size)?;
    }
    Ok(careful)
}

/// Bytes that were unpacked, or will be.
#[derive(Debug, Default)]
pub(super) struct Load(u64);

impl Load {
    /// # Errors
    /// That it is more than a document has.
    pub(super) fn add(&mut self, unpacked: u64) -> Result<(), Fault> {
        self.0 += unpacked;
        if unpacked <= MAX_STREAM && self.0 <= MAX_ALL {
            return Ok(());
        }
        Err(Fault::over_limit(format!(
            "unpacks to more than a document does (the limits are {MAX_STREAM} bytes for one of its streams or the \
             contents of a page, and {MAX_ALL} for all)"
        )))
    }
}

/// Bytes that a stream which holds other objects, or tells where they are, may unpack to: those are unpacked when the document
/// is opened, before anybody can look into what is encrypted.
fn hidden(said: &Description<'_>, data: &[u8]) -> Result<u64, Fault> {
    let ratio = match said.filters().as_deref() {
        Some([]) => 1,
        Some([b"FlateDecode"]) => MAX_RATIO,
        _ => return Err(unclear()),
    };
    let size = plain_length(said, data).ok_or_else(unclear)? * ratio;
    if size <= MAX_STREAM {
        return Ok(size);
    }
    Err(Fault::over_limit(format!(
        "is encrypted, and has a part that may unpack to {size} bytes, over the limit of {MAX_STREAM}; save it \
         without encryption"
    )))
}

fn unclear() -> Fault {
    Fault::over_limit(
        "is encrypted, and has a part of which nobody can tell what it unpacks to; save it without \
         encryption"
            .to_owned(),
    )
}

/// Bytes that a stream has as it is: up to its end, or as many as it says, if those are more. `None`
/// where it says so elsewhere.
fn plain_length(said: &Description<'_>, data: &[u8]) -> Option<u64> {
    let end = find(data, b"endstream").unwrap_or(data.len());
    Some(said.length()?.min(data.len()).max(end) as u64)
}

fn behind_line_end(data: &[u8]) -> &[u8] {
    let data = data.strip_prefix(b"\r").unwrap_or(data);
    data.strip_prefix(b"\n").unwrap_or(data)
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}
