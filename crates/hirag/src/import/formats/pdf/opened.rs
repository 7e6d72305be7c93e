//! What comes of the streams of a PDF that is open: of those that were encrypted, and of those that
//! stand on a page many times.

use std::borrow::Cow;
use std::collections::HashMap;

use hayro_interpret::hayro_syntax::object::{Array, Dict, Name, ObjectIdentifier, Stream};
use hayro_interpret::hayro_syntax::page::Page;
use hayro_interpret::hayro_syntax::{LoadPdfError, Pdf};

use super::super::{Deadline, Fault};
use super::sizes::Counter;
use super::streams::{Load, MAX_STREAM};

/// The keys that say how a stream is packed, and the same when they are hidden.
const KEYS: [&[u8]; 2] = [b"F", b"Filter"];
const HIDDEN_KEYS: [&[u8]; 2] = [b"X", b"Xilter"];

/// Counts the streams of an encrypted document, from a copy in which they do not say how they are
/// packed.
pub(super) fn check_hidden(careful: Vec<u8>, deadline: Deadline) -> Result<(), LoadFault> {
    let pdf = Pdf::new(careful)?;
    let counter = Counter {
        most: MAX_STREAM,
        deadline,
    };
    let mut all = Load::default();
    for object in pdf.objects() {
        if let Some(stream) = object.into_stream() {
            let packed = stream.raw_data();
            let size = match packed {
                Cow::Owned(_) => size(&stream, HIDDEN_KEYS, counter)?,
                // It is not encrypted, and may be packed otherwise than this copy says.
                Cow::Borrowed(_) => {
                    size(&stream, HIDDEN_KEYS, counter)?.max(size(&stream, KEYS, counter)?)
                }
            };
            all.add(size)?;
        }
    }
    Ok(())
}

/// Why a document is not read.
pub(super) enum LoadFault {
    /// It cannot be opened.
    Load(LoadPdfError),
    /// It unpacks to too much.
    Over(Fault),
}

impl From<LoadPdfError> for LoadFault {
    fn from(error: LoadPdfError) -> Self {
        Self::Load(error)
    }
}

impl From<Fault> for LoadFault {
    fn from(fault: Fault) -> Self {
        Self::Over(fault)
    }
}

/// Counts what the pages come to, which are kept until the end: one stream may stand on many of them,
/// and on one many times.
pub(super) struct Contents {
    sizes: HashMap<ObjectIdentifier, u64>,
    counter: Counter,
    all: Load,
}

impl Contents {
    pub(super) fn new(deadline: Deadline) -> Self {
        Self {
            sizes: HashMap::new(),
            counter: Counter {
                most: MAX_STREAM,
                deadline,
            },
            all: Load::default(),
        }
    }

    /// # Errors
    /// That a page, or all so far, unpack to too much.
    pub(super) fn add(&mut self, page: &Page<'_>) -> Result<(), Fault> {
        const CONTENTS: &[u8] = b"Contents";
        let one = page.raw().get::<Stream<'_>>(CONTENTS);
        let many = page.raw().get::<Array<'_>>(CONTENTS);
        let many = many.filter(|_| one.is_none());
        let many = many.iter().flat_map(Array::iter::<Stream<'_>>);
        let mut page = 0;
        for stream in one.into_iter().chain(many) {
            self.counter.deadline.check()?;
            let id = stream.obj_id();
            let size = match self.sizes.get(&id) {
                Some(size) => *size,
                None => size(&stream, KEYS, self.counter)?,
            };
            self.sizes.insert(id, size);
            page += size;
            if page > MAX_STREAM {
                break;
            }
        }
        self.all.add(page)
    }
}

fn size(stream: &Stream<'_>, keys: [&[u8]; 2], counter: Counter) -> Result<u64, Fault> {
    let filters = filters(stream.dict(), keys);
    let filters: Vec<&[u8]> = filters.iter().map(Vec::as_slice).collect();
    let packed = stream.raw_data();
    Ok(counter.by(&filters, &packed)?.max(packed.len() as u64))
}

fn filters(said: &Dict<'_>, keys: [&[u8]; 2]) -> Vec<Vec<u8>> {
    let one = keys.iter().find_map(|key| said.get::<Name<'_>>(key));
    if let Some(name) = one {
        return vec![name.to_vec()];
    }
    let many = keys.iter().find_map(|key| said.get::<Array<'_>>(key));
    let names = many.iter().flat_map(Array::iter::<Name<'_>>);
    names.map(|name| name.to_vec()).collect()
}
