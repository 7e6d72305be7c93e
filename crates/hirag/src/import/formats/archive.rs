//! ZIP archives, with limits against those that are made to fill the memory.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::read::DeflateDecoder;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use super::{Deadline, Fault};

/// Entries of an archive at most. A book of a thousand chapters and pictures has a few thousand.
pub(super) const MAX_ENTRIES: usize = 20_000;
/// Bytes that all that is read of a document may unpack to.
pub(super) const MAX_UNPACKED: u64 = 256 << 20;
/// Bytes that one entry of it may unpack to; its words are in memory three times at the most.
pub(super) const MAX_ENTRY: u64 = 64 << 20;
/// How many times its packed size an entry may unpack to. Text packs to a tenth, and a table of
/// equal rows to a hundredth; the format itself ends at a thousandth.
pub(super) const MAX_RATIO: u64 = 200;
/// Bytes that may be unpacked from however few.
const RATIO_FREE: u64 = 4 << 20;

/// An archive that is open.
pub(in crate::import) struct Archive<R> {
    zip: ZipArchive<R>,
    /// Bytes that may still be unpacked.
    room: u64,
    deadline: Deadline,
}

impl<R: Read + Seek> Archive<R> {
    pub(in crate::import) fn open(input: R, deadline: Deadline) -> Result<Self, Fault> {
        let zip = ZipArchive::new(input)
            .map_err(|error| fault(&error, format!("is no whole ZIP archive: {error}")))?;
        if zip.len() > MAX_ENTRIES {
            return Err(Fault::over_limit(format!(
                "has {} entries, over the limit of {MAX_ENTRIES} for an archive",
                zip.len()
            )));
        }
        let room = MAX_UNPACKED;
        Ok(Self {
            zip,
            room,
            deadline,
        })
    }

    pub(in crate::import) fn has(&self, name: &str) -> bool {
        self.zip.index_for_name(name).is_some()
    }

    /// The names of the files with the conversations of an exported account, in their order: large
    /// ones are in parts, `conversations-000.json` and so on. What lies in folders below them is not
    /// the account's own.
    pub(in crate::import) fn conversations(&self) -> Vec<String> {
        let depth = |name: &String| name.matches('/').count();
        let names = self.zip.file_names().filter_map(Result::ok);
        let mut found: Vec<String> = names
            .filter(|name| {
                let file = name.rsplit('/').next().unwrap_or_default();
                file.starts_with("conversations") && file.ends_with(".json")
            })
            .map(std::borrow::Cow::into_owned)
            .collect();
        let shallowest = found.iter().map(depth).min();
        found.retain(|name| Some(depth(name)) == shallowest);
        found.sort();
        found
    }

    /// An entry whole; `None` if there is none of this name.
    pub(super) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.deadline.check()?;
        let Some(index) = self.zip.index_for_name(name) else {
            return Ok(None);
        };
        let entry = self.zip.by_index(index).map_err(|error| match error {
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
                Fault::encrypted("is encrypted; save it without a password, and import it again")
            }
            error => fault(&error, not_unpacked(name, &error)),
        })?;
        let most = most_unpacked(entry.compressed_size()).min(self.room);
        let mut bytes = Vec::new();
        // What the archive says of the size is not believed.
        let read = entry.take(most + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > most {
            return Err(Fault::over_limit(format!(
                "unpacks to more than a document does (`{name}` to over {most} bytes; the limits are {MAX_RATIO} times \
                 its packed size, {MAX_ENTRY} bytes, and {MAX_UNPACKED} bytes in all)"
            )));
        }
        read.map_err(ZipError::from)
            .map_err(|error| fault(&error, not_unpacked(name, &error)))?;
        self.room -= bytes.len() as u64;
        Ok(Some(bytes))
    }
}

impl Archive<File> {
    /// An entry of any size, as it is unpacked.
    pub(in crate::import) fn stream(&mut self, file: &File, name: &str) -> Result<Unpacked, Fault> {
        let damaged = |why: &dyn fmt::Display| Fault::damaged(not_unpacked(name, why));
        let failed = |error: ZipError| fault(&error, not_unpacked(name, &error));
        let absent = || Fault::damaged(format!("has no `{name}` in it"));
        let index = self.zip.index_for_name(name).ok_or_else(absent)?;
        let entry = self.zip.by_index_raw(index).map_err(failed)?;
        if entry.encrypted() {
            return Err(Fault::encrypted(
                "is encrypted; unpack it, and import `conversations.json`",
            ));
        }
        let (start, packed) = (entry.data_start(), entry.compressed_size());
        let method = entry.compression();
        drop(entry);
        let start = start.ok_or_else(|| damaged(&"it begins nowhere"))?;
        // What the archive gives cannot leave it; a handle of the file can.
        let mut file = file.try_clone().map_err(|e| failed(e.into()))?;
        file.seek(SeekFrom::Start(start))
            .map_err(|e| failed(e.into()))?;
        let raw = BufReader::new(file).take(packed);
        let input: Box<dyn Read + Send> = match method {
            CompressionMethod::Stored => Box::new(raw),
            CompressionMethod::Deflated => Box::new(DeflateDecoder::new(raw)),
            other => return Err(damaged(&format!("packed by {other}"))),
        };
        Ok(Unpacked {
            input,
            room: packed.saturating_mul(MAX_RATIO).max(RATIO_FREE),
        })
    }
}

fn not_unpacked(name: &str, why: &dyn fmt::Display) -> String {
    format!("is damaged: `{name}` in it cannot be unpacked ({why})")
}

/// What the system says of a file may be otherwise the next time; what its bytes say is not.
fn fault(error: &ZipError, reason: String) -> Fault {
    match error {
        ZipError::Io(error) if error.raw_os_error().is_some() => Fault::unreadable(error),
        _ => Fault::damaged(reason),
    }
}

/// Bytes that an entry of `packed` bytes may unpack to.
fn most_unpacked(packed: u64) -> u64 {
    packed
        .saturating_mul(MAX_RATIO)
        .clamp(RATIO_FREE, MAX_ENTRY)
}

/// An entry on its way; ends with an error when it unpacks to more than text does.
pub(in crate::import) struct Unpacked {
    input: Box<dyn Read + Send>,
    room: u64,
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.room = self.room.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(format!(
                "the archive unpacks to more than {MAX_RATIO} times its size, which text does not"
            ))
        })?;
        Ok(read)
    }
}
