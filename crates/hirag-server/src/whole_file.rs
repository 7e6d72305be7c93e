//! Files that are there whole or not at all, whatever happens while they are written.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use hirag::files::{folder_of, sync_folder_of};
use tempfile::NamedTempFile;

use crate::commands::{Error, Result};

/// A file that is being written beside its place. Until it is finished, its place is as it was; if
/// it never is, because the disk is full or the program ends, what was written goes away.
#[derive(Debug)]
pub struct WholeFile {
    staged: BufWriter<NamedTempFile>,
    place: PathBuf,
}

impl WholeFile {
    /// Begins a file for `place`.
    ///
    /// # Errors
    /// [`Error::DiskFull`]; [`Error::Unwritable`] where its folder cannot be written, or `place` is a folder.
    pub fn begin(place: &Path) -> Result<Self> {
        if place.is_dir() {
            return Err(Error::unwritable(place, "it is a folder"));
        }
        let folder = folder_of(place);
        if !folder.is_dir() {
            let reason = format!("there is no folder {}", folder.display());
            return Err(Error::unwritable(place, reason));
        }
        let staged = NamedTempFile::new_in(folder).map_err(|e| Error::writing(place, &e))?;
        Ok(Self {
            staged: BufWriter::new(staged),
            place: place.to_owned(),
        })
    }

    /// Begins a file for `place` with all that is in `source`; its bytes too.
    ///
    /// # Errors
    /// As [`Self::begin`]; [`Error::Output`] for what `source` says.
    pub fn copy_of(source: &Path, place: &Path) -> Result<(Self, u64)> {
        let mut source = File::open(source)?;
        let mut copy = Self::begin(place)?;
        let copied = io::copy(&mut source, &mut copy);
        let bytes = copied.map_err(|e| Error::writing(place, &e))?;
        Ok((copy, bytes))
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Unwritable`].
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.staged.write_all(bytes);
        written.map_err(|e| Error::writing(&self.place, &e))
    }

    /// Gives it permissions other than for its owner alone.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Unwritable`].
    pub fn set_permissions(&self, permissions: Permissions) -> Result<()> {
        let file = self.staged.get_ref().as_file();
        file.set_permissions(permissions)
            .map_err(|e| Error::writing(&self.place, &e))
    }

    /// Puts it in its place, over what may be there; it is on the disk then.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Unwritable`]; its place is as it was then.
    pub fn finish(self) -> Result<()> {
        let place = self.place.clone();
        let staged = self.synchronised()?;
        staged
            .persist(&place)
            .map_err(|e| Error::writing(&place, &e.error))?;
        sync_folder_of(&place).map_err(|e| Error::writing(&place, &e))
    }

    /// Puts it in its place if nothing is there; it is on the disk then.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Unwritable`]; its place is as it was then.
    pub fn finish_new(self) -> Result<()> {
        let place = self.place.clone();
        let staged = self.synchronised()?;
        staged.persist_noclobber(&place).map_err(|e| {
            if e.error.kind() == io::ErrorKind::AlreadyExists {
                return Error::unwritable(&place, "it exists already; choose a new name");
            }
            Error::writing(&place, &e.error)
        })?;
        sync_folder_of(&place).map_err(|e| Error::writing(&place, &e))
    }

    fn synchronised(self) -> Result<NamedTempFile> {
        let Self { staged, place } = self;
        let staged = staged.into_inner();
        let staged = staged.map_err(|e| Error::writing(&place, e.error()))?;
        let synchronised = staged.as_file().sync_all();
        synchronised.map_err(|e| Error::writing(&place, &e))?;
        Ok(staged)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.staged.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.staged.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn names(folder: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn until_it_is_finished_its_place_is_as_it_was() {
        let folder = TempDir::new().unwrap();
        let place = folder.path().join("file");
        fs::write(&place, "before").unwrap();
        let mut file = WholeFile::begin(&place).unwrap();
        file.write_all(b"after").unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "before");
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "after");
        assert_eq!(names(&folder), ["file"]);
    }

    #[test]
    fn what_is_not_finished_goes_away() {
        let folder = TempDir::new().unwrap();
        let mut file = WholeFile::begin(&folder.path().join("file")).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(names(&folder), [""; 0]);
    }

    #[test]
    fn a_new_file_takes_nobodys_place() {
        let folder = TempDir::new().unwrap();
        let place = folder.path().join("file");
        fs::write(&place, "theirs").unwrap();
        let error = WholeFile::begin(&place).unwrap().finish_new().unwrap_err();
        assert_eq!(error.code(), "io_failed");
        assert!(error.to_string().contains("choose a new name"), "{error}");
        assert_eq!(fs::read_to_string(&place).unwrap(), "theirs");
        assert_eq!(names(&folder), ["file"]);
    }

    #[test]
    fn a_full_disk_is_told_with_what_to_do() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let error = Error::writing(Path::new("/mnt/export.jsonl"), &full);
        assert_eq!(error.code(), "disk_full");
        assert!(
            error
                .to_string()
                .contains("/mnt/export.jsonl; free some space"),
            "{error}"
        );
        let gone = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(Error::writing(Path::new("x"), &gone).code(), "io_failed");
    }

    #[test]
    fn a_folder_in_its_place_and_a_place_in_none_are_refused() {
        let folder = TempDir::new().unwrap();
        let error = WholeFile::begin(folder.path()).unwrap_err();
        assert!(error.to_string().contains("it is a folder"), "{error}");
        let error = WholeFile::begin(&folder.path().join("none/file")).unwrap_err();
        assert!(error.to_string().contains("there is no folder"), "{error}");
    }
}
